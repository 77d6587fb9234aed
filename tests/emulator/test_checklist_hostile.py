"""Hostile timing and framing: items 29 to 40 of the fidelity checklist, as bytes on the wire."""

from collections.abc import Callable
from typing import Any

import pytest

from modemgw.emulator.faults import (
    AcceptBut,
    At,
    Command,
    Delay,
    Do,
    Dribble,
    Drop,
    Duplicate,
    Error,
    Fault,
    Flood,
    Hold,
    Lose,
    Reboot,
    Stray,
    Unplug,
    Urc,
    When,
)

OK = b"\r\nOK\r\n"
CMGS = b"\r\n+CMGS: 0\r\n"
X = b"\r\n^X: 1\r\n"
SUBMIT = b"0011000B915155100021F30000A705E8329BFD06"
NUMBER = "+4917600001"
Make = Callable[..., Any]


def arm(bench: Any, when: When, do: Do) -> None:
    bench.device.faults.add(Fault(when, do))


@pytest.mark.parametrize(
    ("where", "wire"),
    [
        ("echo", X + b"AT+CMGS=19\r" + b"\r\n> " + SUBMIT + CMGS + OK),
        ("prompt", b"AT+CMGS=19\r" + X + b"\r\n> " + SUBMIT + CMGS + OK),
        ("payload", b"AT+CMGS=19\r" + b"\r\n> " + X + SUBMIT + CMGS + OK),
        ("info", b"AT+CMGS=19\r" + b"\r\n> " + SUBMIT + X + CMGS + OK),
        ("final", b"AT+CMGS=19\r" + b"\r\n> " + SUBMIT + CMGS + X + OK),
        ("end", b"AT+CMGS=19\r" + b"\r\n> " + SUBMIT + CMGS + OK + X),
    ],
)
def test_item_29_a_line_comes_at_every_boundary_of_a_submit(where: Any, wire: bytes, make_bench: Make) -> None:
    bench = make_bench(raw=True)
    arm(bench, Command("AT+CMGS"), Stray("^X: 1", where))
    assert bench.send("AT+CMGS=19\r") + bench.send(SUBMIT + b"\x1a") == wire


def test_item_29_even_between_the_header_of_a_report_and_its_pdu(bench: Any) -> None:
    arm(bench, Urc("+CDS"), Stray("^X: 1", "pdu"))
    bench.submit(NUMBER)
    assert b"\r\n+CDS: 24\r\n" + X + b"0891" in bench.wait(2)


def test_item_30_bytes_dribble_split_anywhere_or_come_all_at_once(bench: Any) -> None:
    bench.device.suffer(Dribble(0.01, chunk=14))
    bench.device.receive(b"AT+CSQ\r", bench.lab.now)
    pieces = [piece for piece in (bench.wait(0.01) for _ in range(5)) if piece]
    assert pieces == [b"\r\n+CSQ: 20,99\r", b"\n", OK]
    bench.device.suffer(Dribble(0.001))
    bench.device.receive(b"AT\r", bench.lab.now)
    assert [bench.wait(0.001) for _ in range(6)] == [bytes([byte]) for byte in OK]
    bench.device.suffer(Dribble(0.0))
    bench.device.suffer(Hold(5.0))
    assert bench.send("AT+CSQ\r", 2) == b""
    assert bench.send("AT\r", 2) == b""
    assert bench.wait(2) == b"\r\n+CSQ: 20,99\r\n" + OK + OK


def test_item_31_doubled_cr_bare_lf_binary_and_floods(make_bench: Make, variant: Make) -> None:
    odd = {"info_start": "\n", "info_end": "\n", "urc_end": "\r\r\n"}
    bench = make_bench(variant(line=odd, boot={"garbage": "0000ff", "urcs": ("RDY",)}))
    assert bench.send("AT+CSQ\r") == b"\n+CSQ: 20,99\n" + OK
    bench.device.reboot()
    assert bench.wait(10) == b"\x00\x00\xff\r\nRDY\r\r\n"
    bench.device.suffer(Flood("^RSSI: 9", 1000))
    assert bench.wait() == b"\r\n^RSSI: 9\r\r\n" * 1000
    bench.device.suffer(Stray("hex:00fe", "end"))
    assert bench.wait() == b"\x00\xfe"


