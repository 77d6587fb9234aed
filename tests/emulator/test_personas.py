"""The makes of modem that ship: each sends and receives, and each departs from the book in its own way."""

from collections.abc import Callable
from typing import Any

import pytest

from modemgw.emulator.persona import load, names
from modemgw.emulator.storage import Union

OK = b"\r\nOK\r\n"
NUMBER = "+4917600001"
Make = Callable[..., Any]
SHIPPED = [
    *("a7670", "cinterion", "generic", "huawei-e1xx", "huawei-e3131", "quectel-ec25", "quectel-m95"),
    *("sim7600", "sim800", "telit-le910", "ublox-sara", "wavecom", "zte-mf"),
]
# Routings from the one that most programs like best to the ones that some makes insist on.
LADDER = ["2,1,0,1,0", "1,1,0,1,0", "2,1,0,2,1", "2,1,0,2,0", "1,1,0,2,0"]
RUNG = {
    **dict.fromkeys(SHIPPED, "2,1,0,1,0"),
    "huawei-e1xx": "1,1,0,1,0",
    "huawei-e3131": "1,1,0,1,0",
    "zte-mf": "1,1,0,1,0",
    "cinterion": "2,1,0,2,1",
}


def sent(bench: Any, wait: float = 0.0) -> bytes:
    """A SUBMIT, whatever the prompt looks like."""
    bench.send("AT+CMGS=19\r", 0.1)
    return bytes(bench.send(b"0031000B915155100021F30000A705E8329BFD06\x1a", wait + 0.1))


