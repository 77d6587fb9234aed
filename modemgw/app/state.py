"""The state directory: its lock, the database in it, and the first API key."""

import fcntl
import logging
import os
import random
import secrets
import sqlite3
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from modemgw.gateway.clock import FlooredClock
from modemgw.gateway.gateway import Gateway
from modemgw.http.keys import new_key
from modemgw.seams import Clock, Ids, SystemClock
from modemgw.store import keys, rescue, timebase
from modemgw.store.database import Database
from modemgw.store.events import Stamp
from modemgw.store.room import Room

log = logging.getLogger(__name__)


class CannotStart(Exception):
    """Why the gateway does not start, in one line."""


class AlreadyRunning(CannotStart):
    """Another gateway has the state directory."""


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
        raise AlreadyRunning(f"Another modemgw is running with the state directory {state_dir}.") from None
    os.umask(0o077)
    return state_dir


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


async def first_key(gateway: Gateway, state_dir: Path, clock: Clock, *, interactive: bool) -> None:
    """Makes the first API key: printed once to who started us by hand, else left in a file for the owner alone.

    It is in that file before it is good for anything: whatever happens then, it is not lost.
    """
    if await gateway.db.read(keys.all_keys):
        return
    made = new_key(secrets.token_bytes)
    path = state_dir / "first-key"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(made.text + "\n")

    def unit(cur: sqlite3.Cursor) -> None:
        keys.create(
            cur,
            id=gateway.context.ids.new(),
            name="first",
            prefix=made.prefix,
            digest=made.digest,
            scopes=("admin",),
            now_ms=clock.wall_ms(),
        )

    await gateway.db.write(unit)
    if interactive:
        print(f"Your first API key, shown only this once: {made.text}", flush=True)  # noqa: T201
        path.unlink()
        return
    log.info("The first API key is in %s: move it to a safe place.", path)
