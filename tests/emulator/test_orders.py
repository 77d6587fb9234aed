"""What can be told to a lab while it runs: every order does its thing, and every mistake is named at once."""

from collections.abc import Callable
from typing import Any

import pytest

from modemgw.emulator.orders import Orders
from modemgw.emulator.script import EFFECTS

OK = b"\r\nOK\r\n"
NUMBER = "+4917600001"
Make = Callable[..., Any]


@pytest.fixture
def tell(bench: Any) -> Callable[..., dict[str, Any]]:
    """Give an order about the modem of `bench`; the answer, which must be good."""
    orders = Orders(bench.lab)

    def say(**order: Any) -> dict[str, Any]:
        answer = orders.obey({"modem": "a", **order})
        assert answer.pop("ok") is True, answer
        return answer

    return say


def test_somebody_writes_in_every_form(bench: Any, tell: Any) -> None:
    tell(deliver={"from": "Bank", "text": "hello", "copies": 2})
    assert bench.wait(1) == b'\r\n+CMTI: "SM",1\r\n\r\n+CMTI: "SM",2\r\n'
    tell(deliver={"text": "x" * 400, "parts": [3, 1], "ref": 9})
    assert bench.wait(1).count(b"+CMTI") == 2
    tell(deliver={"pdu": "07915155109099F9040B915155100021F300006280409003008005E8329BFD06"})
    assert bench.wait(1) == b'\r\n+CMTI: "SM",5\r\n'
    tell(deliver={"text": "flash", "class": 0})
    assert bench.wait(1) == b'\r\n+CMTI: "SM",6\r\n'


def test_a_report_a_call_and_a_line(bench: Any, tell: Any) -> None:
    tell(report={"mr": 300, "to": NUMBER, "status": 70})
    (report,) = bench.reports(bench.wait(1))
    assert (report.mr, report.recipient.number, report.status) == (44, NUMBER, 70)
    tell(ring={"from": NUMBER, "seconds": 60})
    assert b"\r\nRING\r\n" in bench.wait(1)
    tell(hang_up=True)
    assert bench.wait(60) == b""
    tell(say={"text": "^RSSI:9", "times": 3})
    tell(say="^MODE:5")
    assert bench.wait() == b"\r\n^RSSI:9\r\n" * 3 + b"\r\n^MODE:5\r\n"


def test_power_and_ports(bench: Any, tell: Any) -> None:
    tell(unplug={"back": 5, "port": "z"})
    assert not bench.device.present
    bench.wait(20)
    assert list(bench.lab.ports) == ["z"]
    tell(unplug=True)
    tell(plug="y")
    assert list(bench.lab.ports) == ["y"]
    bench.wait(20)
    tell(restart=True)
    assert b"RDY" in bench.wait(20)


def test_network_signal_and_card(bench: Any, tell: Any) -> None:
    tell(register={"stat": 3, "seconds": 60})
    assert bench.send("AT+CREG?\r") == b"\r\n+CREG: 0,3\r\n" + OK
    bench.wait(62)
    assert bench.send("AT+CREG?\r") == b"\r\n+CREG: 0,1\r\n" + OK
    tell(register=5)
    assert bench.send("AT+CREG?\r") == b"\r\n+CREG: 0,5\r\n" + OK
    tell(signal=7)
    assert bench.send("AT+CSQ\r") == b"\r\n+CSQ: 7,99\r\n" + OK
    tell(sim=None)
    assert bench.send("AT+CPIN?\r") == b"\r\n+CME ERROR: 10\r\n"
    card = tell(sim={"pin": "1234"})
    assert bench.send("AT+CPIN?\r") == b"\r\n+CPIN: SIM PIN\r\n" + OK
    assert tell(modems=True)["modems"][0]["number"] == card["number"]


