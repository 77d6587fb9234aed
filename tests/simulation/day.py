"""One simulated day from one seed: traffic both ways over a whole gateway, things that go wrong, and what came of it.

Everything is drawn from the seed before the day begins, so that a seed is a day. ``Day.trace`` is what the outside
world saw - the network's ledger, the messages that modems took, the webhooks - and its hash is the day's fingerprint.
"""

import asyncio
import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.virtual import run_virtual
from support.world import World

from modemgw.domain.message import CLASSES, Order
from modemgw.emulator import faults
from modemgw.emulator.ledger import Accepted, Delivered

HOURS = 24.0
_WORDS = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett", "kilo", "lima"]
_ALPHABETS = ("plain", "Grüße aus Köln {}", "Ελληνικά", "zażółć gęślą", "emoji 👩‍👩‍👧 and 🇩🇪")
# Last five digits on which the simulated network fails on purpose (emulator/magic.py).
_MAGIC = ("98001", "98002", "98003", "98004", "98005", "98006", "98007", "98008", "98009", "98010",
          "97070", "97048", "97096", "99038", "99042", "99001", "99500")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What one day is made of. ``fault_count`` 0: nothing goes wrong but the network's own caprices."""

    seed: int
    modems: int = 2
    messages: int = 300
    arrivals: int = 60
    fault_count: int = 50
    crashes: int = 2
    magic: float = 0.15  # share of recipients on which the network fails on purpose


@dataclass(slots=True)
class Day:
    """A day that has passed."""

    plan: Plan
    accepted: dict[str, Order]  # message id -> what was asked
    arrived: list[str]  # texts that the network was given for our SIMs
    trace: list[str]

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()


Check = Callable[[World, Day], Any]


def live(plan: Plan, path: Path, check: Check | None = None) -> Day:
    """Lives the day in virtual time on a database file; ``check`` looks at the world before it ends."""
    return run_virtual(lambda: _live(plan, path, check))


async def _live(plan: Plan, path: Path, check: Check | None) -> Day:
    rng = random.Random(plan.seed)
    async with World.of(path, modems=plan.modems, seed=plan.seed, report_delay=(1.0, 120.0)) as world:
        day = Day(plan, {}, [], [])
        _record(world, day)
        await world.registered()
        agenda = [*_traffic(plan, rng, world, day), *_mishaps(plan, rng, world)]
        loop = asyncio.get_running_loop()
        for at, action in sorted(agenda, key=lambda each: each[0]):
            await asyncio.sleep(max(0.0, at - loop.time()))
            await action()
        await _drain(world)
        if check is not None:
            await check(world, day)
        for status, count in await world.query("SELECT status, count(*) FROM messages GROUP BY status ORDER BY status"):
            day.trace.append(f"end {status} {count}")
        return day


def _record(world: World, day: Day) -> None:
    loop = asyncio.get_running_loop()

    def accepted(entry: Accepted) -> None:
        day.trace.append(f"{loop.time():.3f} accepted {entry.device} {entry.number} mr={entry.mr} {entry.pdu}")

    def delivered(entry: Delivered) -> None:
        day.trace.append(f"{loop.time():.3f} taken {entry.device} {entry.kind} {entry.pdu}")

    world.lab.network.on_accepted.append(accepted)
    world.lab.network.on_delivered.append(delivered)
    world.sink.on_got = lambda got: day.trace.append(f"{loop.time():.3f} webhook {got['type']} {got['data'].get('id')}")


def _traffic(plan: Plan, rng: random.Random, world: World, day: Day) -> list[Any]:
    """When what is sent, and when what arrives."""
    agenda: list[Any] = []
    for number in range(plan.messages):
        order = _order(rng, world, number, plan.magic)

        async def send(order: Order = order) -> None:
            accepted = await world.gateway.submit(order, key_id="simulation")
            day.accepted[accepted[0]["id"]] = order

        agenda.append((rng.uniform(60, HOURS * 3600 * 0.95), send))
    for number in range(plan.arrivals):
        text = f"#{number} " + _text(rng)
        sender = f"+49155570{rng.randrange(100_000):05d}"
        name = rng.choice(sorted(world.lab.ports))

        async def arrive(text: str = text, sender: str = sender, name: str = name) -> None:
            day.arrived.append(text)
            device = world.lab.ports[name]
            world.lab.network.deliver_from_outside(sender, device, text)

        agenda.append((rng.uniform(60, HOURS * 3600 * 0.95), arrive))
    return agenda


