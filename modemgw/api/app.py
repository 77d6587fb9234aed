"""The application: every route, what a request passes before it, and what the handlers share."""

import asyncio
import ipaddress
import platform
from collections.abc import Iterable

from aiohttp import web

from modemgw import __version__
from modemgw.api import codes, docs, messages, modems, service
from modemgw.api.keys import CLOSING, DOCUMENT, GATEWAY
from modemgw.gateway.gateway import Gateway
from modemgw.http import middleware, openapi
from modemgw.http import route as routing
from modemgw.http.auth import Authenticator
from modemgw.http.limits import LIMITS, Limits
from modemgw.http.names import allowed_names
from modemgw.http.server import parse_listen

ROUTES = (*messages.ROUTES, *modems.ROUTES, *service.ROUTES, *docs.ROUTES)
_PATH_WORDS = {"id": "The id of a message.", "name": "The name of a modem.", "file": "The name of a file."}
_DESCRIPTION = """\
- Times are RFC 3339 in UTC with milliseconds. Ids are opaque and sort by age.
- Every request but the open ones carries `Authorization: Bearer mgw_...`; a key has scopes.
- Lists take `limit` and `cursor`, and answer `{"items": [...], "next_cursor": ...}`.
- Errors are `application/problem+json` (RFC 9457); `errors` lists everything that is wrong with a request at once.
- Webhooks carry the same objects as this API, signed after Standard Webhooks.
"""


def make_app(
    gateway: Gateway,
    *,
    listen: Iterable[str] = (),
    allowed_hosts: Iterable[str] = (),
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> web.Application:
    """The application for ``http.server.serve``.

    ``listen``: where it will be served; names in it are answered to. ``allowed_hosts``: further names of this machine.
    """
    names = allowed_names([*allowed_hosts, *_names(listen)], platform.node())
    authenticator = Authenticator(gateway.db, gateway.context.clock)
    app = web.Application(
        client_max_size=limits.body_octets, middlewares=[middleware.problems(), middleware.gate(names, authenticator)]
    )
    app[GATEWAY] = gateway
    app[LIMITS] = limits
    app[CLOSING] = asyncio.Event()
    app[DOCUMENT] = document()
    app.on_response_prepare.append(middleware.add_headers)
    app.on_shutdown.append(_begin_closing)

    async def close(_app: web.Application) -> None:
        await authenticator.close()

    app.on_cleanup.append(close)
    routing.install(app, ROUTES)
    return app


def document() -> routing.Json:
    """The OpenAPI document of this version."""
    return openapi.document(
        ROUTES,
        info={
            "title": "modemgw",
            "version": __version__,
            "summary": "An SMS gateway on your own SIM cards",
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        path_words=_PATH_WORDS,
        extra={
            "x-error-codes": {"message": dict(codes.CATALOGUE), "request": codes.REQUEST},
        },
    )


async def _begin_closing(app: web.Application) -> None:
    app[CLOSING].set()


def _names(listen: Iterable[str]) -> Iterable[str]:
    for address in listen:
        host, _ = parse_listen(address)
        try:
            ipaddress.ip_address(host)
        except ValueError:
            yield host
