"""The environment over the file: ``MODEMGW__HTTP__LISTEN=127.0.0.1:9000`` is ``listen`` in ``[http]``.

Lists may be JSON or words with commas between them; whole arrays of tables (``MODEMGW__MODEM``) are JSON. Text stays
text where the key is text, so that a number that is a name needs no quotes.
"""

import json
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

PREFIX = "MODEMGW__"
Path = tuple[str | int, ...]


def apply(document: dict[str, Any], environ: Mapping[str, str], sections: Mapping[str, FieldInfo]) -> dict[Path, str]:
    """Writes the variables into ``document``; path -> variable for each value that came from one."""
    origins: dict[Path, str] = {}
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        section, _, key = variable.removeprefix(PREFIX).lower().partition("__")
        text = environ[variable]
        field = sections.get(section)
        if not key:
            document[section] = _value(text, tuple)
            origins[section,] = variable
            continue
        table = document.setdefault(section, {})
        if isinstance(table, dict):
            inner = _fields(field).get(key) if field else None
            table[key] = _value(text, _shape(inner.annotation)) if inner else text
        origins[section, key] = variable
    return origins


def _fields(field: FieldInfo) -> Mapping[str, FieldInfo]:
    shape = _shape(field.annotation)
    return shape.model_fields if isinstance(shape, type) and issubclass(shape, BaseModel) else {}


def _shape(annotation: Any) -> Any:
    """``tuple`` for ``Annotated[tuple[str, ...], …] | None``: what is left when wrappers are taken off."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, UnionType):
            annotation = next(each for each in get_args(annotation) if each is not type(None))
        else:
            return origin or annotation


def _value(text: str, shape: Any) -> Any:
    if shape in (tuple, int, bool):
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        if shape is not tuple or isinstance(value, list):
            return value
        return [word.strip() for word in text.split(",") if word.strip()]
    return text
