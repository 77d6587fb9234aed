"""Starts everything in order, reads the configuration again on SIGHUP, and stops everything in order.

Start: lock of the state directory -> database -> what a crash cut off -> modems -> webhooks -> first key -> HTTP.
Stop: nothing new is accepted or sent, the answers that are due are waited for, then everything is let go of.
"""

import asyncio
import logging
import random
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack

from modemgw import sdnotify
from modemgw.api.app import make_app
from modemgw.app import memory
from modemgw.app.modems import Options, add_modems, make_finder
from modemgw.app.reload import Reloader
from modemgw.app.settings import gateway_settings
from modemgw.app.state import CannotStart, first_key, lock_state_dir, open_store
from modemgw.config import Config
from modemgw.gateway.context import Context
from modemgw.gateway.gateway import Gateway
from modemgw.http import server
from modemgw.seams import Ids
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


async def _serve(config: Config, options: Options, stack: AsyncExitStack) -> None:
    loop = asyncio.get_running_loop()
    memory.one_arena()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    state_dir = lock_state_dir(config.gateway.state_dir, stack)
    rng = random.SystemRandom()
    db, clock = await open_store(state_dir / "modemgw.db", rng, config.gateway.min_free_mb)
    stack.push_async_callback(db.close)
    ids = Ids(clock, rng, last=await db.read(views.newest_id))
    context = Context(db, clock, ids, rng, gateway_settings(config))
    gateway = Gateway(context)
    reloader = Reloader(gateway, config, lambda config: Dispatcher(db, clock, rng, config.webhook_targets()))
    context.on_announcement = reloader.wake
    loop.add_signal_handler(signal.SIGHUP, reloader.hang_up)
    await reloader.register()
    lab = add_modems(gateway, config, options, clock, rng)
    if lab is not None:
        print("No hardware: the modems are simulated, and no message leaves this machine.")  # noqa: T201
    await gateway.start()
    await first_key(gateway, state_dir, clock, interactive=options.interactive)
    app = make_app(gateway, listen=config.http.listen, allowed_hosts=config.http.allowed_hosts)
    http = await server.serve(app, config.http.listen, control=state_dir / "control.sock")
    stack.push_async_callback(http.close)
    await _announce(http.urls, db, stack)
    tasks = [
        loop.create_task(gateway.run(), name="gateway"),
        loop.create_task(reloader.run(), name="webhooks"),
        loop.create_task(integrity.watch(db, state_dir / "modemgw.db"), name="integrity"),
        loop.create_task(DailyBackup(state_dir / "modemgw.db", clock).run(), name="backup"),
    ]
    finder = make_finder(gateway, config, stack)
    if finder is not None:
        tasks.append(loop.create_task(finder.run(), name="finder"))
    loop.call_later(_SETTLED_S, memory.settle)
    await _until_stopped(stopped, tasks)
    sdnotify.notify("STOPPING=1", "STATUS=waiting for the answers that are due")
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
