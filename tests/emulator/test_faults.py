"""Scripted faults do what they say, once, at the moment they name."""

from collections.abc import Callable
from typing import Any

import pytest

from modemgw.emulator.faults import (
    AcceptBut,
    At,
    Byte,
    Command,
    Delay,
    Do,
    Dribble,
    Drop,
    Duplicate,
    Error,
    Fault,
    Garble,
    Hang,
    Ignore,
    Intrude,
    Reboot,
    RegisterLoss,
    StorageFull,
    Stray,
    SwapSim,
    Unplug,
    Urc,
    When,
)

OK = b"\r\nOK\r\n"
CMGS = b"\r\n+CMGS: 0\r\n"
SUBMIT = "0011000B915155100021F30000A705E8329BFD06"
NUMBER = "+4917600001"
Make = Callable[..., Any]


def arm(bench: Any, when: When, do: Do) -> None:
    bench.device.faults.add(Fault(when, do))


def test_the_nth_matching_command_and_no_other(bench: Any) -> None:
    arm(bench, Command("at+csq", nth=2), Error("+CME ERROR: 3517"))
    assert bench.send("AT+CSQ\r").endswith(OK)
    assert bench.send("AT\r") == OK
    assert bench.send("AT+CSQ\r") == b"\r\n+CME ERROR: 3517\r\n"
    assert bench.send("AT+CSQ\r").endswith(OK)
    assert len(bench.device.faults.happened) == 1


def test_every_matching_command_until_cleared(bench: Any) -> None:
    arm(bench, Command("AT", every=True), Drop())
    assert bench.send("AT\rAT+CSQ\r") == b""
    bench.device.faults.clear()
    assert bench.send("AT\r") == OK


def test_drop_the_answer_or_its_end_or_the_prompt(bench: Any) -> None:
    arm(bench, Command("AT+CSQ"), Drop())
    assert bench.send("AT+CSQ\r", 600) == b""
    arm(bench, Command("AT+CSQ"), Drop("final"))
    assert bench.send("AT+CSQ\r", 600) == b"\r\n+CSQ: 20,99\r\n"
    arm(bench, Command("AT+CMGS"), Drop("prompt"))
    assert bench.send("AT+CMGS=19\r", 600) == b""
    assert bench.send("\x1b") == OK
    arm(bench, Command("AT+CMGS"), Drop())
    assert bench.submit(NUMBER) == b""
    assert len(bench.lab.network.ledger) == 1


def test_delay_the_answer_with_the_modem_hung_or_only_the_line(bench: Any) -> None:
    arm(bench, Command("AT+CSQ"), Delay(10.0))
    assert bench.send("AT+CSQ\r", 9) == b""
    assert bench.send("AT\r") == b""
    assert bench.wait(2) == b"\r\n+CSQ: 20,99\r\n" + OK
    arm(bench, Command("AT+CSQ"), Delay(10.0, busy=False))
    assert bench.send("AT+CSQ\r", 5) == b""
    assert bench.send("AT+CFUN?\r") == b"\r\n+CFUN: 1\r\n" + OK
    assert bench.wait(6) == b"\r\n+CSQ: 20,99\r\n" + OK
    arm(bench, Command("AT+CMGS"), Delay(10.0, what="prompt"))
    assert bench.send("AT+CMGS=19\r", 9) == b""
    assert bench.wait(2) == b"\r\n> "
    assert bench.send("\x1b") == OK


def test_a_payload_that_is_given_up_is_answered_once_however_late(bench: Any) -> None:
    arm(bench, Command("AT+CMGS"), Drop("prompt"))
    arm(bench, Command("AT+CMGS"), Delay(10.0))
    assert bench.send("AT+CMGS=19\r") + bench.send("\x1b", 3) + bench.send("\x1b", 3) == b""
    assert bench.wait(60) == OK
    assert bench.send("AT+CSQ\r") == b"\r\n+CSQ: 20,99\r\n" + OK


