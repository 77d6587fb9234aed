"""A process that is killed again and again, at moments chosen to hurt, while messages go both ways.

Moments are counted in steps of the event loop after something happened (a prompt was committed, Ctrl-Z came, the
network accepted, a message was taken off the network, the process was started), and in seconds. The rules are those of
any day.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.virtual import run_virtual
from support.world import World

from modemgw.domain.message import CLASSES, Order
from simulation.day import Broken, Day
from simulation.invariants import check_at_the_end, check_now
from simulation.plan import NAMES, Plan, Submission
from simulation.watch import Watch

_DEEPEST_STEP = 60
_STEPS_OF_A_START = 100
_AGAIN = 0.6  # of the crashes hit the start after the one before
_CHECK_EVERY = 25


@dataclass(frozen=True, slots=True)
class Life:
    """What came of one database file."""

    crashes: int
    messages: int
    copies: int
    virtual_s: float


def live(seed: int, count: int, path: Path, on_line: Callable[[str], None] | None = None) -> Life:
    """Kills the gateway ``count`` times and checks everything. Raises Broken."""

    async def life() -> Life:
        return await _Killer(seed, count, on_line).run(path)

    return run_virtual(life)


class _Killer:
    def __init__(self, seed: int, count: int, on_line: Callable[[str], None] | None) -> None:
        self.rng = random.Random(f"crashes {seed}")
        self.seed = seed
        self.count = count
        self.on_line = on_line
        self.loop = asyncio.get_running_loop()
        self.happened = asyncio.Event()
        self.sent = self.arrived = 0
        self.day = Day(Plan(seed, modems=self.rng.choice((1, 1, 2)), jumps=0))
        self.unanswered: dict[int, Submission] = {}
        self.world: World
        self.watch: Watch

    async def run(self, path: Path) -> Life:
        modems = self.day.plan.modems
        async with World.of(
            path, modems=modems, seed=self.seed, latency=(0.5, 4.0), report_delay=(0.5, 30.0), sinks=2
        ) as world:
            self.world = world
            self.watch = Watch(world, self.day, {})
            self._listen()
            try:
                checked = 0
                while world.crashes < self.count:
                    await self._once()
                    if world.crashes >= checked + _CHECK_EVERY:
                        checked = world.crashes
                        self.watch.raise_wrong()
                        await check_now(world, self.day, self.watch)
                await self._rest()
                self.watch.raise_wrong()
                await check_now(world, self.day, self.watch)
                await check_at_the_end(world, self.day)
            except AssertionError as error:
                raise Broken(f"seed {self.seed} at {self.loop.time():.0f} s: {error}") from error
            finally:
                self.watch.close()
            return Life(world.crashes, self.sent, len(world.lab.network.ledger), self.loop.time())

    def _say(self, line: str) -> None:
        if self.on_line is not None:
            self.on_line(f"{self.loop.time():.3f} {line}")

    def _listen(self) -> None:
        def accepted(entry: Any) -> None:
            self._say(f"accepted {entry.device} {entry.number} mr={entry.mr}")
            self.watch.accepted(entry)
            self.happened.set()

        def delivered(entry: Any) -> None:
            self._say(f"taken {entry.device} {entry.kind} {entry.sender}")
            self.happened.set()

        def submit_byte(device: Any, payload: bytes) -> None:
            self._say(f"ctrl-z {device.name}")
            self.watch.submit_byte(device, payload)
            self.happened.set()

        network = self.world.lab.network
        network.on_accepted.append(accepted)
        network.on_delivered.append(delivered)
        for device in self.world.lab.ports.values():
            device.on_submit_byte = submit_byte
            device.on_command = lambda line: self.happened.set()

    async def _once(self) -> None:
        """Some traffic, a moment, and the end of the process."""
        clients = [self.loop.create_task(self._client(each)) for each in (*self.unanswered.values(), self._wish())]
        if self.rng.random() < 0.4:
            self._arrive()
        await self._moment()
        self._say("crash")
        await self.world.crash()
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        if self.rng.random() < 0.2:
            await asyncio.sleep(self.rng.uniform(0, 30))
        while self.world.crashes < self.count and self.rng.random() < _AGAIN:
            await self._crash_while_starting()
        await self.world.start()
        for (id_,) in await self.world.query("SELECT id FROM messages WHERE held = 1"):
            await self.world.gateway.release(id_)

    async def _crash_while_starting(self) -> None:
        """Somewhere between opening the database and the first words with the modems."""
        starting = self.loop.create_task(self.world.start())
        for _ in range(self.rng.randrange(_STEPS_OF_A_START)):
            await asyncio.sleep(0)
        self._say("crash while starting")
        await self.world.crash()
        await asyncio.gather(starting, return_exceptions=True)

    async def _moment(self) -> None:
        """Mostly until something happens that matters and some steps further; sometimes any time."""
        kind = self.rng.random()
        if kind < 0.2:
            await asyncio.sleep(self.rng.uniform(0, 12))
            return
        await asyncio.sleep(self.rng.choice((0.0, 0.6, 1.0, 1.5, 2.0, 3.0, 5.0)))
        self.happened.clear()
        try:
            async with asyncio.timeout(5.0):
                await self.happened.wait()
        except TimeoutError:
            return
        for _ in range(self.rng.randrange(_DEEPEST_STEP)):
            await asyncio.sleep(0)

    def _wish(self) -> Submission:
        self.sent += 1
        number = self.sent
        words = f"word{number} " * self.rng.choice((1, 1, 1, 40))
        same = number > 1 and self.rng.random() < 0.3  # number as the message before
        order = Order(
            to=(f"+49156{number - same:08d}",),
            text=f"#{number} {words}",
            class_=self.rng.choice(sorted(CLASSES)),
            report=self.rng.random() < 0.7,
            ttl_s=24 * 3600,
        )
        submission = Submission(self.loop.time(), number, order, None, None)
        self.unanswered[number] = submission
        return submission

    async def _client(self, wish: Submission) -> None:
        accepted = await self.world.gateway.submit(
            wish.order, key_id="k", idempotency_key=str(wish.number), fingerprint=b"same"
        )
        self.day.accepted.setdefault(str(accepted[0]["id"]), (wish, wish.at))
        self.unanswered.pop(wish.number, None)

    def _arrive(self) -> None:
        self.arrived += 1
        text = f"in {self.arrived} " + "long " * self.rng.choice((1, 1, 60))
        self.day.arrived.append(text)
        device = self.world.lab.ports[self.rng.choice(NAMES[: self.day.plan.modems])]
        self.world.lab.network.deliver_from_outside(f"+491557{self.arrived:07d}", device, text)

    async def _rest(self) -> None:
        for wish in list(self.unanswered.values()):
            await self._client(wish)
        await self.world.until(self._at_rest, within=2 * 86_400)

    async def _at_rest(self) -> bool:
        world = self.world
        busy = await world.query(
            "SELECT 1 FROM messages WHERE status IN ('scheduled', 'queued', 'sending', 'uncertain', 'held') LIMIT 1"
        )
        pending = await world.query("SELECT 1 FROM deliveries WHERE state = 'pending' LIMIT 1")
        waiting = any(len(world.lab.network.mailbox(device.sim) or ()) for device in world.lab.ports.values())
        stored = any(
            device.inbox.storage(name).items() for device in world.lab.ports.values() for name in device.inbox.names()
        )
        return not (busy or pending or waiting or stored)
