"""Message storage: items 13 to 17 of the fidelity checklist, as bytes on the wire."""

from collections.abc import Callable
from typing import Any

import pytest

from modemgw.pdu.decode import decode

OK = b"\r\nOK\r\n"
Make = Callable[..., Any]


def pdu_of(wire: bytes, header: bytes) -> str:
    """The PDU line behind the first header that begins so."""
    lines = wire.split(b"\r\n")
    return lines[next(i for i, line in enumerate(lines) if line.startswith(header)) + 1].decode()


def test_item_13_storages_are_chosen_counted_and_separate(bench: Any) -> None:
    assert bench.send("AT+CPMS?\r") == b'\r\n+CPMS: "SM",0,20,"SM",0,20,"SM",0,20\r\n' + OK
    assert bench.send('AT+CPMS="ME","ME","ME"\r') == b"\r\n+CPMS: 0,100,0,100,0,100\r\n" + OK
    assert bench.incoming() == b'\r\n+CMTI: "ME",1\r\n'
    assert bench.send('AT+CPMS="SM"\r') == b"\r\n+CPMS: 0,20,1,100,1,100\r\n" + OK
    assert bench.send("AT+CMGR=1\r") == OK
    assert bench.send('AT+CPMS="MT"\r') == b"\r\n+CMS ERROR: 302\r\n"
    assert bench.send('AT+CPMS="ME","SR","ME"\r') == b"\r\n+CMS ERROR: 302\r\n"


def test_item_13_personas_take_other_forms(make_bench: Make, variant: Make) -> None:
    picky = make_bench(variant(storage={"forms": (2,), "bare_ok": True}))
    assert picky.send('AT+CPMS="ME","ME","ME"\r') == b"\r\n+CMS ERROR: 302\r\n"
    assert picky.send('AT+CPMS="ME","ME"\r') == OK
    slow = make_bench(variant(storage={"not_ready_times": 2}))
    answers = [slow.send('AT+CPMS="ME","ME","ME"\r') for _ in range(3)]
    assert answers[:2] == [b"\r\n+CMS ERROR: 500\r\n"] * 2
    assert answers[2].endswith(OK)


def test_item_13_counters_may_lag(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(storage={"counter_lag": 0.5}))
    bench.incoming()
    assert bench.send("AT+CPMS?\r").startswith(b'\r\n+CPMS: "SM",0,20')
    bench.wait(0.5)
    assert bench.send("AT+CPMS?\r").startswith(b'\r\n+CPMS: "SM",1,20')


def test_item_14_listing_shows_and_marks_read(bench: Any) -> None:
    assert bench.send("AT+CMGL=4\r") == OK
    bench.incoming("one")
    bench.incoming("two")
    assert bench.send("AT+CMGR=1\r").startswith(b"\r\n+CMGR: 0,,")
    listed = bench.send("AT+CMGL=0\r")
    assert listed.startswith(b"\r\n+CMGL: 2,0,,")
    assert listed.count(b"+CMGL:") == 1
    assert decode(pdu_of(listed, b"+CMGL: 2")).tpdu.text == "two"
    assert bench.send("AT+CMGL=0\r") == OK
    assert bench.send("AT+CMGL=1\r").count(b"+CMGL:") == 2
    assert bench.send("AT+CMGL=4\r").count(b",1,,") == 2
    assert bench.send("AT+CMGL=5\r") == b"\r\n+CMS ERROR: 304\r\n"


def test_item_14_listing_fails_in_the_personas_way(make_bench: Make, variant: Make) -> None:
    for answer, wire in (("303", b"\r\n+CMS ERROR: 303\r\n"), ("empty", OK), ("hang", b"")):
        bench = make_bench(variant(storage={"list_answer": answer}))
        bench.incoming()
        assert bench.send("AT+CMGL=4\r", 600) == wire
    bench = make_bench()
    bench.ok('AT+CPMS="SR"')
    assert bench.send("AT+CMGL=4\r") == b"\r\n+CMS ERROR: 303\r\n"


