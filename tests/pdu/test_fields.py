"""The fields of a TPDU one by one: addresses, TP-DCS, time stamps, TP-VP, user data header."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modemgw.pdu import address, gsm7, timestamp, udh, validity
from modemgw.pdu.address import Address, TypeOfNumber
from modemgw.pdu.cursor import Cursor
from modemgw.pdu.dcs import Dcs, Encoding, MessageWaiting
from modemgw.pdu.errors import PduError
from modemgw.pdu.udh import Concat, Element, Ports
from modemgw.pdu.validity import Absolute, Enhanced, Relative

DIGITS = st.text("0123456789*#abc", min_size=1, max_size=20)
NUMERIC = st.sampled_from([ton for ton in TypeOfNumber if ton is not TypeOfNumber.ALPHANUMERIC])
NAMES = st.text(gsm7.DEFAULT.replace("\x1b", ""), min_size=1, max_size=11)
OFFSETS = st.integers(-79, 79).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
TIMES = st.builds(
    lambda at, zone: at.replace(microsecond=0, tzinfo=zone),
    st.datetimes(datetime(1990, 1, 1), datetime(2089, 12, 31)),  # noqa: DTZ001  # the zone is drawn beside it
    OFFSETS,
)


@given(st.builds(Address, DIGITS, NUMERIC, st.integers(0, 15)))
def test_numbers_come_back(number: Address) -> None:
    assert address.decode(Cursor(number.encode("TP-DA")), "TP-DA") == number
    assert address.decode_smsc(Cursor(number.encode_smsc())) == number


@given(NAMES)
def test_names_come_back(name: str) -> None:
    sender = Address.alphanumeric(name)
    assert address.decode(Cursor(sender.encode("TP-OA")), "TP-OA") == sender
    assert sender.number == name


@given(st.from_regex(r"\+?[0-9*#]{1,20}", fullmatch=True))
def test_what_can_be_dialled_is_shown_as_it_was_written(number: str) -> None:
    assert Address.parse(number).number == number


def test_letters_and_long_numbers_cannot_be_digits() -> None:
    with pytest.raises(PduError, match="digits"):
        Address("12x").encode("TP-DA")
    with pytest.raises(PduError, match="20 digits"):
        Address("1" * 21).encode("TP-DA")
    with pytest.raises(PduError, match="too long"):
        Address("x" * 146, TypeOfNumber.ALPHANUMERIC).encode("TP-DA")


def test_a_service_centre_has_no_name() -> None:
    with pytest.raises(PduError, match="not a name"):
        Address.alphanumeric("Centre").encode_smsc()


def test_a_reserved_type_of_number_is_unknown() -> None:
    assert address.decode(Cursor(bytes.fromhex("04f12143")), "TP-OA") == Address("1234")


@pytest.mark.parametrize("field", ["00", "0191", "0291FF"])
def test_an_smsc_field_without_digits_is_none(field: str) -> None:
    cursor = Cursor(bytes.fromhex(field))
    assert address.decode_smsc(cursor) is None
    assert cursor.left() == 0


@given(st.binary(max_size=300))
def test_any_octets_are_an_address_or_an_error(octets: bytes) -> None:
    for read in (address.decode_smsc, lambda cursor: address.decode(cursor, "TP-OA")):
        with contextlib.suppress(PduError):
            found = read(Cursor(octets))
            assert found is None or len(found.text) <= 510
            continue
        with pytest.raises(PduError) as caught:
            read(Cursor(octets))
        offset = caught.value.offset
        assert offset is not None
        assert offset <= len(octets)


def test_every_data_coding_means_something() -> None:
    for octet in range(256):
        dcs = Dcs.from_octet(octet)
        assert dcs.octet == octet
        assert dcs.message_class in (None, 0, 1, 2, 3)


@pytest.mark.parametrize(
    ("octet", "encoding", "message_class"),
    [
        (0x00, "gsm7", None),
        (0x03, "gsm7", None),
        (0x0C, "gsm7", None),  # the fourth alphabet is reserved
        (0x1B, "ucs2", 3),
        (0x44, "8bit", None),
        (0x58, "ucs2", 0),
        (0x80, "gsm7", None),
        (0xB8, "gsm7", None),
        (0xC8, "gsm7", None),
        (0xE0, "ucs2", None),
        (0xF3, "gsm7", 3),
        (0xF7, "8bit", 3),
    ],
)
def test_data_coding_groups(octet: int, encoding: str, message_class: int | None) -> None:
    dcs = Dcs.from_octet(octet)
    assert (dcs.encoding, dcs.message_class) == (encoding, message_class)


def test_message_waiting() -> None:
    assert Dcs.from_octet(0xC8).waiting == MessageWaiting("voicemail", active=True, store=False)
    assert Dcs.from_octet(0xD1).waiting == MessageWaiting("fax", active=False, store=True)
    assert Dcs.from_octet(0xEB).waiting == MessageWaiting("other", active=True, store=True)
    assert Dcs.from_octet(0x08).waiting is None
    assert Dcs.from_octet(0x48).auto_delete


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize("message_class", [None, 0, 1, 2, 3])
def test_what_is_built_is_read_back(encoding: Encoding, message_class: int | None) -> None:
    dcs = Dcs.build(encoding, message_class)
    assert (dcs.encoding, dcs.message_class, dcs.compressed) == (encoding, message_class, False)


def test_there_is_no_fifth_class() -> None:
    with pytest.raises(PduError):
        Dcs.build(Encoding.GSM7, 4)


@given(TIMES)
def test_times_come_back_with_their_offset(at: datetime) -> None:
    again = timestamp.decode(timestamp.encode(at, "TP-SCTS"))
    assert again is not None
    assert (again, again.utcoffset()) == (at, at.utcoffset())


@given(st.binary(min_size=7, max_size=7))
def test_any_seven_octets_are_a_time_or_none(raw: bytes) -> None:
    at = timestamp.decode(raw)
    assert at is None or timestamp.encode(at, "TP-SCTS")[:6] == raw[:6]


@pytest.mark.parametrize(("octets", "year"), [("00", 2000), ("98", 2089), ("09", 1990), ("99", 1999)])
def test_the_century(octets: str, year: int) -> None:
    at = timestamp.decode(bytes.fromhex(octets + "101000000000"))
    assert at is not None
    assert at.year == year


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 1, 1),  # noqa: DTZ001  # without an offset on purpose
        datetime(1989, 12, 31, tzinfo=UTC),
        datetime(2090, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=20))),
        datetime(2026, 1, 1, tzinfo=timezone(timedelta(seconds=30))),
    ],
)
def test_times_that_cannot_be_said(at: datetime) -> None:
    with pytest.raises(PduError):
        timestamp.encode(at, "TP-VP")


def test_relative_validity_grows_with_its_octet_and_is_exact_on_its_steps() -> None:
    steps = [validity.relative_seconds(octet) for octet in range(256)]
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (validity.MIN_RELATIVE, validity.MAX_RELATIVE)
    assert [validity.relative_octet(step) for step in steps] == list(range(256))


@given(st.floats(0.001, validity.MAX_RELATIVE))
def test_relative_validity_is_the_shortest_that_is_long_enough(seconds: float) -> None:
    octet = validity.relative_octet(seconds)
    assert validity.relative_seconds(octet) >= seconds
    assert octet == 0 or validity.relative_seconds(octet - 1) < seconds


@pytest.mark.parametrize("bad", [Absolute(None), Enhanced(b"\x01"), Relative(float("nan")), Relative(0)])
def test_validity_that_cannot_be_said(bad: validity.Validity) -> None:
    with pytest.raises(PduError):
        validity.encode(bad)


CONCATS = st.sampled_from([8, 16]).flatmap(
    lambda bits: st.tuples(st.integers(0, (1 << bits) - 1), st.integers(1, 255), st.just(bits)).flatmap(
        lambda drawn: st.integers(1, drawn[1]).map(lambda seq: Concat(drawn[0], drawn[1], seq, drawn[2]))
    )
)
PORTS = st.sampled_from([8, 16]).flatmap(
    lambda bits: st.builds(Ports, st.integers(0, (1 << bits) - 1), st.integers(0, (1 << bits) - 1), st.just(bits))
)


@given(CONCATS, PORTS)
def test_elements_come_back(concat: Concat, ports: Ports) -> None:
    header = udh.build([ports.element(), concat.element()])
    elements = udh.parse(header[1:], 0)
    assert (udh.concat(elements), udh.ports(elements)) == (concat, ports)


@given(st.binary(max_size=140))
def test_any_header_is_elements_or_an_error(header: bytes) -> None:
    with contextlib.suppress(PduError):
        elements = udh.parse(header, 0)
        assert udh.build(elements)[1:] == header
        udh.concat(elements)
        udh.ports(elements)
        udh.languages(elements)


def test_the_last_of_contradicting_elements_counts() -> None:
    assert udh.concat([Concat(1, 2, 1).element(), Concat(300, 3, 2, 16).element()]) == Concat(300, 3, 2, 16)
    assert udh.concat([Concat(1, 2, 1).element(), Element(udh.CONCAT_8, b"\1\0\0")]) == Concat(1, 2, 1)
    assert udh.ports([Ports(1, 2, 8).element(), Ports(3, 4, 16).element()]) == Ports(3, 4, 16)
    assert udh.languages([Element(0x24, b"\1"), Element(0x24, b"\3"), Element(0x25, b"\2\2")]) == (0, 3)


@pytest.mark.parametrize(
    "element",
    [Concat(256, 2, 1), Concat(0, 0, 0), Concat(0, 2, 3), Concat(0, 1, 1, 7), Ports(256, 0, 8), Ports(-1, 0)],
)
def test_elements_that_cannot_be_said(element: Concat | Ports) -> None:
    with pytest.raises(PduError):
        element.element()


def test_a_header_has_255_octets_at_most() -> None:
    with pytest.raises(PduError):
        udh.build([Element(0x70, bytes(254))])
    with pytest.raises(PduError):
        udh.build([Element(0x70, bytes(400))])