def _order(rng: random.Random, world: World, number: int, magic: float) -> Order:
    # Every message has a recipient of its own, so that copies can be counted without doubt.
    ending = rng.choice(_MAGIC) if rng.random() < magic else f"{rng.randrange(90_000):05d}"
    to = f"+49156{number % 1000:03d}{number // 1000:01d}{ending}"
    text = f"#{number} " + _text(rng)
    return Order(to=(to,), text=text, class_=rng.choice(sorted(CLASSES)), report=rng.random() < 0.8, ttl_s=6 * 3600)


def _text(rng: random.Random) -> str:
    words = " ".join(rng.choice(_WORDS) for _ in range(rng.choice((3, 3, 5, 20, 40, 70))))
    return rng.choice(_ALPHABETS).replace("{}", "") + " " + words


def _mishaps(plan: Plan, rng: random.Random, world: World) -> list[Any]:
    agenda: list[Any] = []
    for _ in range(plan.fault_count):
        fault = draw_fault(rng)
        name = rng.choice(sorted(world.lab.ports))

        async def happen(fault: faults.Fault = fault, name: str = name) -> None:
            world.lab.ports[name].faults.add(fault)

        agenda.append((rng.uniform(600, HOURS * 3600 * 0.9), happen))
    agenda.extend((rng.uniform(600, HOURS * 3600 * 0.9), world.restart) for _ in range(plan.crashes))
    return agenda


def draw_fault(rng: random.Random) -> faults.Fault:
    """One thing that a modem does wrong."""
    on_submit = faults.Command("AT+CMGS")
    choices: tuple[Callable[[], faults.Fault], ...] = (
        lambda: faults.Fault(on_submit, faults.Drop(rng.choice(("answer", "final", "prompt")))),  # type: ignore[arg-type]
        lambda: faults.Fault(on_submit, faults.Delay(rng.uniform(1, 250))),
        lambda: faults.Fault(on_submit, faults.Delay(rng.uniform(1, 25), what="prompt")),
        lambda: faults.Fault(on_submit, faults.Error(f"+CMS ERROR: {rng.choice((38, 42, 331, 304, 500, 512))}")),
        lambda: faults.Fault(on_submit, faults.AcceptBut(rng.choice(("ERROR", "+CMS ERROR: 500", "+CMS ERROR: 332")))),
        lambda: faults.Fault(on_submit, faults.Duplicate(rng.choice(("answer", "final")))),  # type: ignore[arg-type]
        lambda: faults.Fault(
            on_submit,
            faults.Unplug(
                rng.choice(("command", "prompt", "submitted", "final")),  # type: ignore[arg-type]
                accepted=rng.random() < 0.5,
                back=rng.uniform(3, 60),
            ),
        ),
        lambda: faults.Fault(
            on_submit,
            faults.Reboot(rng.choice(("command", "prompt", "submitted")), accepted=rng.random() < 0.5),  # type: ignore[arg-type]
        ),
        lambda: faults.Fault(faults.Urc("+CMTI"), faults.Drop()),
        lambda: faults.Fault(faults.Urc("+CDS"), faults.Duplicate()),
        lambda: faults.Fault(faults.Command("AT+CMGR"), faults.Drop()),
        lambda: faults.Fault(faults.Command("AT+CMGL"), faults.Drop("final")),
        lambda: faults.Fault(faults.Command("AT+CMGD"), faults.Drop()),
        lambda: faults.Fault(faults.Command("AT+CSQ"), faults.Drop()),
        lambda: faults.Fault(faults.Command("AT"), faults.Stray("^RSSI: 12", "final")),
        lambda: faults.Fault(faults.Byte(rng.randrange(1, 400)), faults.Reboot()),
        lambda: faults.Fault(faults.Byte(rng.randrange(1, 400)), faults.RegisterLoss(rng.uniform(10, 900))),
        lambda: faults.Fault(faults.Byte(rng.randrange(1, 400)), faults.StorageFull(rng.uniform(10, 300))),
        lambda: faults.Fault(faults.Byte(rng.randrange(1, 400)), faults.Dribble(rng.choice((0.0, 0.001, 0.01)))),
    )
    return rng.choice(choices)()


async def _drain(world: World) -> None:
    """Until nothing is under way any more: every message final, or sent and waiting for a report only."""
    for device in world.lab.ports.values():
        device.faults.clear()
    await world.until(lambda: _at_rest(world), within=3 * 86_400)


async def _at_rest(world: World) -> bool:
    busy = await world.query(
        "SELECT 1 FROM messages WHERE status IN ('scheduled', 'queued', 'sending', 'uncertain') LIMIT 1"
    )
    pending = await world.query("SELECT 1 FROM deliveries WHERE state = 'pending' LIMIT 1")
    waiting = any(len(world.lab.network.mailbox(device.sim) or ()) for device in world.lab.ports.values())
    stored = any(
        device.inbox.storage(name).items() for device in world.lab.ports.values() for name in device.inbox.names()
    )
    return not busy and not pending and not waiting and not stored
