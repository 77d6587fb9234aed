"""``modemgw restore FILE``: puts a backup in place of the database. Only while the service is stopped.

What is replaced is moved aside, never deleted. Every message in the backup that was not over is held: it may have been
sent since, and only its owner can know.
"""

import argparse
import asyncio
import random
from contextlib import ExitStack
from pathlib import Path

from modemgw import app
from modemgw.cli import where
from modemgw.cli.stop import Stop
from modemgw.seams import Ids, SystemClock
from modemgw.store import backup, integrity, rescue
from modemgw.store.database import Database
from modemgw.store.errors import StoreError
from modemgw.store.events import Stamp


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="a file that `modemgw backup` or the service made")
    where.add_option(parser)


def run(args: argparse.Namespace) -> int:
    settings = where.load(args)
    source: Path = args.file
    if not source.is_file():
        raise Stop(f"there is no file {source}")
    try:
        with ExitStack() as stack:
            app.lock_state_dir(settings.gateway.state_dir, stack)
            try:
                moved, held = _restore(source, settings.gateway.database)
            finally:
                where.give_to_owner(settings.gateway.state_dir)
    except app.CannotStart as error:
        raise Stop(f"{error} Stop it first; nothing was changed.") from None
    except (StoreError, OSError) as error:
        raise Stop(f"not restored: {error}") from None
    if moved is not None:
        print(f"what was there before is {moved}")
    print(f"restored from {source}; {held} messages that were not over are held: release those not sent since")
    return 0


def _restore(source: Path, database: Path) -> tuple[Path | None, int]:
    backup.verify(source)
    clock = SystemClock()
    stamp = Stamp(clock.wall_ms(), Ids(clock, random.SystemRandom()).new())
    # Complete under another name first, so that a full disk leaves the old database where it is.
    ready = database.with_name(f"{database.name}.restored")
    backup.install(source, ready)
    held = asyncio.run(_hold(ready, stamp))
    moved = backup.set_aside(database, "replaced", stamp.now_ms)
    ready.rename(database)
    integrity.clear(database)
    return moved, held


async def _hold(path: Path, stamp: Stamp) -> int:
    database = await Database.open(path, check_s=None)
    try:
        return await database.write(lambda cur: rescue.hold_queue(cur, stamp))
    finally:
        await database.close()
