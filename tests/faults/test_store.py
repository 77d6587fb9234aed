"""A database that somebody else holds, that can't be written, and that takes a backup meanwhile."""

import asyncio
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from modemgw.store.connection import Connection, ThreadConnection
from modemgw.store.database import Database
from modemgw.store.errors import StoreBroken


@pytest.mark.parametrize("short", [False, True])
async def test_a_lock_of_somebody_else_is_waited_for_and_readers_go_on(tmp_path: Path, short: bool) -> None:
    path = tmp_path / "m.db"
    db = await Database.open(path)
    held = threading.Event()
    release = threading.Event()

    def hold() -> None:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        held.set()
        release.wait(10)
        other.rollback()
        other.close()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert await asyncio.to_thread(held.wait, 10)
        began = time.monotonic()
        write = asyncio.ensure_future(
            db.write(lambda cur: cur.execute("INSERT INTO modems (name) VALUES ('m')"), short=short)
        )
        await asyncio.sleep(0.1)  # it is tried meanwhile, and the loop goes on all the same
        assert await db.read(lambda cur: cur.execute("SELECT count(*) FROM modems").fetchone()[0]) == 0
        assert time.monotonic() - began < 2
        assert not write.done()
        release.set()
        await write
        assert await db.read(lambda cur: cur.execute("SELECT count(*) FROM modems").fetchone()[0]) == 1
    finally:
        release.set()
        holder.join()
        await db.close()


async def test_a_file_system_that_cannot_be_written_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    await (await Database.open(path)).close()

    async def read_only(where: Path) -> Connection:
        connection = ThreadConnection(
            lambda: sqlite3.connect(f"file:{where}?mode=ro", uri=True, isolation_level=None), 64
        )
        await connection
        return connection

    db = await Database.open(path, connect=read_only)
    with pytest.raises(StoreBroken, match="does not take writes"):
        await db.write(lambda cur: cur.execute("INSERT INTO modems (name) VALUES ('m')"))
    assert await db.read(lambda cur: cur.execute("SELECT count(*) FROM modems").fetchone()[0]) == 0
    await db.close()


async def test_a_place_where_no_database_can_be_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(StoreBroken, match=r"can't be used"):
        await Database.open(tmp_path / "nowhere" / "m.db")


def test_its_thread_is_done_before_the_loop_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    complaints = []
    monkeypatch.setattr(threading, "excepthook", complaints.append)

    async def open_nothing() -> None:
        with pytest.raises(StoreBroken):
            await Database.open(tmp_path / "nowhere" / "m.db")

    for _ in range(50):
        asyncio.run(open_nothing())
    assert complaints == []
