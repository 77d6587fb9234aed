"""Kinds of values in requests: checked texts, times, numbers of people. Errors never repeat the value."""

import base64
import binascii
import re
import unicodedata
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

# RFC 3339, 5.6; the offset is looked at by itself, because it is what people forget.
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?(?P<offset>[Zz]|[+-]\d{2}:\d{2})?")


def no_controls(value: str) -> str:
    """Refuses control and format characters: they have no business in numbers and names (AT injection, log forging)."""
    if any(unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") for character in value):
        raise PydanticCustomError("control_character", "This must not contain control characters.")
    return value


def _instant(value: object) -> int:
    match = _TIME.fullmatch(value) if isinstance(value, str) and value.isascii() else None
    if match is None:
        raise PydanticCustomError("not_a_time", "This must be a time such as 2026-11-22T12:00:00Z (RFC 3339).")
    if match["offset"] is None:
        raise PydanticCustomError("no_offset", "The time needs an offset, such as Z or +01:00.")
    try:
        moment = datetime.fromisoformat(match[0].upper())
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise PydanticCustomError("not_a_time", "There is no such time.") from None


def _base64(value: str) -> str:
    try:
        octets = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise PydanticCustomError("not_base64", "This must be base64.") from None
    if not octets:
        raise PydanticCustomError("empty", "This must not be empty.")
    return value


def _plus(value: object) -> object:
    """In a query string ``+`` means a blank, and hardly anybody writes %2B."""
    if isinstance(value, str):
        return re.sub(r"^ (?=\d)|(?<=\d) (?=\d\d:\d\d$)", "+", value)
    return value


Instant = Annotated[
    int, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time", "maxLength": 40})
]
QueryInstant = Annotated[Instant, BeforeValidator(_plus)]
Base64 = Annotated[
    str,
    Field(min_length=1, max_length=48_000),
    AfterValidator(_base64),
    WithJsonSchema({"type": "string", "contentEncoding": "base64", "minLength": 4, "maxLength": 48_000}),
]
Number = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(no_controls)]
QueryNumber = Annotated[Number, BeforeValidator(_plus)]
Name = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(no_controls)]
Reference = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(no_controls)]