def test_duplicate_and_garble(bench: Any) -> None:
    arm(bench, Command("AT+CSQ"), Duplicate())
    assert bench.send("AT+CSQ\r") == (b"\r\n+CSQ: 20,99\r\n" + OK) * 2
    arm(bench, Command("AT+CSQ"), Duplicate("final"))
    assert bench.send("AT+CSQ\r") == b"\r\n+CSQ: 20,99\r\n" + OK * 2
    arm(bench, Command("AT+CSQ"), Garble(3))
    answer = bench.send("AT+CSQ\r")
    good = b"\r\n+CSQ: 20,99\r\n" + OK
    assert answer != good
    assert len(answer) == len(good)
    assert bench.send("AT+CSQ\r") == good


def test_a_submit_is_refused_or_accepted_and_refused(bench: Any) -> None:
    arm(bench, Command("AT+CMGS"), Error("+CMS ERROR: 512"))
    assert bench.submit(NUMBER) == b"\r\n+CMS ERROR: 512\r\n"
    assert bench.lab.network.ledger == []
    arm(bench, Command("AT+CMGS"), Error("+CMS ERROR: 515", early=True))
    assert bench.send("AT+CMGS=19\r") == b"\r\n+CMS ERROR: 515\r\n"
    arm(bench, Command("AT+CMGS"), AcceptBut("+CMS ERROR: 332"))
    assert bench.submit(NUMBER) == b"\r\n+CMS ERROR: 332\r\n"
    assert len(bench.lab.network.ledger) == 1


@pytest.mark.parametrize(
    ("where", "wire"),
    [
        ("echo", b"\r\n^X: 1\r\nAT+CSQ;+CFUN?\r\r\n+CSQ: 20,99\r\n\r\n+CFUN: 1\r\n\r\nOK\r\n"),
        ("info", b"AT+CSQ;+CFUN?\r\r\n^X: 1\r\n\r\n+CSQ: 20,99\r\n\r\n+CFUN: 1\r\n\r\nOK\r\n"),
        ("lines", b"AT+CSQ;+CFUN?\r\r\n+CSQ: 20,99\r\n\r\n^X: 1\r\n\r\n+CFUN: 1\r\n\r\nOK\r\n"),
        ("final", b"AT+CSQ;+CFUN?\r\r\n+CSQ: 20,99\r\n\r\n+CFUN: 1\r\n\r\n^X: 1\r\n\r\nOK\r\n"),
        ("end", b"AT+CSQ;+CFUN?\r\r\n+CSQ: 20,99\r\n\r\n+CFUN: 1\r\n\r\nOK\r\n\r\n^X: 1\r\n"),
    ],
)
def test_a_stray_line_at_every_boundary_of_a_command(where: Any, wire: bytes, make_bench: Make) -> None:
    bench = make_bench(raw=True)
    arm(bench, Command("AT+CSQ"), Stray("^X: 1", where))
    assert bench.send("AT+CSQ;+CFUN?\r") == wire


def test_a_stray_line_around_the_prompt_and_inside_a_report(bench: Any) -> None:
    arm(bench, Command("AT+CMGS"), Stray("^X: 1", "prompt"))
    assert bench.send("AT+CMGS=19\r") == b"\r\n^X: 1\r\n\r\n> "
    bench.send("\x1b")
    arm(bench, Command("AT+CMGS"), Stray("^X: 1", "payload"))
    assert bench.send("AT+CMGS=19\r") == b"\r\n> \r\n^X: 1\r\n"
    bench.send("\x1b")
    arm(bench, Command("AT+CMGS"), Stray("^X: 1", "final"))
    assert bench.submit(NUMBER) == CMGS + b"\r\n^X: 1\r\n" + OK
    arm(bench, Urc("+CDS"), Stray("^X: 1", "pdu"))
    assert b"+CDS: 24\r\n\r\n^X: 1\r\n0891" in bench.wait(2)


def test_unplugged_before_the_0x1a_nothing_is_accepted(bench: Any) -> None:
    seen: list[bytes] = []
    bench.device.on_submit_byte = lambda _, payload: seen.append(payload)
    arm(bench, Command("AT+CMGS"), Unplug("payload"))
    assert bench.submit(NUMBER) == b""
    assert not bench.device.present
    assert seen == []
    assert bench.lab.network.ledger == []


