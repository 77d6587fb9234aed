"""Starts everything in order, reads the configuration again on SIGHUP, and stops everything in order.

Start: lock of the state directory -> database -> what a crash cut off -> modems -> webhooks -> first key -> HTTP.
Stop: nothing new is accepted or sent, the answers that are due are waited for, then everything is let go of.
"""

import asyncio
import logging
import random
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from modemgw import sdnotify
from modemgw.api.app import make_app
from modemgw.app import memory
from modemgw.app.modems import Options, add_modems, make_finder
from modemgw.app.reload import Reloader
from modemgw.app.settings import gateway_settings
from modemgw.app.state import CannotStart, first_key, lock_state_dir, open_store
from modemgw.config import Config
from modemgw.gateway.context import Context, GatewaySettings
from modemgw.gateway.gateway import Gateway
from modemgw.http import server
from modemgw.seams import Clock, Ids
from modemgw.store import integrity, views
from modemgw.store.backup import DailyBackup
from modemgw.store.database import Database
from modemgw.store.errors import StoreError
from modemgw.webhooks.dispatcher import Dispatcher

log = logging.getLogger(__name__)
_SETTLED_S = 3.0  # by then the modems are prepared
_STOP_LIMIT_S = 200.0  # the longest answer of a network, and some


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


@asynccontextmanager
async def without_api(config: Config) -> AsyncIterator[Gateway]:
    """The gateway at work for a command that uses it itself: no API, and no message of its own accord.

    Modems are made ready and received messages are stored, but nothing is sent before ``fleet.go()``. At the end the
    answers that are due are waited for. Raises CannotStart, StoreError.
    """
    async with AsyncExitStack() as stack:
        settings = replace(gateway_settings(config), heartbeat_s=0.0, alerts=None)
        works = await _build(config, settings, Options(), stack)
        works.gateway.fleet.held = True
        tasks = _begin(works, config, stack)
        try:
            yield works.gateway
        finally:
            await _end(works.gateway, tasks)


@dataclass(frozen=True, slots=True)
class _Works:
    """What there is once everything is built and the database is in order."""

    gateway: Gateway
    reloader: Reloader
    database: Path
    clock: Clock
    simulated: bool


async def _serve(config: Config, options: Options, stack: AsyncExitStack) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    works = await _build(config, gateway_settings(config), options, stack)
    gateway, state_dir = works.gateway, works.database.parent
    if works.simulated:
        print("No hardware: the modems are simulated, and no message leaves this machine.")  # noqa: T201
    await first_key(gateway, state_dir, works.clock, interactive=options.interactive)
    app = make_app(gateway, listen=config.http.listen, allowed_hosts=config.http.allowed_hosts)
    http = await server.serve(app, config.http.listen, control=state_dir / "control.sock")
    stack.push_async_callback(http.close)
    await _announce(http.urls, gateway.db, stack)
    tasks = _begin(works, config, stack)
    await _until_stopped(stopped, tasks)
    sdnotify.notify("STOPPING=1", "STATUS=waiting for the answers that are due")
    await _end(gateway, tasks)


async def _build(config: Config, settings: GatewaySettings, options: Options, stack: AsyncExitStack) -> _Works:
    memory.one_arena()
    state_dir = lock_state_dir(config.gateway.state_dir, stack)
    rng = random.SystemRandom()
    db, clock = await open_store(state_dir / "modemgw.db", rng, config.gateway.min_free_mb)
    stack.push_async_callback(db.close)
    ids = Ids(clock, rng, last=await db.read(views.newest_id))
    context = Context(db, clock, ids, rng, settings)
    gateway = Gateway(context)
    reloader = Reloader(gateway, config, lambda config: Dispatcher(db, clock, rng, config.webhook_targets()))
    context.on_announcement = reloader.wake
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reloader.hang_up)
    await reloader.register()
    lab = add_modems(gateway, config, options, clock, rng)
    await gateway.start()
    return _Works(gateway, reloader, state_dir / "modemgw.db", clock, simulated=lab is not None)


def _begin(works: _Works, config: Config, stack: AsyncExitStack) -> list[asyncio.Task[None]]:
    loop = asyncio.get_running_loop()
    tasks = [
        loop.create_task(works.gateway.run(), name="gateway"),
        loop.create_task(works.reloader.run(), name="webhooks"),
        loop.create_task(integrity.watch(works.gateway.db, works.database), name="integrity"),
        loop.create_task(DailyBackup(works.database, works.clock).run(), name="backup"),
    ]
    finder = make_finder(works.gateway, config, stack)
    if finder is not None:
        tasks.append(loop.create_task(finder.run(), name="finder"))
    loop.call_later(_SETTLED_S, memory.settle)
    return tasks


async def _end(gateway: Gateway, tasks: Sequence[asyncio.Task[None]]) -> None:
    async with asyncio.timeout(_STOP_LIMIT_S):
        await gateway.stop()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _until_stopped(stopped: asyncio.Event, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Returns on a signal; raises when a part that must always run has ended."""
    waiting = asyncio.ensure_future(stopped.wait())
    done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in tasks:
        if task in done:
            task.result()


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
