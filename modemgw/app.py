"""The composition root: builds everything, starts it in order, stops it in order. The only wiring.

Start: lock of the state directory -> database -> what a crash cut off -> modems -> webhooks -> first key -> HTTP.
Stop: nothing new is accepted or sent, the answers that are due are waited for, then everything is let go of.
"""

import asyncio
import fcntl
import functools
import logging
import os
import random
import secrets
import signal
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from modemgw import sdnotify
from modemgw.api.app import make_app
from modemgw.config import Config
from modemgw.domain.msisdn import DestinationPolicy
from modemgw.domain.sim import SimSettings
from modemgw.gateway.clock import FlooredClock
from modemgw.gateway.context import Context, GatewaySettings
from modemgw.gateway.finder import Finder
from modemgw.gateway.gateway import Gateway
from modemgw.http import server
from modemgw.http.keys import new_key
from modemgw.modem.settings import ModemSettings
from modemgw.port import discovery
from modemgw.port.hotplug import Hotplug
from modemgw.port.opener import Connect
from modemgw.seams import Clock, Ids, SystemClock
from modemgw.store import integrity, keys, rescue, timebase, views
from modemgw.store.backup import DailyBackup
from modemgw.store.database import Database
from modemgw.store.errors import StoreError
from modemgw.store.events import Stamp
from modemgw.store.room import Room
from modemgw.webhooks.dispatcher import Dispatcher

if TYPE_CHECKING:
    from modemgw.emulator.lab import Lab

log = logging.getLogger(__name__)
EMULATOR = "emulator:"
_STOP_LIMIT_S = 200.0  # the longest answer of a network, and some


class CannotStart(Exception):
    """Why the gateway does not start, in one line."""


@dataclass(frozen=True, slots=True)
class Options:
    """How ``run`` was called. ``interactive``: somebody reads standard output, and gets the first key there."""

    simulate: int = 0
    simulate_if_empty: bool = False
    interactive: bool = False


async def run(config: Config, *, simulate: int = 0, simulate_if_empty: bool = False, interactive: bool = False) -> int:
    """Runs the gateway until SIGTERM or SIGINT; the exit code of ``modemgw run``."""
    options = Options(simulate, simulate_if_empty, interactive)
    try:
        async with AsyncExitStack() as stack:
            await _serve(config, options, stack)
    except (CannotStart, StoreError, server.CannotListen) as error:
        print(f"modemgw: {error}", file=sys.stderr)  # noqa: T201 - the one line that says why
        return 1
    return 0


async def _serve(config: Config, options: Options, stack: AsyncExitStack) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    state_dir = lock_state_dir(config.gateway.state_dir, stack)
    rng = random.SystemRandom()
    db, clock = await open_store(state_dir / "modemgw.db", rng, config.gateway.min_free_mb)
    stack.push_async_callback(db.close)
    ids = Ids(clock, rng, last=await db.read(views.newest_id))
    targets = config.webhook_targets()
    dispatcher = Dispatcher(db, clock, rng, targets)
    gateway = Gateway(Context(db, clock, ids, rng, gateway_settings(config), dispatcher.wake))
    await dispatcher.register()
    lab = add_modems(gateway, config, options, clock, rng)
    if lab is not None:
        print("No hardware: the modems are simulated, and no message leaves this machine.")  # noqa: T201
    await gateway.start()
    await _first_key(gateway, state_dir, options, clock)
    app = make_app(gateway, listen=config.http.listen, allowed_hosts=config.http.allowed_hosts)
    http = await server.serve(app, config.http.listen, control=state_dir / "control.sock")
    stack.push_async_callback(http.close)
    await _announce(http.urls, db, stack)
    tasks = [
        loop.create_task(gateway.run(), name="gateway"),
        loop.create_task(dispatcher.run(), name="webhooks"),
        loop.create_task(integrity.watch(db, state_dir / "modemgw.db"), name="integrity"),
        loop.create_task(DailyBackup(state_dir / "modemgw.db", clock).run(), name="backup"),
    ]
    finder = make_finder(gateway, config, stack)
    if finder is not None:
        tasks.append(loop.create_task(finder.run(), name="finder"))
    await _until_stopped(stopped, tasks)
    sdnotify.notify("STOPPING=1", "STATUS=waiting for the answers that are due")
    async with asyncio.timeout(_STOP_LIMIT_S):
        await gateway.stop()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def open_store(path: Path, rng: random.Random, min_free_mb: int = 64) -> tuple[Database, FlooredClock]:
    """The database, or its newest backup where it is damaged, and a clock that is never before what it holds."""
    system = SystemClock()
    ids = Ids(system, rng)
    db, _ = await rescue.open_or_restore(path, lambda: Stamp(system.wall_ms(), ids.new()))
    db.room = Room(path.parent, least=min_free_mb * 1024 * 1024)
    db.room.tend()
    last_ms = await db.read(timebase.last_ms)
    clock = FlooredClock(system, last_ms, synchronised=system.synchronised)
    if not clock.trusted():
        log.warning("The machine's clock can't be right: going on from the last time in the store until it is.")
    return db, clock


