"""What ``write`` returned is on disk; a unit that fails undoes only itself; a cancelled caller loses nothing."""

import asyncio
import contextlib
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from support.numbers import insert, make_table, rows

from modemgw.domain.states import ATTEMPT_STATES, MESSAGE_STATUSES, SEGMENT_STATES
from modemgw.store import migrate
from modemgw.store.connection import Connection, ThreadConnection
from modemgw.store.database import Database
from modemgw.store.errors import StoreBroken


async def test_a_unit_that_fails_undoes_itself_and_not_its_neighbours(db: Database) -> None:
    await make_table(db)

    def halfway(cur: sqlite3.Cursor) -> None:
        cur.execute("INSERT INTO t VALUES (50)")
        raise RuntimeError("halfway")

    results = await asyncio.gather(
        db.write(insert(1)), db.write(halfway), db.write(insert(2)), db.write(insert(1)), return_exceptions=True
    )
    assert results[0] == results[2] == 1
    assert isinstance(results[1], RuntimeError)
    assert isinstance(results[3], sqlite3.IntegrityError)
    assert await rows(db) == [1, 2]


async def test_a_cancelled_caller_does_not_cancel_its_unit(db: Database) -> None:
    await make_table(db)
    task = asyncio.ensure_future(db.write(insert(7)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await db.write(insert(8))
    assert await rows(db) == [7, 8]


async def test_many_callers_share_commits_and_urgent_units_go_first(db: Database) -> None:
    await make_table(db)
    order: list[int] = []

    def note(x: int):  # type: ignore[no-untyped-def]
        return lambda cur: order.append(x)

    first = asyncio.ensure_future(db.write(note(0)))
    rest = [asyncio.ensure_future(db.write(note(x))) for x in range(1, 200)]
    urgent = asyncio.ensure_future(db.write(note(1000), urgent=True))
    await asyncio.gather(first, *rest, urgent)
    assert order.index(1000) <= 1
    assert [x for x in order if x != 1000] == list(range(200))


async def test_news_is_told_once_it_is_on_disk_and_of_nothing_that_failed(db: Database, tmp_path: Path) -> None:
    await make_table(db)
    seen: list[list[int]] = []

    def look() -> None:
        with contextlib.closing(sqlite3.connect(tmp_path / "test.db")) as other:
            seen.append([row[0] for row in other.execute("SELECT x FROM t ORDER BY x")])

    await db.write(insert(1), then=look)
    assert seen == [[1]]
    with pytest.raises(sqlite3.IntegrityError):
        await db.write(insert(1), then=look)
    assert seen == [[1]]
    gone = asyncio.ensure_future(db.write(insert(2), urgent=True, then=look))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    await db.write(lambda cur: None)
    assert seen == [[1], [1, 2]], "also where the caller no longer waits"


async def test_a_commit_that_fails_leaves_nothing_half_done(tmp_path: Path) -> None:
    """What ran in the loop's thread is undone with the rest, and the next transaction can begin."""
    refuse = [False]

    class Refusing(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if refuse[0] and sql == "COMMIT":
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(sql, *parameters)

    async def connect(path: Path) -> Connection:
        connection = ThreadConnection(
            lambda: sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Refusing), 64
        )
        await connection
        return connection

    db = await Database.open(tmp_path / "a.db", connect=connect)
    await make_table(db)
    for short in (True, False):
        refuse[0] = True
        told: list[int] = []
        with pytest.raises(StoreBroken, match="disk I/O error"):
            await db.write(insert(1), short=short, then=lambda told=told: told.append(1))
        assert not told
        refuse[0] = False
        assert await rows(db) == []
    await db.write(insert(2), short=True)
    assert await rows(db) == [2]
    await db.close()


async def test_what_was_written_is_there_after_close_and_open(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    db = await Database.open(path)
    await make_table(db)
    last = asyncio.ensure_future(db.write(insert(3)))
    await asyncio.sleep(0)
    await db.close()
    await last
    again = await Database.open(path)
    assert await rows(again) == [3]
    await again.close()


async def test_it_commits_durably(db: Database) -> None:
    mode, synchronous = await db.write(
        lambda cur: (
            cur.execute("PRAGMA journal_mode").fetchone()[0],
            cur.execute("PRAGMA synchronous").fetchone()[0],
        )
    )
    assert (mode, synchronous) == ("wal", 2)


async def test_the_reader_cannot_write(db: Database) -> None:
    with pytest.raises(StoreBroken):
        await db.read(lambda cur: cur.execute("DELETE FROM messages"))


async def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"this is not a database, it is a letter" * 100)
    with pytest.raises(StoreBroken, match="can't be used"):
        await Database.open(path)
    assert path.read_bytes().startswith(b"this is not")


async def test_a_damaged_page_is_found_at_start(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    db = await Database.open(path)
    await make_table(db)
    await db.write(lambda cur: cur.executemany("INSERT INTO t VALUES (?)", [(x,) for x in range(5000)]))
    await db.close()
    content = bytearray(path.read_bytes())
    content[4096:8192] = bytes(4096)
    path.write_bytes(content)
    with pytest.raises(StoreBroken):
        await Database.open(path)


async def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    db = await Database.open(path)
    await db.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreBroken, match="newer version"):
        await Database.open(path)


def test_an_upgrade_that_is_cut_off_leaves_the_old_schema_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    steps = migrate.steps()
    newest = steps[-1][0]
    good = [*steps, (newest + 1, "CREATE TABLE extra (x); CREATE TABLE extra (x);")]
    monkeypatch.setattr(migrate, "steps", lambda: good)
    with pytest.raises(sqlite3.OperationalError):
        migrate.upgrade(connection)
    connection.rollback()
    assert connection.execute("PRAGMA user_version").fetchone()[0] == newest
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'extra'").fetchone()[0] == 0
    connection.close()


@pytest.mark.parametrize(
    ("table", "column", "words"),
    [
        ("messages", "status", MESSAGE_STATUSES),
        ("segments", "state", SEGMENT_STATES),
        ("attempts", "state", ATTEMPT_STATES),
    ],
)
async def test_the_schema_allows_exactly_the_states_of_the_tables(
    db: Database, table: str, column: str, words: tuple[str, ...]
) -> None:
    sql = await db.read(lambda cur: cur.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0])
    check = sql.partition(f"CHECK ({column} = ")[2].partition(")")[0]
    assert set(re.split(rf"\s+OR\s+{column} = ", check)) == {f"'{word}'" for word in words}


async def test_a_state_that_is_none_is_refused(db: Database) -> None:
    """Also after the text of the schema was changed in place: its CHECKs are still those that SQLite goes by."""

    def unit(cur: sqlite3.Cursor) -> None:
        cur.execute("INSERT INTO webhook_targets (target_id, url, events) VALUES ('t', 'u', '[]')")
        cur.execute("INSERT INTO events (id, type, at_ms, data) VALUES ('e', 'x', 1, '{}')")
        cur.execute("INSERT INTO deliveries (target_id, event_seq, state, due_ms) VALUES ('t', 1, 'dead', 1)")
        cur.execute("UPDATE deliveries SET state = 'lost'")

    with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed: state = 'pending'"):
        await db.write(unit)


def test_no_check_is_a_list_that_sqlite_would_build_for_every_row(tmp_path: Path) -> None:
    """A list of more than two; it cost a third of all writing."""
    connection = sqlite3.connect(tmp_path / "m.db", isolation_level=None)
    migrate.upgrade(connection)
    schema = " ".join(row[0] for row in connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"))
    assert [found for found in re.findall(r"\w+ IN \(([^)]*)\)", schema) if found.count(",") > 1] == []
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
