"""The line itself: items 1 to 7 and 28 of the fidelity checklist, as bytes on the wire."""

from collections.abc import Callable
from typing import Any

import pytest

OK = b"\r\nOK\r\n"
SUBMIT = "0011000B915155100021F30000A705E8329BFD06"
Make = Callable[..., Any]


def test_item_01_echo_is_on_after_power_and_after_a_reset(make_bench: Make) -> None:
    bench = make_bench(raw=True)
    assert bench.send("AT\r") == b"AT\r" + OK
    assert bench.send("ATE0\r") == b"ATE0\r" + OK
    assert bench.send("AT\r") == OK
    bench.send("AT+CFUN=1,1\r", 20)
    assert bench.send("AT\r") == b"AT\r" + OK


def test_item_02_results_are_framed_as_words_or_digits_or_not_at_all(bench: Any) -> None:
    assert bench.send("AT+CFUN?\r") == b"\r\n+CFUN: 1\r\n" + OK
    assert bench.send("ATV0\r") == b"0\r"
    assert bench.send("AT+CFUN?\r") == b"+CFUN: 1\r\n0\r"
    bench.send("AT+CMEE=0\r")
    assert bench.send("AT+NONSENSE\r") == b"4\r"
    assert bench.send("ATV1\r") == OK
    assert bench.send("ATQ1\r") == b""
    assert bench.send("AT+CFUN?\r") == b"\r\n+CFUN: 1\r\n"
    assert bench.send("ATQ0\r") == OK


def test_item_02_commands_on_one_line_share_one_result(bench: Any) -> None:
    assert bench.send("ATE0V1+CFUN?;+CMEE?\r") == b"\r\n+CFUN: 1\r\n\r\n+CMEE: 1\r\n" + OK
    assert bench.send('AT+CSCS="A;B";+CFUN?\r') == b"\r\n+CME ERROR: 50\r\n"


def test_what_steers_the_hardware_of_a_line_is_taken_and_ignored(bench: Any) -> None:
    bench.ok("AT&C1", "AT\\Q3", "AT\\Q3E0", "AT+IFC=2,2", "ATX4&D2\\Q0")


@pytest.mark.parametrize("prompt", ["\r\n> ", "\r\n>", "\r\n>\r\n"])
def test_item_03_the_prompt_has_no_line_end_unless_the_persona_says_so(
    prompt: str, make_bench: Make, variant: Make
) -> None:
    bench = make_bench(variant(line={"prompt": prompt}))
    assert bench.send("AT+CMGS=19\r") == prompt.encode()


def test_item_04_a_wrong_length_is_refused_and_nothing_is_sent(bench: Any) -> None:
    bench.send("AT+CMGS=20\r")
    assert bench.send(SUBMIT + "\x1a") == b"\r\n+CMS ERROR: 304\r\n"
    bench.send("AT+CMGS=19\r")
    assert bench.send("this is no PDU\x1a") == b"\r\n+CMS ERROR: 304\r\n"
    assert bench.send("AT+CMGS=3\r") == b"\r\n+CMS ERROR: 304\r\n"
    assert bench.lab.network.ledger == []


def test_item_04_or_the_modem_hangs_in_the_prompt_until_esc(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(line={"bad_length": "hang"}))
    bench.send("AT+CMGS=20\r")
    assert bench.send(SUBMIT + "\x1a", 60) == b""
    assert bench.send("AT\r", 60) == b""
    assert bench.send("\x1b") == OK
    assert bench.send("AT\r") == OK
    assert bench.lab.network.ledger == []


@pytest.mark.parametrize(("answer", "wire"), [("OK", OK), ("ERROR", b"\r\nERROR\r\n"), ("", b"")])
def test_item_05_esc_at_the_prompt_sends_nothing(answer: str, wire: bytes, make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(line={"escape": answer}))
    bench.send("AT+CMGS=19\r")
    assert bench.send(SUBMIT + "\x1b") == wire
    assert bench.send("AT\r") == OK
    assert bench.lab.network.ledger == []
    assert bench.device.submits_seen == 0


def test_item_06_the_reference_counts_up_wraps_and_is_kept_by_the_card(bench: Any) -> None:
    assert bench.submit("+4917600001") == b"\r\n+CMGS: 0\r\n" + OK
    assert bench.submit("+4917600001") == b"\r\n+CMGS: 1\r\n" + OK
    bench.device.sim.last_mr = 254
    assert bench.submit("+4917600001") == b"\r\n+CMGS: 255\r\n" + OK
    bench.send("AT+CFUN=1,1\r", 20)
    bench.ok("ATE0")
    assert bench.submit("+4917600001") == b"\r\n+CMGS: 0\r\n" + OK
    assert [entry.mr for entry in bench.lab.network.ledger] == [0, 1, 255, 0]


def test_item_06_another_modem_goes_on_counting_where_the_card_was(pair: Any) -> None:
    first, second = pair
    first.submit("+4917600001")
    card = first.device.sim
    first.device.card.swap(None)
    second.device.card.swap(card)
    second.wait(5)
    assert second.submit("+4917600001").startswith(b"\r\n+CMGS: 1\r\n")


def test_item_07_the_answer_takes_its_time_and_input_meanwhile_is_lost(make_bench: Make, make_lab: Make) -> None:
    bench = make_bench(lab=make_lab(latency=60.0))
    assert bench.submit("+4917600001", wait=59.9) == b""
    assert bench.send("AT+CSQ\r") == b""
    assert bench.wait(0.2) == b"\r\n+CMGS: 0\r\n" + OK
    assert bench.device.intake.overlaps == 1


