"""Commands are data, and nothing can be smuggled into one."""

import inspect
import random

import pytest

from modemgw.at import commands
from modemgw.at.commands import Command
from modemgw.at.errors import UnsafeText

HOSTILE = ["\r", "\n", "\x1a", "\x1b", "\0", '"', ";", "é", "\x7f", ",", " ", "=", "²", "١"]


@pytest.mark.parametrize("character", ["\r", "\n", "\x1a", "\x1b", "\0", "\t", "é", "\x7f", "€"])
def test_no_text_holds_a_control_character_or_anything_beyond_ascii(character: str) -> None:
    with pytest.raises(UnsafeText) as caught:
        Command(f"AT+CMGS{character}=1")
    assert character not in str(caught.value)


def test_an_empty_or_endless_text_is_refused() -> None:
    for text in ("", "A" * 513):
        with pytest.raises(UnsafeText):
            Command(text)


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize(
    ("make", "good"),
    [
        (commands.enter_pin, "1234"),
        (commands.set_smsc, "+15550100099"),
        (commands.ussd, "*100#"),
        (commands.storages, "SM"),
        (commands.alphabet, "GSM"),
        (lambda pdu: commands.cmgs(19, pdu), "0031000B915155100021F30000A705E8329BFD06"),
    ],
)
def test_every_parameter_from_outside_is_checked(make: object, good: str, hostile: str) -> None:
    assert callable(make)
    make(good)
    for bad in (good + hostile, hostile + good, good[:2] + hostile + good[2:]):
        with pytest.raises(UnsafeText):
            make(bad)


def test_random_parameters_never_reach_the_line() -> None:
    rng = random.Random(7)
    for _ in range(20_000):
        text = "".join(
            chr(rng.choice([rng.randrange(32), rng.randrange(256), 0x41])) for _ in range(rng.randrange(1, 9))
        )
        for make in (commands.enter_pin, commands.set_smsc, commands.ussd, commands.storages, commands.alphabet):
            try:
                command = make(text)
            except UnsafeText:
                continue
            assert command.text.isprintable()
            assert command.text.isascii()
            assert command.text.count('"') in {0, 2}
            assert ";" not in command.text


def test_dangerous_commands_are_not_offered() -> None:
    source = inspect.getsource(commands)
    for word in ("CLCK", "CPWD", "CRSM", "ATD", "AT&W", "AT&F", "CMGW", "CMSS"):
        assert word not in source
    assert "," not in commands.cmgd(3).text


def test_a_command_shows_neither_pin_nor_number_nor_pdu() -> None:
    shown = [repr(commands.enter_pin("1234")), repr(commands.cmgs(19, "00" * 20)), repr(commands.ussd("*101#"))]
    assert shown == ["<AT+CPIN>", "<AT+CMGS>", "<AT+CUSD>"]


@pytest.mark.parametrize(
    ("line", "solicited"),
    [
        ("+CREG: 0,1", True),
        ("+CREG: 2,1,\"00A1\",\"0000C350\",7", True),
        ("+CREG: 2,5,00A1,0000C350", True),
        ('+CREG: 2, 11', True),
        ("+CREG: 1", False),
        ("+CREG: 5,\"00A1\",\"0000C350\"", False),
        ("+CREG: 1,00A1,0000C350,7", False),
        ("+CREG: 1,\"00A1\",\"0000C350\",7", False),
        ("+CEREG: 0,1", False),
    ],
)  # fmt: skip
def test_a_registration_answer_is_told_from_its_urc(line: str, solicited: bool) -> None:
    assert commands.registration("CREG").admits(line) is solicited


def test_free_text_is_admitted_but_never_chatter() -> None:
    assert commands.MANUFACTURER.admits_bare("Acme Wireless Inc.")
    assert commands.MANUFACTURER.admits('+CGMI: "Acme"')
    assert not commands.MANUFACTURER.admits_bare("^RSSI: 12")
    assert not commands.MANUFACTURER.admits_bare("+WIND: 4")
    assert commands.IMSI.admits_bare("001010123456789")
    assert not commands.SERIAL_NUMBER.admits_bare("OK then")


def test_a_list_takes_pdu_lines_only_behind_its_headers() -> None:
    listing, pdu = commands.cmgl(), "07915155109099F9040B915155100021F300006280409003008005E8329BFD06"
    assert listing.admits("+CMGL: 1,0,,24")
    assert listing.admits(pdu, "+CMGL: 1,0,,24")
    assert not listing.admits(pdu)
    assert not listing.admits("hello", "+CMGL: 1,0,,24")


def test_texts() -> None:
    assert commands.storages("ME", "ME", "ME").text == 'AT+CPMS="ME","ME","ME"'
    assert commands.routing(2, 1, 0, 1, 0).text == "AT+CNMI=2,1,0,1,0"
    assert commands.set_smsc("+15550100099").text == 'AT+CSCA="+15550100099",145'
    assert commands.set_smsc("0170").text == 'AT+CSCA="0170",129'
    assert commands.ussd("*100#").text == 'AT+CUSD=1,"*100#",15'
    assert commands.functionality(1, reset=True).text == "AT+CFUN=1,1"
    assert "^ICCID:" in commands.iccid("AT^ICCID?").expects
    assert commands.alphabet("GSM", quoted=False).text == "AT+CSCS=GSM"
    assert commands.cmgs(19, "00abcd").payload == b"00ABCD"
