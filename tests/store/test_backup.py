"""Copies that can be trusted, and a damaged database that is replaced by one without sending anything twice."""

import asyncio
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from support.virtual import START_MS, VirtualClock

from modemgw.store import attempts, backup, integrity, migrate, outcomes, rescue, views
from modemgw.store.database import Database
from modemgw.store.errors import StoreBroken, StoreCorrupt
from modemgw.store.events import Stamp


def stamp() -> Stamp:
    return Stamp(START_MS, "01STAMP")


@pytest.fixture
def desk_of(desk: Any) -> Any:
    """A desk for another database."""
    return type(desk)


async def test_a_copy_is_whole_private_and_made_beside_the_writer(desk: Any, tmp_path: Path) -> None:
    first = await desk.accept()
    target = tmp_path / "copy.db"
    writing = asyncio.gather(*(desk.accept() for _ in range(200)))
    await asyncio.to_thread(backup.make, tmp_path / "test.db", target)
    await writing
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    backup.verify(target)
    connection = sqlite3.connect(target)
    assert connection.execute("SELECT count(*) FROM messages WHERE id = ?", (first,)).fetchone()[0] == 1
    connection.close()
    assert [each.name for each in tmp_path.iterdir() if "part" in each.name] == []


async def test_a_backup_that_can_not_be_written_leaves_nothing_behind(desk: Any, tmp_path: Path) -> None:
    with pytest.raises(StoreBroken, match="can't be written"):
        backup.make(tmp_path / "test.db", tmp_path / "nowhere" / "copy.db")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("content", [b"", b"no database at all" * 1000])
