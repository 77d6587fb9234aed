"""Is the file a whole database? Looked at before anything is believed that stands in it.

``quick_check`` reads everything: a second for the database of a shop, half a minute for a million messages. So the
start gives it a limited time; a check that did not get through is made once more, whole, beside the running service
(``inspect``, on a connection of its own). Damage that is found only then, or by a query, leaves a mark beside the file,
and the next start takes all the time it needs: a box that is damaged starts late, a healthy one at once.
"""

import asyncio
import logging
import sqlite3
import threading
from pathlib import Path
from typing import Protocol

from modemgw.store.errors import StoreCorrupt

log = logging.getLogger(__name__)
_LATER_S = 60.0  # first the modems and what waits for them: both want the disk
# SQLITE_CORRUPT, SQLITE_NOTADB: the file itself is wrong, and trying again won't help.
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_damage(error: BaseException) -> bool:
    """True for an error that says that the file is damaged, as opposed to busy, full or unreadable."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in _DAMAGED


def check(connection: sqlite3.Connection, limit_s: float | None) -> bool:
    """Raises StoreCorrupt for a damaged database; False when ``limit_s`` (real seconds) was over before the end."""
    timer = threading.Timer(limit_s, connection.interrupt) if limit_s is not None else None
    if timer is not None:
        timer.daemon = True
        timer.start()
    try:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            raise StoreCorrupt(f"The database is damaged: {error}.") from error
        if timer is not None and error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return False
        raise
    finally:
        if timer is not None:
            timer.cancel()
    if found != "ok":
        raise StoreCorrupt(f"The database is damaged: {' '.join(str(found).split())}.")
    return True


async def inspect(path: Path) -> None:
    """A whole check beside the service; raises StoreCorrupt. Takes as long as it takes, and ends when cancelled."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    task = asyncio.ensure_future(asyncio.to_thread(_whole, connection))
    try:
        await asyncio.shield(task)
    finally:
        while not task.done():
            connection.interrupt()
            await asyncio.wait([task], timeout=0.1)
        task.exception()  # an interrupted check has nothing to say
        connection.close()


def _whole(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA busy_timeout = 5000")
    check(connection, None)


class Store(Protocol):
    """What is watched."""

    checked: bool

    async def damage(self) -> None: ...


async def watch(store: Store, path: Path) -> None:
    """Until cancelled; raises StoreCorrupt when damage is found, and sees to it that the next start looks closely."""
    try:
        if not store.checked:
            await asyncio.sleep(_LATER_S)
            await inspect(path)
            log.info("the whole database was checked and is good")
        await store.damage()
    except StoreCorrupt:
        mark_suspect(path)
        raise


def mark_suspect(path: Path) -> None:
    """Makes the next start check the whole file, however long that takes."""
    _mark(path).touch(mode=0o600)


def is_suspect(path: Path) -> bool:
    """True when damage was seen since the last start."""
    return _mark(path).exists()


def clear(path: Path) -> None:
    """The file was found good, or was replaced."""
    _mark(path).unlink(missing_ok=True)


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}.suspect")
