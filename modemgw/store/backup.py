"""Copies of the database: made beside the running service, checked, kept for a week; and the way back.

``VACUUM INTO`` on a connection of its own writes a whole, compact copy of one moment without stopping anybody. A copy
counts only when ``integrity_check`` has read all of it, it is on disk, and it has its final name. Nothing here ever
deletes a database: what is replaced is moved aside. Files are 0600, they hold messages and numbers.

| file | what it is |
|---|---|
| ``backups/modemgw-20261122T120000Z.db`` | a day's copy; seven are kept |
| ``backups/before-schema-3.db`` | the copy made before the schema was upgraded from version 3 |
| ``modemgw.db.corrupt-20261122T120000Z`` | a damaged database (with its ``-wal``), kept for whoever wants to look |
| ``modemgw.db.replaced-20261122T120000Z`` | what ``modemgw restore`` replaced |
"""

import asyncio
import logging
import os
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from modemgw.seams import Clock
from modemgw.store import migrate
from modemgw.store.errors import StoreBroken, StoreCorrupt, StoreError, StoreFull
from modemgw.store.room import LEAST, free_bytes

log = logging.getLogger(__name__)
KEPT = 7
DAY_MS = 86_400_000
_LOOK_S = 600.0
_SIDES = ("", "-wal", "-shm")


def directory(path: Path) -> Path:
    """Where the backups of the database at ``path`` are."""
    return path.parent / "backups"


def make(path: Path, target: Path) -> None:
    """Writes a checked copy of the database at ``path`` to ``target``, a new file; raises StoreError."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA busy_timeout = 5000")
        _copy(connection, target)
    finally:
        connection.close()


def before_upgrade(connection: sqlite3.Connection, path: Path, version: int) -> Path:
    """The copy to go back to when a new version is not wanted after all; raises StoreError, and nothing is upgraded."""
    target = _folder(path) / f"before-schema-{version}.db"
    target.unlink(missing_ok=True)  # of an upgrade that was cut off: the schema is still the old one
    _copy(connection, target)
    return target


def daily(path: Path, now_ms: int) -> Path:
    """Makes today's copy and forgets those beyond the newest seven; raises StoreError."""
    folder = _folder(path)
    size = sum(each.stat().st_size for each in (path, _side(path, "-wal")) if each.exists())
    if free_bytes(folder) < size + LEAST:
        raise StoreFull(f"There is no room for a backup of {size // 1048576} MB.")
    target = folder / f"modemgw-{_stamp(now_ms)}.db"
    if not target.exists():
        make(path, target)
    for old in ours(path)[KEPT:]:
        old.unlink(missing_ok=True)
    return target


def ours(path: Path) -> list[Path]:
    """The daily copies, newest first."""
    return sorted(directory(path).glob("modemgw-*Z.db"), key=lambda each: each.name, reverse=True)


def is_due(path: Path, now_ms: int) -> bool:
    """True when the newest copy is a day old, or from a time that has not come yet."""
    newest = next(iter(ours(path)), None)
    if newest is None:
        return True
    try:
        made = datetime.strptime(newest.name, "modemgw-%Y%m%dT%H%M%SZ.db").replace(tzinfo=UTC)
    except ValueError:
        return True
    return not 0 <= now_ms - int(made.timestamp() * 1000) < DAY_MS


def verify(path: Path) -> None:
    """Reads the whole file; raises StoreCorrupt unless it is a sound database of this program."""
    try:
        connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True)
    except sqlite3.Error as error:
        raise StoreCorrupt(f"{path} can't be read: {error}.") from error
    try:
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        version = migrate.version(connection)
        tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE name IN ('messages', 'segments')")
        known = tables.fetchone()[0] == 2
    except sqlite3.Error as error:
        raise StoreCorrupt(f"{path} is not a sound database: {error}.") from error
    finally:
        connection.close()
    if found != "ok":
        raise StoreCorrupt(f"{path} is damaged: {' '.join(str(found).split())}.")
    if not known or not 0 < version <= migrate.newest():
        raise StoreCorrupt(f"{path} is no database of this version of modemgw.")


def newest_good(path: Path) -> Path | None:
    """The newest copy that is sound, if there is any."""
    for each in ours(path):
        try:
            verify(each)
        except StoreCorrupt as error:
            log.error("a backup can't be used: %s", error)
        else:
            return each
    return None


def set_aside(path: Path, why: str, now_ms: int) -> Path | None:
    """Moves the database (with its log) out of the way as ``modemgw.db.<why>-<time>``; None when there is none."""
    moved = path.with_name(f"{path.name}.{why}-{_stamp(now_ms)}")
    number = 1
    while any(_side(moved, side).exists() for side in _SIDES):
        number += 1
        moved = path.with_name(f"{path.name}.{why}-{_stamp(now_ms)}.{number}")
    found = [side for side in _SIDES if _side(path, side).exists()]
    for side in found:
        _side(path, side).rename(_side(moved, side))
    _sync(path.parent)
    return moved if "" in found else None


def install(source: Path, path: Path) -> None:
    """Puts a copy of ``source`` at ``path``, where no database may be; raises StoreError, and there is none then."""
    part = path.with_name(f"{path.name}.part")
    try:
        with source.open("rb") as read, os.fdopen(os.open(part, _NEW, 0o600), "wb") as write:
            shutil.copyfileobj(read, write, 1024 * 1024)
            write.flush()
            os.fsync(write.fileno())
        part.rename(path)
        _sync(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StoreBroken(f"The backup {source} can't be put in place: {error.strerror}.") from error


class DailyBackup:
    """``run`` until cancelled: a copy a day, each tried again after ten minutes when it failed."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._complained = False

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            await self.look()

    async def look(self) -> Path | None:
        """Makes the copy if one is due; its file."""
        now_ms = self._clock.wall_ms()
        try:
            if not is_due(self._path, now_ms):
                return None
            made = await asyncio.to_thread(daily, self._path, now_ms)
        except (StoreError, OSError) as error:
            if not self._complained:
                log.error("no backup could be made: %s", error)
            self._complained = True
            return None
        self._complained = False
        log.info("backup made: %s", made.name)
        return made


_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    part = target.with_name(f"{target.name}.part")
    try:
        os.close(os.open(part, _NEW, 0o600))
        connection.execute("VACUUM INTO ?", (str(part),))
        verify(part)
        _sync(part)
        part.rename(target)
        _sync(target.parent)
    except (sqlite3.Error, OSError) as error:
        part.unlink(missing_ok=True)
        full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
        kind = StoreFull if full else StoreBroken
        raise kind(f"The backup {target} can't be written: {error}.") from error
    except StoreError:
        part.unlink(missing_ok=True)
        raise


def _folder(path: Path) -> Path:
    folder = directory(path)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreBroken(f"The folder {folder} can't be made: {error.strerror}.") from error
    return folder


def _side(path: Path, side: str) -> Path:
    return path.with_name(path.name + side)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _stamp(now_ms: int) -> str:
    return datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
