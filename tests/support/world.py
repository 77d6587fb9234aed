"""A whole gateway in virtual time: real store, real driver, simulated modems and network, and a webhook receiver.

What is simulated is only what lies outside the process: the modems' side of the port, and the receivers of webhooks.
A crash is a crash: from one moment to the next not a byte more is written to a port or to the database, whatever the
gateway's tasks would like to tidy up. A new gateway is then built on the same file.
"""

import asyncio
import contextlib
import contextvars
import itertools
import json
import random
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from modemgw.domain.message import Order
from modemgw.domain.msisdn import DestinationPolicy
from modemgw.domain.sim import SimSettings
from modemgw.emulator.device import Device
from modemgw.emulator.lab import Lab
from modemgw.emulator.transport import connect_port
from modemgw.gateway.context import Context, GatewaySettings
from modemgw.gateway.gateway import Gateway
from modemgw.modem.settings import ModemSettings
from modemgw.seams import Ids
from modemgw.store import views
from modemgw.store.database import Database
from modemgw.webhooks.dispatcher import Dispatcher
from modemgw.webhooks.target import WebhookTarget
from support.virtual import InlineConnection, VirtualClock

INSIDE: contextvars.ContextVar[bool] = contextvars.ContextVar("inside the gateway's process", default=False)
SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(slots=True)
class Sink:
    """A receiver of webhooks. ``statuses`` are answered first, then what ``answer`` says (a status, None: nothing)."""

    got: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    answer: Callable[[], int | None] = lambda: 200
    tried: int = 0
    on_got: Callable[[dict[str, Any]], None] = lambda _: None

    async def post(self, target: WebhookTarget, headers: Mapping[str, str], body: bytes) -> int:
        await asyncio.sleep(0.01)
        self.tried += 1
        status = self.statuses.pop(0) if self.statuses else self.answer()
        if status is None:
            await asyncio.sleep(3600)
            raise AssertionError("a receiver that says nothing is not waited for")
        if status == 200:
            self.got.append(json.loads(body))
            self.ids.append(headers["webhook-id"])
            self.on_got(self.got[-1])
        return status

    async def close(self) -> None:
        pass

    def types(self, message_id: str) -> list[str]:
        """The events of one message, in the order in which they arrived."""
        return [each["type"] for each in self.got if each["data"].get("id") == message_id]


