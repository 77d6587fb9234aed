"""More than one tty, more than one program, and the truth: items 49, 50, 51 and 55 of the fidelity checklist."""

from collections import Counter
from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import Any

from modemgw.emulator.faults import Byte, Command, Fault, Intrude, Unplug
from modemgw.emulator.stream import Stream

OK = b"\r\nOK\r\n"
NUMBER = "+4917600001"
Make = Callable[..., Any]


def on(bench: Any, tty: str, data: bytes, wait: float = 0.0) -> bytes:
    """Write to another tty of the modem; what comes back there."""
    bench.device.receive(data, bench.lab.now, tty)
    return heard(bench, tty, wait)


def heard(bench: Any, tty: str, wait: float = 0.0) -> bytes:
    """What another tty says in so many seconds."""
    written = bench.lab.run(bench.lab.now + wait)
    return bytes(written.get(f"{bench.port()}.{tty}", b""))


def test_item_49_commands_work_on_both_ports_and_lines_come_on_one(make_bench: Make) -> None:
    bench = make_bench("quectel-ec25", raw=True)
    bench.ok("ATE0")
    assert on(bench, "modem", b"AT+CSQ\r") == b"AT+CSQ\r\r\n+CSQ: 20,99\r\n" + OK
    assert on(bench, "modem", b"ATE0\r") == b"ATE0\r" + OK
    assert on(bench, "modem", b"AT+CMEE=2;+CPIN?\r") == b"\r\n+CPIN: READY\r\n" + OK
    assert bench.send("AT+CMEE?\r") == b"\r\n+CMEE: 0\r\n" + OK
    assert on(bench, "modem", b"AT+CNMI=2,1,0,1,0\r") == OK
    assert bench.send("AT+CNMI?\r") == b"\r\n+CNMI: 2,1,0,1,0\r\n" + OK
    bench.lab.network.deliver_from_outside("+491761111111", bench.device, "hello")
    written = bench.lab.run(bench.lab.now + 1)
    assert (written["a"], written["a.modem"]) == (b'\r\n+CMTI: "ME",0\r\n', b"")
    bench.ok('AT+QURCCFG="urcport","usbmodem"')
    bench.lab.network.deliver_from_outside("+491761111111", bench.device, "hello")
    written = bench.lab.run(bench.lab.now + 1)
    assert (written["a"], written["a.modem"]) == (b"", b'\r\n+CMTI: "ME",1\r\n')


def test_item_49_one_port_works_while_the_other_waits_for_the_network(make_bench: Make, make_lab: Make) -> None:
    bench = make_bench("huawei-e1xx", lab=make_lab(latency=30.0), raw=True)
    bench.ok("ATE0")
    on(bench, "modem", b"ATE0\r")
    bench.submit(NUMBER)
    assert on(bench, "modem", b"AT+CSQ\r") == b"\r\n+CSQ: 20,99\r\n" + OK
    assert b"+CMGS: 0" in bench.wait(31)


def test_item_49_diag_pours_out_binary_and_nmea_positions_while_they_are_open(make_bench: Make) -> None:
    bench = make_bench("quectel-ec25", raw=True)
    assert on(bench, "diag", b"AT\r", 60) == b""
    for tty in ("diag", "nmea"):
        stream = bench.device.ttys[tty]
        assert isinstance(stream, Stream)
        stream.opened()
    assert heard(bench, "diag", 2).count(b"\x7e") > 10
    on(bench, "diag", b"AT\r")
    lines = heard(bench, "nmea", 2).decode().splitlines()
    assert {line[:6] for line in lines} == {"$GPGGA", "$GPRMC"}
    for line in lines:
        body, _, checksum = line[1:].partition("*")
        assert int(checksum, 16) == reduce(xor, body.encode())
    bench.device.ttys["diag"].closed()  # type: ignore[union-attr]
    heard(bench, "diag", 1)
    assert heard(bench, "diag", 60) == b""
    assert b"AT" not in bench.wait(1)


def test_item_50_another_program_writes_into_the_conversation(make_bench: Make, variant: Make) -> None:
    bench = make_bench()
    bench.device.faults.add(Fault(Byte(4), Intrude("AT+GCAP\r")))
    assert bench.send("AT+C", 0.1) == b"\r\nERROR\r\n"  # AT+CAT+GCAP
    assert bench.send("SQ\r", 0.1) == b""
    assert bench.send("AT+CSQ\r").endswith(OK)
    bench.device.faults.add(Fault(Command("AT+CSQ"), Intrude("AT+GCAP\r")))
    assert bench.send("AT+CSQ\r", 0.1) == b"\r\n+CSQ: 20,99\r\n" + OK + b"\r\n+GCAP: +CGSM\r\n" + OK
    slow = make_bench(variant(line={"busy": "abort"}), name="b", lab=bench.lab)
    bench.lab.network.latency = 10.0
    slow.device.faults.add(Fault(Command("AT+CMGS"), Intrude("AT+GCAP\r")))
    assert slow.send("AT+CMGS=19\r", 0.1) == b"\r\n> "
    assert slow.send("0011000B915155100021F30000A705E8329BFD06\x1a", 20) == b"\r\n+CMS ERROR: 304\r\n"
    assert bench.lab.network.ledger == []


def test_item_51_a_reset_takes_the_port_away_with_or_without_ok(make_bench: Make, variant: Make) -> None:
    for answers in (True, False):
        bench = make_bench(variant(boot={"reset_answers": answers, "drops_port": True, "seconds": 10.0}))
        said: list[bytes] = []
        bench.device.on_unplug = lambda bench=bench, said=said: said.append(bench.device.output())  # type: ignore[misc]
        bench.send("AT+CFUN=1,1\r", 5)
        assert b"".join(said) == (OK if answers else b"")
        assert not bench.device.present
        assert b"RDY" in bench.wait(20)


def test_item_51_a_radio_that_is_stuck_comes_back_without_power_only(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(boot={"stuck_after_reset": True}))
    for _ in range(2):
        bench.send("AT+CFUN=1,1\r", 30)
        bench.ok("ATE0", "AT+CFUN=1")
        bench.wait(60)
        assert bench.send("AT+CFUN?\r") == b"\r\n+CFUN: 0\r\n" + OK
    bench.device.suffer(Unplug(back=5.0))
    bench.wait(60)
    bench.ok("ATE0")
    assert bench.send("AT+CFUN?\r") == b"\r\n+CFUN: 1\r\n" + OK
    assert bench.send("AT+CREG?\r") == b"\r\n+CREG: 0,1\r\n" + OK


def test_item_55_the_truth_counts_what_is_lost_and_what_is_sent_twice(bench: Any) -> None:
    texts = [f"message {n}" for n in range(20)]
    heard_of: list[str] = []
    for place, text in enumerate(texts):
        if place % 5 == 0:
            bench.device.faults.add(Fault(Command("AT+CMGS"), Unplug("submitted", accepted=place % 2 == 0, back=1.0)))
        for _ in range(2):  # a program that repeats whatever was not answered
            answer = bench.submit(NUMBER, text)
            if b"+CMGS:" in answer:
                heard_of.append(text)
                break
            bench.wait(60)
            bench.ok("ATE0")
    sent = Counter(entry.text for entry in bench.lab.network.ledger)
    assert heard_of == texts
    assert {text for text, count in sent.items() if count == 2} == {"message 0", "message 10"}
    assert set(sent) == set(texts)
