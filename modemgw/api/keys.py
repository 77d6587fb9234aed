"""What the application carries for its handlers."""

import asyncio

from aiohttp import web

from modemgw.gateway.gateway import Gateway

GATEWAY: web.AppKey[Gateway] = web.AppKey("gateway", Gateway)
# Set when the server begins to stop, so that nobody is kept waiting by `?wait=`.
CLOSING: web.AppKey[asyncio.Event] = web.AppKey("closing", asyncio.Event)
DOCUMENT: web.AppKey[dict[str, object]] = web.AppKey("openapi", dict)
