"""The simulated operator: the ledger, delivery between SIMs, store and forward, and agreed recipients."""

from collections.abc import Callable
from typing import Any

import pytest

from modemgw.emulator.magic import behaviour
from modemgw.pdu.address import Address
from modemgw.pdu.decode import decode
from modemgw.pdu.envelope import wrap
from modemgw.pdu.segment import plan, plan_data
from modemgw.pdu.tpdu import Deliver, StatusReport, Submit
from modemgw.pdu.udh import Ports
from modemgw.pdu.validity import Relative

OK = b"\r\nOK\r\n"
Make = Callable[..., Any]


def send(bench: Any, submit: Submit) -> bytes:
    """Send any SUBMIT; the answer."""
    line = wrap(submit.encode())
    bench.send(f"AT+CMGS={line.tpdu_length}\r")
    answer: bytes = bench.send(line.hex.encode() + b"\x1a")
    return answer


def stored(bench: Any) -> list[Deliver]:
    """The messages in the modem's preferred storage, as a program reads them."""
    lines = bench.send("AT+CMGL=4\r").split(b"\r\n")
    found = [decode(lines[i + 1].decode()).tpdu for i, line in enumerate(lines) if line.startswith(b"+CMGL:")]
    assert all(isinstance(message, Deliver) for message in found)
    return found


def test_the_ledger_says_what_was_accepted_and_by_whom(bench: Any) -> None:
    bench.wait(5)
    bench.submit("+4917600001", "Grüße")
    (entry,) = bench.lab.network.ledger
    assert (entry.device, entry.number, entry.text, entry.data) == ("a", "+4917600001", "Grüße", None)
    assert (entry.mr, entry.iccid, entry.sender) == (0, bench.device.sim.iccid, "+4915551000001")
    assert entry.at_ms == 1_800_000_005_000
    assert decode(entry.pdu).tpdu.text == "Grüße"


@pytest.mark.parametrize("number", ["+4915551000002", "015551000002", "004915551000002"])
def test_a_message_to_a_sim_of_the_lab_arrives_there(number: str, pair: Any) -> None:
    first, second = pair
    first.submit(number, "from a to b")
    assert second.wait() == b'\r\n+CMTI: "SM",1\r\n'
    (message,) = stored(second)
    assert message.text == "from a to b"
    assert message.originator.number == "+4915551000001"
    assert message.scts is not None
    assert message.scts.isoformat() == "2027-01-15T09:00:00+01:00"
    assert [entry.text for entry in first.lab.network.delivered if entry.kind == "deliver"] == ["from a to b"]


def test_parts_data_class_and_ports_arrive_as_they_were_sent(pair: Any) -> None:
    first, second = pair
    number = Address.parse("+4915551000002")
    text = "€" * 100
    for part in plan(text).submits(number, ref=42, message_class=1):
        assert send(first, part).endswith(OK)
    for part in plan_data(bytes(range(200)), ports=Ports(2948, 9200)).submits(number, ref=43):
        assert send(first, part).endswith(OK)
    second.wait()
    messages = stored(second)
    assert "".join(m.text or "" for m in messages) == text
    assert b"".join(m.data or b"" for m in messages) == bytes(range(200))
    assert [m.message_class for m in messages] == [1] * 2 + [None] * 2
    assert [(m.concat.ref, m.concat.parts, m.concat.seq) for m in messages if m.concat] == [
        (42, 2, 1),
        (42, 2, 2),
        (43, 2, 1),
        (43, 2, 2),
    ]
    assert messages[-1].ports == Ports(2948, 9200)
    assert [entry.concat.ref for entry in first.lab.network.ledger if entry.concat] == [42, 42, 43, 43]


def test_a_message_for_a_pulled_modem_waits_and_is_then_reported(pair: Any) -> None:
    first, second = pair
    second.device.unplug()
    first.submit("+4915551000002", "later")
    assert first.wait(600) == b""
    second.device.plug()
    assert b"+CDS:" in first.wait(30)
    assert [message.text for message in stored(second)] == ["later"]


def test_what_nobody_takes_in_time_is_reported_expired(pair: Any) -> None:
    first, second = pair
    second.device.unplug()
    submit = plan("too late").submits(Address.parse("+4915551000002"), ref=1, validity=Relative(3600))[0]
    send(first, submit)
    wire = first.wait(3700)
    report = decode(wire.split(b"\r\n")[2].decode()).tpdu
    assert isinstance(report, StatusReport)
    assert report.status == 0x46
    second.device.plug()
    second.wait(60)
    second.ok("ATE0")
    assert stored(second) == []


