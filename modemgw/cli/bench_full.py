"""``modemgw bench --full``: what short figures can't show - many modems, a backlog, urgent messages, webhooks, rest."""

import asyncio
import statistics
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiohttp import web

from modemgw.cli.rig import PATIENCE_S, Gateway, Process, configuration, progress, start_bank, start_gateway
from modemgw.seams import SystemClock

_REST_S = 6.0
_IDLE_S = 30.0
# Seconds that the network takes for a segment, and the share of the time that the SIMs should be busy: 1, 8, 32 modems.
_SERVICE = (
    ("0.2 to 0.4 s", (0.2, 0.4), 15.0, (97.0, 97.0, 97.0)),
    ("0.3 s", (0.3, 0.3), 15.0, (97.0, 95.0, 85.0)),
    ("3 s", (3.0, 3.0), 30.0, (99.5, 99.3, 98.5)),
)
_MEMORY_MB = {1: 60.0, 8: 62.0, 32: 68.0}
_BACKLOG = 100_000
# What is measured with 1, 8 and 32 modems, in this order.
_STAGES = {
    1: ("rest-1", "overhead", "latency", "busy-1", "backlog"),
    8: ("rest-8", "throughput", "busy-8"),
    32: ("rest-32", "busy-32"),
}
PARTS = tuple(part for parts in _STAGES.values() for part in parts)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ``at_most`` False: the goal is a least."""

    name: str
    value: float
    unit: str
    goal: float
    at_most: bool = True

    @property
    def met(self) -> bool:
        return self.value <= self.goal if self.at_most else self.value >= self.goal


class Hook:
    """A receiver of webhooks that notes when each came."""

    def __init__(self) -> None:
        self.came = asyncio.Event()
        self.at = 0.0

    async def handle(self, request: web.Request) -> web.Response:
        self.at = SystemClock().monotonic()
        await request.read()
        self.came.set()
        return web.Response(status=204)


@asynccontextmanager
async def _hook() -> AsyncIterator[tuple[Hook, str]]:
    hook = Hook()
    app = web.Application()
    app.router.add_post("/hook", hook.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield hook, f"http://127.0.0.1:{port}/hook"
    finally:
        await runner.cleanup()


async def measure(wanted: Collection[str]) -> list[Figure]:
    """The parts that are wanted, with 1, then 8, then 32 modems. TimeoutError when something gets stuck."""
    figures: list[Figure] = []
    for place, (modems, parts) in enumerate(_STAGES.items()):
        chosen = [part for part in parts if part in wanted]
        if not chosen:
            continue
        with tempfile.TemporaryDirectory(prefix="modemgw-bench-") as folder:
            async with start_bank(Path(folder), modems) as bank, _hook() as (hook, url):
                config = configuration(Path(folder), modems, hook=url)
                progress(f"starting a gateway with {modems} modems")
                async with start_gateway(config) as gateway:
                    takes: dict[str, Callable[[], Awaitable[list[Figure]]]] = {
                        "rest": partial(_at_rest, gateway, modems),
                        "overhead": partial(_overhead, gateway, bank),
                        "latency": partial(_latency, gateway, bank, hook),
                        "throughput": partial(_throughput, gateway, bank),
                        "busy": partial(_utilisation, gateway, bank, modems, place),
                        "backlog": partial(_backlog, gateway, bank),
                    }
                    for part in chosen:
                        figures += await takes[part.partition("-")[0]]()
    return figures


async def _at_rest(gateway: Gateway, modems: int) -> list[Figure]:
    await asyncio.sleep(_REST_S)
    figures = [Figure(f"memory at rest, {modems} modems", gateway.rss_mb(), "MB", _MEMORY_MB[modems])]
    if modems == 8:
        progress("doing nothing")
        before = gateway.cpu_s()
        await asyncio.sleep(_IDLE_S)
        share = 100 * (gateway.cpu_s() - before) / _IDLE_S
        figures.append(Figure("CPU at rest, 8 modems, of one core", share, "%", 0.2))
    return figures


async def _sent(gateway: Gateway, bank: Process, count: int) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Sends ``count`` messages; for each modem when each Ctrl-Z came, and when each was accepted."""
    await bank.ask("stamps")
    await gateway.post(count)
    starts: dict[str, list[float]] = {}
    ends: dict[str, list[float]] = {}
    async with asyncio.timeout(PATIENCE_S):
        while sum(map(len, ends.values())) < count:
            await asyncio.sleep(0.2)
            answer = await bank.ask("stamps")
            for kept, kind in ((starts, "ctrl_z"), (ends, "accepted")):
                for name, stamps in answer[kind].items():
                    kept.setdefault(name, []).extend(stamps)
    return starts, ends


