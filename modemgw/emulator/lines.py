"""Command lines taken apart, and the table of commands.

V.250 clause 5.2: a line is `AT`, then basic commands (one letter, with a number; makers put theirs behind `&` or a
backslash, as in `AT\\Q3` for flow control), `S` registers and extended commands (`+ ^ # % * $ _` and a name) which end
with `;`. TS 27.005 and 27.007 use extended commands: `+X`, `+X?`, `+X=?`, `+X=…`.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from modemgw.emulator.device import Device

_EXTENDED = "+^#%*$_"
_BASIC = re.compile(r"(S\d+|[&\\]?[A-Z])(=\?|\?|=?\d*)", re.IGNORECASE)
_NAME = re.compile(r"[+^#%*$_][A-Z0-9]+", re.IGNORECASE)


class Pending(Enum):
    """What a handler returns when its answer comes later, through `Exchange.resume` or `Exchange.fail`."""

    PENDING = "pending"


PENDING = Pending.PENDING
Reply = Iterable[str] | Pending


class Failure(Exception):
    """The command is refused: `family` CME or CMS and a code, or neither for a plain ERROR, or `text` as it is."""

    def __init__(self, family: Literal["CME", "CMS", ""] = "", code: int = 0, text: str = "") -> None:
        super().__init__(text or f"{family} {code}")
        self.family = family
        self.code = code
        self.text = text


_NUMBERED = re.compile(r"\+(CME|CMS) ERROR: (\d+)")


def failure_of(text: str) -> Failure:
    """The refusal that a final result words; a numbered one is worded anew as `+CMEE` says."""
    match = _NUMBERED.fullmatch(text)
    if match is None:
        return Failure(text="" if text == "ERROR" else text)
    return Failure("CME" if match[1] == "CME" else "CMS", int(match[2]))


@dataclass(frozen=True, slots=True)
class Ask:
    """One command of a line. `args` are the parameters without quotation marks, `raw` is everything behind `=`."""

    name: str
    kind: Literal["exec", "set", "read", "test"]
    raw: str = ""
    args: tuple[str, ...] = ()

    def text(self, place: int, default: str = "") -> str:
        """A parameter, or the default when it is missing or empty."""
        return self.args[place] if place < len(self.args) and self.args[place] else default

    def number(self, place: int, default: int | None = None) -> int:
        """A decimal parameter; Failure when it is not one, or missing without a default."""
        text = self.text(place)
        if not text and default is not None:
            return default
        if not (text.isascii() and text.isdigit()):
            raise Failure("CME", 50)
        return int(text)


Handler = Callable[["Device", Ask], Reply]
COMMANDS: dict[str, Handler] = {}


def reply_to(*names: str) -> Callable[[Handler], Handler]:
    """Register a handler under these command names."""

    def register(handler: Handler) -> Handler:
        for name in names:
            COMMANDS[name] = handler
        return handler

    return register


def parse(body: str) -> list[Ask]:
    """The commands of a line without its `AT`. Failure if it is not a command line at all."""
    asks: list[Ask] = []
    rest = body.strip(" ")
    while rest:
        if rest[0] == ";":
            rest = rest[1:]
        elif rest[0] in _EXTENDED:
            text, rest = _until_semicolon(rest)
            asks.append(_extended(text))
        elif rest[0] in "Dd":
            text, rest = _until_semicolon(rest)
            asks.append(Ask("D", "set", text[1:], (text[1:],)))
        else:
            match = _BASIC.match(rest)
            if match is None:
                raise Failure
            asks.append(_basic(match[1].upper(), match[2]))
            rest = rest[match.end() :].lstrip(" ")
    return asks


def _basic(name: str, value: str) -> Ask:
    if value == "?":
        return Ask(name, "read")
    if value == "=?":
        return Ask(name, "test")
    digits = value.removeprefix("=")
    return Ask(name, "set" if digits else "exec", digits, (digits,) if digits else ())


def _extended(text: str) -> Ask:
    match = _NAME.match(text)
    if match is None:
        raise Failure
    name, rest = match[0].upper(), text[match.end() :].strip(" ")
    if rest == "":
        return Ask(name, "exec")
    if rest == "?":
        return Ask(name, "read")
    if rest == "=?":
        return Ask(name, "test")
    if rest[0] != "=":
        raise Failure
    return Ask(name, "set", rest[1:], _parameters(rest[1:]))


def _until_semicolon(text: str) -> tuple[str, str]:
    quoted = False
    for place, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == ";" and not quoted:
            return text[:place], text[place + 1 :]
    return text, ""


def _parameters(text: str) -> tuple[str, ...]:
    found, current, quoted = [], "", False
    for character in text:
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            found.append(current.strip(" "))
            current = ""
        else:
            current += character
    return (*found, current.strip(" "))
