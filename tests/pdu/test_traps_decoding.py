"""Twenty-two traps of decoding that SMS software falls into, D1 to D22.

Each of them, got wrong, loses a message that a modem has already handed over, or shows another text than was sent.
"""

import json
from datetime import UTC, datetime

import pytest

from modemgw.pdu import status
from modemgw.pdu.decode import Sender, decode, describe, explain
from modemgw.pdu.errors import PduError
from modemgw.pdu.septets import pack
from modemgw.pdu.tpdu import Deliver, StatusReport, Submit
from modemgw.pdu.validity import Enhanced

_SMSC = "0791947101670000"
_FROM = "0C91947111325476"
_SCTS = "62304050607040"


def deliver(body: str, *, first: str = "04", sender: str = _FROM, dcs: str = "00", scts: str = _SCTS) -> Deliver:
    """A DELIVER around TP-UDL and TP-UD given in hex."""
    tpdu = decode(f"{_SMSC}{first}{sender}00{dcs}{scts}{body}").tpdu
    assert isinstance(tpdu, Deliver)
    return tpdu


def test_d01_a_header_of_seven_octets_needs_no_fill_bits() -> None:
    assert deliver("1306080400FF0202E8329BFD06DDDF723619", first="44").text == "hello world"


def test_d02_surrogate_pairs_are_joined() -> None:
    text = deliver("0C004800690020D83DDE000021", dcs="08").text
    assert text == "Hi 😀!"
    assert json.dumps(text, ensure_ascii=False).encode()


@pytest.mark.parametrize(("half", "shown"), [("0041D83D", "A\ufffd"), ("DE000041", "\ufffdA")])
def test_d02_half_a_pair_can_still_be_stored_as_utf8(half: str, shown: str) -> None:
    text = deliver(f"04{half}", dcs="08").text
    assert text == shown
    assert text.encode()


def test_d03_septet_5f_is_the_section_sign() -> None:
    assert deliver("015F").text == "§"


@pytest.mark.parametrize("count", [8, 16, 160])
def test_d04_a_last_at_sign_is_kept(count: int) -> None:
    assert deliver(f"{count:02X}{'00' * (count * 7 // 8)}").text == "@" * count


@pytest.mark.parametrize("dcs", ["48", "58", *(f"{octet:02X}" for octet in range(0xE0, 0xF0))])
def test_d05_automatic_deletion_and_message_waiting_can_be_ucs2(dcs: str) -> None:
    assert deliver("020434", dcs=dcs).text == "д"


@pytest.mark.parametrize("dcs", ["F4", "F5", "F6", "F7", "44", "04"])
def test_d06_octets_for_programs_are_no_text(dcs: str) -> None:
    message = deliver("0500646373FF", dcs=dcs)
    assert (message.data, message.text) == (bytes.fromhex("00646373FF"), None)


def test_d07_data_ends_where_its_length_says() -> None:
    decoded = decode(f"{_SMSC}04{_FROM}0004{_SCTS}02AABBCCDD")
    assert decoded.tpdu.data == b"\xaa\xbb"
    assert decoded.trailing == 2


def test_d08_flags_class_and_coding_are_told() -> None:
    message = deliver("0178", first="A0", dcs="12")
    assert (message.sri, message.rp, message.more_messages) == (True, True, True)
    assert (message.encoding, message.message_class, message.dcs.octet) == ("gsm7", 2, 0x12)
    submit = Submit.from_bytes(bytes.fromhex("B5010C919471113254760000A70178"))
    assert (submit.srr, submit.rd, submit.rp) == (True, True, True)


@pytest.mark.parametrize(
    "scts",
    [
        "00000000000000",
        "FFFFFFFFFFFFFF",
        "62310050607040",
        "62200350607040",
        "62304052607040",
        "6A304050607040",
        "62304050601640",
    ],
)
def test_d09_an_impossible_time_does_not_lose_the_message(scts: str) -> None:
    message = deliver("05E8329BFD06", scts=scts)
    assert message.scts is None
    assert message.scts_raw == bytes.fromhex(scts)
    assert (message.text, message.originator.number) == ("hello", "+491711234567")
    assert Deliver.from_bytes(message.encode()) == message


def test_d10_an_unset_time_zone_is_no_time() -> None:
    assert deliver("0178", scts="623040506070FF").scts is None


def test_d11_a_cut_message_is_an_error_and_not_a_shorter_text() -> None:
    whole = f"{_SMSC}04{_FROM}0000{_SCTS}0AE8329BFD4697D9EC37"
    assert decode(whole).tpdu.text == "hellohello"
    for octets in range(len(whole) // 2):
        with pytest.raises(PduError):
            decode(whole[: 2 * octets])


def test_d12_a_message_that_ends_before_its_text_is_a_pdu_error() -> None:
    with pytest.raises(PduError) as caught:
        decode(f"{_SMSC}04{_FROM}0000{_SCTS}")
    assert (caught.value.field, caught.value.offset) == ("TP-UDL", 26)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("03000107", "concatenation with one octet"),
        ("0500032A0001", "no parts at all"),
        ("0500032A0200", "part 0"),
        ("0500032A0203", "part 3 of 2"),
        ("050803BEEF02", "16-bit reference cut"),
        ("0505030B8400", "ports with three octets"),
    ],
)
def test_d13_an_element_that_makes_no_sense_is_ignored(header: str, why: str) -> None:
    message = deliver(f"{len(header) // 2 + 2:02X}{header}0041", first="44", dcs="08")
    assert (message.concat, message.ports, message.text) == (None, None, "A"), why


