"""Which thread runs what: the loop waits neither for the disk nor for a search, and nor do the senders."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from support.numbers import insert, make_table, rows

from modemgw.store import transaction
from modemgw.store.connection import Connection, ThreadConnection
from modemgw.store.database import Database

T = TypeVar("T")


class CountingConnection(ThreadConnection):
    """Notes what runs in its thread."""

    def __init__(self, path: Path) -> None:
        super().__init__(lambda: sqlite3.connect(path, isolation_level=None, check_same_thread=False), 64)
        self.ran: list[str] = []
        self.slow_s = 0.0  # how much longer a commit takes

    async def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        self.ran.append(getattr(function, "func", function).__name__)
        return await super().run(function)

    def _run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        if self.slow_s and isinstance(function, partial) and function.func is transaction.commit:
            now, late = function.keywords["now"], iter((0.0, self.slow_s))
            function = partial(transaction.commit, now=lambda: now() + next(late))
        return super()._run(function)


@pytest.fixture
async def counted(tmp_path: Path) -> AsyncIterator[tuple[Database, list[CountingConnection]]]:
    connections: list[CountingConnection] = []

    async def connect(path: Path) -> Connection:
        connection = CountingConnection(path)
        await connection
        connections.append(connection)
        return connection

    db = await Database.open(tmp_path / "counted.db", connect=connect)
    await make_table(db)
    for each in connections:
        each.ran.clear()
    yield db, connections
    await db.close()


Counted = tuple[Database, list[CountingConnection]]


async def test_what_is_written_in_one_turn_of_the_loop_costs_one_commit(counted: Counted) -> None:
    db, (writer, _) = counted

    async def a_moment_later(x: int) -> None:
        await asyncio.sleep(0)
        await db.write(insert(x), urgent=True, short=True)

    await asyncio.gather(db.write(insert(0), urgent=True, short=True), *(a_moment_later(x) for x in range(1, 4)))
    assert writer.ran == ["commit"]
    assert await rows(db) == list(range(4))


async def test_many_senders_do_not_wait_for_the_last_of_them(counted: Counted) -> None:
    db, (writer, _) = counted
    done: list[int] = []

    async def write(x: int) -> None:
        await db.write(insert(x), urgent=True, short=True)
        done.append(len(writer.ran))

    await asyncio.gather(*(write(x) for x in range(8)))
    assert done[0] == 1, "the first goes on after the first commit"
    assert writer.ran == ["commit", "commit"]


async def test_on_a_slow_disk_all_senders_share_a_commit(counted: Counted) -> None:
    """A modem that has asked for its message waits two seconds for the commit, whoever else does."""
    db, (writer, _) = counted
    writer.slow_s = 0.05
    await db.write(insert(100), urgent=True, short=True)
    writer.ran.clear()
    await asyncio.gather(*(db.write(insert(x), urgent=True, short=True) for x in range(32)))
    assert writer.ran == ["commit"]
    writer.slow_s = 0.0
    await db.write(insert(101), urgent=True, short=True)
    writer.ran.clear()
    await asyncio.gather(*(db.write(insert(x), urgent=True, short=True) for x in range(32, 40)))
    assert writer.ran == ["commit", "commit"], "and not for ever"


async def test_news_that_can_not_be_told_harms_nothing(db: Database, caplog: pytest.LogCaptureFixture) -> None:
    await make_table(db)

    def fail() -> None:
        raise RuntimeError("nobody at home")

    assert await asyncio.gather(db.write(insert(1), then=fail), db.write(insert(2))) == [1, 1]
    assert await db.write(insert(3)) == 1
    assert "nobody at home" in caplog.text


def test_a_straggler_that_reads_while_it_is_closed_is_told_so(tmp_path: Path) -> None:
    """SQLite would take the whole process with it: so this is tried in one of its own."""
    script = """
import asyncio, sys
from pathlib import Path
from modemgw.store.database import Database
from modemgw.store.errors import StoreError

async def main():
    for number in range(200):
        db = await Database.open(Path(sys.argv[1]) / "a.db")
        closing = asyncio.ensure_future(db.close())
        while not closing.done():
            try:
                await db.read(lambda cur: cur.execute("SELECT count(*) FROM messages").fetchone(), short=True)
            except (StoreError, ValueError):
                pass
            await asyncio.sleep(0)
        await closing

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, (done.returncode, done.stderr)


async def test_only_what_is_short_runs_in_the_thread_of_the_loop(counted: Counted) -> None:
    db, (writer, reader) = counted

    def where(_: sqlite3.Cursor) -> bool:
        return threading.current_thread() is threading.main_thread()

    assert await db.write(where, short=True)
    assert writer.ran == ["commit"], "but never the commit, which waits for the disk"
    assert not await db.write(where, urgent=True)
    assert await asyncio.gather(db.write(where, short=True), db.write(where)) == [False, False]
    assert await db.read(where, short=True)
    assert reader.ran == []
    assert not await db.read(where)


@pytest.mark.parametrize("writing", [False, True])
async def test_a_short_read_waits_for_no_search(db: Database, writing: bool) -> None:
    searching, written, go_on = threading.Event(), threading.Event(), threading.Event()

    def long(began: threading.Event) -> Callable[[sqlite3.Cursor], bool]:
        def unit(_: sqlite3.Cursor) -> bool:
            began.set()
            return go_on.wait(10)

        return unit

    search = asyncio.ensure_future(db.read(long(searching)))
    assert await asyncio.to_thread(searching.wait, 10)
    gone = asyncio.ensure_future(db.read(lambda _: None))  # it waits for its turn, and then its caller is gone
    await asyncio.sleep(0)
    gone.cancel()
    if not writing:
        assert await db.read(lambda _: 2, short=True) == 2
        assert not search.done()
        assert await db.write(lambda _: 3, short=True) == 3
        go_on.set()
        assert await search
        assert await db.read(lambda _: threading.current_thread() is threading.main_thread(), short=True)
        return
    write = asyncio.ensure_future(db.write(long(written)))
    assert await asyncio.to_thread(written.wait, 10)
    read = asyncio.ensure_future(db.read(lambda _: 2, short=True))
    await asyncio.sleep(0.01)
    assert not read.done(), "nothing is free, and the loop goes on"
    go_on.set()
    assert await asyncio.gather(search, write, read) == [True, True, 2]


async def test_scrubbing_waits_for_no_search(db: Database) -> None:
    await make_table(db)
    searching, found = threading.Event(), threading.Event()

    def search(cur: sqlite3.Cursor) -> bool:
        cur.execute("SELECT x FROM t").fetchall()
        searching.set()
        return found.wait(10)

    running = asyncio.ensure_future(db.read(search))
    assert await asyncio.to_thread(searching.wait, 10)
    await db.write(insert(1))
    async with asyncio.timeout(2):
        assert not await db.scrub(), "another time"
        await db.write(insert(2))
    found.set()
    assert await running
    assert await db.scrub()