def test_item_07_the_latency_is_drawn_from_the_range(make_bench: Make, make_lab: Make) -> None:
    bench = make_bench(lab=make_lab(latency=(2.0, 6.0), report_delay=1000.0))
    times = []
    for _ in range(20):
        start = bench.lab.now
        bench.submit("+4917600001")
        while not bench.wait(0.01):
            pass
        times.append(bench.lab.now - start)
    assert min(times) >= 2.0
    assert max(times) <= 6.02
    assert max(times) - min(times) > 1.0


@pytest.mark.parametrize(
    ("policy", "during", "afterwards"),
    [
        ("refuse", b"\r\nERROR\r\n", b"\r\n+CMGS: 0\r\n" + OK),
        ("abort", b"\r\nERROR\r\n", b""),
        ("queue", b"", b"\r\n+CMGS: 0\r\n" + OK + OK),
    ],
)
def test_item_07_or_it_is_refused_or_aborts_the_submit_or_waits(
    policy: str, during: bytes, afterwards: bytes, make_bench: Make, make_lab: Make, variant: Make
) -> None:
    bench = make_bench(variant(line={"busy": policy}), lab=make_lab(latency=10.0))
    bench.submit("+4917600001", wait=1, srr=False)
    assert bench.send("AT\r", 1) == during
    assert bench.wait(10) == afterwards
    assert bench.send("AT\r") == OK
    assert len(bench.lab.network.ledger) == (0 if policy == "abort" else 1)


@pytest.mark.parametrize(
    ("answer", "wire"),
    [
        ("ERROR", b"\r\nERROR\r\n"),
        ("CME 100", b"\r\n+CME ERROR: 100\r\n"),
        ("COMMAND NOT SUPPORT", b"\r\nCOMMAND NOT SUPPORT\r\n"),
    ],
)
def test_item_28_unknown_commands_are_refused_and_remembered(
    answer: str, wire: bytes, make_bench: Make, variant: Make
) -> None:
    bench = make_bench(variant(line={"unknown": answer}))
    assert bench.send("AT^NOSUCH?\r") == wire
    assert bench.device.unknown == {"AT^NOSUCH?": 1}


def test_item_28_errors_are_bare_numbers_or_words(bench: Any) -> None:
    bench.device.card.swap(None)
    assert bench.send("AT+CPIN?\r") == b"\r\n+CME ERROR: 10\r\n"
    assert bench.send("AT+CMGF=0\r") == b"\r\n+CMS ERROR: 310\r\n"
    bench.ok("AT+CMEE=2")
    assert bench.send("AT+CPIN?\r") == b"\r\n+CME ERROR: SIM not inserted\r\n"
    assert bench.send("AT+CMGF=0\r") == b"\r\n+CMS ERROR: (U)SIM not inserted\r\n"
    bench.ok("AT+CMEE=0")
    assert bench.send("AT+CPIN?\r") == b"\r\nERROR\r\n"


def test_garbage_and_endless_lines_do_no_harm(bench: Any) -> None:
    assert bench.send(b"\x00\xff\x00\xfe\r") == b""
    assert bench.send(b"\x1b\rAT\r") == OK
    assert bench.send(b"x" * 1_000_000) == b""
    assert bench.send(b"\r") == b""
    assert bench.send("\nAT\r\n") == OK
    assert bench.send("AT\r\nAT\r\n") == OK + OK
    assert bench.send(b"AT+CMGF=\x1a0\r")
    assert bench.device.intake.stray_submits == 1


def test_a_command_byte_by_byte_is_echoed_byte_by_byte(make_bench: Make) -> None:
    bench = make_bench(raw=True)
    assert [bench.send(byte) for byte in "AT\r"] == [b"A", b"T", b"\r" + OK]


def test_the_payload_is_echoed_with_echo_on_or_by_the_personas_habit(make_bench: Make, variant: Make) -> None:
    bench = make_bench(raw=True)
    bench.send("AT+CMGS=19\r")
    assert bench.send(SUBMIT + "\x1a").startswith(SUBMIT.encode() + b"\r\n+CMGS: 0")
    other = make_bench(variant(line={"echo_payload": True, "echo_ctrl_z": True}))
    other.send("AT+CMGS=19\r")
    assert other.send(SUBMIT + "\x1a").startswith(SUBMIT.encode() + b"\x1a\r\n+CMGS: 0")


def test_lines_come_inside_a_command_where_the_persona_does_not_hold_them(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(line={"hold_urcs": False}))
    bench.send("AT+CMGS=19\r")
    bench.device.calls.ring("+491761111111", seconds=1.0)
    assert bench.send(SUBMIT[:10]) == b"\r\nRING\r\n"
    held = make_bench(name="b", lab=bench.lab)
    held.send("AT+CMGS=19\r")
    held.device.calls.ring("+491761111111", seconds=1.0)
    assert held.send(SUBMIT[:10]) == b""
    assert held.send("\x1b") == OK + b"\r\nRING\r\n"


def test_every_answer_may_take_a_moment(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(line={"answer_seconds": 0.5}), raw=True)
    assert bench.send("AT+CSQ\r", 0.4) == b"AT+CSQ\r"
    assert bench.wait(0.2) == b"\r\n+CSQ: 20,99\r\n" + OK


def test_a_reset_may_come_without_ok_and_take_the_port_away(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(boot={"reset_answers": False, "drops_port": True, "seconds": 10.0}))
    assert bench.send("AT+CFUN=1,1\r", 5) == b""
    assert not bench.device.present
    assert b"RDY" in bench.wait(20)
    assert bench.device.present