async def _utilisation(gateway: Gateway, bank: Process, modems: int, place: int) -> list[Figure]:
    figures = []
    for words, (low, high), seconds, goals in _SERVICE:
        progress(f"{modems} modems, {words} a segment")
        await bank.ask(f"latency {low} {high}")
        count = round(seconds / ((low + high) / 2)) * modems
        starts, ends = await _sent(gateway, bank, count)
        busy = sum(sum(ends[name]) - sum(starts[name]) for name in ends)
        span = sum(ends[name][-1] - starts[name][0] for name in ends)
        name = f"SIMs busy, {modems} modems, {words} a segment"
        figures.append(Figure(name, 100 * busy / span, "%", goals[place], at_most=False))
    await bank.ask("latency 0 0")
    return figures


async def _throughput(gateway: Gateway, bank: Process) -> list[Figure]:
    progress("8 modems that answer at once")
    _, ends = await _sent(gateway, bank, 4000)
    stamps = sorted(stamp for each in ends.values() for stamp in each)
    # The first are sent while the rest is still being accepted.
    steady = stamps[len(stamps) // 4 :]
    rate = (len(steady) - 1) / (steady[-1] - steady[0])
    return [Figure("messages in all, 8 modems that answer at once", rate, "1/s", 500, at_most=False)]


async def _overhead(gateway: Gateway, bank: Process) -> list[Figure]:
    progress("one modem that answers at once")
    _, ends = await _sent(gateway, bank, 1000)
    stamps = ends["modem0"][250:]
    return [Figure("overhead of a message, 1 modem", 1000 * (stamps[-1] - stamps[0]) / (len(stamps) - 1), "ms", 4)]


async def _latency(gateway: Gateway, bank: Process, hook: Hook) -> list[Figure]:
    progress("single messages to an idle modem")
    await bank.ask("stamps")
    waits = []
    for number in range(100):
        accepted = await _send_one(gateway, f"+4915{70000000 + number:09d}", "transactional")
        await asyncio.sleep(0.05)
        answer = await bank.ask("stamps")
        waits.append(1000 * max(0.0, answer["cmgs"][0] - accepted))
    figures = _spread("accepted -> AT+CMGS at an idle modem", waits, (("median", 50, 8), ("95 %", 95, 20)))
    progress("single messages arrive")
    waits = []
    for _ in range(100):
        hook.came.clear()
        began = (await bank.ask("arrive 1"))["began"]
        async with asyncio.timeout(PATIENCE_S):
            await hook.came.wait()
        waits.append(1000 * (hook.at - began[0]))
    figures += _spread("arrival at the modem -> webhook received", waits, (("median", 50, 8), ("95 %", 95, 15)))
    return figures


async def _send_one(gateway: Gateway, to: str, class_: str) -> float:
    """Sends one message; when it was accepted, on the clock that all processes share."""
    await gateway.send({"to": to, "text": "a single message", "class": class_, "report": False})
    return SystemClock().monotonic()


async def _backlog(gateway: Gateway, bank: Process) -> list[Figure]:
    progress(f"accepting {_BACKLOG:,} messages in requests of 1,000")
    await bank.ask("latency 0.3 0.3")
    before_mb = gateway.rss_mb()
    took_s = await gateway.post(_BACKLOG, first=1_000_000, each=1000, class_="bulk", clients=2)
    figures = [
        Figure(f"{_BACKLOG:,} messages accepted, 1,000 in a request, two clients", took_s, "s", 10),
        Figure("memory that they took", gateway.rss_mb() - before_mb, "MB", 20),
    ]
    progress("urgent messages overtake them")
    await bank.ask("stamps")
    waits = []
    for number in range(100):
        accepted = await _send_one(gateway, f"+4917{70000000 + number:09d}", "otp")
        async with asyncio.timeout(PATIENCE_S):
            while not (urgent := (await bank.ask("stamps"))["urgent"]):  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.02)
        waits.append(1000 * max(0.0, urgent[0] - accepted))
        await asyncio.sleep(0.037 * (number % 9))
    figures += _spread("urgent, accepted -> sent, behind them, 0.3 s a segment", waits, (("99 %", 99, 330),))
    return figures


def _spread(name: str, values: Sequence[float], goals: Sequence[tuple[str, int, float]]) -> list[Figure]:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return [Figure(f"{name}, {words}", cuts[percent - 1], "ms", goal) for words, percent, goal in goals]
