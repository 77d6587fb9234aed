"""What goes wrong with messages and memories: items 41 to 48 and 52 to 54 of the fidelity checklist."""

from collections.abc import Callable
from typing import Any

import pytest

from modemgw.emulator.faults import Delay, Duplicate, Fault, NoCredit, RegisterLoss, Reword, Urc, WeakSignal
from modemgw.emulator.storage import SENT
from modemgw.pdu.address import Address
from modemgw.pdu.dcs import Dcs
from modemgw.pdu.decode import decode
from modemgw.pdu.envelope import wrap
from modemgw.pdu.segment import plan, plan_data
from modemgw.pdu.tpdu import Deliver
from modemgw.pdu.udh import Ports

OK = b"\r\nOK\r\n"
NUMBER = "+4917600001"
CENTRE = Address.parse("+4915551999999")
STAMP = bytes.fromhex("62801001000080")
Make = Callable[..., Any]


def deliver(text: str = "hello", *, sender: Address | None = None, **other: Any) -> str:
    """The hex line of a DELIVER."""
    submit = plan(text).submits(Address.parse("0"), ref=1)[0]
    fields = {"user_data": submit.user_data, "dcs": submit.dcs, "scts_raw": STAMP} | other
    return wrap(Deliver(originator=sender or Address.parse("+491761111111"), **fields).encode(), CENTRE).hex


def shown(bench: Any, pdu: str) -> bytes:
    """That line comes; what the modem says."""
    bench.lab.network.deliver_from_outside("", bench.device, pdu=pdu)
    return bench.wait(0.1)


@pytest.mark.parametrize(
    ("words", "wire"),
    [
        ('+CMTI: "SM",-1', b'\r\n+CMTI: "SM",-1\r\n'),
        ("+CMTI: ,-1", b"\r\n+CMTI: ,-1\r\n"),
        ('+CMTI: "",{1}', b'\r\n+CMTI: "",1\r\n'),
        ('+CMTI: "ME",{1}', b'\r\n+CMTI: "ME",1\r\n'),
        ('+CMTI: "{0}",{1},"MMS PUSH"', b'\r\n+CMTI: "SM",1,"MMS PUSH"\r\n'),
        ('+CMTI:"{0}",{1}', b'\r\n+CMTI:"SM",1\r\n'),
    ],
)
def test_item_41_an_indication_may_say_anything(words: str, wire: bytes, bench: Any) -> None:
    bench.device.faults.add(Fault(Urc("+CMTI"), Reword(words)))
    assert bench.incoming() == wire
    assert bench.device.sim.storage.used == 1


def test_item_41_it_may_come_twice_or_for_a_message_that_is_gone(bench: Any) -> None:
    bench.device.faults.add(Fault(Urc("+CMTI"), Duplicate()))
    assert bench.incoming() == b'\r\n+CMTI: "SM",1\r\n' * 2
    bench.device.faults.add(Fault(Urc("+CMTI"), Delay(60.0)))
    assert bench.incoming() == b""
    bench.ok("AT+CMGD=2")
    assert bench.wait(60) == b'\r\n+CMTI: "SM",2\r\n'
    assert bench.send("AT+CMGR=2\r") == OK


@pytest.mark.parametrize(("persona", "wire"), [("quectel-ec25", b'"SM",0'), ("zte-mf", b'"SR",50')])
def test_item_42_stored_reports_are_indicated_where_they_are_not(persona: str, wire: bytes, make_bench: Make) -> None:
    bench = make_bench(persona, raw=True)
    bench.ok("ATE0", "AT+CNMI=1,1,0,2,0")
    bench.submit(NUMBER)
    assert b"\r\n+CDSI: " + wire + b"\r\n" in bench.wait(2)
    assert [slot.is_report for _, slot in bench.device.inbox.sr.items()] == [True]
    assert bench.device.sim.storage.used == 0


def test_item_43_counters_know_of_a_message_half_a_second_after_its_indication(make_bench: Make) -> None:
    bench = make_bench("huawei-e3131", raw=True)
    bench.ok("ATE0", "AT+CNMI=1,1,0,1,0")
    assert bench.incoming() == b'\r\n+CMTI: "ME",0\r\n'
    assert b'+CPMS: "SM",0,50' in bench.send("AT+CPMS?\r")
    bench.wait(0.5)
    assert b'+CPMS: "SM",1,50' in bench.send("AT+CPMS?\r")


