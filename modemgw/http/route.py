"""``@route``: one declaration of an address, its scope, its models and its words; and what happens around a handler.

    @route("POST", "/v1/preview", scope="send", summary="...", request=NewMessage, response=Preview)
    async def preview(call: Call[NewMessage, NoQuery]) -> Json: ...

A handler gets a checked body and query and returns a JSON value, ``None`` (204), or a Reply where status or headers
depend on what happened. Errors are raised: as a gateway's error or as a Refusal.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from aiohttp import web

from modemgw.http import body as bodies
from modemgw.http.auth import PRINCIPAL, Principal
from modemgw.http.body import Body, Nothing, Query
from modemgw.http.limits import LIMITS
from modemgw.http.problem import to_json

Json = dict[str, Any]


class NoQuery(Query):
    """An address without query parameters."""


B_co = TypeVar("B_co", bound=Body, covariant=True)
Q_co = TypeVar("Q_co", bound=Query, covariant=True)


@dataclass(frozen=True, slots=True)
class Call(Generic[B_co, Q_co]):
    """A request that has passed all checks. ``raw`` is the body as it came."""

    request: web.Request
    body: B_co
    query: Q_co
    raw: bytes

    @property
    def principal(self) -> Principal:
        """Who asks; KeyError on an open route."""
        return self.request[PRINCIPAL]

    def path(self, name: str) -> str:
        """A part of the address."""
        return self.request.match_info[name]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status or headers of its own."""

    body: Json
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


Handler = Callable[[Call[Any, Any]], Awaitable[Json | Reply | web.Response | None]]
OPEN = None  # the scope of routes that answer without a key


@dataclass(frozen=True, slots=True)
class Header:
    """A request header that a route knows, for the document."""

    name: str
    description: str
    schema: Json


@dataclass(frozen=True, slots=True)
class Route:
    """One address. ``scope`` None = open; ``media`` other than JSON = the handler makes the response itself."""

    method: str
    path: str
    scope: str | None
    handler: Handler
    summary: str
    description: str
    tag: str
    request: type[Body] | None
    query: type[Query]
    response: Any
    status: int
    errors: Mapping[int, str]
    headers: tuple[Header, ...]
    media: str


def route(
    method: str,
    path: str,
    *,
    scope: str | None,
    summary: str,
    tag: str,
    request: type[Body] | None = None,
    query: type[Query] = NoQuery,
    response: Any = None,
    status: int = 200,
    errors: Mapping[int, str] | None = None,
    headers: tuple[Header, ...] = (),
    media: str = "application/json",
) -> Callable[[Handler], Route]:
    """Declares a route; its docstring becomes the description. ``errors`` are those that its reader should know of."""

    def declare(handler: Handler) -> Route:
        return Route(
            method=method,
            path=path,
            scope=scope,
            handler=handler,
            summary=summary,
            description=inspect.cleandoc(handler.__doc__ or ""),
            tag=tag,
            request=request,
            query=query,
            response=response,
            status=status,
            errors=dict(errors or {}),
            headers=headers,
            media=media,
        )

    return declare


Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]
TABLE: web.AppKey[dict[Endpoint, Route]] = web.AppKey("routes", dict)


def install(app: web.Application, routes: Iterable[Route]) -> None:
    """Adds the routes to the application; GET also answers HEAD."""
    table: dict[Endpoint, Route] = {}
    for each in routes:
        endpoint = _endpoint(each)
        table[endpoint] = each
        for method in (each.method, "HEAD") if each.method == "GET" else (each.method,):
            app.router.add_route(method, each.path, endpoint, expect_handler=_expect)
    app[TABLE] = table


def _endpoint(declared: Route) -> Endpoint:
    # A route without a body refuses one that is not empty, so that nobody believes it was read.
    model = declared.request or Nothing

    async def endpoint(request: web.Request) -> web.StreamResponse:
        query = bodies.parse_query(declared.query, request.query)
        raw = await bodies.read(request, request.app[LIMITS])
        call = Call(request, bodies.parse(model, raw), query, raw)
        answer = await declared.handler(call)
        return _response(declared, answer)

    return endpoint


def _response(declared: Route, answer: Json | Reply | web.Response | None) -> web.StreamResponse:
    match answer:
        case web.Response():
            return answer
        case None:
            return web.Response(status=204)
        case Reply():
            return web.Response(
                body=to_json(answer.body),
                status=answer.status,
                headers=answer.headers,
                content_type=answer.content_type,
            )
        case _:
            return web.Response(body=to_json(answer), status=declared.status, content_type=declared.media)


async def _expect(request: web.Request) -> web.StreamResponse | None:
    """``Expect: 100-continue`` is granted unless the body is refused anyway; the refusal follows by itself."""
    if request.headers.get("Expect", "").lower() != "100-continue":
        raise web.HTTPExpectationFailed
    if request.version >= (1, 1) and (request.content_length or 0) <= request.app[LIMITS].body_octets:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    return None
