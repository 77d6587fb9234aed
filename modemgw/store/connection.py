"""One connection to the database: whole functions run on it, one after the other, in its thread or in the caller's.

A function in the thread never holds up the loop. One in the caller's own thread costs less than half of the processor
time, since two threads that take turns at every statement spend more on the turns than on the statements: it is for
what takes a fraction of a millisecond and does not wait for the disk.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import aiosqlite

T = TypeVar("T")
Function = Callable[[sqlite3.Connection], T]


class Connection(Protocol):
    """``idle``: nothing runs in its thread, and nothing waits for it."""

    @property
    def idle(self) -> bool: ...

    def here(self, function: Function[T]) -> T:
        """Runs ``function`` at once in the caller's thread; only while ``idle``."""

    async def run(self, function: Function[T]) -> T: ...

    async def close(self) -> None: ...


class ThreadConnection(aiosqlite.Connection):
    """aiosqlite's connection, whose thread runs a whole function instead of one statement.

    The connection that ``connector`` opens must not be bound to its thread (``check_same_thread=False``).
    """

    stopped: asyncio.Future[None] | None = None
    _given = 0  # counted by the loop
    _done = 0  # counted by the thread

    @property
    def idle(self) -> bool:
        return self._given == self._done

    def here(self, function: Function[T]) -> T:
        return function(self._conn)

    async def run(self, function: Function[T]) -> T:
        # aiosqlite has no public call for this; a test pins what we rely on.
        self._given += 1
        result: T = await self._execute(self._run, function)  # type: ignore[no-untyped-call]
        return result

    def _run(self, function: Function[T]) -> T:
        try:
            return function(self._conn)
        finally:
            self._done += 1

    async def close(self) -> None:
        self._given += 1  # never idle again: to use a connection while its thread closes it ends the process
        await super().close()

    def stop(self) -> "asyncio.Future[None] | None":
        self.stopped = super().stop()
        return self.stopped


async def open_threaded(path: Path) -> Connection:
    """A connection to ``path`` with a thread of its own (autocommit: transactions are ours)."""
    connection = ThreadConnection(lambda: sqlite3.connect(path, isolation_level=None, check_same_thread=False), 64)
    try:
        await connection
    except BaseException:
        if connection.stopped is not None:
            await connection.stopped  # the thread's last word must not come after the loop is closed
        raise
    return connection