def test_item_44_a_message_is_stored_twice_now_and_then(make_bench: Make) -> None:
    bench = make_bench("a7670", raw=True)
    bench.ok("ATE0", "AT+CNMI=2,1,0,1,0")
    indications = b"".join(bench.incoming(f"text {n}") for n in range(10))
    assert indications.count(b"+CMTI") == 11
    slots = [slot.pdu for _, slot in bench.device.sim.storage.items()]
    assert len(slots) == 11
    assert len(set(slots)) == 10


def test_item_44_parts_are_missing_doubled_out_of_order_and_hours_apart(bench: Any) -> None:
    network, device = bench.lab.network, bench.device
    network.deliver_from_outside("+491761111111", device, "x" * 400, parts=[3, 1, 1], ref=7)
    bench.wait(3600 * 5)
    network.deliver_from_outside("+491761111111", device, "x" * 400, parts=[2], ref=7)
    network.deliver_from_outside("+491761111111", device, "y" * 400, ref=7)
    bench.wait(1)
    read = [decode(slot.pdu).tpdu for _, slot in device.sim.storage.items()]
    concats = [tpdu.concat for tpdu in read if isinstance(tpdu, Deliver)]
    assert [(concat.ref, concat.seq) for concat in concats if concat] == [
        *((7, 3), (7, 1), (7, 1), (7, 2)),
        *((7, 1), (7, 2), (7, 3)),
    ]
    with pytest.raises(ValueError, match="there is no part 4: the text has 3"):
        network.deliver_from_outside("+491761111111", device, "x" * 400, parts=[4])


def test_item_44_one_slot_holds_what_was_sent_from_it(bench: Any) -> None:
    line = wrap(plan("hello").submits(Address.parse(NUMBER), ref=1)[0].encode())
    bench.device.inbox.plant(line.hex, line.tpdu_length, stat=SENT)
    bench.wait()
    assert bench.send("AT+CMGL=4\r") == f"\r\n+CMGL: 1,3,,{line.tpdu_length}\r\n{line.hex}\r\n".encode() + OK


def test_item_44_a_submit_is_stored_and_sent_from_storage_and_marked_so(bench: Any) -> None:
    line = wrap(plan("hello").submits(Address.parse(NUMBER), ref=1)[0].encode())
    assert bench.send(f"AT+CMGW={line.tpdu_length}\r") == b"\r\n> "
    assert bench.send(line.hex.encode() + b"\x1a") == b"\r\n+CMGW: 1\r\n" + OK
    assert bench.send("AT+CMGR=1\r").startswith(b"\r\n+CMGR: 2,,")
    assert bench.lab.network.ledger == []
    assert bench.send("AT+CMSS=1\r") == b"\r\n+CMSS: 0\r\n" + OK
    assert bench.send("AT+CMGR=1\r").startswith(b"\r\n+CMGR: 3,,")
    assert [entry.number for entry in bench.lab.network.ledger] == [NUMBER]
    assert bench.send("AT+CMSS=9\r") == b"\r\n+CMS ERROR: 321\r\n"
    assert bench.send("AT+CRSM=176,28483,0,0,2\r") == b'\r\n+CRSM: 144,0,"00FF"\r\n' + OK


@pytest.mark.parametrize(
    "stamp",
    [
        "62B11001000080",  # month 1B
        "6280100100002C",  # zone 2C
        "00801001000000",  # the year 0
        "6280100100000A",  # -05:00
        "62801001000065",  # +14:00
    ],
)
def test_item_45_times_that_are_none_and_zones_far_away(stamp: str, bench: Any) -> None:
    pdu = deliver(scts_raw=bytes.fromhex(stamp))
    assert shown(bench, pdu) == b'\r\n+CMTI: "SM",1\r\n'
    assert pdu.encode() in bench.send("AT+CMGR=1\r")
    bench.ok("AT+CMGF=1")
    assert bench.send("AT+CMGR=1\r").endswith(b"hello\r\n" + OK)