async def _until_stopped(stopped: asyncio.Event, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Returns on a signal; raises when a part that must always run has ended."""
    waiting = asyncio.ensure_future(stopped.wait())
    done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in tasks:
        if task in done:
            task.result()


def lock_state_dir(state_dir: Path, stack: AsyncExitStack | ExitStack) -> Path:
    """Makes and locks the state directory; CannotStart when another gateway has it."""
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotStart(f"The state directory {state_dir} can't be used: {error.strerror}.") from error
    stack.callback(os.close, lock)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(f"Another modemgw is running with the state directory {state_dir}.") from None
    os.umask(0o077)
    return state_dir


def gateway_settings(config: Config) -> GatewaySettings:
    """The configuration as the gateway takes it."""
    home = config.gateway.home_country
    return GatewaySettings(
        destinations=DestinationPolicy(home, config.policy.countries or (), config.policy.short_codes),
        daily_cap=config.policy.daily_cap,
        timezone=ZoneInfo(config.gateway.timezone) if config.gateway.timezone else _system_zone(),
        sims={
            sim.iccid: SimSettings(
                iccid=sim.iccid,
                name=sim.name,
                number=sim.number,
                roaming=sim.roaming,
                tags=sim.tags,
                per_hour=sim.per_hour,
                per_day=sim.per_day,
                per_month=sim.per_month,
                recipients_per_month=sim.recipients_per_month,
                month_starts_on=sim.month_starts_on,
                reserve=sim.reserve,
                min_gap_s=sim.min_gap_s,
                jitter_s=sim.jitter_s,
            )
            for sim in config.sims
        },
        routes=tuple(each.rule() for each in config.routes),
    )


def _system_zone() -> ZoneInfo:
    target = os.path.realpath("/etc/localtime")
    name = target.partition("/zoneinfo/")[2]
    try:
        return ZoneInfo(name) if name else ZoneInfo("UTC")
    except (OSError, ValueError, KeyError):
        return ZoneInfo("UTC")


def add_modems(gateway: Gateway, config: Config, options: Options, clock: Clock, rng: random.Random) -> "Lab | None":
    """The configured modems, and the simulated ones that were asked for; `make_finder` finds the others."""
    wanted = list(config.modem_settings())
    names = [each.port.removeprefix(EMULATOR) for each in wanted if each.port.startswith(EMULATOR)]
    none = not wanted and not discovery.find(search=config.gateway.search)
    count = options.simulate or (2 if options.simulate_if_empty and none else 0)
    for number in range(1, count + 1):
        names.append(f"simulated-{number}")
        wanted.append(ModemSettings(name=names[-1], port=EMULATOR + names[-1]))
    lab = _lab(names, clock, rng) if names else None
    for settings in wanted:
        simulated = settings.port.startswith(EMULATOR)
        gateway.fleet.add(settings, connect=_connector(lab) if simulated else None, simulated=simulated)
    return lab


def make_finder(gateway: Gateway, config: Config, stack: AsyncExitStack) -> Finder | None:
    """Who looks for modems without a port; without any ``[[modem]]`` for all, but not beside simulated ones."""
    lines = gateway.fleet.lines.values()
    if lines and all(line.modem.settings.port for line in lines):
        return None
    search = config.gateway.search
    changes = Hotplug(links=bool(search))
    stack.callback(changes.close)
    log.info("Looking for modems; what is plugged in later is %s.", changes.reason)
    template = None if config.modems else ModemSettings(name="found", port="", pins=config.pins())
    return Finder(gateway.fleet, changes, functools.partial(discovery.find, search=search), template=template)


def _lab(names: Sequence[str], clock: Clock, rng: random.Random) -> "Lab":
    from modemgw.emulator.lab import Lab  # noqa: PLC0415 - a box with real modems does not load it

    lab = Lab(clock, rng, latency=(0.2, 0.6), report_delay=(0.3, 1.0))
    for name in dict.fromkeys(names):
        lab.add(name)
    return lab


def _connector(lab: "Lab | None") -> Connect:
    from modemgw.emulator.transport import connect_port  # noqa: PLC0415 - as above

    assert lab is not None
    return functools.partial(_connect_simulated, lab, connect_port)


async def _connect_simulated(
    lab: "Lab",
    connect_port: Callable[["Lab", str, asyncio.Protocol], Awaitable[asyncio.Transport]],
    path: str,
    protocol: asyncio.Protocol,
) -> asyncio.Transport:
    return await connect_port(lab, path.removeprefix(EMULATOR), protocol)


async def _first_key(gateway: Gateway, state_dir: Path, options: Options, clock: Clock) -> None:
    """Makes the first API key: printed once to who started us by hand, else left in a file for the owner alone."""
    made = new_key(secrets.token_bytes)

    def unit(cur: sqlite3.Cursor) -> bool:
        if keys.all_keys(cur):
            return False
        keys.create(
            cur,
            id=gateway.context.ids.new(),
            name="first",
            prefix=made.prefix,
            digest=made.digest,
            scopes=("admin",),
            now_ms=clock.wall_ms(),
        )
        return True

    if not await gateway.db.write(unit):
        return
    if options.interactive:
        print(f"Your first API key, shown only this once: {made.text}", flush=True)  # noqa: T201
        return
    path = state_dir / "first-key"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(made.text + "\n")
    log.info("The first API key is in %s: move it to a safe place.", path)


async def _announce(urls: Sequence[str], db: Database, stack: AsyncExitStack) -> None:
    for url in urls:
        print(f"API: {url}/v1  page: {url}/docs", flush=True)  # noqa: T201
    sdnotify.notify("READY=1", "STATUS=running")
    interval = sdnotify.watchdog_interval()
    if interval is not None:
        beat = asyncio.get_running_loop().create_task(_beat(db, interval / 2), name="watchdog")
        stack.callback(beat.cancel)


async def _beat(db: Database, seconds: float) -> None:
    """Tells systemd that we live, as long as the loop turns and the store takes transactions."""
    while True:
        await db.write(lambda _: None)
        sdnotify.notify("WATCHDOG=1")
        await asyncio.sleep(seconds)
