"""Errors as RFC 9457 ``application/problem+json``; the one place where they get their HTTP status.

Nothing of a request is repeated in an answer, but the names of its fields: requests hold message texts.
"""

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import pydantic_core
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from modemgw.domain import errors as domain
from modemgw.store import errors as store

CONTENT_TYPE = "application/problem+json"
LISTED = 100  # more errors than this in one answer help nobody


class FieldProblem(BaseModel):
    """One thing that is wrong with the request."""

    model_config = ConfigDict(extra="forbid", title="FieldProblem")

    path: str = Field(description="Where: a field such as `text` or `to.3`, a query parameter, a header; may be empty.")
    code: str = Field(description="Which kind; a stable word.")
    text: str = Field(description="One plain sentence.")


class Problem(BaseModel):
    """An error (RFC 9457)."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="`urn:modemgw:` and a stable word.", examples=["urn:modemgw:not_found"])
    title: str
    status: int
    detail: str = Field(description="One plain sentence.")
    errors: list[FieldProblem] = Field(
        description="What is wrong with the request, all at once; empty for other errors."
    )


class Refusal(Exception):
    """Ends a request with a problem: ``status``, a stable ``code``, and a plain sentence."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Iterable[domain.Problem] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    def body(self) -> dict[str, Any]:
        """The problem document."""
        return {
            "type": f"urn:modemgw:{self.code}",
            "title": _title(self.status),
            "status": self.status,
            "detail": self.detail,
            "errors": [{"path": each.path, "code": each.code, "text": each.text} for each in self.errors[:LISTED]],
            **self.extra,
        }

    def response(self) -> web.Response:
        """The answer to the client."""
        return web.Response(
            status=self.status, body=to_json(self.body()), content_type=CONTENT_TYPE, headers=self.headers
        )


def invalid(problems: Iterable[domain.Problem]) -> Refusal:
    """422 with everything that is wrong with a request."""
    found = tuple(problems)
    count = "One thing is" if len(found) == 1 else f"{len(found)} things are"
    detail = f"{count} wrong with the request."
    if len(found) > LISTED:
        detail += f" The first {LISTED} are listed."
    return Refusal(422, "invalid", detail, errors=found)


def to_json(value: object) -> bytes:
    """UTF-8; a lone surrogate, which UTF-8 has no form for, stays an escape."""
    try:
        return pydantic_core.to_json(value)  # twice as quick as json, which counts for answers of a thousand messages
    except pydantic_core.PydanticSerializationError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def from_gateway(error: domain.GatewayError) -> Refusal:
    """What the gateway said -> what the client is told."""
    match error:
        case domain.Rejected():
            return invalid(error.problems)
        case domain.NotFound():
            return Refusal(404, error.code, error.text)
        case domain.Conflict():
            return Refusal(409, error.code, error.text)
        case domain.KeyReused():
            problem = domain.Problem("Idempotency-Key", error.code, error.text)
            return Refusal(422, error.code, error.text, errors=[problem])
        case domain.DiskFull():
            return Refusal(507, error.code, error.text)
        case _:
            return Refusal(503, error.code, error.text, headers={"Retry-After": "5"})


def from_store(error: store.StoreError) -> Refusal:
    """A database that can't be asked -> try again; its own words stay in the log."""
    if isinstance(error, store.StoreFull):
        return from_gateway(domain.DiskFull())
    return from_gateway(domain.StoreUnavailable("The database can't be used now. Nothing was changed."))


_HTTP = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not know that method."),
    413: ("too_large", "The body of the request is too large."),
    417: ("expectation_failed", "Only the expectation 100-continue is known."),
}


def from_http(error: web.HTTPException) -> Refusal:
    """aiohttp's own refusals (no such route, wrong method, too large) -> the same form."""
    code, detail = _HTTP.get(error.status, ("http_error", f"{_title(error.status)}."))
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return Refusal(error.status, code, detail, headers=headers)


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
