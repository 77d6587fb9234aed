"""Twenty traps of SUBMIT encoding that SMS software falls into, E1 to E20.

Each of them, got wrong, loses a message, sends another text than was meant, or costs money without need.
"""

from datetime import datetime, timedelta, timezone

import pytest

from modemgw.pdu import segment
from modemgw.pdu.address import Address, TypeOfNumber
from modemgw.pdu.dcs import Encoding
from modemgw.pdu.decode import decode
from modemgw.pdu.encode import encode_json
from modemgw.pdu.envelope import wrap
from modemgw.pdu.errors import PduError
from modemgw.pdu.segment import plan, plan_data, submit_for
from modemgw.pdu.tpdu import Submit
from modemgw.pdu.udh import SINGLE_SHIFT, Concat, Element, Ports
from modemgw.pdu.userdata import UserData
from modemgw.pdu.validity import Absolute, Enhanced, Relative, relative_octet, relative_seconds

TO = Address.parse("+491711234567")


def one(text: str) -> Submit:
    """The single SUBMIT of a short text."""
    submits = plan(text).submits(TO, ref=1)
    assert len(submits) == 1
    return submits[0]


def units(submit: Submit) -> bytes:
    return submit.user_data.content


def test_e01_emoji_go_as_utf16_pairs() -> None:
    submit = one("hi 😀")
    assert submit.dcs.octet == 0x08
    assert units(submit).hex() == "006800690020d83dde00"
    assert Submit.from_bytes(submit.encode()).text == "hi 😀"


def test_e02_an_emoji_costs_two_units_and_is_never_cut() -> None:
    assert len(plan("😀" * 35).segments) == 1
    assert [len(s) for s in plan("😀" * 36).segments] == [33, 3]
    mixed = plan("ж" * 66 + "😀" * 10)
    assert mixed.segments[0] == "ж" * 66
    for submit in mixed.submits(TO, ref=1):
        body = submit.user_data.encode()
        assert len(body) - 1 <= 140
        assert submit.text
        assert "\ufffd" not in submit.text


@pytest.mark.parametrize("text", ["`", "a`b"])
def test_e03_a_backtick_is_not_in_the_gsm_alphabet(text: str) -> None:
    assert plan(text).encoding is Encoding.UCS2
    assert Submit.from_bytes(one(text).encode()).text == text


def test_e04_the_section_sign_is_septet_5f() -> None:
    assert one("§").encoding is Encoding.GSM7
    assert units(one("§")) == b"\x5f"
    assert len(plan("§" * 160).segments) == 1


def test_e05_y_with_diaeresis_goes_as_ucs2() -> None:
    assert units(one("ÿ")) == b"\x00\xff"


def test_e06_the_length_does_not_count_the_smsc() -> None:
    submit = submit_for("hello", destination=TO, encoding=Encoding.GSM7, srr=False)
    with_smsc = wrap(submit.encode(), Address.parse("+491710760000"))
    assert with_smsc.tpdu_length == 18
    assert len(with_smsc.hex) == 2 * (1 + 7 + 18)


def test_e07_a_large_reference_takes_the_16_bit_element() -> None:
    submits = plan("x" * 300, ref_bits=16).submits(TO, ref=48879)
    assert [s.concat for s in submits] == [Concat(48879, 2, 1, 16), Concat(48879, 2, 2, 16)]
    assert submits[0].user_data.elements[0].identifier == 0x08
    assert len(submits[0].text or "") == 152
    by_itself = encode_json({"to": "+491711234567", "text": "x" * 300, "ref": 300})
    assert "060804012C0201" in by_itself["pdus"][0]["pdu"]


def test_e08_the_reference_of_a_message_and_tp_mr_are_two_things() -> None:
    submits = plan("x" * 400).submits(TO, ref=7, mr=254)
    assert {s.concat.ref for s in submits if s.concat} == {7}
    assert [s.mr for s in submits] == [254, 255, 0]
    with pytest.raises(TypeError):
        plan("x" * 400).submits(TO)  # type: ignore[call-arg]  # nobody gets a reference by accident


def test_e08_json_without_a_reference_gives_each_message_its_own() -> None:
    first, second = (encode_json({"to": "+491711234567", "text": char * 400}) for char in "ab")
    concats = [decode(answer["pdus"][0]["pdu"]).tpdu.concat for answer in (first, second)]
    assert concats[0] != concats[1]
    assert first == encode_json({"to": "+491711234567", "text": "a" * 400})


@pytest.mark.parametrize("number", ["+44 7700 900123", "+44-7700-900123", "(0171)123", "+49١٢٣", "123\n", "0x12"])
def test_e09_a_number_with_anything_but_digits_is_refused(number: str) -> None:
    with pytest.raises(PduError):
        Address.parse(number)


@pytest.mark.parametrize("number", ["", "+", "++49", "49+", "1" * 21])
def test_e10_no_number_is_a_clear_error(number: str) -> None:
    with pytest.raises(PduError, match="1 to 20 digits"):
        Address.parse(number)


def test_e11_star_and_hash_are_digits() -> None:
    assert Address.parse("*100#").encode("TP-DA").hex() == "05811a00fb"


