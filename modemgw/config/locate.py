"""On which line of a TOML text does a key stand? tomllib does not say, and people need to know.

A scan over text that tomllib has already accepted: headers, array-of-table headers and keys get their line, values are
only skipped over. What stands inside a value (an inline table, a list entry) is found at the line of its key.
Implements the shape of TOML 1.0: keys, tables, arrays of tables, the four kinds of strings.
"""

import re
import tomllib
from collections.abc import Iterator

# A key or a header may be dotted and each piece bare or quoted.
_PIECE = r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'"""
_DOTTED = rf"(?:{_PIECE})(?:[ \t]*\.[ \t]*(?:{_PIECE}))*"
_HEADER = re.compile(rf"\[(\[)?[ \t]*({_DOTTED})[ \t]*\]")
_KEY = re.compile(rf"({_DOTTED})[ \t]*=")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?!")'
    r"|'''.*?'''(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_COMMENT = re.compile(r"#[^\n]*")

Path = tuple[str | int, ...]


def lines_of(text: str) -> dict[Path, int]:
    """Path -> line, from 1. ``("modem", 1, "port")``, as pydantic writes it, is in the second ``[[modem]]``."""
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    prefix: Path = ()
    for start, header, brackets, dotted in _statements(text):
        line = text.count("\n", 0, start) + 1
        names = _names(dotted)
        if header:
            prefix = _inside(names[:-1], counts) + names[-1:]
            if brackets == 2:
                found.setdefault(prefix, line)
                counts[prefix] = counts.get(prefix, -1) + 1
                prefix += (counts[prefix],)
            found[prefix] = line
        else:
            for depth in range(1, len(names) + 1):
                found.setdefault(prefix + names[:depth], line)
    return found


def line_of(lines: dict[Path, int], path: Path) -> int | None:
    """The line of the key itself, or of the nearest thing around it that has one."""
    for end in range(len(path), 0, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return None


def unclosed_string(text: str) -> int | None:
    """The line of the first quotation mark that has no partner, in text that the parser refuses."""
    at = 0
    while at < len(text):
        skipped = _COMMENT.match(text, at) or _STRING.match(text, at)
        if skipped is None and text[at] in "\"'":
            return text.count("\n", 0, at) + 1
        at = skipped.end() if skipped else at + 1
    return None


def _statements(text: str) -> Iterator[tuple[int, bool, int, str]]:
    """Offset, is a header, number of brackets, dotted name: of every header and key in order."""
    at = 0
    while at < len(text):
        if text[at] in " \t\r\n":
            at += 1
        elif text[at] == "#":
            at = _COMMENT.match(text, at).end()  # type: ignore[union-attr]  # the character was just seen
        elif header := _HEADER.match(text, at):
            yield at, True, 2 if header[1] else 1, header[2]
            at = _end_of_line(text, header.end())
        elif key := _KEY.match(text, at):
            yield at, False, 0, key[1]
            at = _end_of_value(text, key.end())
        else:
            at = _end_of_line(text, at)


def _end_of_value(text: str, at: int) -> int:
    """Behind the value that starts here: at the first line end outside strings and brackets."""
    depth = 0
    while at < len(text):
        if text[at] in "\"'":
            string = _STRING.match(text, at)
            at = string.end() if string else at + 1
            continue
        if text[at] == "#":
            at = _COMMENT.match(text, at).end()  # type: ignore[union-attr]  # the character was just seen
            continue
        if text[at] == "\n" and depth == 0:
            return at + 1
        depth += (text[at] in "[{") - (text[at] in "]}")
        at += 1
    return at


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _names(dotted: str) -> tuple[str, ...]:
    """The pieces of a dotted key, unquoted: tomllib itself reads them."""
    names: list[str] = []
    table: object = tomllib.loads(f"{dotted} = 0")
    while isinstance(table, dict):
        ((name, table),) = table.items()
        names.append(name)
    return tuple(names)


def _inside(names: tuple[str, ...], counts: dict[Path, int]) -> Path:
    """The path of a table, with the index of the latest entry behind each array of tables on the way."""
    path: Path = ()
    for name in names:
        path += (name,)
        if path in counts:
            path += (counts[path],)
    return path
