"""A whole gateway in virtual time: real store, real driver, simulated modems and network, and a webhook receiver.

What is simulated is only what lies outside the process: the modems' side of the port, and the receiver of webhooks.
A crash drops the gateway with everything in its memory and builds a new one on the same file.
"""

import asyncio
import contextlib
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
from support.virtual import VirtualClock, open_inline

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(slots=True)
class Sink:
    """A receiver of webhooks. ``statuses`` are answered first, then 200."""

    got: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    on_got: Callable[[dict[str, Any]], None] = lambda _: None

    async def post(self, target: WebhookTarget, headers: Mapping[str, str], body: bytes) -> int:
        await asyncio.sleep(0.01)
        status = self.statuses.pop(0) if self.statuses else 200
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


class World:
    """``async with World.of(path, ...)``: modems named a, b, ... on one network, and a gateway that uses them."""

    def __init__(
        self, path: Path, lab: Lab, clock: VirtualClock, rng: random.Random, settings: GatewaySettings
    ) -> None:
        self.path = path
        self.lab = lab
        self.clock = clock
        self.rng = rng
        self.settings = settings
        self.sink = Sink()
        self.pins: dict[str, str] = {}
        self.gateway: Gateway
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    @contextlib.asynccontextmanager
    async def of(
        cls,
        path: Path,
        *,
        modems: int = 2,
        seed: int = 1,
        latency: float | tuple[float, float] = (2.0, 6.0),
        daily_cap: int = 100_000,
        pins: Mapping[str, str] | None = None,
        start: bool = True,
        **lab_options: Any,
    ) -> AsyncIterator["World"]:
        loop = asyncio.get_running_loop()
        clock = VirtualClock(loop)
        rng = random.Random(seed)
        lab = Lab(clock, random.Random(seed + 1), latency=latency, **lab_options)
        for name in "abcdefgh"[:modems]:
            lab.add(name, pin=(pins or {}).get(name))
        settings = GatewaySettings(destinations=DestinationPolicy("DE", ("*",)), daily_cap=daily_cap)
        world = cls(path, lab, clock, rng, settings)
        world.pins = dict(pins or {})
        if start:
            await world.start()
        try:
            yield world
        finally:
            if world._tasks:
                await world.crash()

    def device(self, name: str) -> Device:
        return self.lab.ports[name]

    def number(self, name: str) -> str:
        sim = self.device(name).sim
        assert sim is not None
        return sim.number

    async def start(self) -> None:
        """Builds a gateway on the file and lets it run."""
        db = await Database.open(self.path, connect=open_inline, synchronous="OFF")
        target = WebhookTarget.of("http://192.0.2.1/hook", SECRET, ("*",))
        dispatcher = Dispatcher(db, self.clock, self.rng, [target], sender=self.sink)
        ids = Ids(self.clock, self.rng, last=await db.read(views.newest_id))
        self.gateway = Gateway(Context(db, self.clock, ids, self.rng, self.settings, dispatcher.wake))
        await dispatcher.register()
        for name in self.lab.ports:
            self._add(name)
        await self.gateway.start()
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self.gateway.run()), loop.create_task(dispatcher.run())]

    def _add(self, name: str) -> None:
        settings = ModemSettings(name=name, port=f"emulator:{name}", pin=self.pins.get(name))
        self.gateway.fleet.add(settings, connect=partial(_connect, self.lab), simulated=True)

    async def crash(self) -> None:
        """The process is gone: nothing is finished, nothing is tidied up."""
        for task in self._tasks:
            task.cancel()
        senders = [line.sending for line in self.gateway.fleet.lines.values() if line.sending is not None]
        for sending in senders:
            sending.cancel()
        await asyncio.gather(*self._tasks, *senders, return_exceptions=True)
        self._tasks = []
        await self.gateway.db.close()

    async def restart(self) -> None:
        """The process dies and is started again at once."""
        await self.crash()
        await self.start()

    async def stop(self) -> None:
        """A clean stop, as on SIGTERM."""
        await self.gateway.stop()
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


async def _connect(lab: Lab, path: str, protocol: asyncio.Protocol) -> asyncio.Transport:
    return await connect_port(lab, path.removeprefix("emulator:"), protocol)