def test_faults_are_given_as_json_and_taken_back(bench: Any, tell: Any) -> None:
    tell(fault={"do": "error", "text": "+CMS ERROR: 38", "when": {"command": "AT+CMGS", "nth": 2}})
    assert b"+CMGS: 0" in bench.submit(NUMBER)
    assert bench.submit(NUMBER) == b"\r\n+CMS ERROR: 38\r\n"
    tell(fault={"do": "drop", "when": {"urc": "+CMTI", "every": True}})
    assert bench.incoming() == b""
    tell(faults="clear")
    assert bench.incoming() == b'\r\n+CMTI: "SM",2\r\n'
    tell(fault={"do": "register_loss", "seconds": 30})
    assert bench.send("AT+CREG?\r") == b"\r\n+CREG: 0,2\r\n" + OK
    bench.wait(40)
    tell(fault={"do": "reboot", "when": {"in": 5}})
    assert b"RDY" in bench.wait(30)
    bench.ok("ATE0")
    tell(fault={"do": "intrude", "text": "AT+GCAP\r", "when": {"byte": 2}})
    assert bench.send("AT", 1) == b"\r\nNO CARRIER\r\n"  # ATAT+GCAP: answer a call that nobody makes
    assert bench.send("\rAT\r", 1).endswith(OK)


def test_the_ledger_is_read_on_from_where_one_was(bench: Any, tell: Any) -> None:
    bench.submit(NUMBER, "one")
    first = tell(ledger=0)
    assert [entry["text"] for entry in first["ledger"]] == ["one"]
    bench.submit(NUMBER, "two")
    bench.wait(5)
    second = tell(ledger=first["next"])
    assert [(entry["event"], entry.get("kind")) for entry in second["ledger"]] == [
        ("accepted", None),
        ("delivered", "report"),
        ("delivered", "report"),
    ]
    tell(network={"latency": 7.5})
    assert bench.submit(NUMBER, wait=7.4) == b""
    assert tell(heard=2)["heard"][-1].startswith("AT+CMGS=")


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ([], "an order is a JSON object"),
        ({"modem": "a"}, "an order has exactly one of: fault,"),
        ({"modem": "a", "ring": {}, "sim": None}, "exactly one of"),
        ({"modem": "a", "rings": {}}, "not rings"),
        ({"modem": "q", "restart": True}, "modem must be one of a, not 'q'"),
        ({"modem": "a", "deliver": {"texd": 1}}, "deliver has no texd; it has sender, text"),
        ({"modem": "a", "deliver": {}}, "deliver needs text or pdu"),
        ({"modem": "a", "deliver": {"pdu": "zz"}}, "PDU"),
        ({"modem": "a", "deliver": {"text": "x", "parts": [2]}}, "there is no part 2"),
        ({"modem": "a", "report": {}}, "report needs mr; report needs to"),
        ({"modem": "a", "register": 9}, "register.stat must be 0 to 7"),
        ({"modem": "a", "signal": 50}, "signal must be"),
        ({"modem": "a", "unplug": {"back": "soon"}}, "unplug.back must be a number of seconds or null, not 'soon'"),
        ({"modem": "a", "plug": "a"}, "a is still plugged in"),
        ({"modem": "a", "faults": "all"}, 'faults takes "clear" only'),
        ({"modem": "a", "fault": {"do": "explode"}}, "do must be one of drop, delay,"),
        ({"modem": "a", "fault": {"do": "drop"}}, "drop needs a `when`"),
        (
            {"modem": "a", "fault": {"do": "drop", "what": "all", "often": 2, "when": {"in": 1}}},
            "drop has no often; it has what; drop.what must be one of answer, final, prompt, not 'all'",
        ),
        ({"modem": "a", "fault": {"do": "drop", "when": {"moon": 1}}}, "when must be"),
        ({"modem": "a", "fault": {"do": "drop", "when": {"command": "AT", "nth": "x"}}}, "when.nth must be"),
        ({"network": {"latency": -1}}, "network.latency must be a number of seconds"),
    ],
)
def test_mistakes_are_named_and_change_nothing(order: Any, words: str, bench: Any) -> None:
    answer = Orders(bench.lab).obey(order)
    assert answer["ok"] is False
    assert words in str(answer["error"])
    assert bench.send("AT\r") == OK


def test_every_effect_can_be_named() -> None:
    assert list(EFFECTS) == [
        *("drop", "delay", "duplicate", "garble", "error", "accept_but", "stray", "unplug", "reboot"),
        *("register_loss", "storage_full", "dribble", "ignore", "lose", "reword", "hang", "hold", "flood"),
        *("intrude", "weak_signal", "no_credit", "swap_sim", "ring"),
    ]
