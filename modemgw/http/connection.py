"""One HTTP connection under limits; aiohttp's own handler knows none but the idle time.

A timer runs from the first octet of a request (or from connecting) until its headers are complete, and another while
the client does not take its answer. The body's time is measured where it is read (``body``), idling by aiohttp.
"""

import asyncio
import ipaddress
import logging
from typing import Any, cast

from aiohttp import web

from modemgw.http import lockout
from modemgw.http.limits import Limits
from modemgw.http.middleware import SECURITY_HEADERS
from modemgw.http.problem import CONTENT_TYPE, Refusal, from_http, to_json

log = logging.getLogger(__name__)


class Counter:
    """How many connections there are, in all and by address."""

    def __init__(self, total: int, per_address: int) -> None:
        self._total = total
        self._per_address = per_address
        self._by_address: dict[str, int] = {}
        self.count = 0

    def enter(self, address: str) -> bool:
        """Counts a connection; False when there are too many (it is not counted then)."""
        mine = self._by_address.get(address, 0)
        if self.count >= self._total or mine >= self._per_address:
            return False
        self._by_address[address] = mine + 1
        self.count += 1
        return True

    def leave(self, address: str) -> None:
        """A counted connection ended."""
        self.count -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


class LimitedConnection(web.RequestHandler):
    """``is_control``: it came over the local control socket, and is trusted as admin."""

    def __init__(
        self, manager: web.Server, *, limits: Limits, counter: Counter, is_control: bool, **kwargs: Any
    ) -> None:
        super().__init__(manager, **kwargs)
        self.is_control = is_control
        self._limits = limits
        self._counter = counter
        self._address: str | None = None  # set while this connection is counted
        self._serving = False
        self._header_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast("asyncio.Transport", transport)
        address = "control" if self.is_control else lockout.group(_host(stream.get_extra_info("peername")))
        if not self._counter.enter(address):
            stream.write(_BUSY)
            stream.close()
            return
        self._address = address
        super().connection_made(transport)
        self._start_header_timer()

    def data_received(self, data: bytes) -> None:
        if self._address is None:
            return
        if data and not self._serving and self._header_timer is None:
            self._start_header_timer()
        super().data_received(data)

    def request_started(self) -> None:
        """The headers of a request are complete, and its handler starts."""
        self._serving = True
        self._stop_timers()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Also gives our form to what aiohttp refuses before any middleware sees it (an unknown Expect header)."""
        if isinstance(resp, web.HTTPException) and resp.status >= 400:
            resp = _dressed(from_http(resp))
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self._serving = False

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_timer = self._loop.call_later(self._limits.write_s, self._cut, "did not take its answer")

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._address is None:
            return
        self._stop_timers()
        self._counter.leave(self._address)
        self._address = None
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - holds octets of the request
    ) -> web.StreamResponse:
        """What aiohttp could not even parse; such octets go neither into the log nor into the answer."""
        log.debug("%s from %s", type(exc).__name__, request.remote)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer was begun already")
        refusal = Refusal(status, "bad_request", "This is not HTTP/1.1 as this service understands it.")
        if status >= 500:
            refusal = Refusal(status, "internal", "Something went wrong inside the gateway.")
        return _dressed(refusal)

    def _start_header_timer(self) -> None:
        self._header_timer = self._loop.call_later(
            self._limits.header_s, self._cut, "did not finish its headers in time"
        )

    def _stop_timers(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _cut(self, why: str) -> None:
        log.debug("cut the connection of %s: it %s", self._address, why)
        if self.transport is not None:
            self.transport.abort()


class LimitedServer(web.Server):
    """Makes such connections for one kind of listening socket."""

    def __init__(self, base: web.Server, limits: Limits, counter: Counter, *, is_control: bool) -> None:
        super().__init__(
            base.request_handler,
            request_factory=self._request,
            keepalive_timeout=limits.idle_s,
            lingering_time=limits.linger_s,
            auto_decompress=False,
            access_log=None,  # it would log query strings
        )
        self._base = base
        self._limits = limits
        self._counter = counter
        self._is_control = is_control

    def _request(self, *args: Any) -> web.BaseRequest:
        for each in args:
            if isinstance(each, LimitedConnection):
                each.request_started()
        return self._base.request_factory(*args)

    def __call__(self) -> LimitedConnection:
        return LimitedConnection(
            self,
            limits=self._limits,
            counter=self._counter,
            is_control=self._is_control,
            loop=self._loop,
            **self._kwargs,
        )


def _host(peername: object) -> str | None:
    if isinstance(peername, tuple) and peername:
        host = str(peername[0])
        try:
            ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return None
        return host
    return None


def _dressed(refusal: Refusal) -> web.Response:
    response = refusal.response()
    response.headers.update({**SECURITY_HEADERS, "Server": "modemgw"})
    response.force_close()
    return response


def _static(refusal: Refusal) -> bytes:
    body = to_json(refusal.body())
    return (
        f"HTTP/1.1 {refusal.status} Service Unavailable\r\nContent-Type: {CONTENT_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\nRetry-After: 5\r\nConnection: close\r\nServer: modemgw\r\n\r\n"
    ).encode() + body


_BUSY = _static(Refusal(503, "too_many_connections", "There are too many connections. Try again in a moment."))
