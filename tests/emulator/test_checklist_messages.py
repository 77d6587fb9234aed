"""Messages: items 8 to 20 and 23 of the fidelity checklist, as bytes on the wire."""

from collections.abc import Callable
from typing import Any

import pytest

from modemgw.pdu.decode import decode
from modemgw.pdu.tpdu import StatusReport

OK = b"\r\nOK\r\n"
Make = Callable[..., Any]
SENDER = "+491761111111"


def pdu_of(wire: bytes, header: bytes) -> str:
    """The PDU line behind the first header that begins so."""
    lines = wire.split(b"\r\n")
    return lines[next(i for i, line in enumerate(lines) if line.startswith(header)) + 1].decode()


def reports(wire: bytes) -> list[StatusReport]:
    """The status reports that were shown by +CDS."""
    lines = wire.split(b"\r\n")
    found = [decode(lines[i + 1].decode()).tpdu for i, line in enumerate(lines) if line.startswith(b"+CDS:")]
    assert all(isinstance(report, StatusReport) for report in found)
    return found  # type: ignore[return-value]


def outside(bench: Any, text: str = "hello", **options: Any) -> bytes:
    """Somebody writes to the modem; what it says."""
    bench.lab.network.deliver_from_outside(SENDER, bench.device, text, **options)
    wire: bytes = bench.wait(0.1)
    return wire


def test_item_08_routing_outside_the_list_is_refused(bench: Any, make_bench: Make, variant: Make) -> None:
    assert bench.send("AT+CNMI=?\r") == b"\r\n+CNMI: (0,1,2,3),(0,1,2,3),(0,2),(0,1,2),(0,1)\r\n" + OK
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
    wire = outside(bench, message_class=category)
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
    assert outside(bench) == b""
    assert bench.wait(10) == b"\r\n+CMGS: 0\r\n" + OK + b'\r\n+CMTI: "SM",1\r\n'


def test_item_09_mode_1_discards_them_then(make_bench: Make, make_lab: Make) -> None:
    bench = make_bench(lab=make_lab(latency=10.0))
    bench.ok("AT+CNMI=1,1,0,1,0")
    bench.submit("+4917600001", wait=1, srr=False)
    outside(bench)
    assert bench.wait(20) == b"\r\n+CMGS: 0\r\n" + OK
    assert bench.device.sim.storage.used == 1
    assert outside(bench) == b'\r\n+CMTI: "SM",2\r\n'


def test_item_09_mode_3_says_them_inside_the_command(make_bench: Make, make_lab: Make) -> None:
    bench = make_bench(lab=make_lab(latency=10.0))
    bench.ok("AT+CNMI=3,1,0,1,0")
    bench.submit("+4917600001", wait=1, srr=False)
    assert outside(bench) == b'\r\n+CMTI: "SM",1\r\n'


@pytest.mark.parametrize(("bfr", "wire"), [(0, OK + b'\r\n+CMTI: "SM",1\r\n'), (1, OK)])
def test_item_09_mode_0_buffers_until_bfr_flushes_or_clears(bfr: int, wire: bytes, bench: Any) -> None:
    bench.ok("AT+CNMI=0,1,0,1,0")
    assert outside(bench) == b""
    assert bench.wait(100) == b""
    assert bench.send(f"AT+CNMI=2,1,0,1,{bfr}\r") == wire


def test_item_10_the_lowest_free_index_is_used_again(bench: Any) -> None:
    assert outside(bench, "one") == b'\r\n+CMTI: "SM",1\r\n'
    assert outside(bench, "two") == b'\r\n+CMTI: "SM",2\r\n'
    bench.ok("AT+CMGD=1")
    assert outside(bench, "three") == b'\r\n+CMTI: "SM",1\r\n'


def test_item_10_indexes_may_begin_at_0_and_the_storage_be_called_otherwise(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(storage={"index_base": 0}, routing={"cmt_storage": "ME"}))
    assert outside(bench) == b'\r\n+CMTI: "ME",0\r\n'
    assert b"+CMGR: 0,," in bench.send("AT+CMGR=0\r")


