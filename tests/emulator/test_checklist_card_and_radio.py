"""Card, network and service: items 21, 22 and 24 to 27 of the fidelity checklist, as bytes on the wire."""

from collections.abc import Callable
from typing import Any

import pytest

OK = b"\r\nOK\r\n"
Make = Callable[..., Any]


def test_item_21_the_pin_is_asked_for_and_opens_the_card(make_bench: Make) -> None:
    bench = make_bench(raw=True, pin="1234")
    bench.ok("ATE0", "AT+CMEE=1")
    assert bench.send("AT+CPIN?\r") == b"\r\n+CPIN: SIM PIN\r\n" + OK
    assert bench.send("AT+CIMI\r") == b"\r\n+CME ERROR: 11\r\n"
    assert bench.send("AT+CMGF=0\r") == b"\r\n+CMS ERROR: 311\r\n"
    assert bench.send("AT+CREG?\r") == b"\r\n+CREG: 0,0\r\n" + OK
    assert bench.send('AT+CPIN="1234"\r') == OK
    assert bench.send("AT+CPIN?\r") == b"\r\n+CME ERROR: 14\r\n"
    assert bench.send("AT+CMGF=0\r") == b"\r\n+CMS ERROR: 314\r\n"
    bench.wait(5)
    assert bench.send("AT+CPIN?\r") == b"\r\n+CPIN: READY\r\n" + OK
    assert bench.send("AT+CREG?\r") == b"\r\n+CREG: 0,1\r\n" + OK
    assert bench.send('AT+CPIN="1234"\r') == b"\r\n+CME ERROR: 3\r\n"
    assert bench.device.sim.attempts == ["1234"]


def test_item_21_wrong_pins_count_down_for_good_and_block_the_card(make_bench: Make) -> None:
    bench = make_bench(raw=True, pin="1234")
    bench.ok("ATE0", "AT+CMEE=1")
    assert bench.send('AT+CPIN="0000"\r') == b"\r\n+CME ERROR: 16\r\n"
    bench.device.unplug()
    bench.device.plug()
    bench.wait(20)
    bench.ok("ATE0", "AT+CMEE=1")
    assert bench.send("AT+CPINR\r").startswith(b"\r\n+CPINR: SIM PIN,2,3\r\n")
    assert bench.send('AT+CPIN="0000"\r') == b"\r\n+CME ERROR: 16\r\n"
    assert bench.send('AT+CPIN="0000"\r') == b"\r\n+CME ERROR: 12\r\n"
    assert bench.send("AT+CPIN?\r") == b"\r\n+CPIN: SIM PUK\r\n" + OK
    assert bench.send('AT+CPIN="1234"\r') == b"\r\n+CME ERROR: 3\r\n"
    assert bench.send('AT+CPIN="87654321","1111"\r') == b"\r\n+CME ERROR: 16\r\n"
    assert bench.send('AT+CPIN="12345678","1111"\r') == OK
    bench.wait(5)
    assert bench.send("AT+CPIN?\r") == b"\r\n+CPIN: READY\r\n" + OK
    assert bench.device.sim.pin_tries == 3


def test_item_21_the_pin_is_asked_for_again_after_a_reset(make_bench: Make) -> None:
    bench = make_bench(raw=True, pin="1234")
    bench.send('AT+CPIN="1234"\r', 5)
    assert b"+CPIN: SIM PIN" in bench.send("AT+CFUN=1,1\r", 20)
    assert b"+CPIN: SIM PIN" in bench.send("AT+CPIN?\r")


def test_item_21_pin2_does_not_stop_messages(make_bench: Make) -> None:
    bench = make_bench()
    bench.device.card.forced = "SIM PIN2"
    assert bench.send("AT+CPIN?\r") == b"\r\n+CPIN: SIM PIN2\r\n" + OK
    assert bench.submit("+4917600001").endswith(OK)


def test_item_21_the_state_may_come_without_ok_and_the_counter_by_another_command(
    make_bench: Make, variant: Make
) -> None:
    card = {"pin_state_ends_with_ok": False, "retry_command": "^CPIN", "retry_answer": "^CPIN: {pin},{puk}"}
    bench = make_bench(variant(card=card), pin="1234", raw=True)
    bench.ok("ATE0")
    assert bench.send("AT+CPIN?\r") == b"\r\n+CPIN: SIM PIN\r\n"
    assert bench.send("AT^CPIN?\r") == b"\r\n^CPIN: 3,10\r\n" + OK
    assert bench.send("AT+CPINR\r") == b"\r\nERROR\r\n"


def test_item_22_registration_is_told_as_asked(bench: Any) -> None:
    radio = bench.device.radio
    assert bench.send("AT+CREG?\r") == b"\r\n+CREG: 0,1\r\n" + OK
    radio.set(2)
    assert bench.wait() == b""
    bench.ok("AT+CREG=1")
    radio.set(1)
    assert bench.wait() == b"\r\n+CREG: 1\r\n"
    bench.ok("AT+CREG=2", "AT+CEREG=1")
    radio.set(5)
    assert bench.wait() == b'\r\n+CREG: 5,"1A2B","01C3D4E5",7\r\n\r\n+CEREG: 5\r\n'
    assert bench.send("AT+CREG?\r") == b'\r\n+CREG: 2,5,"1A2B","01C3D4E5",7\r\n' + OK
    radio.set(3)
    assert bench.wait() == b"\r\n+CREG: 3\r\n\r\n+CEREG: 3\r\n"
    assert bench.send("AT+CREG=3\r") == b"\r\n+CME ERROR: 50\r\n"


