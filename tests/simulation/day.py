"""One simulated day from one seed: traffic both ways over a whole gateway, things that go wrong, and what came of it.

``Day.trace`` is what the outside world saw - Ctrl-Z, the network's ledger, the messages that modems took, webhooks,
crashes - and its hash is the day's fingerprint. The rules are watched at every event that they are about (watch.py),
every ten virtual minutes and at the end (invariants.py).
"""

import asyncio
import hashlib
import logging
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.virtual import START_MS, VirtualClock, run_virtual
from support.world import World

from modemgw.domain.errors import Conflict
from modemgw.domain.sim import SimSettings
from modemgw.emulator.ledger import Accepted, Delivered
from modemgw.emulator.sim import iccid_of
from modemgw.modem.states import Reason
from simulation.invariants import check_at_the_end, check_now
from simulation.plan import NAMES, Arrival, Crash, Event, Jump, Mishap, Plan, Submission, agenda
from simulation.watch import Watch

CHECK_EVERY_S = 600.0
_OUTAGE = (30_000.0, 33_000.0)  # when the second receiver of webhooks says nothing or 500
_LONGEST_DRAIN_S = 3 * 86_400.0
_IN_1970_MS = 90_000_000
_PIN = "4321"


@dataclass(slots=True)
class Day:
    """A day that is being lived, or has passed."""

    plan: Plan
    accepted: dict[str, tuple[Submission, float]] = field(default_factory=dict)  # message id -> wish, when (loop time)
    cancelled: set[str] = field(default_factory=set)
    arrived: list[str] = field(default_factory=list)  # texts that the network was given for our SIMs
    trace: list[str] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    copies: int = 0
    crashes: int = 0
    virtual_s: float = 0.0
    trusted_at: float = 0.0  # since when the clock can be right

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()


class Broken(AssertionError):
    """A rule was broken; the text names seed, moment and rule."""


def live(plan: Plan, path: Path, on_line: Callable[[str], None] | None = None) -> Day:
    """Lives the day in virtual time on a database file. Raises Broken. ``on_line`` gets every line of the trace."""

    async def life() -> Day:
        return await _Life(plan, on_line).run(path)

    return run_virtual(life)