@pytest.mark.parametrize("accepted", [False, True])
def test_unplugged_behind_the_0x1a_the_message_is_accepted_or_not(accepted: bool, bench: Any) -> None:
    order: list[str] = []
    bench.device.on_submit_byte = lambda _, payload: order.append("0x1A " + payload.decode()[:4])
    bench.lab.network.on_accepted.append(lambda _: order.append("accepted"))
    arm(bench, Command("AT+CMGS"), Unplug("submitted", accepted=accepted))
    assert bench.submit(NUMBER) == b""
    assert not bench.device.present
    assert order == ["0x1A 0021"] + ["accepted"] * accepted


def test_unplugged_between_the_reference_and_ok(bench: Any) -> None:
    heard: list[bytes] = []
    bench.device.on_unplug = lambda: heard.append(bench.device.output())
    arm(bench, Command("AT+CMGS"), Unplug("final", back=5.0))
    bench.submit(NUMBER)
    assert heard == [CMGS]
    assert len(bench.lab.network.ledger) == 1
    bench.wait(20)
    assert bench.device.present
    assert bench.send("AT\r") == b"AT\r" + OK


def test_a_modem_comes_back_under_another_name(bench: Any) -> None:
    arm(bench, Command("AT+CSQ"), Unplug(back=5.0, port="z"))
    bench.send("AT+CSQ\r", 20)
    assert list(bench.lab.ports) == ["z"]
    assert bench.device.present


def test_a_modem_without_power_accepts_nothing_that_was_still_on_its_way(make_bench: Make, make_lab: Make) -> None:
    for seconds, accepted in ((4.0, 0), (6.0, 1)):
        bench = make_bench(lab=make_lab(latency=10.0))
        bench.submit(NUMBER, wait=seconds)
        bench.device.reboot()
        assert b"+CMGS" not in bench.wait(60)
        assert len(bench.lab.network.ledger) == accepted


def test_reboot_at_a_byte_at_a_time_and_behind_the_0x1a(bench: Any) -> None:
    arm(bench, Byte(4), Reboot())
    assert bench.send("AT+CSQ\r", 1) == b""
    assert b"RDY" in bench.wait(20)
    bench.ok("ATE0")
    arm(bench, At(bench.lab.now + 60.0), Reboot())
    assert bench.wait(59) == b""
    assert b"RDY" in bench.wait(20)
    bench.ok("ATE0")
    arm(bench, Command("AT+CMGS"), Reboot("submitted", accepted=True))
    assert b"+CMGS" not in bench.submit(NUMBER, wait=20)
    assert len(bench.lab.network.ledger) == 1


def test_a_lost_late_or_doubled_indication(bench: Any) -> None:
    network = bench.lab.network
    arm(bench, Urc("+CMTI"), Drop())
    network.deliver_from_outside("+491761111111", bench.device, "one")
    assert bench.wait(60) == b""
    assert bench.device.sim.storage.used == 1
    arm(bench, Urc("+CMTI"), Duplicate())
    network.deliver_from_outside("+491761111111", bench.device, "two")
    assert bench.wait() == b'\r\n+CMTI: "SM",2\r\n' * 2
    arm(bench, Urc("+CMTI"), Delay(30.0))
    network.deliver_from_outside("+491761111111", bench.device, "three")
    assert bench.wait(29) == b""
    assert bench.wait(2) == b'\r\n+CMTI: "SM",3\r\n'


def test_register_loss_and_full_storage_pass(bench: Any) -> None:
    bench.ok("AT+CREG=1")
    arm(bench, At(bench.lab.now), RegisterLoss(30.0))
    assert bench.wait(1) == b"\r\n+CREG: 2\r\n"
    assert bench.wait(30) == b"\r\n+CREG: 1\r\n"
    bench.ok("AT+CMER=3,0,0,1")
    arm(bench, At(bench.lab.now), StorageFull(30.0))
    bench.wait(1)
    bench.lab.network.deliver_from_outside("+491761111111", bench.device, "one")
    assert bench.wait(1) == b"\r\n+CIEV: 10,1\r\n"
    assert bench.send("AT+CPMS?\r").startswith(b'\r\n+CPMS: "SM",20,20')
    assert bench.wait(30) == b'\r\n+CMTI: "SM",1\r\n'


