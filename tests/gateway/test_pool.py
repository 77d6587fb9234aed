"""Two SIMs look for their next message at the same moment: each message is for one of them, and nobody waits."""

import asyncio
import random
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from modemgw.domain.sim import SimSettings
from modemgw.gateway.context import Context, GatewaySettings
from modemgw.gateway.pool import Pool
from modemgw.gateway.rest import Rest
from modemgw.modem.facts import SimCard
from modemgw.seams import Ids, SystemClock
from modemgw.store import queue, specimen
from modemgw.store.database import Database


def _pool(db: Database) -> Pool:
    """With two SIMs, of which the first has to count whom it writes to."""
    clock = SystemClock()
    settings = GatewaySettings(sims={specimen.ICCID: SimSettings(iccid=specimen.ICCID, recipients_per_month=1000)})
    pool = Pool(Context(db, clock, Ids(clock, random.Random(1)), random.Random(1), settings))
    pool.join(1, SimCard(iccid=specimen.ICCID), lambda: None)
    pool.join(2, SimCard(iccid="8949020000000000002"), lambda: None)
    return pool


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    specimen.make(tmp_path / "m.db", 200, now_ms=SystemClock().wall_ms(), waiting=0.5)
    database = await Database.open(tmp_path / "m.db")
    yield database
    await database.close()


async def test_two_sims_that_look_at_once_get_different_messages(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = _pool(db)
    both_have_looked = threading.Barrier(2, timeout=10)
    looks: list[int] = []
    real = queue.heads

    def heads(cur: sqlite3.Cursor, *arguments: Any) -> list[queue.Head]:
        found = real(cur, *arguments)
        looks.append(found[0].seq)
        if len(looks) <= 2:
            both_have_looked.wait()
        return found

    monkeypatch.setattr(queue, "heads", heads)
    choices = await asyncio.gather(pool.choose(1, None), pool.choose(2, None))  # the first has to count its recipients
    assert looks[0] == looks[1], "both saw the same first message"
    chosen = {choice.outgoing.message_seq for choice in choices if choice.outgoing}
    assert len(chosen) == 2
    assert pool.leased == chosen


async def test_a_look_that_takes_long_does_not_hold_up_the_loop(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = _pool(db)
    threads: list[threading.Thread] = []
    real = queue.heads

    def heads(cur: sqlite3.Cursor, *arguments: Any) -> list[queue.Head]:
        threads.append(threading.current_thread())
        return real(cur, *arguments)

    monkeypatch.setattr(queue, "heads", heads)
    await pool.choose(2, None)
    assert threads[-1] is threading.main_thread()

    def other_lines(cur: sqlite3.Cursor) -> None:
        """As when recipients of twenty-five countries know the first SIM, which comes first for them."""
        for number in range(25):
            line = queue.intern(cur, "k", f"+{number}", "", 1)
            cur.execute(
                "UPDATE messages SET line_id = ? WHERE seq = (SELECT max(seq) FROM messages "
                "WHERE ready = 1 AND sim_id IS NULL AND line_id NOT IN (SELECT line_id FROM lines WHERE sim_id = 1))",
                (line,),
            )

    await db.write(other_lines)
    await pool.choose(2, None)
    assert pool.members[2].lines > 20
    await pool.choose(2, None)
    assert threads[-1] is not threading.main_thread()
    await db.write(lambda cur: cur.execute("UPDATE messages SET ready = 0"))
    await pool.choose(2, None)
    await pool.choose(2, None)
    assert pool.members[2].lines == 0, "and it is back in the loop"


async def test_who_is_woken_while_he_looks_does_not_sleep_then(db: Database) -> None:
    pool = _pool(db)
    rest = Rest(pool._context, pool, 2)
    rest.wake.set()
    async with asyncio.timeout(5):
        await rest.until_woken()
