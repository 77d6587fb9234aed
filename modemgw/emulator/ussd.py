"""Unstructured supplementary services: what the network answers to `*100#`, and how modems code the strings.

Coding (27.007 §7.15, 23.038 §6.1.2.3.1): plain by the character set, UCS-2 as hex, or on some makes GSM 7-bit
packed as hex.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from modemgw.pdu import gsm7, septets


@dataclass(frozen=True, slots=True)
class Menu:
    """One answer. With `choices` the dialogue stays open (m=1). `mode` overrides m; `answers` False: never a word.

    `{credit}` in the text is what is left on the SIM. `raw` is written as it is behind `+CUSD: `, for broken firmware.
    """

    text: str = ""
    choices: Mapping[str, "Menu"] = field(default_factory=dict)
    mode: int | None = None
    answers: bool = True
    raw: str = ""


MENUS = {
    "*100#": Menu("Your balance is {credit} EUR."),
    "*101#": Menu("1 Balance\n2 Data", {"1": Menu("12.34 EUR"), "2": Menu("500 MB left")}),
    "*102#": Menu("Balance: 12.34 EUR\r\nValid until 31.12."),
    "*103#": Menu(mode=4),
    "*104#": Menu(answers=False),
    "*105#": Menu(raw='0,"Your balance is'),
}
UNKNOWN = Menu("Unknown service code.", mode=2)


def to_line(text: str, coding: str) -> tuple[str, int]:
    """The string as the modem shows it, and its coding scheme."""
    if coding == "ucs2":
        return text.encode("utf-16-be").hex().upper(), 72
    if coding == "packed":
        values = gsm7.encode(text, "USSD")
        if len(values) % 8 == 7:
            values += b"\r"
        return septets.pack(values).hex().upper(), 15
    return text, 15


def from_line(text: str, coding: str) -> str:
    """What the computer asked. ValueError if it is not coded like that."""
    if coding == "ucs2":
        return bytes.fromhex(text).decode("utf-16-be")
    if coding == "packed":
        octets = bytes.fromhex(text)
        return gsm7.decode(septets.unpack(octets, len(octets) * 8 // 7)).rstrip("\r")
    return text