def test_item_32_the_first_line_after_a_doze_is_lost(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(line={"dozes_after": 60.0}))
    bench.wait(61)
    assert bench.send("AT\r") == b""
    assert bench.send("AT\r") == OK
    bench.wait(59)
    assert bench.send("AT\r") == OK


def test_item_32_a_modem_that_seeks_the_bit_rate_is_silent_until_the_third_line(
    make_bench: Make, variant: Make
) -> None:
    bench = make_bench(variant(boot={"autobaud_lines": 3}))
    bench.device.reboot()
    assert bench.wait(60) == b""
    assert [bench.send("AT\r", 5) for _ in range(2)] == [b"", b""]
    answer = bench.send("AT\r", 60)
    assert OK in answer
    assert b"\r\nRDY\r\n" in answer


def test_item_33_the_prompt_is_late_or_never_comes_or_follows_another_ok(bench: Any) -> None:
    arm(bench, Command("AT+CMGS"), Delay(30.0, what="prompt"))
    assert bench.send("AT+CMGS=19\r", 29.9) == b""
    assert bench.wait(0.2) == b"\r\n> "
    bench.send("\x1b")
    arm(bench, Command("AT+CMGS"), Drop("prompt"))
    assert bench.send("AT+CMGS=19\r", 600) == b""
    bench.send("\x1b")
    arm(bench, Command("AT+CMGS"), Stray("OK", "prompt"))
    assert bench.send("AT+CMGS=19\r") == OK + b"\r\n> "
    assert bench.send(SUBMIT + b"\x1a") == CMGS + OK


def test_item_34_the_payload_comes_back_although_echo_is_off(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(line={"echo_payload": True, "echo_ctrl_z": True}))
    assert bench.send("AT+CMGS=19\r") == b"\r\n> "
    assert bench.send(SUBMIT + b"\x1a") == SUBMIT + b"\x1a" + CMGS + OK


def test_item_35_lost_characters_are_a_wrong_length_or_hang_the_modem(make_bench: Make, variant: Make) -> None:
    bench = make_bench()
    arm(bench, Command("AT+CMGS"), Lose(2))
    bench.send("AT+CMGS=19\r")
    assert bench.send(SUBMIT + b"\x1a") == b"\r\n+CMS ERROR: 304\r\n"
    deaf = make_bench(variant(line={"bad_length": "hang", "escape": ""}), name="b", lab=bench.lab)
    arm(deaf, Command("AT+CMGS"), Lose(1))
    deaf.send("AT+CMGS=19\r")
    assert deaf.send(SUBMIT + b"\x1a", 600) == b""
    assert deaf.send(b"\x1b", 600) == b""
    deaf.device.reboot()
    deaf.wait(20)
    assert deaf.send("ATE0\r").endswith(OK)
    assert bench.lab.network.ledger == []


def test_item_36_a_final_result_is_missing_stale_or_doubled(bench: Any) -> None:
    arm(bench, Command("AT+CSQ"), Drop("final"))
    assert bench.send("AT+CSQ\r", 600) == b"\r\n+CSQ: 20,99\r\n"
    arm(bench, Command("AT+CSQ"), Delay(10.0, busy=False))
    assert bench.send("AT+CSQ\r", 9) == b""
    assert bench.send("AT+CFUN?\r") == b"\r\n+CFUN: 1\r\n" + OK
    assert bench.wait(2) == b"\r\n+CSQ: 20,99\r\n" + OK
    arm(bench, Command("AT+CFUN?"), Duplicate("final"))
    assert bench.send("AT+CFUN?\r") == b"\r\n+CFUN: 1\r\n" + OK + OK


CODES = [
    *(1, 8, 10, 17, 21, 22, 27, 28, 29, 30, 31, 34, 38, 41, 42, 47, 50, 69, 81, *range(95, 100), 111, 127),
    *(128, 129, 130, 143, 144, 145, 159, 160, 161, 175, 176, *range(192, 200), *range(208, 214), 224, 254, 255),
    *(*range(300, 306), *range(310, 319), 320, 321, 322, 330, 331, 332, 340, 341, 350, 500, *range(512, 518)),
    *(532, 535, 538, 549, 553, 554),
]