def test_item_22_lte_only_and_2g_only(make_bench: Make, variant: Make) -> None:
    lte = make_bench(variant(radio={"domains": "4g", "area_format": "{lac:x},{cell:x},{access}"}))
    assert lte.send("AT+CREG?\r") == b"\r\n+CREG: 0,0\r\n" + OK
    assert lte.send("AT+CEREG?\r") == b"\r\n+CEREG: 0,1\r\n" + OK
    lte.ok("AT+CEREG=2")
    assert lte.send("AT+CEREG?\r") == b"\r\n+CEREG: 2,1,1a2b,1c3d4e5,7\r\n" + OK
    old = make_bench(variant(radio={"domains": "2g"}))
    assert old.send("AT+CEREG?\r") == b"\r\n+CME ERROR: 100\r\n"


def test_item_22_without_network_nothing_goes_and_mail_waits(bench: Any) -> None:
    bench.ok("AT+CREG=1")
    bench.device.radio.lose(30.0)
    bench.lab.network.deliver_from_outside("+491761111111", bench.device, "hello")
    assert bench.wait(1) == b"\r\n+CREG: 2\r\n"
    assert bench.submit("+4917600001") == b"\r\n+CMS ERROR: 331\r\n"
    assert bench.wait(30) == b'\r\n+CREG: 1\r\n\r\n+CMTI: "SM",1\r\n'


def test_item_24_ussd_answers_after_ok(bench: Any) -> None:
    assert bench.send('AT+CUSD=1,"*100#",15\r') == OK
    assert bench.wait(2) == b'\r\n+CUSD: 0,"Your balance is 12.34 EUR.",15\r\n'
    assert bench.send('AT+CUSD=1,"*999#",15\r', 2) == OK + b'\r\n+CUSD: 2,"Unknown service code.",15\r\n'


def test_item_24_a_dialogue_stays_open_until_it_is_ended(bench: Any) -> None:
    assert bench.send('AT+CUSD=1,"*101#",15\r', 2) == OK + b'\r\n+CUSD: 1,"1 Balance\n2 Data",15\r\n'
    assert bench.send('AT+CUSD=1,"2",15\r', 2) == OK + b'\r\n+CUSD: 0,"500 MB left",15\r\n'
    bench.send('AT+CUSD=1,"*101#",15\r', 2)
    bench.ok("AT+CUSD=2")
    assert b"+CUSD: 2," in bench.send('AT+CUSD=1,"2",15\r', 2)


@pytest.mark.parametrize(
    ("code", "wire"),
    [
        ("*102#", b'\r\n+CUSD: 0,"Balance: 12.34 EUR\r\nValid until 31.12.",15\r\n'),
        ("*103#", b"\r\n+CUSD: 4\r\n"),
        ("*104#", b""),
        ("*105#", b'\r\n+CUSD: 0,"Your balance is\r\n'),
    ],
)
def test_item_24_lines_errors_silence_and_broken_quotes(code: str, wire: bytes, bench: Any) -> None:
    assert bench.send(f'AT+CUSD=1,"{code}",15\r', 120) == OK + wire


def test_item_24_packed_and_ucs2_strings(make_bench: Make, variant: Make) -> None:
    bench = make_bench(variant(service={"ussd": "packed"}))
    packed = b"D9775D0E1287D961F7B80C4ACF4131996B460315AB5217"
    assert bench.send('AT+CUSD=1,"AA180C3602",15\r', 2) == OK + b'\r\n+CUSD: 0,"' + packed + b'",15\r\n'
    assert bench.send('AT+CUSD=1,"*100#",15\r') == b"\r\n+CME ERROR: 50\r\n"
    plain = make_bench()
    plain.ok('AT+CSCS="UCS2"')
    answer = plain.send('AT+CUSD=1,"002A0031003000300023",15\r', 2)
    assert b'+CUSD: 0,"0059006F007500720020' in answer
    assert answer.endswith(b'",72\r\n')


def test_item_25_calls_ring_with_the_callers_number_until_they_end(bench: Any) -> None:
    bench.ok("AT+CLIP=1")
    bench.device.calls.ring("+491761111111", seconds=12.0)
    ring = b'\r\nRING\r\n\r\n+CLIP: "+491761111111",145,,,,0\r\n'
    assert bench.wait(11) == ring * 3
    assert bench.wait(60) == b"\r\nNO CARRIER\r\n"
    bench.device.calls.ring("")
    assert bench.wait() == b'\r\nRING\r\n\r\n+CLIP: "",128,,,,2\r\n'
    bench.ok("AT+CHUP")
    assert bench.wait(60) == b""


