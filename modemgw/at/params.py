"""A cursor over the parameters of an information line: ``1,"SM",,(0-3)``.

Rules: commas inside quotes and parentheses do not separate; a missing field is ``None``, whether it is empty or
beyond the end, because firmware drops trailing fields at will; nothing raises on bad input, ``integer()`` simply
finds no number.
Source: ITU-T V.250 5.4.2, 3GPP TS 27.007 section 4.
"""

from __future__ import annotations

import re

_RANGE = re.compile(r"(-?\d{1,6})(?:\s*-\s*(\d{1,6}))?")
_NUMBER = re.compile(r"[+-]?\d{1,18}")
MAX_RANGE = 1000  # a list that claims more values than this is nonsense, and is cut there


def body(line: str) -> str:
    """What follows the first colon of an information line; the whole line if there is none."""
    _, colon, rest = line.partition(":")
    return (rest if colon else line).strip()


def split(text: str) -> tuple[str, ...]:
    """The raw fields of a parameter list, quotes and parentheses kept."""
    fields: list[str] = []
    start = depth = 0
    quoted = False
    for position, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif character == "(":
            depth += 1
        elif character == ")":
            depth = max(0, depth - 1)
        elif character == "," and depth == 0:
            fields.append(text[start:position].strip())
            start = position + 1
    fields.append(text[start:].strip())
    return tuple(fields)


def unquote(field: str) -> str:
    """The field without its quotes; a closing quote may be missing, as in truncated answers."""
    if field.startswith('"'):
        return field[1:-1] if len(field) > 1 and field.endswith('"') else field[1:]
    return field


def is_quoted(field: str) -> bool:
    """True for a string parameter."""
    return field.startswith('"')


def number(field: str) -> int | None:
    """The field as a decimal number, quoted or not; None when it is none."""
    text = unquote(field).strip()
    return int(text) if _NUMBER.fullmatch(text) else None


def values(field: str) -> tuple[int, ...]:
    """The numbers that ``(0-3,5)``, ``(0,1)`` or ``2`` stands for, in order, each once."""
    found: dict[int, None] = {}
    for first, last in _RANGE.findall(field):
        low = int(first)
        high = int(last) if last else low
        for value in range(low, min(high, low + MAX_RANGE) + 1):
            found[value] = None
    return tuple(found)


def strings(field: str) -> tuple[str, ...]:
    """The quoted strings in ``("SM","ME")``, at any depth of parentheses."""
    return tuple(re.findall(r'"([^"]*)"', field))


class Params:
    """Reads the fields of one information line from left to right."""

    __slots__ = ("_next", "fields")

    def __init__(self, line: str) -> None:
        self.fields = split(body(line))
        self._next = 0

    def raw(self) -> str | None:
        """The next field as it stands; None when it is empty or missing."""
        if self._next >= len(self.fields):
            return None
        field = self.fields[self._next]
        self._next += 1
        return field or None

    def integer(self) -> int | None:
        """The next field as a number."""
        field = self.raw()
        return None if field is None else number(field)

    def string(self) -> str | None:
        """The next field without quotes; an empty string ``""`` counts as a value."""
        field = self.raw()
        return None if field is None else unquote(field)

    def values(self) -> tuple[int, ...]:
        """The next field as a list of allowed numbers."""
        return values(self.raw() or "")

    @property
    def at_end(self) -> bool:
        """True when every field was read."""
        return self._next >= len(self.fields)