def test_bytes_dribble_one_at_a_time(bench: Any) -> None:
    arm(bench, Command("AT+CSQ"), Dribble(0.1))
    assert bench.send("AT+CSQ\r", 0.35) == b"\r\n+"
    assert bench.wait(0.1) == b"C"
    assert bench.wait(60) == b"SQ: 20,99\r\n" + OK


def test_bytes_dribble_for_a_while(bench: Any) -> None:
    arm(bench, Command("AT+CSQ"), Dribble(0.1, lasts=60.0))
    assert bench.send("AT+CSQ\r", 0.35) == b"\r\n+"
    bench.wait(60)
    assert bench.send("AT+CSQ\r", 0) == b"\r\n+CSQ: 20,99\r\n" + OK


def test_the_pin_attempts_of_a_card_can_be_counted_whatever_the_answer(make_bench: Make) -> None:
    bench = make_bench(raw=True, pin="1234")
    arm(bench, Command("AT+CPIN="), Drop())
    bench.send('AT+CPIN="0000"\r')
    assert bench.device.sim.attempts == ["0000"]
    assert bench.device.sim.pin_tries == 2


def test_what_was_heard_is_on_record(bench: Any) -> None:
    bench.wait(3)
    bench.send("AT+CSQ\r")
    assert [(heard.at, heard.line) for heard in bench.device.heard][-1] == (3.0, "AT+CSQ")


def test_a_command_is_answered_and_does_nothing(make_bench: Make) -> None:
    bench = make_bench(raw=True)
    arm(bench, Command("ATE0"), Ignore())
    assert bench.send("ATE0\r") == b"ATE0\r" + OK
    assert bench.send("AT\r") == b"AT\r" + OK
    arm(bench, Command("AT+CNMI="), Ignore())
    bench.send("AT+CNMI=2,1,0,1,0\r")
    assert b"+CNMI: 2,0,0,0,0" in bench.send("AT+CNMI?\r")


def test_a_modem_hangs_and_says_afterwards_what_it_had_to_say(bench: Any) -> None:
    bench.submit(NUMBER)
    bench.device.suffer(Hang(60.0))
    assert bench.send("AT\r", 59) == b""
    assert bench.wait(2).startswith(b"\r\n+CDS: ")
    assert bench.send("AT\r") == OK


def test_another_program_changes_the_form_of_results(bench: Any) -> None:
    bench.device.suffer(Intrude("ATV0E1\r"))
    assert bench.wait(1) == b"0\r"
    assert bench.send("AT\r") == b"AT\r0\r"


def test_a_line_is_glued_to_the_answer_without_any_line_end(bench: Any) -> None:
    arm(bench, Command("AT+CSQ"), Stray("hex:5e585858", "final"))
    assert bench.send("AT+CSQ\r") == b"\r\n+CSQ: 20,99\r\n^XXX" + OK


def test_every_answer_is_garbage_at_a_wrong_bit_rate(bench: Any) -> None:
    arm(bench, Command("", every=True), Garble(200))
    answers = [bench.send("AT\r") for _ in range(5)]
    assert OK not in answers
    assert [len(answer) for answer in answers] == [len(OK)] * 5


def test_the_card_loses_contact_and_is_found_again(bench: Any) -> None:
    bench.device.suffer(SwapSim(30.0))
    assert bench.send("AT+CPIN?\r") == b"\r\n+CME ERROR: 10\r\n"
    assert bench.send("AT+CMGS=19\r") == b"\r\n+CMS ERROR: 310\r\n"
    bench.wait(40)
    assert b"+CMGS: 0" in bench.submit(NUMBER)