def test_item_25_ath_hangs_up_unless_cvhu_says_no(bench: Any) -> None:
    bench.device.calls.ring("+491761111111", seconds=60.0)
    bench.wait()
    bench.ok("AT+CVHU=1", "ATH")
    assert bench.wait(5) == b"\r\nRING\r\n"
    bench.ok("AT+CVHU=0", "ATH")
    assert bench.wait(60) == b""
    assert bench.send("ATA\r") == b"\r\nNO CARRIER\r\n"
    assert bench.send("ATD+491761111111;\r") == b"\r\nNO CARRIER\r\n"


def test_item_26_identity(bench: Any) -> None:
    device = bench.device
    assert bench.send("AT+CGMI\r") == b"\r\nSimulated\r\n" + OK
    assert bench.send("AT+CGMM\r") == b"\r\nGeneric\r\n" + OK
    assert bench.send("AT+CGMR\r") == b"\r\n1.0\r\n" + OK
    assert bench.send("AT+CGSN\r") == b"\r\n" + device.imei.encode() + b"\r\n" + OK
    assert bench.send("AT+CIMI\r") == b"\r\n262980000000001\r\n" + OK
    assert bench.send("AT+CCID\r") == b"\r\n+CCID: " + device.sim.iccid.encode() + b"\r\n" + OK
    assert bench.send("AT+CNUM\r") == b'\r\n+CNUM: "","+4915551000001",145\r\n' + OK
    assert b"IMEI: " + device.imei.encode() in bench.send("ATI\r")


def test_item_26_identity_in_other_forms(make_bench: Make, variant: Make) -> None:
    identity = {
        "quoted": True,
        "prefixed": True,
        "revision": "",
        "iccid_command": "^ICCID",
        "iccid_answer": '^ICCID: "{swapped}"',
    }
    bench = make_bench(variant(identity=identity))
    assert bench.send("AT+CGMI\r") == b'\r\n+CGMI: "Simulated"\r\n' + OK
    assert bench.send("AT+CGMR\r") == b"\r\nERROR\r\n"
    assert bench.send("AT^ICCID?\r") == b'\r\n^ICCID: "989489000000000010F2"\r\n' + OK
    assert bench.send("AT+CCID\r") == b"\r\n+CME ERROR: 100\r\n"


def test_item_27_signal_and_operator(bench: Any) -> None:
    assert bench.send("AT+CSQ\r") == b"\r\n+CSQ: 20,99\r\n" + OK
    assert bench.send("AT+COPS?\r") == b'\r\n+COPS: 0,0,"Simulated Mobile",7\r\n' + OK
    bench.ok("AT+COPS=3,2")
    assert bench.send("AT+COPS?\r") == b'\r\n+COPS: 0,2,"26298",7\r\n' + OK
    assert bench.send("AT+CGATT?\r") == b"\r\n+CGATT: 1\r\n" + OK
    bench.device.radio.set(2)
    assert bench.send("AT+CGATT?\r") == b"\r\n+CGATT: 0\r\n" + OK
    assert bench.send("AT+CSQ\r") == b"\r\n+CSQ: 99,99\r\n" + OK
    assert bench.send("AT+COPS?\r") == b"\r\n+COPS: 0\r\n" + OK


def test_item_27_the_scan_blocks_the_modem(bench: Any) -> None:
    assert bench.send("AT+COPS=?\r", 44) == b""
    assert bench.send("AT\r") == b""
    answer = bench.wait(2)
    assert answer.startswith(b'\r\n+COPS: (2,"Simulated Mobile","SIMMOB","26298",7),,(0-4),(0-2)\r\n')
    assert answer.endswith(OK)


def test_a_reset_loses_the_settings_and_says_the_boot_lines(bench: Any) -> None:
    bench.ok("AT+CREG=1", "AT+CMGF=1")
    assert bench.send("AT+CFUN=1,1\r", 1) == OK
    assert bench.send("AT\r", 1) == b""
    said = bench.wait(20)
    assert said.split() == b"RDY +CFUN: 1 +CPIN: READY Call Ready SMS Ready".split()
    assert bench.send("AT+CMGF?;+CNMI?;+CREG?\r").endswith(
        b"\r\n+CMGF: 0\r\n\r\n+CNMI: 2,0,0,0,0\r\n\r\n+CREG: 0,1\r\n" + OK
    )


def test_sms_commands_are_refused_until_the_service_is_ready(bench: Any) -> None:
    bench.send("AT+CFUN=1,1\r", 3.1)
    bench.send("ATE0;+CMEE=1\r")
    assert b"+CMS ERROR: 302" in bench.send("AT+CMGF=0\r")
    bench.wait(5)
    bench.ok("AT+CMGF=0")


def test_flight_mode_leaves_the_network_and_comes_back(bench: Any) -> None:
    bench.ok("AT+CFUN=4")
    assert bench.send("AT+CREG?\r") == b"\r\n+CREG: 0,0\r\n" + OK
    bench.ok("AT+CFUN=1")
    bench.wait(2)
    assert bench.send("AT+CREG?\r") == b"\r\n+CREG: 0,1\r\n" + OK