def test_item_14_a_long_list_takes_its_time(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(storage={"list_seconds": 15.0}))
    bench.incoming()
    assert bench.send("AT+CMGL=4\r", 7) == b""
    assert bench.wait(1).startswith(b"\r\n+CMGL: 1,0,,")
    assert bench.wait(6.5) == b""
    assert bench.wait(2).endswith(OK)


@pytest.mark.parametrize(
    ("answer", "wire"), [("OK", OK), ("0,,0", b"\r\n+CMGR: 0,,0\r\n" + OK), ("321", b"\r\n+CMS ERROR: 321\r\n")]
)
def test_item_15_an_empty_slot_reads_in_the_personas_way(
    answer: str, wire: bytes, make_bench: Make, variant: Make
) -> None:
    bench = make_bench(variant(storage={"empty_read": answer}))
    assert bench.send("AT+CMGR=5\r") == wire
    assert bench.send("AT+CMGR=999\r") == b"\r\n+CMS ERROR: 321\r\n"


def test_item_15_the_alpha_field_may_be_missing(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(storage={"alpha": False}))
    bench.incoming()
    assert bench.send("AT+CMGR=1\r").startswith(b"\r\n+CMGR: 0,24\r\n")


def test_item_15_reading_without_marking(bench: Any) -> None:
    bench.incoming()
    assert bench.send("AT+CMGR=1,1\r").startswith(b"\r\n+CMGR: 0,,24\r\n")
    assert bench.send("AT+CMGR=1\r").startswith(b"\r\n+CMGR: 0,,24\r\n")
    assert bench.send("AT+CMGR=1\r").startswith(b"\r\n+CMGR: 1,,24\r\n")


def test_item_16_deleting_by_index_by_state_and_all(bench: Any) -> None:
    for text in ("one", "two", "three"):
        bench.incoming(text)
    bench.send("AT+CMGR=2\r")
    bench.ok("AT+CMGD=3")
    assert [index for index, _ in bench.device.sim.storage.items()] == [1, 2]
    bench.ok("AT+CMGD=1,1")
    assert [index for index, _ in bench.device.sim.storage.items()] == [1]
    bench.ok("AT+CMGD=1,4")
    assert bench.device.sim.storage.used == 0
    bench.ok("AT+CMGD=1")
    assert bench.send("AT+CMGD=21\r") == b"\r\n+CMS ERROR: 321\r\n"


def test_item_16_slow_compacting_and_strict_personas(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(storage={"compacts": True, "empty_delete": "321", "delete_seconds": 5.0}))
    for text in ("one", "two", "three"):
        bench.incoming(text)
    assert bench.send("AT+CMGD=1\r", 4.9) == b""
    assert bench.wait(0.2) == OK
    assert [index for index, _ in bench.device.sim.storage.items()] == [1, 2]
    assert bench.send("AT+CMGD=3\r") == b"\r\n+CMS ERROR: 321\r\n"


def test_item_17_full_memory_refuses_says_so_once_and_fills_up_again(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(storage={"full_urc": '^FULL: "{storage}"'}), slots=2)
    for text in ("one", "two"):
        bench.incoming(text)
    assert bench.incoming("three") == b'\r\n^FULL: "SM"\r\n'
    assert bench.incoming("four") == b""
    assert len(bench.lab.network.delivered) == 2
    assert bench.send("AT+CMGD=1\r") == OK + b'\r\n+CMTI: "SM",1\r\n\r\n^FULL: "SM"\r\n'
    bench.send("AT+CMGD=1,4\r")
    assert [entry.text for entry in bench.lab.network.delivered] == ["one", "two", "three", "four"]


def test_item_17_some_cannot_send_when_full(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(storage={"sends_when_full": False}), slots=1)
    bench.incoming()
    assert bench.submit("+4917600001") == b"\r\n+CMS ERROR: 322\r\n"
    assert bench.lab.network.ledger == []
