"""Joining parts."""

from hypothesis import given
from hypothesis import strategies as st

from modemgw.pdu.address import Address
from modemgw.pdu.concat import join
from modemgw.pdu.dcs import Dcs, Encoding
from modemgw.pdu.tpdu import Deliver
from modemgw.pdu.udh import SINGLE_SHIFT, Concat, Element
from modemgw.pdu.userdata import UserData

SENDER = Address.parse("+491711234567")


def part(seq: int, content: bytes, encoding: Encoding, *more: Element, parts: int = 9) -> Deliver:
    """One part with content as it travels."""
    elements = (Concat(7, parts, seq).element(), *more)
    return Deliver(
        originator=SENDER,
        user_data=UserData(encoding, content, elements),
        dcs=Dcs.build(encoding),
        scts_raw=bytes(7),
    )


def test_a_message_of_one_part() -> None:
    single = Deliver(
        originator=SENDER, user_data=UserData.of("hi", Encoding.GSM7), dcs=Dcs.build(Encoding.GSM7), scts_raw=bytes(7)
    )
    assert join([single]) == "hi"


def test_parts_come_in_any_order_and_twice() -> None:
    parts = [part(n, str(n).encode(), Encoding.GSM7) for n in (3, 1, 2, 1)]
    assert join(parts) == "123"


def test_a_surrogate_pair_cut_by_the_sender_is_whole_again() -> None:
    first, second = part(1, bytes.fromhex("0041d83d"), Encoding.UCS2), part(2, bytes.fromhex("de000042"), Encoding.UCS2)
    assert first.text == "A\ufffd"
    assert join([first, second]) == "A😀B"


def test_an_escape_cut_by_the_sender_is_whole_again() -> None:
    assert join([part(1, b"a\x1b", Encoding.GSM7), part(2, b"\x65b", Encoding.GSM7)]) == "a€b"


def test_half_a_unit_does_not_shift_the_next_part() -> None:
    assert join([part(1, b"\x04\x34\x04", Encoding.UCS2), part(2, b"\x04\x35", Encoding.UCS2)]) == "де"


def test_each_part_is_read_by_its_own_alphabet() -> None:
    turkish = Element(SINGLE_SHIFT, b"\x01")
    parts = [
        part(1, b"a", Encoding.GSM7),
        part(2, b"\x04\x34", Encoding.UCS2),
        part(3, b"\x1b\x49", Encoding.GSM7, turkish),
        part(4, b"\x1b\x49", Encoding.GSM7),
    ]
    assert join(parts) == "aдİI"


def test_data_is_joined_as_octets() -> None:
    assert join([part(2, b"\xff", Encoding.OCTETS), part(1, b"\x00", Encoding.OCTETS)]) == b"\x00\xff"


def test_text_among_data_is_data() -> None:
    assert join([part(1, b"\x00", Encoding.OCTETS), part(2, b"\x04\x34", Encoding.UCS2)]) == b"\x00" + "д".encode()


def test_no_parts_are_no_text() -> None:
    assert join([]) == ""


@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from(Encoding), st.binary(max_size=20))))
def test_joining_never_fails(drawn: list[tuple[int, Encoding, bytes]]) -> None:
    parts = [
        part(seq, bytes(o & 0x7F for o in content) if coding is Encoding.GSM7 else content, coding)
        for seq, coding, content in drawn
    ]
    whole = join(parts)
    if isinstance(whole, str):
        whole.encode()
