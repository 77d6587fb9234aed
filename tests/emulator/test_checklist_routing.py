"""Routing of what arrives: items 8 to 12 of the fidelity checklist, as bytes on the wire."""

from collections.abc import Callable
from typing import Any

import pytest

OK = b"\r\nOK\r\n"
Make = Callable[..., Any]


def test_item_08_routing_outside_the_list_is_refused(bench: Any, make_bench: Make, variant: Make) -> None:
    assert bench.send("AT+CNMI=?\r") == b"\r\n+CNMI: (0-3),(0-3),(0,2),(0-2),(0,1)\r\n" + OK
    assert bench.send("AT+CNMI=2,1,1,1,0\r") == b"\r\n+CMS ERROR: 303\r\n"
    assert bench.send("AT+CNMI?\r") == b"\r\n+CNMI: 2,1,0,1,0\r\n" + OK
    bench.ok("AT+CNMI=2,1")
    assert bench.send("AT+CNMI?\r") == b"\r\n+CNMI: 2,1,0,0,0\r\n" + OK
    liar = make_bench(variant(routing={"refuses": ("2,*,*,1,*",), "error": "ERROR"}), raw=True)
    liar.ok("ATE0")
    assert liar.send("AT+CNMI=2,1,0,1,0\r") == b"\r\nERROR\r\n"
    liar.ok("AT+CNMI=1,1,0,1,0")


@pytest.mark.parametrize(
    ("routing", "category", "starts"),
    [
        ("2,0,0,0,0", None, b""),
        ("2,1,0,0,0", None, b'\r\n+CMTI: "SM",1\r\n'),
        ("2,1,0,0,0", 0, b'\r\n+CMTI: "SM",1\r\n'),
        ("2,2,0,0,0", None, b"\r\n+CMT: ,"),
        ("2,2,0,0,0", 0, b"\r\n+CMT: ,"),
        ("2,2,0,0,0", 2, b'\r\n+CMTI: "SM",1\r\n'),
        ("2,3,0,0,0", 3, b"\r\n+CMT: ,"),
        ("2,3,0,0,0", None, b'\r\n+CMTI: "SM",1\r\n'),
    ],
)
def test_item_09_messages_go_where_cnmi_says(routing: str, category: int | None, starts: bytes, bench: Any) -> None:
    bench.ok(f"AT+CNMI={routing}")
    wire = bench.incoming(message_class=category)
    assert wire.startswith(starts)
    assert bool(wire) == bool(starts)
    assert (bench.device.sim.storage.used == 1) == (b"+CMT:" not in wire)


@pytest.mark.parametrize(("ds", "starts"), [(0, b""), (1, b"\r\n+CDS: 25\r\n"), (2, b'\r\n+CDSI: "SR",1\r\n')])
def test_item_09_reports_go_where_cnmi_says(ds: int, starts: bytes, bench: Any) -> None:
    bench.ok(f"AT+CNMI=2,1,0,{ds},0")
    bench.submit("+15550100123")
    wire = bench.wait(2)
    assert wire.startswith(starts)
    assert bool(wire) == bool(starts)


def test_item_09_mode_2_holds_indications_while_a_command_runs(make_bench: Make, make_lab: Make) -> None:
    bench = make_bench(lab=make_lab(latency=10.0))
    bench.submit("+4917600001", wait=1, srr=False)
    assert bench.incoming() == b""
    assert bench.wait(10) == b"\r\n+CMGS: 0\r\n" + OK + b'\r\n+CMTI: "SM",1\r\n'


def test_item_09_mode_1_discards_them_then(make_bench: Make, make_lab: Make) -> None:
    bench = make_bench(lab=make_lab(latency=10.0))
    bench.ok("AT+CNMI=1,1,0,1,0")
    bench.submit("+4917600001", wait=1, srr=False)
    bench.incoming()
    assert bench.wait(20) == b"\r\n+CMGS: 0\r\n" + OK
    assert bench.device.sim.storage.used == 1
    assert bench.incoming() == b'\r\n+CMTI: "SM",2\r\n'