def test_item_45_odd_senders_and_texts(bench: Any) -> None:
    texts = ["x", "€ [brackets] {braces}", "surrogate 😀 pair", "padded\x00\x00"]
    senders = [Address.alphanumeric("Bank 24"), Address.parse("12345"), Address.parse("+491761111111")]
    lines = [deliver(text, sender=sender) for text in texts for sender in senders]
    nobody_nothing = "0891945155919999F9" + "040080" + "0000" + STAMP.hex() + "00"
    for place, line in enumerate([*lines, nobody_nothing], 1):
        assert shown(bench, line) == f'\r\n+CMTI: "SM",{place}\r\n'.encode()
        assert line.encode() in bench.send(f"AT+CMGR={place}\r")


def test_item_46_classes_silent_replacing_lamps_and_ports(make_bench: Make, variant: Make) -> None:
    bench = make_bench()
    bench.ok('AT+CPMS="ME","ME","ME"')
    assert bench.incoming("flash", message_class=0) == b'\r\n+CMTI: "ME",1\r\n'
    assert bench.incoming("on the card", message_class=2) == b'\r\n+CMTI: "SM",1\r\n'
    assert shown(bench, deliver("nobody sees this", pid=0x40)) == b""
    assert shown(bench, deliver("balance 1", pid=0x41)) == b'\r\n+CMTI: "ME",2\r\n'
    assert shown(bench, deliver("another", pid=0x42)) == b'\r\n+CMTI: "ME",3\r\n'
    assert shown(bench, deliver("balance 2", pid=0x41)) == b'\r\n+CMTI: "ME",2\r\n'
    assert deliver("balance 2", pid=0x41).encode() in bench.send("AT+CMGR=2\r")
    data = plan_data(b"\x01\x02", ports=Ports(2948, 9200, 16)).submits(Address.parse("0"), ref=1)[0]
    binary = deliver(user_data=data.user_data, dcs=data.dcs)
    assert shown(bench, binary) == b'\r\n+CMTI: "ME",4\r\n'
    lamp = deliver("one voice mail", dcs=Dcs.from_octet(0xC8))
    dark = make_bench(variant(routing={"mwi_discard": "drop"}), name="b", lab=bench.lab)
    assert shown(bench, lamp) == b'\r\n+CMTI: "ME",5\r\n'
    assert shown(dark, lamp) == b""


@pytest.mark.parametrize(("habit", "wire"), [("show", b"\r\n+CLASS0: ,24\r\n0891"), ("lose", b"")])
def test_item_46_class_0_may_be_shown_or_lost_whatever_the_routing(
    habit: str, wire: bytes, make_bench: Make, variant: Make
) -> None:
    bench = make_bench(variant(routing={"class0": habit, "class0_header": "+CLASS0: ,{length}"}))
    assert bench.incoming(message_class=0)[: len(wire)] == wire
    assert bench.device.sim.storage.used == 0


def test_item_46_a_report_may_be_padded(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(storage={"report_padding": 300}, routing={"report_storage": "SM"}))
    bench.ok("AT+CNMI=2,1,0,2,0")
    bench.submit(NUMBER)
    bench.wait(2)
    (_, slot), *_ = bench.device.sim.storage.items()
    assert len(slot.pdu) == 300
    assert slot.pdu.endswith("F" * 200)


def test_item_47_a_list_of_fifty_takes_its_time_with_lines_in_between(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(storage={"list_seconds": 15.0}, line={"hold_urcs": False}), slots=60)
    for n in range(50):
        bench.lab.network.deliver_from_outside("+491761111111", bench.device, f"text {n}")
    bench.wait(1)
    first = bench.send("AT+CMGL=4\r", 7)
    assert 20 < first.count(b"+CMGL:") < 28
    assert b'\r\n+CMTI: "SM",51\r\n' in bench.incoming()
    rest = bench.wait(10)
    assert 48 <= first.count(b"+CMGL:") + rest.count(b"+CMGL:") <= 50
    assert rest.endswith(OK)


