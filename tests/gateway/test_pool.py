"""Two SIMs look for their next message at the same moment, in two threads: each message is for one of them."""

import asyncio
import random
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from modemgw.domain.sim import SimSettings
from modemgw.gateway.context import Context, GatewaySettings
from modemgw.gateway.pool import Pool
from modemgw.modem.facts import SimCard
from modemgw.seams import Ids, SystemClock
from modemgw.store import queue, specimen
from modemgw.store.database import Database


async def test_two_sims_that_look_at_once_get_different_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SystemClock()
    specimen.make(tmp_path / "m.db", 200, now_ms=clock.wall_ms(), waiting=0.5)
    db = await Database.open(tmp_path / "m.db")
    settings = GatewaySettings(sims={specimen.ICCID: SimSettings(iccid=specimen.ICCID, recipients_per_month=1000)})
    pool = Pool(Context(db, clock, Ids(clock, random.Random(1)), random.Random(1), settings))
    pool.join(1, SimCard(iccid=specimen.ICCID), lambda: None)
    pool.join(2, SimCard(iccid="8949020000000000002"), lambda: None)

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
    await db.close()
    assert looks[0] == looks[1], "both saw the same first message"
    chosen = {choice.outgoing.message_seq for choice in choices if choice.outgoing}
    assert len(chosen) == 2
    assert pool.leased == chosen
