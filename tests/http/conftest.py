"""A small application of its own, on a real server, a real store and raw sockets."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import Field

from modemgw.domain import errors
from modemgw.http import middleware, route
from modemgw.http.auth import Authenticator, new_key
from modemgw.http.body import Body, Query
from modemgw.http.limits import LIMITS, Limits
from modemgw.http.names import allowed_names
from modemgw.http.route import Call, Json, NoQuery, Route
from modemgw.http.server import HttpServer, serve
from modemgw.seams import SystemClock
from modemgw.store import keys
from modemgw.store.database import Database
from modemgw.store.errors import StoreBroken


class Echo(Body):
    text: str = Field(max_length=50)
    number: int = 0


class Filter(Query):
    limit: int | None = Field(default=None, ge=1, le=9)


class MovableClock(SystemClock):
    """The machine's clock, which a test can put forward."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


@dataclass
class Site:
    """The application under test and what a test needs to know of it."""

    app: web.Application
    db: Database
    clock: MovableClock
    handled: list[str] = field(default_factory=list)

    async def key(self, *scopes: str, name: str = "test") -> str:
        key = new_key(random.Random(name).randbytes)
        await self.db.write(
            lambda cur: keys.create(
                cur, id=f"key-{name}", name=name, prefix=key.prefix, digest=key.digest, scopes=scopes, now_ms=1
            )
        )
        return key.text

    async def auth(self, *scopes: str, name: str = "test") -> dict[str, str]:
        return {"Authorization": f"Bearer {await self.key(*scopes, name=name)}"}


def routes(handled: list[str]) -> list[Route]:
    @route.route("GET", "/open", scope=route.OPEN, summary="Open", tag="test", query=Filter)
    async def opened(call: Call[Body, Filter]) -> Json:
        return {"limit": call.query.limit}

    @route.route("POST", "/v1/echo", scope="send", summary="Echo", tag="test", request=Echo)
    async def echo(call: Call[Echo, NoQuery]) -> Json:
        handled.append(call.body.text)
        return {"length": len(call.body.text)}

    @route.route("POST", "/v1/items/{id}/do", scope="modems", summary="Do", tag="test")
    async def do(call: Call[Body, NoQuery]) -> None:
        handled.append(call.path("id"))

    @route.route("GET", "/v1/fails/{how}", scope="read", summary="Fails", tag="test")
    async def fails(call: Call[Body, NoQuery]) -> Json:
        raise {
            "rejected": errors.Rejected(errors.Problem("to", "no", "No."), errors.Problem("to.1", "bad", "Bad.")),
            "notfound": errors.NotFound("message abc"),
            "conflict": errors.Conflict("too_late", "It is on its way."),
            "reused": errors.KeyReused(),
            "store": errors.StoreUnavailable("The database is locked."),
            "full": errors.DiskFull(),
            "broken": StoreBroken("disk I/O error"),
            "bug": RuntimeError("the secret text 4711"),
        }[call.path("how")]

    @route.route("GET", "/v1/big", scope="read", summary="Big", tag="test")
    async def big(call: Call[Body, NoQuery]) -> Json:
        return {"text": "x" * 20_000_000}

    return [opened, echo, do, fails, big]


def application(db: Database, clock: MovableClock, limits: Limits, handled: list[str]) -> web.Application:
    authenticator = Authenticator(db, clock)
    app = web.Application(
        client_max_size=limits.body_octets,
        middlewares=[middleware.problems(), middleware.gate(allowed_names(["sms.example"], "gateway"), authenticator)],
    )
    app[LIMITS] = limits
    app.on_response_prepare.append(middleware.add_headers)

    async def close(_app: web.Application) -> None:
        await authenticator.close()

    app.on_cleanup.append(close)
    route.install(app, routes(handled))
    return app


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    db = await Database.open(tmp_path / "test.db")
    yield db
    await db.close()


MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(db: Database) -> MakeSite:
    def make(limits: Limits = Limits(linger_s=0.1)) -> Site:  # noqa: B008
        clock = MovableClock()
        handled: list[str] = []
        return Site(application(db, clock, limits, handled), db, clock, handled)

    return make


@asynccontextmanager
async def running(site: Site, *, control: Path | None = None) -> AsyncIterator[HttpServer]:
    server = await serve(site.app, ["127.0.0.1:0"], control=control)
    try:
        yield server
    finally:
        await server.close()


class Wire:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, within: float = 3.0) -> bytes:
        """Everything until the other side closes."""
        async with asyncio.timeout(within):
            try:
                return await self.reader.read(-1)
            except ConnectionError:
                return b""

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


@asynccontextmanager
async def wire(url: str, source: str = "127.0.0.1") -> AsyncIterator[Wire]:
    host, _, port = url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), local_addr=(source, 0))
    wire = Wire(reader, writer)
    try:
        yield wire
    finally:
        await wire.close()


@pytest.fixture
def run_site() -> Callable[..., object]:
    return running


@pytest.fixture
def open_wire() -> Callable[..., object]:
    return wire