def test_item_47_or_it_never_ends_until_a_restart(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(storage={"list_answer": "hang"}))
    assert bench.send("AT+CMGL=4\r", 3600) == b""
    assert bench.send("AT\r", 60) == b""
    bench.device.reboot()
    bench.wait(20)
    assert bench.send("AT\r").endswith(OK)


def test_item_48_no_network_weak_signal_and_no_credit(bench: Any) -> None:
    bench.device.suffer(RegisterLoss(60.0))
    assert bench.send("AT+CREG?\r") == b"\r\n+CREG: 0,2\r\n" + OK
    assert bench.submit(NUMBER) == b"\r\n+CMS ERROR: 331\r\n"
    bench.wait(62)
    for code, after in ((512, 28.0), (513, 42.0)):
        bench.device.suffer(WeakSignal(100.0, f"+CMS ERROR: {code}", after))
        assert bench.send("AT+CSQ\r") == b"\r\n+CSQ: 2,99\r\n" + OK
        assert bench.submit(NUMBER, wait=after - 0.1) == b""
        assert bench.wait(0.2) == f"\r\n+CMS ERROR: {code}\r\n".encode()
        bench.wait(100)
    for answer in ("+CMS ERROR: 21", "+CMS ERROR: 38", "+CMS ERROR: 34"):
        bench.device.suffer(NoCredit(answer))
        assert bench.submit(NUMBER) == f"\r\n{answer}\r\n".encode()
    bench.device.suffer(NoCredit(""))
    assert b"+CMGS:" in bench.submit(NUMBER)
    assert bench.lab.network.ledger == []
    bench.device.suffer(NoCredit("paid"))
    assert b"+CMGS:" in bench.submit(NUMBER)
    assert len(bench.lab.network.ledger) == 1


def test_item_48_credit_falls_with_each_message_until_there_is_none(bench: Any) -> None:
    bench.device.sim.credit, bench.device.sim.price = 25, 9
    assert b"+CMGS:" in bench.submit(NUMBER)
    assert b"+CMGS:" in bench.submit(NUMBER)
    assert bench.submit(NUMBER) == b"\r\n+CMS ERROR: 21\r\n"
    assert len(bench.lab.network.ledger) == 2
    assert b"Your balance is 0.07 EUR." in bench.send('AT+CUSD=1,"*100#",15\r', 2)


def test_item_52_references_wrap_while_all_are_open_and_reports_come_for_anything(bench: Any) -> None:
    bench.lab.network.report_delay = 3600.0
    for _ in range(300):
        bench.submit(NUMBER)
    references = [entry.mr for entry in bench.lab.network.ledger]
    assert references[255:258] == [255, 0, 1]
    bench.device.reboot()
    bench.wait(20)
    bench.ok("ATE0", "AT+CNMI=2,1,0,1,0")
    reports = bench.reports(bench.wait(4000))
    assert [report.mr for report in reports] == references
    bench.lab.network.report_to(bench.device, 77, "+4917699999", 0x46)
    (stranger,) = bench.reports(bench.wait(1))
    assert (stranger.mr, stranger.recipient.number, stranger.status) == (77, "+4917699999", 0x46)


def test_item_53_deleting_takes_long_and_takes_unread_mail_with_it(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(storage={"delete_seconds": 20.0}))
    bench.incoming("old")
    assert bench.send("AT+CMGD=1,4\r", 10) == b""
    bench.incoming("came meanwhile")
    assert bench.wait(11) == OK + b'\r\n+CMTI: "SM",2\r\n'
    assert bench.device.sim.storage.used == 0


def test_item_54_reports_come_for_one_part_only_reversed_or_doubled(bench: Any) -> None:
    def reported(digits: str) -> list[int]:
        for part in plan("x" * 400).submits(Address.parse(f"+49176{digits}"), ref=1, srr=True):
            line = wrap(part.encode())
            bench.send(f"AT+CMGS={line.tpdu_length}\r")
            bench.send(line.hex.encode() + b"\x1a")
        return [report.mr for report in bench.reports(bench.wait(100))]

    assert reported("98011") == [2]
    assert reported("98012") == [5, 4, 3]
    assert sorted(reported("98007")) == [6, 6, 7, 7, 8, 8]
