"""What the network gives to one SIM: one after the other, nothing lost that cannot be shown, and no word unasked."""

from collections.abc import Callable
from typing import Any

Make = Callable[..., Any]
SENDER = "+4915559000001"


def test_a_gap_lies_between_two_messages_to_one_sim(make_lab: Make, make_bench: Make) -> None:
    lab = make_lab(gap=0.5)
    bench = make_bench(lab=lab)
    for text in ("one", "two", "three"):
        lab.network.deliver_from_outside(SENDER, bench.device, text)
    assert bench.wait(0.1) == b'\r\n+CMTI: "SM",1\r\n'
    assert bench.wait(0.3) == b""
    assert bench.wait(0.2) == b'\r\n+CMTI: "SM",2\r\n'
    assert bench.wait(0.5) == b'\r\n+CMTI: "SM",3\r\n'
    assert [entry.text for entry in lab.network.delivered] == ["one", "two", "three"]


def test_without_a_gap_they_come_at_once(bench: Any) -> None:
    for text in ("one", "two"):
        bench.lab.network.deliver_from_outside(SENDER, bench.device, text)
    assert bench.wait() == b'\r\n+CMTI: "SM",1\r\n\r\n+CMTI: "SM",2\r\n'


def test_mode_1_rejects_what_it_cannot_show_while_a_command_runs_and_the_network_keeps_it(
    make_lab: Make, make_bench: Make
) -> None:
    lab = make_lab(latency=10.0)
    bench = make_bench(lab=lab)
    bench.ok("AT+CNMI=1,2,0,0,0")
    assert b"OK" not in bench.submit("+4915559000002", wait=1.0, srr=False)  # the answer takes ten seconds
    lab.network.deliver_from_outside(SENDER, bench.device, "hello")
    assert b"+CMT" not in bench.wait(15.0)
    assert lab.network.delivered == []
    assert b"+CMT: ," in bench.wait(60.0)
    assert [entry.text for entry in lab.network.delivered] == ["hello"]


def test_a_rejected_message_waits_for_no_acknowledgement(make_lab: Make, make_bench: Make) -> None:
    lab = make_lab(latency=10.0)
    bench = make_bench(lab=lab)
    assert b"OK" in bench.send("AT+CSMS=1\r")
    bench.ok("AT+CNMI=1,2,0,0,0")
    bench.submit("+4915559000002", wait=1.0, srr=False)
    lab.network.deliver_from_outside(SENDER, bench.device, "hello")
    bench.wait(30.0)
    assert b"+CNMI: 1,2,0,0,0" in bench.send("AT+CNMI?\r")
    assert b"+CMT: ," in bench.wait(35.0)
    bench.ok("AT+CNMA")
    assert [entry.text for entry in lab.network.delivered] == ["hello"]


def test_a_full_store_says_so_by_ciev_only_to_who_asked_for_events(bench: Any, make_bench: Make) -> None:
    curious = make_bench(name="b", lab=bench.lab, slots=1)
    quiet = make_bench(name="c", lab=bench.lab, slots=1)
    curious.ok("AT+CMER=3,0,0,1")
    assert b"+CMER: 3,0,0,1,0" in curious.send("AT+CMER?\r")
    for other, full in ((curious, b"\r\n+CIEV: 10,1\r\n"), (quiet, b"")):
        bench.lab.network.deliver_from_outside(SENDER, other.device, "one")
        bench.lab.network.deliver_from_outside(SENDER, other.device, "two")
        assert other.wait() == b'\r\n+CMTI: "SM",1\r\n' + full
