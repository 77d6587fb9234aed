"""JSON bodies and query strings -> pydantic models, with everything that is wrong said at once.

415 for another content type, 400 for what is not JSON, 422 for what does not fit; nothing of the content is repeated.
pydantic's parser stops at 200 levels of nesting, so a deep document is an ordinary error.
"""

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from aiohttp import web
from multidict import MultiMapping
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, from_json

from modemgw.domain.errors import Problem
from modemgw.http.limits import Limits
from modemgw.http.problem import Refusal, invalid


class Body(BaseModel):
    """A JSON body: exact types, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @classmethod
    def cross_check(cls, given: Mapping[str, Any]) -> Iterable[Problem]:  # noqa: ARG003 - for those that have rules
        """What is wrong between the fields; ``given`` is the JSON object as it came, unchecked."""
        return ()


class Nothing(Body):
    """A body that may be left out, or be `{}`."""


class Query(BaseModel):
    """Query parameters: texts that are read as what they stand for; no unknown ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)


B = TypeVar("B", bound=Body)
Q = TypeVar("Q", bound=Query)

MOST_FIELDS = 100
UNION_TAG = "="  # opens the tags of unions, which are no part of a path


class _Texts:
    """pydantic's error types -> our codes and sentences; what is not listed keeps pydantic's own."""

    KNOWN: ClassVar[Mapping[str, tuple[str, str]]] = {
        "missing": ("missing", "This is required."),
        "extra_forbidden": ("unknown_field", "There is no such field."),
        "string_type": ("wrong_type", "This must be a text."),
        "int_type": ("wrong_type", "This must be a whole number."),
        "int_parsing": ("wrong_type", "This must be a whole number."),
        "int_from_float": ("wrong_type", "This must be a whole number."),
        "bool_type": ("wrong_type", "This must be true or false."),
        "bool_parsing": ("wrong_type", "This must be true or false."),
        "list_type": ("wrong_type", "This must be a list."),
        "model_type": ("wrong_type", "This must be a JSON object."),
        "model_attributes_type": ("wrong_type", "This must be a JSON object."),
        "timezone_aware": ("no_offset", "The time needs an offset, such as Z or +01:00."),
    }


async def read(request: web.Request, limits: Limits) -> bytes:
    """The body, under the limits; raises Refusal 400, 408, 413 or 415. Empty when there is none."""
    if not request.body_exists:
        return b""
    # No server decompression: a few octets could become very many.
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refusal(415, "content_encoding", "Bodies must not be compressed.")
    if (request.content_length or 0) > limits.body_octets:
        raise too_large(limits)
    try:
        async with asyncio.timeout(limits.body_s):
            raw = await request.read()
    except TimeoutError:
        raise Refusal(408, "too_slow", "The body of the request did not come in time.") from None
    except (web.RequestPayloadError, web.PayloadAccessError) as error:
        raise Refusal(400, "broken_body", "The body of the request ended too early or is malformed.") from error
    if raw and not _is_json(request.headers.get("Content-Type", "")):
        raise Refusal(415, "content_type", "Send JSON, with the header `Content-Type: application/json`.")
    return raw


def too_large(limits: Limits) -> Refusal:
    """413."""
    return Refusal(413, "too_large", f"The body of a request may have {limits.body_octets} octets at the most.")


def parse(model: type[B], raw: bytes) -> B:
    """A body as its model; raises Refusal 400 or 422."""
    if model is Nothing and not raw:
        raw = b"{}"
    try:
        given = from_json(raw)
    except ValueError as error:
        raise Refusal(400, "broken_json", f"The body is not JSON: {error}.") from None
    if isinstance(given, dict) and len(given) > MOST_FIELDS:
        # Each would be an error of its own, and thousands of them take long to list.
        raise invalid([Problem("", "unknown_field", f"There are {len(given)} fields; no request has that many.")])
    problems = list(model.cross_check(given)) if isinstance(given, dict) else []
    try:
        value = model.model_validate_json(raw)
    except ValidationError as error:
        problems = [*_problems(error.errors(include_url=False, include_input=False)), *problems]
    if problems:
        raise invalid(problems)
    return value


def parse_query(model: type[Q], query: MultiMapping[str]) -> Q:
    """Query parameters as their model; raises Refusal 422."""
    names = [name for name, _ in query.items()]
    twice = [Problem(_printable(name), "given_twice", "This was given twice.") for name in dict.fromkeys(names)
             if names.count(name) > 1]  # fmt: skip
    try:
        value = model.model_validate(dict(query.items()))
    except ValidationError as error:
        raise invalid([*twice, *_problems(error.errors(include_url=False, include_input=False))]) from None
    if twice:
        raise invalid(twice)
    return value


def fingerprint(raw: bytes) -> bytes:
    """SHA-256 of the body's meaning: blanks and the order of fields don't count. Only for a body that was parsed."""
    canonical = json.dumps(json.loads(raw), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()


def _is_json(content_type: str) -> bool:
    kind, _, parameters = content_type.partition(";")
    charset = parameters.strip().lower().replace('"', "").replace(" ", "")
    return kind.strip().lower() == "application/json" and charset in ("", "charset=utf-8")


def _problems(details: Iterable[ErrorDetails]) -> Iterable[Problem]:
    for each in details:
        code, text = _Texts.KNOWN.get(each["type"], (each["type"], _plain(each["msg"])))
        parts = [str(part) for part in each["loc"] if not str(part).startswith(UNION_TAG)]
        yield Problem(_printable(".".join(parts)), code, text)


def _plain(text: str) -> str:
    text = text.replace("Input should be", "This must be").replace("Value should have", "This must have")
    text = text.replace("String should have", "This must have").replace("List should have", "This must have")
    return text if text.endswith(".") else f"{text}."


def _printable(path: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in path[:120])