def test_item_37_a_submit_is_refused_with_any_code_in_any_wording(bench: Any) -> None:
    texts = [f"+CMS ERROR: {code}" for code in CODES]
    texts += ["+CMS ERROR: network out of order", "+CMS ERROR: 9999", "+CME ERROR: 3517", "ERROR"]
    for text in texts:
        arm(bench, Command("AT+CMGS"), Error(text))
        assert bench.submit(NUMBER) == f"\r\n{text}\r\n".encode()
    assert bench.lab.network.ledger == []
    arm(bench, Command("AT+CMGS"), AcceptBut("+CMS ERROR: 500"))
    assert bench.submit(NUMBER) == b"\r\n+CMS ERROR: 500\r\n"
    assert len(bench.lab.network.ledger) == 1


@pytest.mark.parametrize(
    ("point", "accepted", "heard", "sent"),
    [
        ("prompt", False, b"", 0),
        ("payload", False, b"", 0),
        ("submitted", False, b"", 0),
        ("submitted", True, b"", 1),
        ("final", True, CMGS, 1),
        ("end", True, CMGS + OK, 1),
    ],
)
def test_item_38_the_port_vanishes_at_any_moment_of_a_submit_and_comes_back_elsewhere(
    point: Any, accepted: bool, heard: bytes, sent: int, bench: Any
) -> None:
    arm(bench, Command("AT+CMGS"), Unplug(point, accepted=accepted, back=5.0, port="z"))
    said: list[bytes] = []
    bench.device.on_unplug = lambda: said.append(bench.device.output())
    bench.send("AT+CMGS=19\r")
    bench.send(SUBMIT + b"\x1a")
    assert b"".join(said).removeprefix(b"\r\n> ") == heard
    assert not bench.device.present
    assert len(bench.lab.network.ledger) == sent
    bench.wait(15)
    assert list(bench.lab.ports) == ["z"]
    assert bench.send("ATE0\r").endswith(OK)


def test_item_39_a_restart_out_of_the_blue_loses_settings_and_keeps_what_is_stored(bench: Any) -> None:
    assert bench.incoming() == b'\r\n+CMTI: "SM",1\r\n'
    arm(bench, At(bench.lab.now + 10), Reboot())
    said = bench.wait(30)
    for line in (b"RDY", b"+CFUN: 1", b"Call Ready", b"SMS Ready"):
        assert b"\r\n" + line + b"\r\n" in said
    assert bench.send("AT+CNMI?\r") == b"AT+CNMI?\r\r\n+CNMI: 2,0,0,0,0\r\n" + OK
    bench.ok("ATE0", "AT+CNMI=2,1,0,1,0")
    assert bench.incoming() == b'\r\n+CMTI: "SM",2\r\n'
    assert bench.send("AT+CMGR=1\r").startswith(b"\r\n+CMGR: 0,,")


@pytest.mark.parametrize(
    ("answer", "wire"),
    [
        ("+CMS ERROR: 302", b"\r\n+CMS ERROR: 302\r\n"),
        ("+CMS ERROR: 515", b"\r\n+CMS ERROR: 515\r\n"),
        ("ERROR", b"\r\nERROR\r\n"),
    ],
)
def test_item_40_sms_commands_fail_for_a_while_after_a_start(
    answer: str, wire: bytes, make_bench: Make, variant: Make
) -> None:
    bench = make_bench(variant(boot={"not_ready": answer, "sms_ready": 20.0}, storage={"not_ready_times": 2}))
    bench.device.reboot()
    bench.wait(10)
    bench.ok("ATE0", "AT+CMEE=1")
    assert bench.send("AT+CMGF=0\r") == wire
    assert bench.send('AT+CPMS="SM"\r') == wire
    bench.wait(20)
    bench.ok("AT+CMGF=0")
    assert [bench.send('AT+CPMS="SM"\r') for _ in range(2)] == [b"\r\n+CMS ERROR: 500\r\n"] * 2
    assert bench.send('AT+CPMS="SM"\r').endswith(OK)
