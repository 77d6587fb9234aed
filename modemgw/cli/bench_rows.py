"""``modemgw bench --full``: what a year of messages costs - choosing the next one, and starting, with 1,000,000."""

import random
import statistics
import tempfile
from collections.abc import Collection
from contextlib import AsyncExitStack
from pathlib import Path

from modemgw.cli.bench_full import Figure
from modemgw.cli.rig import configuration, first_send_s, progress, start_bank
from modemgw.domain.msisdn import DestinationPolicy
from modemgw.gateway.context import Context, GatewaySettings
from modemgw.gateway.handover import BeforePayload
from modemgw.gateway.pool import Pool
from modemgw.gateway.sender import Sender
from modemgw.modem.facts import SimCard
from modemgw.seams import Ids, SystemClock
from modemgw.store import specimen, views
from modemgw.store.database import Database

PARTS = ("choose", "restart")
_FEW, _MANY = 1_000, 1_000_000
_ROUNDS, _EACH = 12, 15  # few and many take turns, so that a busy machine is busy for both


class _Modem:
    """Takes every message at once; what is left is the gateway's own work. It stops its sender after some."""

    name = port_path = "bench"

    def __init__(self, most: int) -> None:
        self._left = most
        self.sender: Sender | None = None

    async def submit(
        self,
        pdu_hex: str,  # noqa: ARG002 - this and the next two belong to what a sender calls
        tpdu_length: int,  # noqa: ARG002
        *,
        token: str,  # noqa: ARG002
        before_payload: BeforePayload,
    ) -> int | None:
        await before_payload()
        self._left -= 1
        if self._left == 0 and self.sender is not None:
            self.sender.stop()
        return self._left % 256


class Store:
    """A database with one SIM that sends from it."""

    def __init__(self, db: Database, ids: Ids, clock: SystemClock) -> None:
        destinations = DestinationPolicy("DE", ("*",))
        settings = GatewaySettings(destinations=destinations, daily_cap=1_000_000_000)
        self._context = Context(db, clock, ids, random.SystemRandom(), settings)
        self._pool = Pool(self._context)
        self._pool.join(specimen.SIM_ID, SimCard(iccid=specimen.ICCID), lambda: None)
        self.choosing: list[float] = []
        self.sending: list[float] = []

    async def measure(self) -> None:
        """One round of each; seconds for one message."""
        clock = self._context.clock
        began = clock.monotonic()
        for _ in range(_EACH):
            choice = await self._pool.choose(specimen.SIM_ID, None)
            assert choice.outgoing is not None, "there is always one that waits"
            self._pool.leased.discard(choice.outgoing.message_seq)
        self.choosing.append((clock.monotonic() - began) / _EACH)
        modem = _Modem(_EACH)
        sender = modem.sender = Sender(self._context, modem, specimen.SIM_ID, self._pool)
        began = clock.monotonic()
        await sender.run()
        self.sending.append((clock.monotonic() - began) / _EACH)


async def measure(wanted: Collection[str]) -> list[Figure]:
    """The parts that are wanted. TimeoutError when something gets stuck."""
    figures: list[Figure] = []
    if not set(PARTS) & set(wanted):
        return figures
    with tempfile.TemporaryDirectory(prefix="modemgw-bench-") as folder:
        state = Path(folder) / "state"
        state.mkdir(mode=0o700)
        progress(f"making a database of {_MANY:,} messages, about 1 GB in {folder}")
        many = state / "modemgw.db"
        specimen.make(many, _MANY, now_ms=SystemClock().wall_ms())
        if "restart" in wanted:
            figures += await _restart(Path(folder))
        if "choose" in wanted:
            figures += await _choose(Path(folder) / "few.db", many)
    return figures


async def _restart(folder: Path) -> list[Figure]:
    config = configuration(folder, 1)
    async with start_bank(folder, 1) as bank:
        await bank.ask("latency 0.3 0.3")
        progress("starting on it for the first time")
        first_s = await first_send_s(config, bank)
        progress("starting on it again")
        again_s = await first_send_s(config, bank)
    return [
        Figure(f"very first start with {_MANY:,} messages -> first Ctrl-Z", first_s, "s", 10),
        Figure(f"start with {_MANY:,} messages -> first Ctrl-Z", again_s, "s", 5),
    ]


async def _choose(few: Path, many: Path) -> list[Figure]:
    progress(f"choosing and sending with {_FEW:,} and with {_MANY:,} messages")
    clock = SystemClock()
    specimen.make(few, _FEW, now_ms=clock.wall_ms(), waiting=0.7)
    async with AsyncExitStack() as stack:
        stores = []
        for path in (few, many):
            db = await Database.open(path)
            stack.push_async_callback(db.close)
            ids = Ids(clock, random.SystemRandom(), last=await db.read(views.newest_id))
            stores.append(Store(db, ids, clock))
        for _ in range(_ROUNDS):
            for store in stores:
                await store.measure()
    small, big = stores
    chosen, sent = _ratio(small.choosing, big.choosing), _ratio(small.sending, big.sending)
    against = f"{_MANY:,} messages against {_FEW:,}"
    return [
        Figure(f"choosing the next message, {against}", chosen, "times", 1.2),
        Figure(f"choosing and committing, {against}", sent, "times", 1.5),
    ]


def _ratio(small: list[float], big: list[float]) -> float:
    return statistics.median(big) / statistics.median(small)
