"""Commands that a profile names by their text, made into commands with the answer that fits them."""

from modemgw.at.commands import Command, iccid

_IMEI = r'"?\d{14,17}"?'
_WORDS = r".{1,200}"


def plain(text: str, timeout: float = 5.0) -> Command:
    """A command of which only OK or an error matters; the modem may still speak in digits (V.250 ATV0)."""
    return Command(text, timeout=timeout, numeric=True)


def imei(text: str) -> Command:
    """A query for the serial number of the equipment."""
    return Command(text, (_prefix(text),), bare=_IMEI, needs_line=True)


def words(text: str) -> Command:
    """A query for a name: manufacturer, model, revision."""
    return Command(text, (_prefix(text),), bare=_WORDS, needs_line=True)


def card(text: str) -> Command:
    """A query for the serial number of the SIM."""
    return iccid(text)


def lines(text: str, timeout: float = 10.0) -> Command:
    """A query whose lines a profile's own pattern reads."""
    return Command(text, (_prefix(text),), bare=_WORDS, timeout=timeout)


def _prefix(text: str) -> str:
    """``AT^CPIN?`` -> ``^CPIN:``."""
    name = text.removeprefix("AT")
    for end in "=?":
        name = name.partition(end)[0]
    return f"{name}:"