class Sinks:
    """All receivers of webhooks; the target's URL says which one is meant."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self.targets = {
            WebhookTarget.of(f"http://192.0.2.{number}/hook", SECRET, ("*",)): sink
            for number, sink in enumerate(sinks, 1)
        }

    async def post(self, target: WebhookTarget, headers: Mapping[str, str], body: bytes) -> int:
        return await self.targets[target].post(target, headers, body)

    async def close(self) -> None:
        pass


class World:
    """``async with World.of(path, ...)``: modems named a, b, ... on one network, and a gateway that uses them."""

    def __init__(
        self, path: Path, lab: Lab, clock: VirtualClock, rng: random.Random, settings: GatewaySettings, sinks: int = 1
    ) -> None:
        self.path = path
        self.lab = lab
        self.clock = clock
        self.rng = rng
        self.settings = settings
        self.sinks = [Sink() for _ in range(sinks)]
        self.sink = self.sinks[0]
        self.pins: dict[str, str] = {}
        self.gateway: Gateway
        self.dispatcher: Dispatcher
        self.targets: tuple[WebhookTarget, ...] = ()
        self.crashes = 0
        self._runs: list[asyncio.Task[None]] = []
        self._running = False
        self._tasks: list[asyncio.Task[Any]] = []  # everything that the gateway's process would run
        self._transports: list[asyncio.Transport] = []
        self._connections: list[InlineConnection] = []

    @classmethod
    @contextlib.asynccontextmanager
    async def of(
        cls,
        path: Path,
        *,
        modems: int = 2,
        personas: Sequence[str] = ("generic",),
        seed: int = 1,
        latency: float | tuple[float, float] = (2.0, 6.0),
        daily_cap: int = 100_000,
        pins: Mapping[str, str] | None = None,
        sims: Mapping[str, SimSettings] | None = None,
        slots: int = 20,
        sinks: int = 1,
        start: bool = True,
        **lab_options: Any,
    ) -> AsyncIterator["World"]:
        loop = asyncio.get_running_loop()
        clock = VirtualClock(loop)
        rng = random.Random(seed)
        # The network has a clock of its own: it is right, whatever ours shows.
        lab = Lab(VirtualClock(loop), random.Random(seed + 1), latency=latency, **lab_options)
        for name, persona in zip("abcdefgh"[:modems], itertools.cycle(personas), strict=False):
            lab.add(name, persona, pin=(pins or {}).get(name), slots=slots)
        settings = GatewaySettings(
            destinations=DestinationPolicy("DE", ("*",)), daily_cap=daily_cap, sims=dict(sims or {})
        )
        world = cls(path, lab, clock, rng, settings, sinks)
        world.pins = dict(pins or {})
        if start:
            await world.start()
        try:
            yield world
        finally:
            if world._running:
                await world.crash()

    def raise_death(self) -> None:
        """What ended the gateway by itself, if anything did."""
        for run in self._runs:
            if self._running and run.done():
                run.result()

    def device(self, name: str) -> Device:
        return self.lab.ports[name]

    def number(self, name: str) -> str:
        sim = self.device(name).sim
        assert sim is not None
        return sim.number

    async def start(self) -> None:
        """Builds a gateway on the file and lets it run."""
        loop = asyncio.get_running_loop()
        loop.set_task_factory(self._make_task)
        context = contextvars.copy_context()
        context.run(INSIDE.set, True)
        self._running = True
        await loop.create_task(self._start(), context=context)

    async def _start(self) -> None:
        db = await Database.open(self.path, connect=self._open, synchronous="OFF", check_s=None)
        sinks = Sinks(self.sinks)
        self.targets = tuple(sinks.targets)
        self.dispatcher = Dispatcher(db, self.clock, self.rng, list(sinks.targets), sender=sinks)
        ids = Ids(self.clock, self.rng, last=await db.read(views.newest_id))
        self.gateway = Gateway(Context(db, self.clock, ids, self.rng, self.settings, self.dispatcher.wake))
        await self.dispatcher.register()
        for name in self.lab.ports:
            self._add(name)
        await self.gateway.start()
        loop = asyncio.get_running_loop()
        self._runs = [loop.create_task(self.gateway.run()), loop.create_task(self.dispatcher.run())]

    def _make_task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, context: Any = None) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, context=context)
        if (context.get(INSIDE, False) if context is not None else INSIDE.get()) and self._running:
            self._tasks.append(task)
            if len(self._tasks) > 200:
                self._tasks = [each for each in self._tasks if not each.done()]
        return task

    def _add(self, name: str) -> None:
        settings = ModemSettings(name=name, port=f"emulator:{name}", pin=self.pins.get(name))
        self.gateway.fleet.add(settings, connect=self._connect, simulated=True)

    async def _connect(self, path: str, protocol: asyncio.Protocol) -> asyncio.Transport:
        transport = await connect_port(self.lab, path.removeprefix("emulator:"), protocol)
        self._transports = [each for each in self._transports if not each.is_closing()]
        self._transports.append(transport)
        return transport

    async def _open(self, path: Path) -> InlineConnection:
        self._connections.append(InlineConnection(path))
        return self._connections[-1]

    async def crash(self) -> None:
        """The process is gone: nothing is finished, nothing is tidied up."""
        self._running = False
        self.crashes += 1
        for transport in self._transports:
            transport.abort()
        for connection in self._connections:
            connection.vanish()
        tasks = [each for each in self._tasks if not each.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks, self._transports, self._connections = [], [], []

    async def restart(self) -> None:
        """The process dies and is started again at once."""
        await self.crash()
        await self.start()

    async def stop(self) -> None:
        """A clean stop, as on SIGTERM."""
        await self.gateway.stop()
        await self.gateway.db.close()
        await self.crash()

    async def send(self, to: str, text: str = "hello", **fields: Any) -> str:
        """Accepts one message; its id."""
        accepted = await self.gateway.submit(Order(to=(to,), text=text, **fields), key_id="test")
        return str(accepted[0]["id"])

    async def message(self, message_id: str) -> dict[str, Any]:
        return await self.gateway.message(message_id)

    async def until_status(self, message_id: str, *wanted: str, within: float = 900.0) -> dict[str, Any]:
        """The message once it has one of these statuses; fails after ``within`` virtual seconds."""
        return await self.until(partial(self._with_status, message_id, wanted), within)

    async def _with_status(self, message_id: str, wanted: Sequence[str]) -> dict[str, Any] | None:
        body = await self.message(message_id)
        return body if body["status"] in wanted else None

    async def until(self, look: Callable[[], Any], within: float = 900.0) -> Any:
        """What ``look`` returns, once that is not falsy; looked at after every change and now and then."""
        loop = asyncio.get_running_loop()
        end = loop.time() + within
        while True:
            found = look()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            if loop.time() >= end:
                raise AssertionError(f"did not happen within {within} s: {await self.describe()}")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(1.0, within / 1000)):
                    await self.gateway.context.bus.next()

    async def registered(self, *names: str) -> None:
        """Waits until these modems (all, if none are named) can send."""
        lines = self.gateway.fleet.lines
        await self.until(lambda: all(lines[name].sender is not None for name in names or lines), 120.0)

    async def sleep(self, seconds: float) -> None:
        """Lets virtual time pass."""
        await asyncio.sleep(seconds)

    async def inbox(self) -> list[dict[str, Any]]:
        page = await self.gateway.db.read(lambda cur: views.inbox(cur, limit=500))
        return list(reversed(page["items"]))

    async def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """For checks that look behind the API."""

        def run(cur: sqlite3.Cursor) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in cur.execute(sql, values)]

        return await self.gateway.db.read(run)

    def copies(self, number: str) -> int:
        """How many SUBMITs to this number the network took."""
        return sum(entry.number == number for entry in self.lab.network.ledger)

    async def describe(self) -> str:
        modems = [
            f"{each['name']}={each['state']}/{each['reason']}: {each['detail']}" for each in self.gateway.modems()
        ]
        messages = await self.query("SELECT id, status, error FROM messages ORDER BY seq DESC LIMIT 5")
        return f"{modems} {messages}"
