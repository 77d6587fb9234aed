"""Text mode works, and is a trap for a program that believes to be in PDU mode."""

from typing import Any

OK = b"\r\nOK\r\n"


def test_a_pdu_written_in_text_mode_is_sent_as_a_text_to_its_own_length(bench: Any) -> None:
    bench.ok("AT+CMGF=1")
    bench.send("AT+CMGS=19\r")
    assert bench.send("0011000B915155100021F30000A705E8329BFD06\x1a").endswith(OK)
    (entry,) = bench.lab.network.ledger
    assert (entry.number, entry.text) == ("19", "0011000B915155100021F30000A705E8329BFD06")


def test_send_and_read_a_text(pair: Any) -> None:
    first, second = pair
    first.ok("AT+CMGF=1", "AT+CSMP=49,167,0,0")
    second.ok("AT+CMGF=1")
    assert first.send('AT+CMGS="+4915551000002"\r') == b"\r\n> "
    assert first.send("two\rlines") == b"\r\n> "
    assert first.send("\x1a").startswith(b"\r\n+CMGS: 0\r\n" + OK)
    second.wait()
    shown = b'"+4915551000001",,"27/01/15,09:00:00+04"\r\ntwo\rlines\r\n'
    assert second.send("AT+CMGR=1\r") == b'\r\n+CMGR: "REC UNREAD",' + shown + OK
    assert second.send('AT+CMGL="ALL"\r') == b'\r\n+CMGL: 1,"REC READ",' + shown + OK
    assert second.send("AT+CMGL=4\r") == b"\r\n+CMS ERROR: 305\r\n"
    report = b'\r\n+CDS: 6,0,"+4915551000002",145,"27/01/15,09:00:00+04","27/01/15,09:00:01+04",0\r\n'
    assert first.wait(5) == report


def test_ucs2_strings_and_texts_that_do_not_fit(bench: Any) -> None:
    bench.ok("AT+CMGF=1", 'AT+CSCS="UCS2"')
    bench.send('AT+CMGS="+4917600001"\r')
    assert bench.send("20AC00410042\x1a").endswith(OK)
    assert bench.lab.network.ledger[0].text == "€AB"
    bench.ok('AT+CSCS="GSM"')
    bench.send('AT+CMGS="+4917600001"\r')
    assert bench.send("x" * 161 + "\x1a") == b"\r\n+CMS ERROR: 305\r\n"
    assert bench.send('AT+CMGS="nobody"\r') == b"\r\n+CMS ERROR: 305\r\n"