def test_d14_an_empty_sender_still_has_its_type_octet() -> None:
    message = deliver("05E8329BFD06", sender="0081")
    assert (message.originator.number, message.text) == ("", "hello")


@pytest.mark.parametrize(
    ("sender", "number"),
    [
        ("0C91947F11325476", "+49711234567"),  # a filler inside
        ("0C919471113254F6", "+49171123456"),  # a filler where a digit was announced
        ("0B91947111325476", "+49171123456"),  # a digit where a filler belongs
    ],
)
def test_d15_an_address_is_read_by_its_length(sender: str, number: str) -> None:
    message = deliver("05E8329BFD06", sender=sender)
    assert message.text == "hello"
    assert message.originator.number == number


def test_d16_star_and_hash_are_shown_as_such() -> None:
    assert deliver("0178", sender="05811A00FB").originator.number == "*100#"


def test_d17_language_tables_apply() -> None:
    assert deliver("1503240101D81C37C9CD7433DE9437E74D7A3307", first="44").text == "ĞİŞç€ğış"


def test_d18_an_unknown_character_behind_an_escape_is_that_of_the_default_table() -> None:
    septets = b"a\x1bmb"
    body = f"{len(septets):02X}{pack(septets).hex()}"
    assert deliver(body).text == "amb"
    assert deliver("04E18D420C").text == "a\fb"


@pytest.mark.parametrize("septets", [b"a\x1b", b"a\x1b\x1b"])
def test_d18_an_escape_that_leads_nowhere_is_a_space(septets: bytes) -> None:
    assert deliver(f"{len(septets):02X}{pack(septets).hex()}").text == "a "


def test_d19_an_enhanced_validity_is_skipped_whole() -> None:
    message = decode("0009000C919471113254760000021E0000000000027638").tpdu
    assert isinstance(message, Submit)
    assert message.text == "vp"
    assert message.validity == Enhanced(bytes.fromhex("021E0000000000"))


_REPORT = f"06070C91947111325476{_SCTS}62304050602140"


@pytest.mark.parametrize(
    ("rest", "optional"),
    [
        ("00", (None, None, None)),
        ("0000", (None, None, None)),
        ("000100", (0, None, None)),
        ("00030000", (0, 0, None)),
        ("0007040403414243", (4, 4, b"ABC")),
    ],
)
def test_d20_a_report_may_say_more(rest: str, optional: tuple[int | None, int | None, bytes | None]) -> None:
    decoded = decode(_SMSC + _REPORT + rest)
    report = decoded.tpdu
    assert isinstance(report, StatusReport)
    assert (report.pid, report.dcs.octet if report.dcs else None, report.data) == optional
    assert decoded.trailing == 0
    assert report.discharge == datetime(2026, 3, 4, 4, 6, 12, tzinfo=UTC)


@pytest.mark.parametrize("filler", ["FF" * 120, "00" * 120, "07" * 90, "0705" + "20" * 3])
def test_d20_filler_behind_a_report_does_not_lose_it(filler: str) -> None:
    report = decode(_SMSC + _REPORT + "30" + filler).tpdu
    assert isinstance(report, StatusReport)
    assert (report.mr, report.status) == (7, 0x30)


def test_d20_a_status_has_words() -> None:
    assert status.meaning(0x46).outcome == "undelivered"
    assert "The phone received the message." in describe(decode(_SMSC + _REPORT + "00"))


@pytest.mark.parametrize("dcs", ["20", "28", "30", "60"])
def test_d21_compressed_text_is_kept_and_not_shown_as_text(dcs: str) -> None:
    message = deliver("050102030405", dcs=dcs)
    assert message.text is None
    assert message.data == bytes((1, 2, 3, 4, 5))
    assert message.dcs.compressed
    assert explain(decode(f"{_SMSC}04{_FROM}00{dcs}{_SCTS}050102030405"))["data"] == "0102030405"


@pytest.mark.parametrize(
    ("tpdu", "sender", "name"),
    [
        ("0100" + _SCTS, Sender.NETWORK, "SUBMIT-REPORT"),
        ("0000", Sender.PHONE, "DELIVER-REPORT"),
        ("0207000000049121430000", Sender.PHONE, "COMMAND"),
    ],
)
def test_d22_kinds_that_share_a_type_are_told_apart_by_who_sent_them(tpdu: str, sender: Sender, name: str) -> None:
    with pytest.raises(PduError, match=name):
        decode("00" + tpdu, sender=sender)


def test_d22_who_sent_it_does_not_get_in_the_way_of_messages() -> None:
    assert decode("0001000C91947111325476000005E8329BFD06", sender=Sender.PHONE).tpdu.text == "hello"
    assert decode(f"0004{_FROM}0000{_SCTS}0178", sender=Sender.NETWORK).tpdu.text == "x"
    assert isinstance(decode("00" + _REPORT + "00", sender=Sender.NETWORK).tpdu, StatusReport)


def test_the_reserved_type_is_read_as_a_deliver() -> None:
    assert deliver("0178", first="07").text == "x"