def test_the_order_is_kept_when_the_receiver_was_full(make_bench: Make, make_lab: Make) -> None:
    lab = make_lab()
    first, second = make_bench(lab=lab, name="a"), make_bench(lab=lab, name="b", slots=2)
    texts = [f"message {n}" for n in range(7)]
    for text in texts:
        first.submit("+4915551000002", text)
    first.wait(1)
    seen = []
    for _ in range(7):
        seen += [message.text for message in stored(second)]
        second.send("AT+CMGD=1,4\r")
    assert seen == texts


def test_somebody_outside_writes_a_long_text_or_a_raw_pdu(bench: Any) -> None:
    network = bench.lab.network
    network.deliver_from_outside("Bank", bench.device, "x" * 200)
    pdu = "07915155109099F9040B915155100021F300006280409003008005E8329BFD06"
    network.deliver_from_outside("", bench.device, pdu=pdu)
    bench.wait()
    messages = stored(bench)
    assert "".join(m.text or "" for m in messages) == "x" * 200 + "hello"
    assert [m.originator.number for m in messages] == ["Bank", "Bank", "+15550100123"]
    assert pdu.encode() in bench.send("AT+CMGR=3\r")


@pytest.mark.parametrize(
    ("digits", "answer", "accepted"),
    [
        ("99038", b"\r\n+CMS ERROR: 38\r\n", 0),
        ("99500", b"\r\n+CMS ERROR: 500\r\n", 0),
        ("99000", b"\r\nERROR\r\n", 0),
        ("98001", b"", 1),
        ("98002", b"", 0),
        ("98004", b"\r\n+CMS ERROR: 500\r\n", 1),
    ],
)
def test_agreed_recipients_fail_on_purpose(digits: str, answer: bytes, accepted: int, bench: Any) -> None:
    assert bench.submit("+4917600" + digits) == answer
    assert len(bench.lab.network.ledger) == accepted
    bench.wait(1000)
    assert bench.send("AT\r") == OK


def test_agreed_recipients_answer_late(bench: Any) -> None:
    assert bench.submit("+491760098003", wait=199) == b""
    assert bench.wait(2).startswith(b"\r\n+CMGS: 0\r\n")
    assert bench.submit("+491760098010", wait=29) == b""
    assert bench.wait(1.5) == b"\r\n+CMS ERROR: 332\r\n"
    assert len(bench.lab.network.ledger) == 2


def test_an_agreed_recipient_is_reported_before_the_answer(bench: Any) -> None:
    wire = bench.submit("+491760098006")
    assert 0 <= wire.find(b"+CDS:") < wire.find(b"+CMGS:")


def test_short_numbers_and_sims_of_the_lab_never_fail_on_purpose(make_bench: Make, make_lab: Make) -> None:
    assert behaviour("99038").accepts
    assert not behaviour("+4917699038").accepts
    first = make_bench(number="+4915551099038")
    second = make_bench(lab=first.lab, name="b")
    assert second.submit("+4915551099038").endswith(OK)
    plain = make_bench(lab=make_lab(magic=False))
    assert plain.submit("+4917600099038").endswith(OK)


def test_two_sims_cannot_have_one_number(make_bench: Make) -> None:
    bench = make_bench(number="+4915551000777")
    with pytest.raises(ValueError, match="another SIM"):
        bench.lab.add("b", number="+4915551000777")


@pytest.mark.parametrize(
    ("mode", "gap", "seconds", "left"),
    [(0, 0.0, 2.0, 0), (1, 1.0, 1.0, 1), (1, 3.0, 2.0, 0), (2, 1.0, 1.0, 2), (2, 3.0, 2.0, 2)],
)
def test_a_kept_link_saves_its_setup_until_it_is_let_go_of(
    bench: Any, mode: int, gap: float, seconds: float, left: int
) -> None:
    network = bench.lab.network
    network.latency, network.link_setup = 1.0, 1.0
    bench.ok(f"AT+CMMS={mode}")
    assert b"+CMGS" in bench.submit("+4917600001", wait=2.0)
    bench.wait(gap)

    sooner = bench.submit("+4917600001", wait=seconds - 0.1)

    assert b"+CMGS" not in sooner
    assert b"+CMGS" in bench.wait(0.2)
    if mode == 1 and left:
        bench.wait(2.5)  # nothing more comes: it ends by itself
        left = 0
    assert f"+CMMS: {left}\r".encode() in bench.send("AT+CMMS?\r")


def test_a_link_ends_with_the_network(bench: Any) -> None:
    network = bench.lab.network
    network.latency, network.link_setup = 1.0, 1.0
    bench.ok("AT+CMMS=2")
    bench.submit("+4917600001", wait=2.0)
    bench.device.radio.set(2)
    bench.device.radio.set(1)

    assert b"+CMGS" not in bench.submit("+4917600001", wait=1.9)
    assert b"+CMGS" in bench.wait(0.2)
