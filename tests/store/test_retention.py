"""What is over is blanked after a month and gone after a year, in small steps; what was erased is in no file."""

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support.virtually import virtual
from support.world import World

from modemgw.store import retention, views
from modemgw.store.database import Database

DAY = retention.DAY_MS


async def _clean(db: Database, now_ms: int) -> None:
    for step in retention.STEPS:
        while await db.write(lambda cur, step=step: step(cur, now_ms)):
            pass


async def test_bodies_go_after_a_month_messages_after_a_year_and_what_waits_stays(desk: Any) -> None:
    ended, waits = await desk.accept(to="+4915551000002"), await desk.accept(to="+4915551000003")
    await desk.db.write(lambda cur: cur.execute("UPDATE messages SET status = 'delivered' WHERE id = ?", (ended,)))

    async def texts() -> list[str | None]:
        bodies = [await desk.db.read(lambda cur, i=each: views.message(cur, i)) for each in (ended, waits)]
        return [body["text"] if body else None for body in bodies]

    await _clean(desk.db, desk.now + 29 * DAY)
    assert await texts() == ["hello", "hello"]
    await _clean(desk.db, desk.now + 31 * DAY)
    assert await texts() == [None, "hello"]
    assert (await desk.db.read(lambda cur: views.message(cur, ended, full=True)))["timeline"]
    await _clean(desk.db, desk.now + 366 * DAY)
    assert await desk.db.read(lambda cur: views.message(cur, ended)) is None
    assert (await desk.db.read(lambda cur: views.message(cur, waits)))["status"] == "queued"


async def test_the_clean_up_of_years_goes_in_small_steps(desk: Any) -> None:
    """However much has piled up, nobody waits for the writer longer than for one step."""
    for _ in range(30):
        await asyncio.gather(*(desk.accept() for _ in range(100)))
    await desk.db.write(lambda cur: cur.execute("UPDATE messages SET status = 'delivered', ready = 0"))
    now_ms = desk.now + 400 * DAY
    longest = 0.0
    steps = 0
    for step in retention.STEPS:
        done = 1
        while done:
            began = time.perf_counter()
            done = await desk.db.write(lambda cur, step=step: step(cur, now_ms))
            longest = max(longest, time.perf_counter() - began)
            assert done <= retention.LIMIT
            steps += 1
    assert await desk.db.read(lambda cur: cur.execute("SELECT count(*) FROM messages").fetchone()[0]) == 0
    assert steps > 30
    assert longest < 2.0  # some tens of milliseconds on an idle machine


def _marks(number: str, text: str) -> Iterator[bytes]:
    """How a number and a text may stand in the files: as text, and in the octets of a PDU."""
    digits = number.lstrip("+")
    padded = digits + "F" * (len(digits) % 2)
    swapped = "".join(padded[i + 1] + padded[i] for i in range(0, len(padded), 2))
    yield digits.encode()
    yield swapped.encode()
    yield bytes.fromhex(swapped.replace("F", "f"))
    yield text.encode()
    yield text.encode("utf-16-be").hex().upper().encode()


@virtual
async def test_what_was_erased_is_in_no_file_any_more(tmp_path: Path) -> None:
    rng = random.Random(5)
    secret_to, secret_from = "+4915557654321", "+4915557123456"
    words = "Пароль: kryptonite"  # in UCS-2, so that it stands in the raw PDU octet by octet
    async with World.of(tmp_path / "w.db", modems=2, latency=0.5) as world:
        await world.registered()

        async def others(count: int) -> None:
            for _ in range(count):
                number = f"+491555{rng.randrange(8_000_000, 8_999_999)}"
                await world.send(number, "x" * rng.randrange(1, 300))
                world.lab.network.deliver_from_outside(number, world.device("b"), "y" * rng.randrange(1, 300))

        await others(20)
        sent = await world.send(secret_to, words * 3)
        world.lab.network.deliver_from_outside(secret_from, world.device("a"), words * 6)
        await others(20)
        await world.until_status(sent, "delivered", within=3600)
        received = await world.until(lambda: _from(world, secret_from), within=600)
        await asyncio.sleep(3600)
        assert any(_found(tmp_path, mark) for mark in _marks(secret_to, words))
        assert any(_found(tmp_path, mark) for mark in _marks(secret_from, words))
        await world.gateway.erase(sent)
        await world.gateway.erase(received)
        found = [
            mark for number in (secret_to, secret_from) for mark in _marks(number, words) if _found(tmp_path, mark)
        ]
        assert found == []
        assert await world.query("PRAGMA integrity_check") == [("ok",)]
        assert len(await world.inbox()) == 40


async def _from(world: World, number: str) -> str | None:
    return next((each["id"] for each in await world.inbox() if each["from"] == number and each["complete"]), None)


def _found(folder: Path, mark: bytes) -> list[str]:
    return [each.name for each in folder.iterdir() if each.is_file() and mark in each.read_bytes()]
