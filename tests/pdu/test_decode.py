"""explain() for programs, describe() for people, and what hostile lines can do to either: nothing."""

import json
from datetime import UTC, datetime

import pytest

from modemgw.pdu import timestamp
from modemgw.pdu.address import Address
from modemgw.pdu.dcs import Dcs, Encoding
from modemgw.pdu.decode import decode, describe, explain
from modemgw.pdu.envelope import MAX_HEX, wrap
from modemgw.pdu.errors import PduError
from modemgw.pdu.tpdu import Deliver
from modemgw.pdu.userdata import UserData

_COMMON = {"kind", "tpdu_length", "smsc", "number", "type_of_number", "concat", "ports"}
_MESSAGE = _COMMON | {"pid", "dcs", "encoding", "class", "rp"}
REPORT = "07915155109099F9062A0B915155100021F3628040900300806280409003708000"


def deliver_line(text: str, encoding: Encoding = Encoding.UCS2) -> str:
    """The hex line of a DELIVER with this text."""
    scts = timestamp.encode(datetime(2026, 8, 4, 9, 30, tzinfo=UTC), "TP-SCTS")
    body = UserData.of(text, encoding)
    sender = Address.parse("+15550100123")
    return wrap(Deliver(originator=sender, user_data=body, dcs=Dcs.build(encoding), scts_raw=scts).encode()).hex


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        (
            "0031000B915155100021F30000A705E8329BFD06",
            _MESSAGE | {"text", "mr", "srr", "rd", "validity"},
        ),
        ("0001000C9194711132547600040100", _MESSAGE | {"data", "mr", "srr", "rd", "validity"}),
        (deliver_line("x"), _MESSAGE | {"text", "sri", "timestamp"}),
        (REPORT, _COMMON | {"mr", "status", "timestamp", "discharge"}),
    ],
)
def test_explain_answers_in_the_keys_of_the_vectors(line: str, keys: set[str]) -> None:
    assert set(explain(decode(line))) == keys


def test_a_report_in_words() -> None:
    assert describe(decode(REPORT)).splitlines() == [
        "SMS-STATUS-REPORT: what became of a message",
        "to: +15550100123 (international)",
        "status: 00, delivered. The phone received the message.",
        "message reference: 42",
        "accepted by the service centre: 2026-08-04 09:30:00+02:00",
        "discharged: 2026-08-04 09:30:07+02:00",
        "SMSC: +15550109999 (international)",
        "length: 25 octets without the SMSC",
    ]


def test_a_submit_in_words() -> None:
    assert describe(decode("00B5010C919471113254760000A70178FF")).splitlines() == [
        "SMS-SUBMIT: a message to be sent",
        "to: +491711234567 (international)",
        "message reference: 1",
        "valid for: 1 day, 0:00:00",
        "flags: status report asked for, reject duplicates, reply path",
        "coding: GSM 7-bit text, TP-DCS 00, TP-PID 00",
        "text: x",
        "length: 16 octets without the SMSC",
        "ignored: 1 octets behind the message",
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0009000C919471113254760000021E0000000000027638", "valid: enhanced format, 021e0000000000"),
        ("0019000C91947111325476000062304050607040027638", "valid until: 2026-03-04 05:06:07+01:00"),
        ("0019000C919471113254760000FFFFFFFFFFFFFF027638", "valid until: no valid time"),
        ("0041000C9194711132547600001206050413881389E8329BFD06C1DF723A", "ports: to 5000, from 5001"),
        ("0041000C919471113254760000070500032A0201C2", "part: 1 of 2, reference 42 (8 bits)"),
        ("0001000C9194711132547600100178", "class: 0 (flash: shown at once)"),
        ("0001000C9194711132547600C80178", "message waiting: voicemail on"),
        ("0001000C91947111325476002002ABCD", "data: abcd"),
        ("000100008100000178", "to: nobody named (unknown)"),
    ],
)
def test_details_in_words(line: str, said: str) -> None:
    assert said in describe(decode(line)).splitlines()


def test_a_message_cannot_write_on_the_terminal() -> None:
    words = describe(decode(deliver_line("\x1b[2J\r\nto: +49 (fake)\u202e\u2028\x9bend\x00")))
    assert all(line.isprintable() for line in words.split("\n"))
    assert sum(line.startswith("to:") for line in words.splitlines()) == 0
    assert r"text: \x1b[2J\r\nto: +49 (fake)\u202e\u2028\x9bend\x00" in words


@pytest.mark.parametrize("char", ["\U000e0001", "\u202e", "\x00", "\ufffe", "€"])
def test_answers_stay_small(char: str) -> None:
    encoding = Encoding.GSM7 if char == "€" else Encoding.UCS2
    units = 80 if char == "€" else 70 // (len(char.encode("utf-16-be")) // 2)
    decoded = decode(deliver_line(char * units, encoding))
    assert len(describe(decoded).encode()) <= 4096
    assert len(json.dumps(explain(decoded), ensure_ascii=False).encode()) <= 4096


def test_the_largest_lengths_there_are() -> None:
    names = "D0" + "FF" * 128  # a sender of 255 semi-octets
    line = "00" + "04" + "FF" + names + "0008" + "00" * 7 + "FF" + "D83D" * 127 + "00"
    decoded = decode(line)
    assert decoded.trailing == 0
    assert len(describe(decoded).encode()) <= 4096
    smsc = "FF" + "D0" + "1B" * 254
    assert len(describe(decode(smsc + line[2:])).encode()) <= 4096


@pytest.mark.parametrize("line", ["", "0", "00", "0x00", "00 04", "００", "0" * (MAX_HEX + 2), "٠٠", "00\n"])
def test_lines_that_are_no_pdu(line: str) -> None:
    with pytest.raises(PduError):
        decode(line)


def test_an_error_counts_octets_from_the_start_of_the_line() -> None:
    with pytest.raises(PduError) as caught:
        decode("0791947101670000040C919471113254760000623040506070400AE8")
    assert str(caught.value) == "TP-UD at octet 27: 9 octets announced, 1 left"
