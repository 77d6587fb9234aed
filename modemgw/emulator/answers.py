"""Commands that a persona answers in its own words (`[answers]`) or that steer its habits (`[does]`).

    [answers]
    "^SYSINFO" = ["^SYSINFO:2,3,0,5,1,,4"]          # lines, then OK
    "+CGMR" = ["ERROR"]                             # a last line that is a final result takes the place of OK
    "+CLAC" = ["…"]                                 # hangs: no answer at all, until something restarts it
    "+CMMS=2" = ["+CMS ERROR: 500"]
    [does]
    "^CURC=0" = "noise off"

Keys are what follows `AT`, without blanks, letter case as it comes; `*` stands for anything. They come before the
commands that every modem knows. What a line of `[does]` may say is in BEHAVIOURS; it is answered by OK.
"""

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from modemgw.emulator.lines import PENDING, Ask, Reply, failure_of
from modemgw.emulator.noise import filled

if TYPE_CHECKING:
    from modemgw.emulator.device import Device

HANGS = "…"
_FINALS = ("ERROR", "+CME ERROR", "+CMS ERROR", "COMMAND NOT SUPPORT", "NO CARRIER", "TOO MANY PARAMETERS", "NA")


def _noise(device: "Device", what: str) -> Reply:
    device.noise.on = what == "on"
    return []


def _ussd(device: "Device", what: str) -> Reply:
    device.calls.own_coding = what
    return []


def _urcs(device: "Device", what: str) -> Reply:
    device.urcs_on = what
    return []


def _restart(device: "Device", what: str) -> Reply:  # noqa: ARG001
    if device.persona.boot.reset_answers and device.exchange is not None:
        device.exchange.resume()
    device.reboot()
    return PENDING


def _off(device: "Device", what: str) -> Reply:  # noqa: ARG001
    if device.exchange is not None:
        device.exchange.resume()
    device.unplug()
    return PENDING


BEHAVIOURS: dict[str, Callable[["Device", str], Reply]] = {
    "noise on": _noise,
    "noise off": _noise,
    "ussd plain": _ussd,
    "ussd packed": _ussd,
    "ussd ucs2": _ussd,
    "urcs first": _urcs,
    "urcs modem": _urcs,
    "urcs aux": _urcs,
    "urcs all": _urcs,
    "restart": _restart,
    "power off": _off,
}


def own_answer(device: "Device", ask: Ask) -> Reply | None:
    """The persona's own answer to a command, or None if it has none."""
    persona = device.persona
    if not persona.answers and not persona.does:
        return None
    text = ask.name + {"exec": "", "read": "?", "test": "=?", "set": f"={ask.raw}"}[ask.kind].replace(" ", "")
    for pattern, lines in persona.answers.items():
        if text == pattern or ("*" in pattern and fnmatchcase(text, pattern)):
            return _say(device, lines)
    for pattern, what in persona.does.items():
        if text == pattern or ("*" in pattern and fnmatchcase(text, pattern)):
            return BEHAVIOURS[what](device, what.split()[-1])
    return None


def _say(device: "Device", lines: tuple[str, ...]) -> Reply:
    if lines == (HANGS,):
        return PENDING
    told = [filled(device, line) for line in lines]
    if told and told[-1].startswith(_FINALS):
        if device.exchange is not None:
            device.exchange.tell(told[:-1])
        raise failure_of(told[-1])
    return told