def test_item_11_an_unacknowledged_message_turns_routing_off_and_comes_again(bench: Any) -> None:
    bench.ok("AT+CSMS=1", "AT+CNMI=2,2,0,1,0")
    network = bench.lab.network
    first = outside(bench, "one")
    assert first.startswith(b"\r\n+CMT: ,")
    assert outside(bench, "two") == b""
    assert network.delivered == []
    bench.wait(15)
    assert bench.send("AT+CNMI?\r") == b"\r\n+CNMI: 2,0,0,0,0\r\n" + OK
    bench.ok("AT+CNMI=2,1,0,1,0")
    assert bench.wait(60) == b'\r\n+CMTI: "SM",1\r\n\r\n+CMTI: "SM",2\r\n'
    assert [entry.text for entry in network.delivered] == ["one", "two"]


@pytest.mark.parametrize("command", ["AT+CNMA", "AT+CNMA=0", "AT+CNMA=1"])
def test_item_11_the_next_one_comes_when_the_first_is_acknowledged(command: str, bench: Any) -> None:
    bench.ok("AT+CSMS=1", "AT+CNMI=2,2,0,1,0")
    outside(bench, "one")
    outside(bench, "two")
    assert bench.send(command + "\r").startswith(OK + b"\r\n+CMT: ,")
    bench.ok(command)
    bench.wait(60)
    assert bench.send("AT+CNMI?\r") == b"\r\n+CNMI: 2,2,0,1,0\r\n" + OK
    assert [entry.text for entry in bench.lab.network.delivered] == ["one", "two"]


def test_item_11_an_acknowledgement_may_carry_a_pdu(bench: Any) -> None:
    bench.ok("AT+CSMS=1", "AT+CNMI=2,2,0,1,0")
    outside(bench)
    assert bench.send("AT+CNMA=1,3\r") == b"\r\n> "
    assert bench.send("000000\x1a") == OK
    assert len(bench.lab.network.delivered) == 1


def test_item_12_an_acknowledgement_nobody_waits_for_is_an_error(bench: Any) -> None:
    assert bench.send("AT+CNMA\r") == b"\r\n+CMS ERROR: 340\r\n"
    bench.ok("AT+CSMS=1", "AT+CNMI=2,2,0,1,0")
    outside(bench)
    bench.ok("AT+CNMA")
    assert bench.send("AT+CNMA\r") == b"\r\n+CMS ERROR: 340\r\n"


def test_item_13_storages_are_chosen_counted_and_separate(bench: Any) -> None:
    assert bench.send("AT+CPMS?\r") == b'\r\n+CPMS: "SM",0,20,"SM",0,20,"SM",0,20\r\n' + OK
    assert bench.send('AT+CPMS="ME","ME","ME"\r') == b"\r\n+CPMS: 0,100,0,100,0,100\r\n" + OK
    assert outside(bench) == b'\r\n+CMTI: "ME",1\r\n'
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
    outside(bench)
    assert bench.send("AT+CPMS?\r").startswith(b'\r\n+CPMS: "SM",0,20')
    bench.wait(0.5)
    assert bench.send("AT+CPMS?\r").startswith(b'\r\n+CPMS: "SM",1,20')


def test_item_14_listing_shows_and_marks_read(bench: Any) -> None:
    assert bench.send("AT+CMGL=4\r") == OK
    outside(bench, "one")
    outside(bench, "two")
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
        outside(bench)
        assert bench.send("AT+CMGL=4\r", 600) == wire
    bench = make_bench()
    bench.ok('AT+CPMS="SR"')
    assert bench.send("AT+CMGL=4\r") == b"\r\n+CMS ERROR: 303\r\n"


def test_item_14_a_long_list_takes_its_time(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(storage={"list_seconds": 15.0}))
    outside(bench)
    assert bench.send("AT+CMGL=4\r", 14) == b""
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
    outside(bench)
    assert bench.send("AT+CMGR=1\r").startswith(b"\r\n+CMGR: 0,24\r\n")


def test_item_15_reading_without_marking(bench: Any) -> None:
    outside(bench)
    assert bench.send("AT+CMGR=1,1\r").startswith(b"\r\n+CMGR: 0,,24\r\n")
    assert bench.send("AT+CMGR=1\r").startswith(b"\r\n+CMGR: 0,,24\r\n")
    assert bench.send("AT+CMGR=1\r").startswith(b"\r\n+CMGR: 1,,24\r\n")


def test_item_16_deleting_by_index_by_state_and_all(bench: Any) -> None:
    for text in ("one", "two", "three"):
        outside(bench, text)
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
        outside(bench, text)
    assert bench.send("AT+CMGD=1\r", 4.9) == b""
    assert bench.wait(0.2) == OK
    assert [index for index, _ in bench.device.sim.storage.items()] == [1, 2]
    assert bench.send("AT+CMGD=3\r") == b"\r\n+CMS ERROR: 321\r\n"