def test_the_makes_are_all_there() -> None:
    assert names() == SHIPPED
    assert all(load(name).summary for name in SHIPPED)
    identities = {(load(name).identity.manufacturer, load(name).identity.model) for name in SHIPPED}
    assert len(identities) == len(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_make_sends_receives_and_reports(name: str, make_bench: Make) -> None:
    bench = make_bench(name, raw=True)
    bench.send("ATE0\r", 1)
    routing = next(rung for rung in LADDER if bench.send(f"AT+CNMI={rung}\r", 1).endswith(OK))
    assert routing == RUNG[name]
    assert b"+CMGS: 0" in sent(bench)
    report = bench.wait(3)
    assert (b"+CDS:" if routing.split(",")[3] == "1" else b"+CDSI:") in report
    bench.lab.network.deliver_from_outside("+491761111111", bench.device, "hello")
    said = bench.wait(1)
    assert b"+CMTI:" in said
    index = int(said.partition(b"+CMTI:")[2].partition(b",")[2].split(b"\r")[0])
    read = bench.send(f"AT+CMGR={index}\r", 1)
    assert b"E8329BFD06" in read
    assert bench.send(f"AT+CMGD={index}\r", 6).startswith(OK)
    assert bench.send(f"AT+CMGR={index}\r", 1).find(b"E8329BFD06") < 0


@pytest.mark.parametrize("name", SHIPPED)
def test_every_make_comes_back_from_a_restart(name: str, make_bench: Make) -> None:
    bench = make_bench(name, raw=True)
    bench.device.reboot()
    bench.wait(60)
    for _ in range(4):
        bench.send("AT\r", 1)
    bench.wait(30)
    bench.send("ATE0\r", 1)
    assert bench.send("AT+CPIN?\r", 1).startswith(b"\r\n+CPIN: READY\r\n")
    assert b"+CMGS: 0" in sent(bench)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_make_asks_for_its_pin_and_counts_the_tries(name: str, make_bench: Make) -> None:
    bench = make_bench(name, raw=True, pin="1234")
    bench.send("ATE0\r", 1)
    command = bench.device.persona.card.retry_command
    before = bench.send(f"AT{command}\r", 1)
    assert b"3" in before
    assert bench.send('AT+CPIN="9999"\r', 1) != OK
    after = bench.send(f"AT{command}\r", 1)
    assert after != before
    assert after.count(b"2") > before.count(b"2")
    assert bench.send('AT+CPIN="1234"\r', 1) == OK
    bench.wait(10)
    assert b"+CPIN: READY" in bench.send("AT+CPIN?\r", 1)


UNKNOWN = {
    **dict.fromkeys(SHIPPED, b"\r\nERROR\r\n"),
    **dict.fromkeys(["generic", "sim800"], b"\r\n+CME ERROR: 100\r\n"),
    **dict.fromkeys(["huawei-e1xx", "huawei-e3131"], b"\r\nCOMMAND NOT SUPPORT\r\n"),
}
RETRY = {
    "a7670": b"+SPIC: 3,10,3,10",
    "cinterion": b"^SPIC: 3",
    "generic": b"+CPINR: SIM PIN,3,3",
    "huawei-e1xx": b"^CPIN: READY,3,10,3,10,3",
    "quectel-ec25": b'+QPINC: "SC",3,10',
    "telit-le910": b"#PCT: 3",
    "ublox-sara": b"+UPINCNT: 3,3,10,10",
    "wavecom": b"+CPINC: 3,3,10,10",
    "zte-mf": b"+ZPINPUK: 3,10",
}


@pytest.mark.parametrize("name", SHIPPED)
def test_unknown_commands_are_answered_in_the_makes_way(name: str, make_bench: Make) -> None:
    bench = make_bench(name, raw=True)
    bench.send("ATE0+CMEE=1\r", 1)
    assert bench.send("AT+NONSENSE=1\r", 1) == UNKNOWN[name]


@pytest.mark.parametrize(("name", "line"), RETRY.items())
def test_the_tries_left_are_asked_by_the_makes_own_command(name: str, line: bytes, make_bench: Make) -> None:
    bench = make_bench(name, raw=True)
    bench.send("ATE0\r", 1)
    command = bench.device.persona.card.retry_command
    for form in (command, f"{command}?"):
        assert b"\r\n" + line + b"\r\n" in bench.send(f"AT{form}\r", 1)


@pytest.mark.parametrize(
    ("name", "command", "wire"),
    [
        ("huawei-e1xx", "AT+CNMI=?", b"+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)"),
        ("huawei-e1xx", "AT+CNMI=2,1,0,1,0", b"ERROR: 303"),
        ("huawei-e1xx", "AT+CNMI=2,1,0,2,0", b"OK"),
        ("huawei-e1xx", "AT+CPMS=?", b'("SM","ME","SR")'),
        ("huawei-e1xx", 'AT+CPMS="SR"', b"ERROR"),
        ("huawei-e1xx", 'AT+CPMS="ME","ME","ME"', b"+CPMS: 0,23,0,23,0,23"),
        ("huawei-e1xx", "AT+CMMS=2", b"+CMS ERROR: 500"),
        ("huawei-e1xx", "AT+CREG=2;+CREG?", b"+CREG: 2,1, 1A2B, 1C3D4E5"),
        ("huawei-e1xx", "AT+CEREG?", b"COMMAND NOT SUPPORT"),
        ("huawei-e1xx", "AT^USSDMODE=?", b"^USSDMODE: (0-1)"),
        ("huawei-e1xx", "AT^SYSINFO", b"^SYSINFO:2,3,0,5,1,,4"),
        ("huawei-e3131", 'AT+CPMS="SM"', b"ERROR: 302"),
        ("huawei-e3131", 'AT+CPMS="SM","SM","SM"', b"\r\nOK"),
        ("huawei-e3131", "AT+CEREG?", b"+CEREG: 0,1"),
        ("zte-mf", "AT+CNMI=2,1,0,2,0", b"ERROR: 303"),
        ("zte-mf", "AT+CNMI=1,1,0,2,0", b"OK"),
        ("zte-mf", "AT+ZOPRT=5", b"OK"),
        ("sim800", "AT+CNMI=?", b"+CNMI: (0-3),(0-3),(0,2),(0,1),(0,1)"),
        ("sim800", "AT+CNMI=2,1,0,2,0", b"\r\nERROR"),
        ("sim800", "AT+CNMA", b"+CME ERROR: 100"),
        ("sim800", "AT+CMMS=1", b"+CME ERROR: 100"),
        ("sim800", 'AT+CPMS="SM_P","SM_P","SM_P"', b"+CPMS: 0,30,0,30,0,30"),
        ("sim800", "AT+CEREG?", b"+CME ERROR: 100"),
        ("sim7600", "AT+CGMR", b"+CGMR: LE20B04SIM7600M22"),
        ("a7670", "AT+CNMI=2,2,0,1,0", b"ERROR"),
        ("a7670", "AT+CREG?;+CEREG?", b"+CREG: 0,0\r\n\r\n+CEREG: 0,1"),
        ("quectel-m95", "AT+CNMI?", b"+CNMI: 2,1,0,0,0"),
        ("quectel-m95", "AT+CSMS=?", b"+CSMS: (0,128)"),
        ("quectel-m95", "AT+CSMS=1", b"ERROR: 302"),
        ("quectel-m95", "AT+CNMI=?", b"+CNMI: (0-3),(0-3),(0,2,3),(0-2),(0,1)"),
        ("quectel-ec25", "AT+CPMS?", b'+CPMS: "ME",0,255,"ME",0,255,"ME",0,255'),
        ("quectel-ec25", 'AT+CPMS="MT","MT","MT"', b"+CPMS: 0,305,0,305,0,305"),
        ("telit-le910", "AT+CMGS=165", b"ERROR: 304"),
        ("telit-le910", "AT#CCID", b"#CCID: 8949"),
        ("ublox-sara", "AT+CMGD=5", b"ERROR: 321"),
        ("wavecom", "AT+CGMR", b"ERROR"),
        ("wavecom", "AT+CVHU=0", b"ERROR"),
        ("wavecom", "AT+CPMS=?", b'(("SM","BM","SR"),("SM"))'),
        ("wavecom", 'AT+CPMS="SM","SM","SM"', b"ERROR: 302"),
        ("wavecom", 'AT+CPMS="SM","SM"', b"OK"),
        ("wavecom", "AT+CNMI=2,1,0,2", b"OK"),
        ("wavecom", 'AT+CSCS="UCS2"', b"ERROR"),
        ("telit-le910", "AT+CSCS?", b'+CSCS: "IRA"'),
        ("wavecom", 'AT+CPIN="1234"', b"+CME ERROR: 3"),
        ("cinterion", "AT+CNMI=?", b"+CNMI: (0-3),(0,1),(0,2,3),(0,2),(1)"),
        ("cinterion", "AT+CNMI=2,1,0,1,0", b"ERROR: 303"),
        ("cinterion", "AT+CMGR=1", b"+CMGR: 0,,0"),
        ("cinterion", 'AT+CPMS="ME","ME","ME"', b"ERROR"),
        ("cinterion", 'AT+CPMS="ME","ME","MT"', b"OK"),
    ],
)
def test_answers_differ_as_the_makes_do(name: str, command: str, wire: bytes, make_bench: Make) -> None:
    bench = make_bench(name, raw=True)
    bench.send("ATE0+CMEE=1\r", 1)
    assert wire in bench.send(f"{command}\r", 1)


@pytest.mark.parametrize(
    ("name", "request_", "answer"),
    [
        ("huawei-e1xx", "AA180C3602", b'+CUSD: 0,"'),
        ("sim800", "*100#", b'+CUSD: 0,"Your balance is 12.34 EUR.",15'),
        ("quectel-ec25", "*100#", b'+CUSD: 0,"Your balance is 12.34 EUR.",15'),
    ],
)
def test_ussd_is_coded_in_the_makes_way(name: str, request_: str, answer: bytes, make_bench: Make) -> None:
    bench = make_bench(name, raw=True)
    bench.send("ATE0\r", 1)
    wire = bench.send(f'AT+CUSD=1,"{request_}",15\r', 5)
    assert answer in wire
    assert (b"balance" in wire) == (name != "huawei-e1xx")


def test_some_refuse_ussd_while_strings_are_ucs2(make_bench: Make) -> None:
    bench = make_bench("cinterion", raw=True)
    bench.ok("ATE0", 'AT+CSCS="UCS2"')
    assert bench.send('AT+CUSD=1,"002A0031003000300023",15\r', 5) == OK + b"\r\n+CUSD: 4\r\n"
    bench.ok('AT+CSCS="GSM"')
    assert b"Your balance is" in bench.send('AT+CUSD=1,"*100#",15\r', 5)


def test_a_stick_can_be_told_to_speak_plainly_and_to_keep_quiet(make_bench: Make) -> None:
    bench = make_bench("huawei-e1xx", raw=True)
    bench.ok("ATE0")
    chatter = bench.wait(40)
    assert b"\r\n^RSSI:20\r\r\n" in chatter
    assert b"^DSFLOWRPT:" in chatter
    bench.ok("AT^CURC=0", "AT^USSDMODE=0")
    assert bench.wait(600) == b""
    assert b"Your balance is" in bench.send('AT+CUSD=1,"*100#",15\r', 5)
    lte = make_bench("huawei-e3131", name="b", lab=bench.lab, raw=True)
    assert b'\r\n^HCSQ:"LTE",50,45,141,20\r\n' in lte.wait(60)


def test_a_command_may_hang_the_make_for_good(make_bench: Make) -> None:
    bench = make_bench("huawei-e3131", raw=True)
    bench.ok("ATE0")
    bench.ok("AT^CURC=0")
    assert bench.send("AT+CLAC\r", 3600) == b""
    assert bench.send("AT\r", 60) == b""


def test_a_terminal_answers_the_pin_state_without_ok_and_restarts_when_switched_on(make_bench: Make) -> None:
    bench = make_bench("wavecom", raw=True)
    bench.send("ATE0+CMEE=1\r", 1)
    assert bench.send("AT+CPIN?\r", 1) == b"\r\n+CPIN: READY\r\n"
    assert bench.send("AT+CFUN=1\r", 1) == OK
    assert bench.send("AT\r", 2) == b""
    assert b"+WIND: 4" in bench.wait(10)
    bench.send("AT+CMEE=1\r", 0.1)
    bench.device.reboot()
    bench.wait(7)
    bench.send("ATE0+CMEE=1\r", 0.1)
    assert bench.send("AT+CMGF=0\r", 0.1) == b"\r\n+CMS ERROR: 515\r\n"


def test_a_long_wait_for_the_network_ends_in_the_makes_own_error(make_bench: Make, make_lab: Make) -> None:
    lab = make_lab(latency=200.0)
    ends = {"quectel-ec25": (120, b"350"), "sim800": (60, b"500"), "ublox-sara": (180, b"332")}
    for name, (seconds, code) in ends.items():
        bench = make_bench(name, name=name, lab=lab, raw=True)
        bench.send("ATE0+CMEE=1\r", 1)
        assert sent(bench, seconds - 2) == b""
        assert bench.wait(4) == b"\r\n+CMS ERROR: " + code + b"\r\n"
    assert len(lab.network.ledger) == 3  # the network took them all the same


def test_with_csms_1_the_answer_to_a_submit_may_carry_a_time(make_bench: Make) -> None:
    bench = make_bench("telit-le910", raw=True)
    bench.send("ATE0+CSMS=1\r")
    assert b'\r\n+CMGS: 0,"27/01/15,09:00:0' in sent(bench)


def test_a_message_that_is_deleted_moves_the_others_down(make_bench: Make) -> None:
    bench = make_bench("ublox-sara", raw=True)
    bench.ok("ATE0")
    for text in ("one", "two", "three"):
        bench.lab.network.deliver_from_outside("+491761111111", bench.device, text)
    bench.wait(1)
    third = bench.send("AT+CMGR=3\r").replace(b"+CMGR: 1", b"+CMGR: 0")
    bench.ok("AT+CMGD=1")
    assert bench.send("AT+CMGR=2\r").replace(b"+CMGR: 1", b"+CMGR: 0") == third
    assert bench.send("AT+CMGR=3\r") == OK


@pytest.mark.parametrize(("name", "first"), [("generic", 1), ("sim7600", 0), ("a7670", 0), ("zte-mf", 50)])
def test_stored_reports_are_counted_from_where_the_make_counts(name: str, first: int, make_bench: Make) -> None:
    bench = make_bench(name, raw=True)
    bench.ok("ATE0", "AT+CNMI=1,1,0,2,0")
    assert f'\r\n+CDSI: "SR",{first}\r\n'.encode() in sent(bench, 5)


def test_two_memories_are_one_as_mt(make_bench: Make) -> None:
    bench = make_bench("ublox-sara", raw=True, slots=2)
    bench.ok("ATE0", "AT+CNMI=2,1,0,1,0")
    bench.send('AT+CPMS="MT","MT","MT"\r')
    for number in range(1, 5):
        assert bench.incoming(f"text {number}") == f'\r\n+CMTI: "MT",{number}\r\n'.encode()
    assert (bench.device.sim.storage.used, bench.device.inbox.me.used) == (2, 2)
    assert isinstance(bench.device.inbox.storage("MT"), Union)
    listed = bench.send("AT+CMGL=4\r")
    assert [f"+CMGL: {number}," in listed.decode() for number in range(1, 5)] == [True] * 4
    bench.ok("AT+CMGD=3", "AT+CMGD=2")
    assert (bench.device.sim.storage.used, bench.device.inbox.me.used) == (1, 1)
    bench.ok("AT+CMGD=1,4")
    assert b"+CPMS: 0,2" in bench.send('AT+CPMS="SM"\r')


def test_a_full_modem_gets_its_mail_hours_later(make_bench: Make) -> None:
    bench = make_bench("a7670", raw=True, slots=1)
    bench.ok("ATE0", "AT+CNMI=2,1,0,1,0")
    bench.incoming("one")
    assert b"\r\n+SMS FULL\r\n" in bench.incoming("two")
    bench.ok("AT+CMGD=0")
    assert bench.wait(7000) == b""
    assert b'+CMTI: "SM",0' in bench.wait(300)


def test_a_module_on_a_uart_starts_with_garbage_and_a_seek_for_the_bit_rate(make_bench: Make) -> None:
    bench = make_bench("sim800", raw=True)
    bench.device.reboot()
    assert bench.wait(60) == b"\x00\xff\x00"
    assert [bench.send("AT\r", 1) for _ in range(2)] == [b"", b""]
    assert b"OK" in bench.send("AT\r", 1)
    assert b"SMS Ready" in bench.wait(20)
