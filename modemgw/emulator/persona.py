"""A make of modem as data: how it words, stores, routes and fails, read from `personas/NAME.toml`.

A file says `inherit = "generic"` and then only what differs. Every key is checked; all mistakes of a file are
reported at once, with its name. What each key means is written beside it in `personas/generic.toml`, which sets
them all.
"""

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Literal, cast, get_args, get_origin, get_type_hints

FOLDER = Path(__file__).parent / "personas"


class PersonaError(ValueError):
    """A persona file cannot be used. `mistakes` lists everything that is wrong with it, one sentence each."""

    def __init__(self, file: str, mistakes: list[str]) -> None:
        super().__init__("\n".join(f"{file}: {mistake}" for mistake in mistakes))
        self.file = file
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Identity:
    """`[identity]`: what the modem says it is."""

    manufacturer: str
    model: str
    revision: str
    tac: str
    quoted: bool
    prefixed: bool
    iccid_command: str
    iccid_answer: str


@dataclass(frozen=True, slots=True)
class Line:
    """`[line]`: V.250 and the prompt."""

    prompt: str
    echo_payload: bool
    echo_ctrl_z: bool
    escape: Literal["OK", "ERROR", ""]
    bad_length: Literal["error", "hang"]
    busy: Literal["swallow", "refuse", "abort", "queue"]
    hold_urcs: bool
    urc_end: str
    unknown: Literal["ERROR", "CME 100", "CME 3", "COMMAND NOT SUPPORT"]
    answer_seconds: float


@dataclass(frozen=True, slots=True)
class Boot:
    """`[boot]`: what happens between power and service."""

    seconds: float
    drops_port: bool
    reset_answers: bool
    urcs: tuple[str, ...]
    urc_seconds: float
    sms_ready: float
    radio: float
    echo: bool
    cmgf: int
    csms: int


@dataclass(frozen=True, slots=True)
class Card:
    """`[card]`: the PIN dialogue."""

    busy_seconds: float
    pin_state_ends_with_ok: bool
    retry_command: str
    retry_answer: str


@dataclass(frozen=True, slots=True)
class Store:
    """`[storage]`: message memories."""

    me: int
    sr: int
    index_base: int
    compacts: bool
    default: tuple[str, ...]
    forms: tuple[int, ...]
    bare_ok: bool
    not_ready_times: int
    empty_read: Literal["OK", "0,,0", "321"]
    empty_delete: Literal["OK", "321"]
    list_answer: Literal["list", "303", "empty", "hang"]
    list_reports: bool
    alpha: bool
    delete_seconds: float
    list_seconds: float
    counter_lag: float
    full_urc: str
    sends_when_full: bool


@dataclass(frozen=True, slots=True)
class Routing:
    """`[routing]`: `+CNMI`, `+CSMS` and acknowledgement."""

    mode: tuple[int, ...]
    mt: tuple[int, ...]
    bm: tuple[int, ...]
    ds: tuple[int, ...]
    bfr: tuple[int, ...]
    refuses: tuple[str, ...]
    error: Literal["ERROR", "303"]
    default: tuple[int, ...]
    csms: tuple[int, ...]
    report_storage: str
    report_indication: str
    cmt_storage: str
    cds_header: str
    cmt_header: str
    discard_while_busy: bool
    ack_seconds: float


@dataclass(frozen=True, slots=True)
class Radio:
    """`[radio]`: registration and operator."""

    domains: Literal["2g", "2g+4g", "4g"]
    area_format: str
    operator_long: str
    operator_short: str
    access: int
    rssi: int
    scan_seconds: float


@dataclass(frozen=True, slots=True)
class Service:
    """`[service]`: USSD and calls."""

    ussd: Literal["plain", "packed", "ucs2"]
    ussd_seconds: float
    ring_seconds: float
    cvhu: int


@dataclass(frozen=True, slots=True)
class Persona:
    """One make of modem."""

    name: str
    summary: str
    identity: Identity
    line: Line
    boot: Boot
    card: Card
    storage: Store
    routing: Routing
    radio: Radio
    service: Service


Data = dict[str, object]
_WORDS = {str: "a string", int: "a whole number", float: "a number", bool: "true or false", tuple: "a list"}


def names() -> list[str]:
    """The personas that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def load(name: str) -> Persona:
    """The persona of that name, or of that path if it ends in `.toml`. PersonaError says everything that is wrong."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    return build(_read(path, []), path.name)


def build(data: Data, file: str) -> Persona:
    """Check `data` (the parsed file, inheritance done) against the sections above."""
    mistakes: list[str] = []
    parts: Data = {}
    hints = get_type_hints(Persona)
    mistakes.extend(f"unknown key {key}" for key in sorted(data.keys() - hints.keys()))
    for key, kind in hints.items():
        if kind is str:
            parts[key] = _value(data.get(key), str, key, mistakes)
        else:
            parts[key] = _section(data.get(key, {}), kind, key, mistakes)
    if mistakes:
        raise PersonaError(file, mistakes)
    return Persona(**parts)  # type: ignore[arg-type]  # every value was checked against its field's type


def _read(path: Path, seen: list[str]) -> Data:
    if path.name in seen:
        raise PersonaError(path.name, [f"inherits itself by way of {', '.join(seen)}"])
    try:
        data: Data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(names())
        raise PersonaError(path.name, [f"there is no such persona; known: {known}"]) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PersonaError(path.name, [str(error)]) from None
    parent = data.pop("inherit", None)
    if parent is None:
        return {"name": path.stem, **data}
    base = _read(FOLDER / f"{parent}.toml", [*seen, path.name])
    for key, value in data.items():
        below = base.get(key)
        base[key] = {**below, **value} if isinstance(below, dict) and isinstance(value, dict) else value
    return {**base, "name": path.stem}


def _section(data: object, kind: type, at: str, mistakes: list[str]) -> object:
    if not isinstance(data, dict):
        mistakes.append(f"[{at}] must be a table")
        return None
    hints = get_type_hints(kind)
    mistakes.extend(f"unknown key {at}.{key}" for key in sorted(data.keys() - hints.keys()))
    values = {f.name: _value(data.get(f.name), hints[f.name], f"{at}.{f.name}", mistakes) for f in fields(kind)}
    return kind(**values)


def _value(value: object, kind: object, at: str, mistakes: list[str]) -> object:
    if value is None:
        mistakes.append(f"{at} is missing")
    elif get_origin(kind) is Literal:
        if value not in get_args(kind):
            mistakes.append(f"{at} must be one of {', '.join(map(repr, get_args(kind)))}, not {value!r}")
    elif get_origin(kind) is tuple:
        inner = get_args(kind)[0]
        if not isinstance(value, list) or not all(_is(item, inner) for item in value):
            mistakes.append(f"{at} must be a list, each item {_WORDS[inner]}")
        else:
            return tuple(value)
    elif not _is(value, cast("type", kind)):
        mistakes.append(f"{at} must be {_WORDS[cast('type', kind)]}, not {value!r}")
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and value < 0:
        mistakes.append(f"{at} must not be negative")
    return value


def _is(value: object, kind: type) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)
