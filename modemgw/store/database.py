"""Connections and transactions. The one place that knows how the database is opened and committed.

WAL with synchronous=FULL: what ``write`` returned is on disk, also after the plug was pulled. There is one writer
connection and one reader; a long search delays neither a commit nor the choice of what is sent next. Units of work are
plain functions of a cursor.

Group commit: all units that wait when the writer comes free share one ``BEGIN IMMEDIATE``, each in a savepoint of its
own, so that a unit that fails undoes only itself. Cancelling a caller never cancels its unit.

The loop never waits until something is written: every commit is made in the writer's thread, and so is all that takes
long. What a sender needs for each segment takes a quarter of a millisecond, nearly always of pages that are in memory,
and runs in the loop's own thread up to the commit.

A full disk: the whole group is undone, the ballast is given up, and the group is written once more; only when that
fails too do the callers hear of it, and try again later. A database that another process has locked is waited for.
"""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from modemgw.store import backup, integrity, migrate, transaction
from modemgw.store.connection import Connection, open_threaded
from modemgw.store.errors import StoreBroken, StoreCorrupt, StoreError, StoreFull
from modemgw.store.room import Room
from modemgw.store.transaction import LOCKED_MS, Outcome, Unit, translate

T = TypeVar("T")
log = logging.getLogger(__name__)

_LARGEST_GROUP = 64
# Of senders alone, while commits are quick: the first goes on while the next are written, so that SIMs that finished at
# once do not again. On a slow disk as many as wait: each has two seconds from the modem's prompt.
_SENDERS_GROUP = 4
_QUICK_S = 0.02
_CHECK_S = 1.0  # of the five seconds in which a big database must be sending again
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA wal_autocheckpoint = 1000",
    "PRAGMA journal_size_limit = 16777216",
    "PRAGMA cache_size = -2048",
)


