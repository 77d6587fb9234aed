"""Status reports and the service centre: items 18 to 20 and 23 of the fidelity checklist, as bytes on the wire."""

from collections.abc import Callable
from typing import Any

import pytest

from modemgw.pdu.decode import decode
from modemgw.pdu.tpdu import StatusReport

OK = b"\r\nOK\r\n"
Make = Callable[..., Any]


def pdu_of(wire: bytes, header: bytes) -> str:
    """The PDU line behind the first header that begins so."""
    lines = wire.split(b"\r\n")
    return lines[next(i for i, line in enumerate(lines) if line.startswith(header)) + 1].decode()


def test_item_18_every_accepted_submit_that_asks_is_reported(bench: Any) -> None:
    bench.submit("+4917600001")
    bench.submit("+4917600002", srr=False)
    bench.submit("+4917600003")
    found = bench.reports(bench.wait(2))
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
    found = bench.reports(bench.wait(60))
    assert [report.status for report in found] == statuses
    assert {report.mr for report in found} <= {0}


def test_item_19_or_for_every_message(make_bench: Make, make_lab: Make) -> None:
    lab = make_lab()
    lab.network.pending_first = True
    bench = make_bench(lab=lab)
    bench.submit("+4917600001")
    assert [report.status for report in bench.reports(bench.wait(60))] == [0x30, 0]


def test_item_20_the_recipient_may_come_back_in_another_form(bench: Any) -> None:
    bench.submit("+4917698008")
    (report,) = bench.reports(bench.wait(2))
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