def test_item_17_full_memory_refuses_says_so_once_and_fills_up_again(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(storage={"full_urc": '^FULL: "{storage}"'}), slots=2)
    for text in ("one", "two"):
        outside(bench, text)
    assert outside(bench, "three") == b'\r\n^FULL: "SM"\r\n'
    assert outside(bench, "four") == b""
    assert len(bench.lab.network.delivered) == 2
    assert bench.send("AT+CMGD=1\r") == OK + b'\r\n+CMTI: "SM",1\r\n\r\n^FULL: "SM"\r\n'
    bench.send("AT+CMGD=1,4\r")
    assert [entry.text for entry in bench.lab.network.delivered] == ["one", "two", "three", "four"]


def test_item_17_some_cannot_send_when_full(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(storage={"sends_when_full": False}), slots=1)
    outside(bench)
    assert bench.submit("+4917600001") == b"\r\n+CMS ERROR: 322\r\n"
    assert bench.lab.network.ledger == []


def test_item_18_every_accepted_submit_that_asks_is_reported(bench: Any) -> None:
    bench.submit("+4917600001")
    bench.submit("+4917600002", srr=False)
    bench.submit("+4917600003")
    found = reports(bench.wait(2))
    assert [(report.mr, report.recipient.number, report.status) for report in found] == [
        (0, "+4917600001", 0),
        (2, "+4917600003", 0),
    ]


def test_item_18_the_delay_can_be_set_and_stored_reports_can_be_read(make_bench: Make, make_lab: Make) -> None:
    bench = make_bench(lab=make_lab(report_delay=30.0))
    bench.ok("AT+CNMI=2,1,0,2,0")
    bench.submit("+4917600001")
    assert bench.wait(29) == b""
    assert bench.wait(2) == b'\r\n+CDSI: "SR",1\r\n'
    bench.ok('AT+CPMS="SR"')
    report = decode(pdu_of(bench.send("AT+CMGR=1\r"), b"+CMGR")).tpdu
    assert isinstance(report, StatusReport)
    bench.ok("AT+CMGD=1")
    assert bench.send("AT+CMGR=1\r") == OK


def test_item_18_a_report_may_come_before_the_answer(make_bench: Make, make_lab: Make) -> None:
    bench = make_bench(lab=make_lab(report_delay=-1.0))
    wire = bench.submit("+4917600001")
    assert wire.startswith(b"\r\n+CDS: ")
    assert wire.endswith(b"\r\n+CMGS: 0\r\n" + OK)


@pytest.mark.parametrize(
    ("digits", "statuses"),
    [("97048", [0x30, 0]), ("97070", [0x46]), ("97096", [0x60]), ("97001", [0x01]), ("98007", [0, 0]), ("98005", [])],
)
def test_item_19_statuses_come_by_the_recipients_digits(digits: str, statuses: list[int], bench: Any) -> None:
    assert bench.submit("+4917600" + digits).endswith(OK)
    found = reports(bench.wait(60))
    assert [report.status for report in found] == statuses
    assert {report.mr for report in found} <= {0}


def test_item_19_or_for_every_message(make_bench: Make, make_lab: Make) -> None:
    lab = make_lab()
    lab.network.pending_first = True
    bench = make_bench(lab=lab)
    bench.submit("+4917600001")
    assert [report.status for report in reports(bench.wait(60))] == [0x30, 0]


def test_item_20_the_recipient_may_come_back_in_another_form(bench: Any) -> None:
    bench.submit("+4917698008")
    (report,) = reports(bench.wait(2))
    assert report.recipient.number == "017698008"


def test_item_23_without_a_service_centre_nothing_is_sent(bench: Any) -> None:
    assert bench.send("AT+CSCA?\r") == b'\r\n+CSCA: "+4915551999999",145\r\n' + OK
    bench.device.sim.smsc = None
    assert bench.send("AT+CSCA?\r") == b'\r\n+CSCA: "",145\r\n' + OK
    assert bench.submit("+4917600001") == b"\r\n+CMS ERROR: 330\r\n"
    bench.ok('AT+CSCA="+4915551999999",145')
    bench.send("AT+CFUN=1,1\r", 20)
    bench.ok("ATE0")
    assert bench.submit("+4917600001").endswith(OK)
    assert len(bench.lab.network.ledger) == 1