class Database:
    """The store's door: ``await write(unit)`` and ``await read(query)``."""

    def __init__(self, writer: Connection, reader: Connection, *, checked: bool = True) -> None:
        self.room: Room | None = None
        self.checked = checked  # False: the file was too big to be checked whole at the start
        self._writer = writer
        self._reader = reader
        self._urgent: deque[_Work] = deque()
        self._waiting: deque[_Work] = deque()
        self._quick = True  # the last commit was
        self._wake = asyncio.Event()
        self._closing = False
        self._damage: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.get_running_loop().create_task(self._write_loop(), name="store-writer")

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        connect: Callable[[Path], Awaitable[Connection]] = open_threaded,
        synchronous: str = "FULL",
        check_s: float | None = _CHECK_S,
    ) -> "Database":
        """Opens, checks and upgrades the database at ``path``; raises StoreBroken (StoreCorrupt) with the reason.

        ``synchronous`` is FULL everywhere but in simulations, which keep no promise over a power cut. ``check_s``: for
        how long the file may be checked, None: to its end.
        """
        writer: Connection | None = None
        limit_s = None if integrity.is_suspect(path) else check_s
        try:
            writer = await connect(path)
            checked = await writer.run(lambda c: _prepare(c, path, synchronous, limit_s))
            reader = await connect(path)
            await reader.run(_prepare_reader)
        except sqlite3.Error as error:
            if writer is not None:
                await writer.close()
            if integrity.is_damage(error):
                raise StoreCorrupt(f"The database {path} is damaged and can't be used: {error}.") from error
            raise StoreBroken(f"The database {path} can't be used: {error}.") from error
        except StoreError:
            if writer is not None:
                await writer.close()
            raise
        if checked:
            integrity.clear(path)
        return cls(writer, reader, checked=checked)

    async def write(
        self, unit: Unit[T], *, urgent: bool = False, short: bool = False, then: Callable[[], None] = lambda: None
    ) -> T:
        """Runs ``unit`` in a durable transaction and returns what it returned.

        Raises what the unit raised (it changed nothing then), StoreFull when the disk is full. ``urgent`` units (the
        records of a send under way) go ahead of others. A ``short`` one needs a few rows that are in memory, and may
        run in the loop's own thread. ``then`` is called when it is on disk, whether or not the caller still waits.
        """
        if self._closing:
            raise StoreBroken("The store is closed.")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        (self._urgent if urgent else self._waiting).append(_Work(unit, future, short, then))
        self._wake.set()
        return await future  # a caller that is cancelled gives up its future, not its unit

    async def read(self, query: Unit[T], *, short: bool = False) -> T:
        """Runs a read-only ``query`` against what is committed, in a transaction of its own.

        A ``short`` one needs a few rows that are in memory, and may run in the loop's own thread. It never waits for
        one that is not, and may run beside it.
        """
        function = partial(transaction.read, query=query)
        connection = self._writer if short and not self._reader.idle else self._reader
        try:
            return connection.here(function) if short and connection.idle else await connection.run(function)
        except sqlite3.DatabaseError as error:
            failure = translate(error)
            self._notice(failure)
            if isinstance(failure, StoreError):
                raise failure from error
            raise StoreBroken(f"The database can't be read: {error}.") from error

    async def damage(self) -> None:
        """Waits for ever; raises StoreCorrupt once SQLite has found the file damaged."""
        await asyncio.shield(self._damage)

    def _notice(self, failure: Exception | None) -> None:
        if isinstance(failure, StoreCorrupt) and not self._damage.done():
            self._damage.set_exception(failure)
            self._damage.exception()  # nobody may be watching

    def require_room(self) -> None:
        """Raises StoreFull while there is too little room on the disk to begin anything new."""
        if self.room is not None:
            self.room.require()

    async def scrub(self) -> bool:
        """Empties the write-ahead log into the file, and with it what was deleted; False while a reader is in the way.

        Deleted content is overwritten in the file itself at once (secure_delete); old copies of it remain in the log.
        """
        return await self._writer.run(_checkpoint)

    async def close(self) -> None:
        """Writes what still waits, then closes both connections."""
        self._closing = True
        self._wake.set()
        await self._task
        await self._reader.close()
        await self._writer.close()

    async def _write_loop(self) -> None:
        while True:
            while not self._urgent and not self._waiting:
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
            await asyncio.sleep(0)  # what else this turn of the loop writes joins the group
            group = self._take()
            outcomes = await self._write([work.unit for work in group], short=all(work.short for work in group))
            for work, (value, failure) in zip(group, outcomes, strict=True):
                work.end(value, failure)

    async def _write(self, units: list[Unit[Any]], *, short: bool) -> list[Outcome]:
        failure: Exception | None = None
        for _ in range(2):
            try:
                outcomes = (
                    self._writer.here(partial(transaction.begin_unlocked, units=units))
                    if short and self._writer.idle
                    else None
                )
                if outcomes is None:
                    return await self._writer.run(partial(transaction.transact, units=units))
                now = asyncio.get_running_loop().time
                self._quick = await self._writer.run(partial(transaction.commit, now=now)) < _QUICK_S
                return outcomes
            except Exception as error:  # noqa: BLE001 - whatever it is, every waiting caller has to hear of it
                failure = translate(error)
            if not isinstance(failure, StoreFull) or self.room is None or not self.room.release():
                break
            log.error("The disk is full: the ballast is given up so that what is under way can be written.")
        self._notice(failure)
        return [(None, failure)] * len(units)

    def _take(self) -> list["_Work"]:
        group: list[_Work] = []
        largest = _SENDERS_GROUP if self._quick and not self._waiting else _LARGEST_GROUP
        for queue in (self._urgent, self._waiting):
            while queue and len(group) < largest:
                group.append(queue.popleft())
        return group


class _Work(NamedTuple):
    unit: Unit[Any]
    future: "asyncio.Future[Any]"
    short: bool
    then: Callable[[], None]

    def end(self, value: object, failure: Exception | None) -> None:
        if not self.future.done():  # else its caller was cancelled
            if failure is None:
                self.future.set_result(value)
            else:
                self.future.set_exception(failure)
        if failure is None:
            try:
                self.then()  # before the caller goes on, which is in a later turn of the loop
            except Exception:
                log.exception("what was written could not be told")  # and everything else is written all the same


def _prepare(connection: sqlite3.Connection, path: Path, synchronous: str, limit_s: float | None) -> bool:
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA busy_timeout = {LOCKED_MS}")
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    checked = integrity.check(connection, limit_s)
    version = migrate.version(connection)
    if 0 < version < migrate.newest():
        backup.before_upgrade(connection, path, version)
    migrate.upgrade(connection)
    return checked


def _checkpoint(connection: sqlite3.Connection) -> bool:
    connection.execute("PRAGMA busy_timeout = 0")  # commits must not wait with it for the end of a search
    busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return busy == 0


def _prepare_reader(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA busy_timeout = {LOCKED_MS}")
    connection.execute("PRAGMA cache_size = -2048")