@pytest.mark.parametrize("number", ["12345", "112", "01711234567"])
def test_e12_plain_digits_are_of_unknown_type_unless_said_otherwise(number: str) -> None:
    assert Address.parse(number).encode("TP-DA")[1] == 0x81
    assert Address.parse(number, plain=TypeOfNumber.NATIONAL).encode("TP-DA")[1] == 0xA1


def test_e13_a_name_is_measured_in_used_semi_octets() -> None:
    lengths = {
        name: Address.alphanumeric(name).encode("TP-OA")[0] for name in ("A", "MyBrand", "Amazon24", "InternetSMS")
    }
    assert lengths == {"A": 2, "MyBrand": 13, "Amazon24": 14, "InternetSMS": 20}


@pytest.mark.parametrize("name", ["", "TwelveLetter", "Zażółć", "{€uro}shop"])
def test_e13_a_name_that_does_not_fit_is_refused(name: str) -> None:
    with pytest.raises(PduError):
        Address.alphanumeric(name)


@pytest.mark.parametrize("seconds", [1, 60, 299, 300])
def test_e14_a_short_validity_is_five_minutes(seconds: int) -> None:
    assert relative_octet(seconds) == 0


@pytest.mark.parametrize("seconds", [0, -1, -3600])
def test_e14_no_validity_at_all_is_refused(seconds: int) -> None:
    with pytest.raises(PduError):
        relative_octet(seconds)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (7 * 60, 10 * 60),
        (12 * 3600 + 1, 12 * 3600 + 1800),
        (25 * 3600, 2 * 86400),
        (30 * 86400 + 1, 35 * 86400),
        (31 * 86400, 35 * 86400),
        (34 * 86400, 35 * 86400),
        (441 * 86400, 441 * 86400),
    ],
)
def test_e15_a_validity_is_never_shortened(seconds: int, said: int) -> None:
    assert relative_seconds(relative_octet(seconds)) == said


def test_e15_more_than_63_weeks_is_refused() -> None:
    with pytest.raises(PduError, match="63 weeks"):
        relative_octet(441 * 86400 + 1)


def test_e16_an_offset_that_is_no_quarter_hour_is_refused() -> None:
    at = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(minutes=7)))
    with pytest.raises(PduError, match="15 minutes"):
        plan("x").submits(TO, ref=0, validity=Absolute(at))[0].encode()


def test_e17_a_literal_escape_does_not_swallow_the_next_character() -> None:
    assert plan("a\x1be").encoding is Encoding.UCS2
    assert Submit.from_bytes(one("a\x1be").encode()).text == "a\x1be"
    with pytest.raises(PduError, match=r"U\+001B"):
        plan("a\x1be", encoding="gsm7")


@pytest.mark.parametrize("text", ["\ud83d", "a\ude00b", "\ude00\ud83d"])
@pytest.mark.parametrize("encoding", ["auto", "gsm7", "ucs2"])
def test_e18_half_a_surrogate_pair_is_refused(text: str, encoding: segment.Choice) -> None:
    with pytest.raises(PduError):
        plan(text, encoding=encoding)


def test_e18_at_most_255_segments() -> None:
    assert len(plan("x" * (153 * 255)).segments) == 255
    with pytest.raises(PduError, match="255 segments"):
        plan("x" * (153 * 255 + 1))
    with pytest.raises(PduError, match="255 segments"):
        plan("€" * (76 * 255 + 1))  # fits by its units, but each segment loses one to an escape
    with pytest.raises(PduError, match="255 segments"):
        plan_data(bytes(134 * 255 + 1))


def test_e19_form_feed_is_an_escaped_line_feed() -> None:
    assert units(one("a\fb")) == b"a\x1b\x0ab"


def test_e20_all_that_others_leave_out_can_be_said() -> None:
    octets = plan_data(b"\x00\xff", ports=Ports(2948, 9200)).submits(
        TO, ref=0, message_class=1, pid=0x42, rp=True, validity=Enhanced(bytes.fromhex("021e0000000000"))
    )[0]
    again = Submit.from_bytes(octets.encode())
    assert again == octets
    assert (again.data, again.message_class, again.pid, again.rp) == (b"\x00\xff", 1, 0x42, True)
    assert again.ports == Ports(2948, 9200, 16)
    assert plan("hello", encoding="ucs2").encoding is Encoding.UCS2
    turkish = UserData.of("İş", Encoding.GSM7, (Element(SINGLE_SHIFT, b"\x01"),))
    assert turkish.content == b"\x1b\x49\x1b\x73"


def test_the_shortest_useful_submit_is_as_published() -> None:
    submit = submit_for(
        "hello", destination=Address.parse("+15550100123"), encoding=Encoding.GSM7, validity=Relative(86400)
    )
    assert wrap(submit.encode()).hex == "0031000B915155100021F30000A705E8329BFD06"
    assert wrap(submit.encode()).tpdu_length == 19


def test_a_segment_is_as_published() -> None:
    submit = submit_for(
        "ab",
        destination=Address.parse("+15550100123"),
        encoding=Encoding.GSM7,
        seq=1,
        parts=2,
        ref=0x2A,
        validity=Relative(86400),
    )
    assert wrap(submit.encode()).hex == "0071000B915155100021F30000A7090500032A0201C262"
