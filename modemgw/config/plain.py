"""Says in plain words what is wrong with a configuration: pydantic's findings as sentences a shop owner can act on."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from modemgw.config import checks
from modemgw.config.models import Alerts, Config, Gateway, Heartbeat, Http, Modem, Policy, Route, Section, Sim, Webhook

Path = tuple[str | int, ...]

TABLES: Mapping[str, type[Section]] = {
    "gateway": Gateway,
    "http": Http,
    "policy": Policy,
    "alerts": Alerts,
    "heartbeat": Heartbeat,
}
ARRAYS: Mapping[str, type[Section]] = {"modem": Modem, "sim": Sim, "webhook": Webhook, "route": Route}

_EXPECTED = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list in square brackets",
    "path_type": "text in quotes",
}
_FOUND = (
    (bool, "true or false"),
    (str, "text"),
    (int, "a number"),
    (float, "a number"),
    (list, "a list"),
    (dict, "a table"),
)


def place(path: Path) -> str:
    """``[[modem]] number 2`` for ("modem", 1, …), ``[http]`` for ("http", …)."""
    section = str(path[0])
    if section in ARRAYS:
        return f"[[{section}]] number {path[1] + 1}" if len(path) > 1 and isinstance(path[1], int) else f"[[{section}]]"
    return f"[{section}]"


def about(path: Path, text: str) -> str:
    """A sentence about one key: where it stands, then what to do."""
    keys = [piece for piece in path[1:] if isinstance(piece, str)]
    if not keys:
        return f"{place(path)}: {text}"
    entry = f" (entry {path[-1] + 1})" if isinstance(path[-1], int) else ""
    return f"`{keys[0]}`{entry} in {place(path)}: {text}"


def sentences(error: ValidationError, document: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """(path, sentence) for each finding, none with a value that may be secret in it."""
    return [
        (detail["loc"], _sentence(detail, document))
        for detail in error.errors(include_url=False, include_input=False, include_context=True)
    ]


def _sentence(detail: ErrorDetails, document: Mapping[str, Any]) -> str:
    path, kind = detail["loc"], detail["type"]
    if kind == "extra_forbidden":
        return _unknown(path)
    if kind == "missing":
        return f"{place(path)} needs `{path[-1]}`"
    if len(path) == 1:
        return _wrong_brackets(str(path[0]))
    return about(path, _advice(kind, detail, document))


def _advice(kind: str, detail: ErrorDetails, document: Mapping[str, Any]) -> str:
    context = detail.get("ctx", {})
    if kind in _EXPECTED:
        return f"it must be {_EXPECTED[kind]}, not {_found(detail['loc'], document)}"
    by_kind = {
        "value_error": str(context.get("error")),
        "greater_than_equal": f"it must be {context.get('ge')} or more",
        "less_than_equal": f"it must be {context.get('le')} or less",
        "too_short": "the list is empty",
        "literal_error": f"it must be one of {context.get('expected')}",
    }
    return by_kind.get(kind, detail["msg"])


def _unknown(path: Path) -> str:
    word = str(path[-1])
    if len(path) == 1:
        meant = checks.suggestion(word, [*TABLES, *ARRAYS])
        hint = (
            f"did you mean {place((meant,))}?" if meant else f"there are {', '.join(place((one,)) for one in known())}"
        )
        return f"unknown section [{word}]: {hint}"
    keys = sorted({**TABLES, **ARRAYS}[str(path[0])].model_fields)
    meant = checks.suggestion(word, keys)
    hint = f"did you mean `{meant}`?" if meant else f"there are {', '.join(keys)}"
    return f"unknown key `{word}` in {place(path)}: {hint}"


def known() -> list[str]:
    """The names of all sections as they stand in the file."""
    return [field.alias or name for name, field in Config.model_fields.items()]


def _wrong_brackets(section: str) -> str:
    if section in ARRAYS:
        return f"there can be several of [[{section}]]: write it in two brackets, also when there is one"
    return f"[{section}] is a section: write it in single brackets, with its keys below"


def _found(path: Path, document: Any) -> str:
    value = document
    for piece in path:
        value = value[piece]
    return next((word for kind, word in _FOUND if isinstance(value, kind)), "a date or time")
