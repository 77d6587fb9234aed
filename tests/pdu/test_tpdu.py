"""Every TPDU that can be said comes back as it was; every string of octets is a TPDU or a PduError."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modemgw.pdu import gsm7
from modemgw.pdu.address import Address
from modemgw.pdu.dcs import Dcs, Encoding
from modemgw.pdu.decode import decode, explain
from modemgw.pdu.envelope import unwrap, wrap
from modemgw.pdu.errors import PduError
from modemgw.pdu.tpdu import Deliver, StatusReport, Submit
from modemgw.pdu.udh import Concat, Element, Ports
from modemgw.pdu.userdata import UserData
from modemgw.pdu.validity import Enhanced, Relative, relative_seconds

OCTETS = st.integers(0, 255)
STAMPS = st.binary(min_size=7, max_size=7)
NUMBERS = st.from_regex(r"\+?[0-9*#]{1,20}", fullmatch=True).map(Address.parse)
ADDRESSES = st.one_of(
    NUMBERS,
    st.text(gsm7.DEFAULT.replace("\x1b", ""), min_size=1, max_size=11).map(Address.alphanumeric),
)
HEADERS = st.sampled_from(
    [
        (),
        (Concat(7, 3, 2).element(),),
        (Concat(700, 3, 2, 16).element(),),
        (Ports(5000, 5001).element(), Concat(7, 3, 2).element()),
        (Element(0x70, b"abcde"),),
        (Element(0x24, b"\x01"), Element(0x25, b"\x03")),
    ]
)
CONTENTS = st.one_of(
    st.tuples(st.just(Encoding.GSM7), st.binary(max_size=140).map(lambda b: bytes(octet & 0x7F for octet in b))),
    st.tuples(st.just(Encoding.UCS2), st.binary(max_size=124)),
    st.tuples(st.just(Encoding.OCTETS), st.binary(max_size=124)),
)


@st.composite
def bodies(draw: Any) -> dict[str, Any]:
    """TP-DCS and user data that go together."""
    encoding, content = draw(CONTENTS)
    dcs = draw(st.sampled_from([d for d in map(Dcs.from_octet, range(256)) if d.encoding is encoding]))
    return {"dcs": dcs, "user_data": UserData(encoding, content, draw(HEADERS))}


VALIDITIES = st.one_of(
    st.none(), OCTETS.map(relative_seconds).map(Relative), st.binary(min_size=7, max_size=7).map(Enhanced)
)


@given(bodies(), ADDRESSES, OCTETS, OCTETS, VALIDITIES, st.booleans(), st.booleans(), st.booleans())
def test_submit(
    body: dict[str, Any], to: Address, mr: int, pid: int, validity: Any, srr: bool, rd: bool, rp: bool
) -> None:
    submit = Submit(**body, destination=to, mr=mr, pid=pid, validity=validity, srr=srr, rd=rd, rp=rp)
    assert Submit.from_bytes(submit.encode()) == submit


@given(bodies(), ADDRESSES, OCTETS, STAMPS, st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_deliver(
    body: dict[str, Any], sender: Address, pid: int, scts: bytes, sri: bool, rp: bool, more: bool, lp: bool
) -> None:
    deliver = Deliver(**body, originator=sender, pid=pid, scts_raw=scts, sri=sri, rp=rp, more_messages=more, lp=lp)
    assert Deliver.from_bytes(deliver.encode()) == deliver


@given(
    st.one_of(st.just({}), bodies()),
    ADDRESSES,
    OCTETS,
    OCTETS,
    STAMPS,
    STAMPS,
    st.one_of(st.none(), OCTETS),
    st.booleans(),
    st.booleans(),
)
def test_status_report(
    body: dict[str, Any],
    recipient: Address,
    mr: int,
    st_: int,
    scts: bytes,
    discharge: bytes,
    pid: int | None,
    srq: bool,
    more: bool,
) -> None:
    report = StatusReport(
        **body,
        recipient=recipient,
        mr=mr,
        status=st_,
        scts_raw=scts,
        discharge_raw=discharge,
        pid=pid,
        srq=srq,
        more_messages=more,
    )
    assert StatusReport.from_bytes(report.encode()) == report


@given(bodies(), ADDRESSES, st.one_of(st.none(), NUMBERS))
def test_the_envelope_counts_the_tpdu_alone(body: dict[str, Any], to: Address, smsc: Address | None) -> None:
    tpdu = Submit(**body, destination=to).encode()
    wrapped = wrap(tpdu, smsc)
    assert wrapped.tpdu_length == len(tpdu)
    assert unwrap(wrapped.hex) == (smsc, tpdu)
    decoded = decode(wrapped.hex.lower())
    assert (decoded.smsc, decoded.tpdu_length, decoded.trailing) == (smsc, len(tpdu), 0)


@given(st.binary(max_size=200))
def test_any_octets_are_a_message_or_an_error(octets: bytes) -> None:
    with contextlib.suppress(PduError):
        explain(decode(octets.hex()))


@given(st.text(max_size=60))
def test_any_text_is_a_line_or_an_error(line: str) -> None:
    with contextlib.suppress(PduError):
        decode(line)


def test_what_does_not_fit_an_octet_is_refused() -> None:
    body = UserData.of("x", Encoding.GSM7)
    for wrong in ({"mr": 256}, {"mr": -1}, {"pid": 256}):
        with pytest.raises(PduError):
            Submit(destination=Address("1"), user_data=body, dcs=Dcs.from_octet(0), **wrong).encode()


def test_a_stamp_has_seven_octets() -> None:
    body = UserData.of("x", Encoding.GSM7)
    with pytest.raises(PduError, match="7 octets"):
        Deliver(originator=Address("1"), user_data=body, dcs=Dcs.from_octet(0), scts_raw=b"").encode()