class _Life:
    def __init__(self, plan: Plan, on_line: Callable[[str], None] | None) -> None:
        self.plan = plan
        self.day = Day(plan)
        self.on_line = on_line
        self.loop = asyncio.get_running_loop()
        self.clients: dict[int, asyncio.Task[None]] = {}
        self.world: World
        self.watch: Watch

    async def run(self, path: Path) -> Day:
        plan = self.plan
        pins = dict.fromkeys(NAMES[1 : plan.modems : 3], _PIN) if plan.pins else {}
        limits = {iccid_of(1): SimSettings(iccid_of(1), per_hour=plan.per_hour)} if plan.per_hour else {}
        async with World.of(
            path, modems=plan.modems, seed=plan.seed, report_delay=(1.0, 120.0), daily_cap=plan.daily_cap,
            pins=pins, sims=limits, slots=plan.slots, sinks=3, start=False,
            personas=plan.personas,
        ) as world:  # fmt: skip
            self.world = world
            if plan.starts_in_1970:
                world.clock.offset_ms, world.clock.is_trusted = _IN_1970_MS, False
                self.day.trusted_at = math.inf
            world.sinks[1].answer = self._flapping(random.Random(f"sink {plan.seed}"))
            world.sinks[2].answer = lambda: 500
            await world.start()
            self.watch = Watch(world, self.day, limits)
            self._record()
            try:
                await self._live()
            except AssertionError as error:
                raise Broken(f"seed {plan.seed} at {self.loop.time():.0f} s: {error}") from error
            finally:
                self.watch.close()
            return self.day

    async def _live(self) -> None:
        await self.world.registered()
        checked = 0.0
        for event in agenda(self.plan):
            while event.at > self.loop.time():
                await asyncio.sleep(min(event.at, checked + CHECK_EVERY_S) - self.loop.time())
                if self.loop.time() >= checked + CHECK_EVERY_S:
                    checked = self.loop.time()
                    await self._check()
            await self._happen(event)
        await self._drain()
        await check_at_the_end(self.world, self.day)
        for status, count in await self.world.query(
            "SELECT status, count(*) FROM messages WHERE status IS NOT NULL GROUP BY status ORDER BY status"
        ):
            self.day.statuses[status] = count
            self.say(f"end {status} {count}")
        self.day.copies, self.day.crashes = len(self.world.lab.network.ledger), self.world.crashes
        self.day.virtual_s = self.loop.time()

    async def _check(self) -> None:
        self.watch.raise_wrong()
        await check_now(self.world, self.day, self.watch)

    def say(self, line: str) -> None:
        """Adds a line to the trace."""
        line = f"{self.loop.time():.3f} {line}"
        self.day.trace.append(line)
        if self.on_line is not None:
            self.on_line(line)

    def _record(self) -> None:
        def accepted(entry: Accepted) -> None:
            self.say(f"accepted {entry.device} {entry.number} mr={entry.mr} {entry.pdu}")
            self.watch.accepted(entry)

        def delivered(entry: Delivered) -> None:
            self.say(f"taken {entry.device} {entry.kind} {entry.pdu}")

        def submit_byte(device: Any, payload: bytes) -> None:
            self.say(f"ctrl-z {device.name}")
            self.watch.submit_byte(device, payload)

        self.world.lab.network.on_accepted.append(accepted)
        self.world.lab.network.on_delivered.append(delivered)
        for device in self.world.lab.ports.values():
            device.on_submit_byte = submit_byte
        for number, sink in enumerate(self.world.sinks[:2]):
            sink.on_got = lambda got, number=number: self._got(number, got)  # type: ignore[misc]

    def _got(self, number: int, got: Mapping[str, Any]) -> None:
        self.say(f"webhook {number} {got['type']} {got['data'].get('id')}")

    def _flapping(self, rng: random.Random) -> Callable[[], int | None]:
        """A receiver that is down for an hour: it refuses, or takes the connection and says nothing."""

        def answer() -> int | None:
            down = _OUTAGE[0] <= self.loop.time() < _OUTAGE[1]
            return rng.choice((500, 503, None)) if down else 200

        return answer

    # -- what happens --------------------------------------------------------------------------------------------------
    async def _happen(self, event: Event) -> None:
        match event:
            case Submission():
                self._start_client(event)
            case Arrival():
                self.day.arrived.append(event.text)
                device = self.world.lab.ports[event.modem]
                self.world.lab.network.deliver_from_outside(event.sender, device, event.text)
            case Mishap():
                self.say(f"fault {event.modem} {event.fault}")
                self.world.lab.ports[event.modem].faults.add(event.fault)
            case Jump():
                self._jump(event)
            case Crash():
                self.say(f"crash, down for {event.down:.0f} s")
                await self._crash(event)

    def _jump(self, event: Jump) -> None:
        clock: VirtualClock = self.world.clock
        if event.to_truth:
            clock.offset_ms, clock.is_trusted = START_MS, True
            self.day.trusted_at = min(self.day.trusted_at, self.loop.time())
        else:
            clock.offset_ms += event.by_ms
        self.say(f"clock set to {clock.wall_ms()}")

    async def _crash(self, event: Crash) -> None:
        await self.world.crash()
        cut = [number for number, client in self.clients.items() if not client.done()]
        for number in cut:
            self.clients[number].cancel()
        await asyncio.sleep(event.down)
        await self.world.start()
        for submission in [each for each in agenda(self.plan) if isinstance(each, Submission) and each.number in cut]:
            self._start_client(submission)  # the same wish with the same key

    def _start_client(self, submission: Submission) -> None:
        self.clients[submission.number] = self.loop.create_task(self._client(submission))

    async def _client(self, submission: Submission) -> None:
        id_ = await self._post(submission)
        asked_at = self.loop.time()
        self.day.accepted.setdefault(id_, (submission, asked_at))
        if submission.cancel_after is not None:
            await asyncio.sleep(submission.cancel_after)
            try:
                await self.world.gateway.cancel(id_)
            except Conflict:
                pass
            else:
                self.day.cancelled.add(id_)
        if submission.again_after is not None:
            await asyncio.sleep(submission.again_after)
            assert await self._post(submission) == id_, "the same key made another message"

    async def _post(self, submission: Submission) -> str:
        accepted = await self.world.gateway.submit(
            submission.order,
            key_id="simulation",
            idempotency_key=f"wish-{submission.number}",
            fingerprint=str(submission.number).encode(),
        )
        return str(accepted[0]["id"])

    # -- the end -------------------------------------------------------------------------------------------------------
    async def _drain(self) -> None:
        """Until nothing is under way any more: every message final, or sent and waiting for a report only."""
        world = self.world
        for device in world.lab.ports.values():
            device.faults.clear()
        end = self.loop.time() + _LONGEST_DRAIN_S
        while not await self._at_rest():
            assert self.loop.time() < end, f"never comes to rest: {await world.describe()}"
            await asyncio.sleep(60.0)
            for (id_,) in await world.query("SELECT id FROM messages WHERE held = 1"):
                await world.gateway.release(id_)  # held by the guard against messages that kill the service
            for line in world.gateway.fleet.lines.values():
                if line.modem.reason is Reason.PIN_REFUSED:
                    await line.modem.unlock(_PIN)  # its one try was cut off, and there is none but a person's any more
        await asyncio.gather(*self.clients.values())
        await self._check()

    async def _at_rest(self) -> bool:
        world = self.world
        if any(not client.done() for client in self.clients.values()):
            return False
        if await world.query(
            "SELECT 1 FROM messages WHERE status IN ('scheduled', 'queued', 'sending', 'uncertain', 'held') LIMIT 1"
        ):
            return False
        # The third receiver never takes anything.
        dead = list(world.targets)[2].id
        if await world.query("SELECT 1 FROM deliveries WHERE state = 'pending' AND target_id != ? LIMIT 1", dead):
            return False
        if any(len(world.lab.network.mailbox(device.sim) or ()) for device in world.lab.ports.values()):
            return False
        return not any(
            device.inbox.storage(name).items() for device in world.lab.ports.values() for name in device.inbox.names()
        )


def quiet() -> None:
    """A day's warnings are expected: they are what the day is about."""
    logging.disable(logging.CRITICAL)