def test_item_09_mode_3_says_them_inside_the_command(make_bench: Make, make_lab: Make) -> None:
    bench = make_bench(lab=make_lab(latency=10.0))
    bench.ok("AT+CNMI=3,1,0,1,0")
    bench.submit("+4917600001", wait=1, srr=False)
    assert bench.incoming() == b'\r\n+CMTI: "SM",1\r\n'


@pytest.mark.parametrize(("bfr", "wire"), [(0, OK + b'\r\n+CMTI: "SM",1\r\n'), (1, OK)])
def test_item_09_mode_0_buffers_until_bfr_flushes_or_clears(bfr: int, wire: bytes, bench: Any) -> None:
    bench.ok("AT+CNMI=0,1,0,1,0")
    assert bench.incoming() == b""
    assert bench.wait(100) == b""
    assert bench.send(f"AT+CNMI=2,1,0,1,{bfr}\r") == wire


def test_item_10_the_lowest_free_index_is_used_again(bench: Any) -> None:
    assert bench.incoming("one") == b'\r\n+CMTI: "SM",1\r\n'
    assert bench.incoming("two") == b'\r\n+CMTI: "SM",2\r\n'
    bench.ok("AT+CMGD=1")
    assert bench.incoming("three") == b'\r\n+CMTI: "SM",1\r\n'


def test_item_10_indexes_may_begin_at_0_and_the_storage_be_called_otherwise(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(storage={"index_base": 0}, routing={"cmt_storage": "ME"}))
    assert bench.incoming() == b'\r\n+CMTI: "ME",0\r\n'
    assert b"+CMGR: 0,," in bench.send("AT+CMGR=0\r")


def test_item_11_an_unacknowledged_message_turns_routing_off_and_comes_again(bench: Any) -> None:
    bench.ok("AT+CSMS=1", "AT+CNMI=2,2,0,1,0")
    network = bench.lab.network
    first = bench.incoming("one")
    assert first.startswith(b"\r\n+CMT: ,")
    assert bench.incoming("two") == b""
    assert network.delivered == []
    bench.wait(15)
    assert bench.send("AT+CNMI?\r") == b"\r\n+CNMI: 2,0,0,0,0\r\n" + OK
    bench.ok("AT+CNMI=2,1,0,1,0")
    assert bench.wait(60) == b'\r\n+CMTI: "SM",1\r\n\r\n+CMTI: "SM",2\r\n'
    assert [entry.text for entry in network.delivered] == ["one", "two"]


@pytest.mark.parametrize("command", ["AT+CNMA", "AT+CNMA=0", "AT+CNMA=1"])
def test_item_11_the_next_one_comes_when_the_first_is_acknowledged(command: str, bench: Any) -> None:
    bench.ok("AT+CSMS=1", "AT+CNMI=2,2,0,1,0")
    bench.incoming("one")
    bench.incoming("two")
    assert bench.send(command + "\r").startswith(OK + b"\r\n+CMT: ,")
    bench.ok(command)
    bench.wait(60)
    assert bench.send("AT+CNMI?\r") == b"\r\n+CNMI: 2,2,0,1,0\r\n" + OK
    assert [entry.text for entry in bench.lab.network.delivered] == ["one", "two"]


def test_item_11_an_acknowledgement_may_carry_a_pdu(bench: Any) -> None:
    bench.ok("AT+CSMS=1", "AT+CNMI=2,2,0,1,0")
    bench.incoming()
    assert bench.send("AT+CNMA=1,3\r") == b"\r\n> "
    assert bench.send("000000\x1a") == OK
    assert len(bench.lab.network.delivered) == 1


def test_item_12_an_acknowledgement_nobody_waits_for_is_an_error(bench: Any) -> None:
    assert bench.send("AT+CNMA\r") == b"\r\n+CMS ERROR: 340\r\n"
    bench.ok("AT+CSMS=1", "AT+CNMI=2,2,0,1,0")
    bench.incoming()
    bench.ok("AT+CNMA")
    assert bench.send("AT+CNMA\r") == b"\r\n+CMS ERROR: 340\r\n"
