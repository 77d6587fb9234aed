"""``modemgw bench`` with simulated modems: its command line, and that it measures what it says."""

import random
from pathlib import Path

import pytest

from modemgw.cli import main
from modemgw.cli.bench_rows import Store
from modemgw.seams import Ids, SystemClock
from modemgw.store import specimen, views
from modemgw.store.database import Database


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--only", "speed"], "there are rest-1, overhead"), (["--messages", "3"], "a median of fewer says nothing")],
)
def test_mistakes_are_one_line(capsys: pytest.CaptureFixture[str], options: list[str], words: str) -> None:
    assert main(["bench", *options]) == 2

    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert words in said.err


async def test_a_round_really_chooses_and_sends(tmp_path: Path) -> None:
    clock = SystemClock()
    specimen.make(tmp_path / "few.db", 200, now_ms=clock.wall_ms(), waiting=0.7)
    db = await Database.open(tmp_path / "few.db")
    store = Store(db, Ids(clock, random.SystemRandom(), last=await db.read(views.newest_id)), clock)

    async def waiting() -> int:
        return len((await db.read(lambda cur: views.messages(cur, limit=500, status="queued")))["items"])

    before = await waiting()
    await store.measure()

    assert before - await waiting() == 15
    assert 0 < store.choosing[0] < store.sending[0] < 1
    await db.close()
