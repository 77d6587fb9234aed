"""Faults written as JSON, for those who are not Python programs.

    {"do": "unplug", "point": "submitted", "accepted": true, "back": 5, "when": {"command": "AT+CMGS", "nth": 2}}
    {"do": "drop", "when": {"urc": "+CMTI"}}            {"do": "reboot", "when": {"in": 60}}
    {"do": "intrude", "text": "AT+GCAP\\r", "when": {"byte": 7}}
    {"do": "register_loss", "seconds": 30, "stat": 3}   now, since there is no `when`

`do` is an effect's name in small letters; its other keys are those of the effect (effects.py). `when` is a command or
an unsolicited line that begins so (with `nth` and `every`), so many bytes received, or so many seconds from now.
"""

import re
from dataclasses import MISSING, fields
from types import UnionType
from typing import Literal, cast, get_args, get_origin, get_type_hints

from modemgw.emulator.effects import MODEM_WIDE, Do, Reboot, Stray, Unplug
from modemgw.emulator.faults import At, Byte, Command, Fault, Urc, When

JSON = dict[str, object]
EFFECTS: dict[str, type] = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower(): kind for kind in get_args(Do)}


class ScriptError(ValueError):
    """The JSON is no fault; the text says everything that is wrong with it."""


def read(data: object, now: float) -> Fault | Do:
    """The fault that is meant, or what happens at once where there is no `when`."""
    if not isinstance(data, dict):
        raise ScriptError("a fault is an object with `do`")
    given = dict(data)
    name, when = given.pop("do", None), given.pop("when", None)
    kind = EFFECTS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ScriptError(f"do must be one of {', '.join(EFFECTS)}, not {name!r}")
    effect = cast("Do", made(kind, given, str(name)))
    if when is not None:
        return Fault(_when(when, now), effect)
    if not isinstance(effect, (Unplug, Reboot, Stray, *MODEM_WIDE)):
        raise ScriptError(f"{name} needs a `when`: it happens to a command or to an unsolicited line")
    return effect


def made(kind: type, given: JSON, name: str) -> object:
    """A dataclass from its fields; ScriptError names every field that is missing, unknown or of another type."""
    hints = get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}
    wrong = [f"{name} has no {key}; it has {', '.join(known) or 'nothing'}" for key in given if key not in known]
    wrong += [
        f"{name} needs {key}"
        for key, field in known.items()
        if key not in given and field.default is MISSING and field.default_factory is MISSING
    ]
    wrong += [
        f"{name}.{key} must be {_words(hints[key])}, not {value!r}"
        for key, value in given.items()
        if key in known and not _fits(value, hints[key])
    ]
    if wrong:
        raise ScriptError("; ".join(wrong))
    return kind(**given)


def _when(data: object, now: float) -> When:
    if isinstance(data, dict):
        given = dict(data)
        if "command" in given:
            return cast("When", made(Command, {"prefix": given.pop("command"), **given}, "when"))
        if "urc" in given:
            return cast("When", made(Urc, {"prefix": given.pop("urc"), **given}, "when"))
        if "byte" in given:
            return cast("When", made(Byte, {"count": given.pop("byte"), **given}, "when"))
        if _fits(given.get("in"), float) and len(given) == 1:
            return At(now + float(cast("float", given["in"])))
    raise ScriptError('when must be {"command": …}, {"urc": …}, {"byte": n} or {"in": seconds}')


def _fits(value: object, kind: object) -> bool:
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) is UnionType:
        return any(_fits(value, part) for part in get_args(kind))
    if get_origin(kind) is list:
        return isinstance(value, list) and all(_fits(item, get_args(kind)[0]) for item in value)
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if kind in (int, float):
        return isinstance(value, (int, float) if kind is float else int) and 0 <= value < 1e9
    return isinstance(value, cast("type", kind))


def _words(kind: object) -> str:
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(map(str, get_args(kind)))
    if get_origin(kind) is UnionType:
        return " or ".join(map(_words, get_args(kind)))
    if get_origin(kind) is list:
        return "a list"
    return {str: "a string", int: "a whole number", float: "a number of seconds", bool: "true or false"}.get(
        cast("type", kind), "null"
    )
