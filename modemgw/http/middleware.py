"""The order in which a request passes the checks, and the headers that every answer carries.

name and origin -> size -> key and scope -> the route's own checks -> its handler; every error becomes a problem.
What is refused before its body was read closes the connection: the rest of the body is of no use to anybody.
"""

import logging
import traceback

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from modemgw.domain.errors import GatewayError
from modemgw.http import body as bodies
from modemgw.http.auth import ANY, PRINCIPAL, Authenticator, demand, is_control
from modemgw.http.limits import LIMITS
from modemgw.http.names import check_host, check_origin
from modemgw.http.problem import Refusal, from_gateway, from_http, from_store
from modemgw.http.route import TABLE, Route
from modemgw.store.errors import StoreError

log = logging.getLogger(__name__)

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """For ``on_response_prepare``: a route's own value wins; the software's version is nobody's business."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "modemgw"


def problems() -> Middleware:
    """Outermost: whatever is raised inside becomes a problem document."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except Exception as error:  # noqa: BLE001 - the last one that can answer
            response = _refusal(request, error).response()
        if request.body_exists and not request.content.is_eof():
            response.force_close()
        log.debug("%s %s -> %d", request.method, _pattern(request), response.status)
        return response

    return middleware


def gate(names: frozenset[str], authenticator: Authenticator) -> Middleware:
    """Everything that is checked before a route looks at the request."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_control(request):
            check_host(request, names)
            check_origin(request)
        limits = request.app[LIMITS]
        if (request.content_length or 0) > limits.body_octets:
            raise bodies.too_large(limits)
        declared = _declared(request)
        if declared is None or declared.scope is not None:
            principal = await authenticator.principal(request)
            demand(principal, declared.scope if declared and declared.scope else ANY)
            request[PRINCIPAL] = principal
        return await handler(request)

    return middleware


def _declared(request: web.Request) -> Route | None:
    """The route that was matched, whatever the path looks like; None for 404 and 405, which want a key as well."""
    return request.app[TABLE].get(request.match_info.handler)


def _pattern(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "-"


def _refusal(request: web.Request, error: Exception) -> Refusal:
    match error:
        case Refusal():
            return error
        case GatewayError():
            return from_gateway(error)
        case StoreError():
            log.error("the store failed: %s", error)
            return from_store(error)
        case web.HTTPException() if error.status >= 400:
            return from_http(error)
    # The exception's own words may hold message text; its kind and its place do not.
    trace = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s in %s %s\n%s", type(error).__name__, request.method, _pattern(request), trace)
    return Refusal(500, "internal", "Something went wrong inside the gateway; its log says more.")
