"""A make of modem as data: how it words, stores, routes and fails, read from `personas/NAME.toml`.

A file says `inherit = "generic"` and then only what differs (tables of commands are added to those inherited). Every
key is checked; all mistakes of a file are reported at once, each with its file and line. What each key means is
written beside it in `personas/generic.toml`, which sets them all.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Literal, cast, get_args, get_origin, get_type_hints

from modemgw.emulator.answers import BEHAVIOURS
from modemgw.emulator.traits import Persona

__all__ = ["FOLDER", "Persona", "PersonaError", "build", "load", "load_all", "names"]
FOLDER = Path(__file__).parent / "personas"
Data = dict[str, object]
_WORDS = {str: "a string", int: "a whole number", float: "a number", bool: "true or false", tuple: "a list"}
_HEADER = re.compile(r"\s*\[\s*([A-Za-z0-9_-]+)\s*\]")
_KEY = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*=""")


class PersonaError(ValueError):
    """A persona file cannot be used. `mistakes` lists everything that is wrong with it, `file:line: sentence` each."""

    def __init__(self, file: str, mistakes: Iterable[str]) -> None:
        self.file = file
        self.mistakes = list(mistakes)
        super().__init__("\n".join(self.mistakes))


@dataclass(slots=True)
class Checked:
    """The mistakes found so far, and where each key was set: `section.key` to `file:line`."""

    file: str
    places: dict[str, str] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)

    def add(self, at: str, sentence: str) -> None:
        """A mistake at that key."""
        self.mistakes.append(f"{self.places.get(at, self.file)}: {sentence}")


def names() -> list[str]:
    """The personas that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def load(name: str) -> Persona:
    """The persona of that name, or of that path if it ends in `.toml`. PersonaError says everything that is wrong."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    checked = Checked(path.name)
    return build(_read(path, [], checked.places), path.name, checked)


def load_all(wanted: Iterable[str]) -> list[Persona]:
    """Several personas; PersonaError with the mistakes of them all."""
    loaded, files, mistakes = [], [], []
    for name in wanted:
        try:
            loaded.append(load(name))
        except PersonaError as error:
            files.append(error.file)
            mistakes += [mistake for mistake in error.mistakes if mistake not in mistakes]
    if mistakes:
        raise PersonaError(", ".join(files), mistakes)
    return loaded


def build(data: Data, file: str, checked: Checked | None = None) -> Persona:
    """Check `data` (the parsed file, inheritance done) against the sections of `traits`."""
    checked = checked or Checked(file)
    parts: Data = {}
    hints = get_type_hints(Persona)
    for key in sorted(data.keys() - hints.keys()):
        checked.add(key, f"unknown key {key}")
    for key, kind in hints.items():
        if kind is str:
            parts[key] = _value(data.get(key), str, key, checked)
        elif get_origin(kind) is dict:
            parts[key] = _table(data.get(key, {}), get_args(kind)[1], key, checked)
        else:
            parts[key] = _section(data.get(key, {}), kind, key, checked)
    for command, what in cast("dict[str, object]", parts["does"] or {}).items():
        if what not in BEHAVIOURS:
            checked.add(f"does.{command}", f"does.{command} must be one of {', '.join(BEHAVIOURS)}, not {what!r}")
    if checked.mistakes:
        raise PersonaError(file, checked.mistakes)
    return Persona(**parts)  # type: ignore[arg-type]  # every value was checked against its field's type


def _read(path: Path, seen: list[str], places: dict[str, str]) -> Data:
    if path.name in seen:
        raise PersonaError(path.name, [f"{path.name}: inherits itself by way of {', '.join(seen)}"])
    try:
        text = path.read_text(encoding="utf-8")
        data: Data = tomllib.loads(text)
    except FileNotFoundError:
        known = ", ".join(names())
        raise PersonaError(path.name, [f"{path.name}: there is no such persona; known: {known}"]) from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        place = f"{path.name}:{line[1] if line else text.count(chr(10)) + 1}"
        raise PersonaError(path.name, [f"{place}: {error}"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise PersonaError(path.name, [f"{path.name}: {error}"]) from None
    parent = data.pop("inherit", None)
    base = {} if parent is None else _read(FOLDER / f"{parent}.toml", [*seen, path.name], places)
    for key, number in _lines(text):
        places[key] = f"{path.name}:{number}"
    for key, value in data.items():
        below = base.get(key)
        base[key] = {**below, **value} if isinstance(below, dict) and isinstance(value, dict) else value
    return {**base, "name": path.stem}


def _lines(text: str) -> Iterable[tuple[str, int]]:
    """Every `section` and `section.key` of a file with its line."""
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            section = header[1]
            yield section, number
        elif key := _KEY.match(line):
            name = next(part for part in key.groups() if part is not None)
            yield (f"{section}.{name}" if section else name), number


def _table(data: object, kind: object, at: str, checked: Checked) -> object:
    if not isinstance(data, dict):
        checked.add(at, f"[{at}] must be a table")
        return {}
    return {key: _value(value, kind, f"{at}.{key}", checked) for key, value in data.items()}


def _section(data: object, kind: type, at: str, checked: Checked) -> object:
    if not isinstance(data, dict):
        checked.add(at, f"[{at}] must be a table")
        return None
    hints = get_type_hints(kind)
    for key in sorted(data.keys() - hints.keys()):
        checked.add(f"{at}.{key}", f"unknown key {at}.{key}")
    values = {f.name: _value(data.get(f.name), hints[f.name], f"{at}.{f.name}", checked) for f in fields(kind)}
    return kind(**values)


def _value(value: object, kind: object, at: str, checked: Checked) -> object:
    if value is None:
        checked.add(at, f"{at} is missing")
    elif get_origin(kind) is Literal:
        if value not in get_args(kind):
            checked.add(at, f"{at} must be one of {', '.join(map(repr, get_args(kind)))}, not {value!r}")
    elif get_origin(kind) is tuple:
        return _list(value, get_args(kind)[0], at, checked)
    elif not _is(value, cast("type", kind)):
        checked.add(at, f"{at} must be {_WORDS[cast('type', kind)]}, not {value!r}")
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and value < 0:
        checked.add(at, f"{at} must not be negative")
    return value


def _list(value: object, inner: object, at: str, checked: Checked) -> object:
    if get_origin(inner) is Literal:
        allowed = get_args(inner)
        if isinstance(value, list) and all(item in allowed for item in value):
            return tuple(value)
        checked.add(at, f"{at} must be a list of {', '.join(map(repr, allowed))}")
    elif isinstance(value, list) and all(_is(item, cast("type", inner)) for item in value):
        return tuple(value)
    else:
        checked.add(at, f"{at} must be a list, each item {_WORDS[cast('type', inner)]}")
    return value


def _is(value: object, kind: type) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)