def test_what_is_no_database_of_ours_is_no_backup(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.db").write_bytes(content)
    with pytest.raises(StoreCorrupt):
        backup.verify(tmp_path / "x.db")


async def test_one_a_day_seven_kept(desk: Any, tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    clock = VirtualClock(asyncio.get_running_loop())
    daily = backup.DailyBackup(path, clock)
    for _ in range(10):
        assert await daily.look() is not None
        assert await daily.look() is None
        clock.offset_ms += backup.DAY_MS + 1000
    assert len(backup.ours(path)) == 7
    clock.offset_ms -= 3650 * backup.DAY_MS
    assert await daily.look() is not None  # a clock that was years ahead does not end the backups


async def test_a_broken_copy_is_passed_over(desk: Any, tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    good = backup.daily(path, START_MS)
    bad = backup.daily(path, START_MS + backup.DAY_MS)
    content = bytearray(bad.read_bytes())
    content[8192:12288] = b"\xff" * 4096
    bad.write_bytes(content)
    assert backup.newest_good(path) == good


async def test_before_an_upgrade_a_copy_of_the_old_schema_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    await (await Database.open(path)).close()
    assert not backup.directory(path).exists()  # a new file needs none
    old = migrate.newest()
    more = [*migrate.steps(), (old + 1, "CREATE TABLE extra (x INTEGER) STRICT;")]
    monkeypatch.setattr(migrate, "steps", lambda: more)
    await (await Database.open(path)).close()
    connection = sqlite3.connect(backup.directory(path) / f"before-schema-{old}.db")
    assert migrate.version(connection) == old
    connection.close()


async def _filled(path: Path, desk_of: Any) -> dict[str, str]:
    """A database with one message of each kind of waiting; id by what it is."""
    db = await Database.open(path)
    desk = desk_of(db)
    sim = await desk.sim()
    found = {}
    for what in ("submitting", "uncertain"):
        found[what] = await desk.accept(to=f"+49155510{len(what):05d}")
        await desk.intend(sim, what)
    problem = {"code": "no_answer", "text": "-", "retryable": False, "cms": None, "tp_status": None}
    await desk.do(lambda cur, s: outcomes.uncertain(cur, s, "uncertain", problem, s.now_ms + 60_000))
    found["queued"] = await desk.accept()
    found["scheduled"] = await desk.accept(send_at_ms=desk.now + 3_600_000)
    await db.close()
    return found


def _damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for page in range(4096, len(content), 8192):
        content[page : page + 4096] = b"\x5a" * 4096
    path.write_bytes(content)


async def _statuses(db: Database, ids: dict[str, str]) -> dict[str, str]:
    bodies = {what: await db.read(lambda cur, i=id_: views.message(cur, i)) for what, id_ in ids.items()}
    return {what: body["status"] if body else "lost" for what, body in bodies.items()}


@pytest.mark.parametrize("harm", ["pages", "header", "emptied"])
async def test_a_damaged_database_is_moved_aside_and_nothing_in_its_backup_is_sent_by_itself(
    tmp_path: Path, desk_of: Any, harm: str
) -> None:
    path = tmp_path / "modemgw.db"
    ids = await _filled(path, desk_of)
    backup.daily(path, START_MS)
    if harm == "pages":
        _damage(path)
    else:
        path.write_bytes(b"" if harm == "emptied" else b"x" * 100 + path.read_bytes()[100:])
    damaged = path.read_bytes()
    db, restored = await rescue.open_or_restore(path, stamp)
    assert restored is not None
    assert restored.moved_to.read_bytes() == damaged
    assert restored.moved_to.name.startswith("modemgw.db.corrupt-2026")
    assert await _statuses(db, ids) == {
        "submitting": "unknown", "uncertain": "unknown", "queued": "held", "scheduled": "held",
    }  # fmt: skip
    assert restored.held == 2
    assert await db.read(attempts.cut_off) == []
    types = await db.read(lambda cur: [row[0] for row in cur.execute("SELECT type FROM events ORDER BY seq")])
    assert types[-1] == "store.restored"
    assert types.count("message.held") == 2
    await db.close()
    # And the next start is an ordinary one.
    db, again = await rescue.open_or_restore(path, stamp)
    assert again is None
    await db.close()


async def test_without_a_backup_nothing_is_touched_and_it_is_said_what_to_do(tmp_path: Path, desk_of: Any) -> None:
    path = tmp_path / "modemgw.db"
    await _filled(path, desk_of)
    _damage(path)
    before = {each.name: each.read_bytes() for each in tmp_path.glob("modemgw.db*")}
    with pytest.raises(StoreCorrupt, match=r"damaged.*modemgw restore FILE.*start empty"):
        await rescue.open_or_restore(path, stamp)
    after = {each.name: each.read_bytes() for each in tmp_path.glob("modemgw.db*") if each.suffix == ".db"}
    assert after == before


async def test_damage_found_while_running_ends_the_service_and_makes_the_next_start_look_closely(
    tmp_path: Path, desk_of: Any
) -> None:
    path = tmp_path / "modemgw.db"
    await _filled(path, desk_of)
    db = await Database.open(path)
    watch = asyncio.ensure_future(integrity.watch(db, path))
    failure = sqlite3.DatabaseError("database disk image is malformed")
    failure.sqlite_errorcode = sqlite3.SQLITE_CORRUPT  # type: ignore[attr-defined]

    def unlucky(cur: sqlite3.Cursor) -> None:
        raise failure

    with pytest.raises(StoreCorrupt):
        await db.write(unlucky)
    with pytest.raises(StoreCorrupt):
        await asyncio.wait_for(watch, 5)
    await db.close()
    assert integrity.is_suspect(path)
    db = await Database.open(path, check_s=0.0)  # which is not what it gets
    assert db.checked
    assert not integrity.is_suspect(path)
    await db.close()


async def test_a_file_too_big_for_the_start_is_checked_beside_the_service(tmp_path: Path, desk_of: Any) -> None:
    path = tmp_path / "modemgw.db"
    await _filled(path, desk_of)
    db = await Database.open(path)
    db.checked = False
    watch = asyncio.ensure_future(integrity.watch(db, path))
    await integrity.inspect(path)
    assert not watch.done()
    watch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watch
    await db.close()
    _damage(path)
    with pytest.raises(StoreCorrupt):
        await integrity.inspect(path)


async def test_a_database_locked_by_another_process_is_waited_for(desk: Any, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "test.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.ensure_future(desk.accept())
    await asyncio.sleep(0.3)
    assert not waiting.done()
    ticks = 0
    for _ in range(20):
        await asyncio.sleep(0.01)  # the loop turns meanwhile
        ticks += 1
    other.execute("COMMIT")
    message = await waiting
    assert ticks == 20
    assert (await desk.db.read(lambda cur: views.message(cur, message)))["status"] == "queued"
    other.close()
