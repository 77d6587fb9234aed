"""Clocks that start in the past, jump by years, are set back: nothing ends before its time, nothing waits for years.

All in virtual time; ``offset_ms`` of the machine's clock is moved as a time server or a person would.
"""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from support.virtual import START_MS, VirtualClock
from support.virtually import virtual
from support.world import World

from modemgw.gateway.clock import FlooredClock
from modemgw.seams import BUILD_MS, SystemClock
from modemgw.store import timebase

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
YEAR_MS = 365 * DAY_MS


def at(ms: int) -> VirtualClock:
    """A machine whose clock shows ``ms`` now."""
    loop = asyncio.get_running_loop()
    return VirtualClock(loop, ms - round(loop.time() * 1000))


@virtual
async def test_a_machine_that_starts_in_the_past_goes_on_from_the_last_time_in_the_store() -> None:
    base = at(0)
    clock = FlooredClock(base, START_MS)
    await asyncio.sleep(90)
    assert clock.wall_ms() == START_MS + 90_001
    assert not clock.trusted()
    base.offset_ms += START_MS - 3 * DAY_MS  # set, but to a time that can't be
    assert clock.wall_ms() == START_MS + 90_001
    base.offset_ms += 5 * DAY_MS  # set to what can be right
    assert clock.wall_ms() == base.wall_ms() == START_MS + 2 * DAY_MS + 90_000
    assert clock.trusted()


@virtual
async def test_without_any_store_it_is_not_before_the_build() -> None:
    assert FlooredClock(at(0), 0).wall_ms() == BUILD_MS


@virtual
async def test_a_clock_that_is_right_is_taken_as_it_is() -> None:
    base = at(START_MS + HOUR_MS)
    clock = FlooredClock(base, START_MS)
    assert clock.wall_ms() == base.wall_ms()
    assert clock.trusted()
    base.offset_ms -= 2 * HOUR_MS
    assert clock.wall_ms() == base.wall_ms()  # somebody means it
    assert not clock.trusted()  # and it can't be: the store has seen later


@virtual
async def test_a_time_server_is_believed_even_against_the_store() -> None:
    base = at(START_MS)
    synchronised = [False]
    clock = FlooredClock(base, START_MS + 10 * YEAR_MS, synchronised=lambda: synchronised[0])
    assert clock.wall_ms() == START_MS + 10 * YEAR_MS + 1
    synchronised[0] = True
    assert clock.wall_ms() == START_MS
    assert clock.trusted()


@virtual
async def test_a_clock_that_catches_up_is_not_taken_back_for_it() -> None:
    """An isolated machine that lost forty minutes in a power cut: the store was nearer to the truth."""
    base = at(START_MS - 40 * 60_000)
    clock = FlooredClock(base, START_MS)
    seen = clock.wall_ms()
    for _ in range(12):
        await asyncio.sleep(600)
        assert clock.wall_ms() == seen + 600_000
        seen = clock.wall_ms()


def test_the_machines_own_clock_answers() -> None:
    clock = SystemClock()
    assert isinstance(clock.synchronised(), bool)
    assert clock.elapsed() > 0
    assert clock.trusted()


@virtual
async def test_a_start_in_1970_and_the_time_coming_later(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=1.0) as world:
        await world.registered()
        machine = world.clock
        before = await world.send("+4915551000100")
        await world.until_status(before, "delivered")
        world.device("a").sim.pin = None
        await world.gateway.disable("a")
        waiting = await world.send("+4915551000101", ttl_s=3 * 3600)
        await world.crash()
        # The power was away for an hour, and the clock with it.
        machine.offset_ms = -round(asyncio.get_running_loop().time() * 1000)
        machine.boot_id = "boot-2"
        machine.is_trusted = False
        await _start_floored(world, machine)
        assert world.gateway.context.clock.wall_ms() >= START_MS
        early = await world.send("+4915551000102", ttl_s=1800)
        code = await world.send("+4915551000103", class_="otp")
        await asyncio.sleep(1200)
        assert (await world.message(waiting))["status"] == "queued"
        machine.offset_ms += START_MS + HOUR_MS
        machine.is_trusted = True
        await asyncio.sleep(120)
        # Half an hour from when it was accepted is not over because the clock has learnt the time.
        assert (await world.message(early))["status"] == "queued"
        assert (await world.message(waiting))["status"] == "queued"
        assert (await world.message(code))["status"] == "expired"  # twenty minutes did pass
        created = (await world.message(early))["created_at"]
        assert created > (await world.message(waiting))["created_at"]
        await world.gateway.enable("a")
        for message in (early, waiting):
            await world.until_status(message, "delivered")
        assert [world.copies(f"+491555100010{n}") for n in range(4)] == [1, 1, 1, 0]


async def _start_floored(world: World, machine: VirtualClock) -> None:
    """As the service starts: the clock is never before what the store has seen."""
    connection = sqlite3.connect(world.path)
    world.clock = FlooredClock(machine, timebase.last_ms(connection.cursor()))  # type: ignore[assignment]
    connection.close()
    await world.start()


@pytest.mark.parametrize("jump_ms", [10 * YEAR_MS, -HOUR_MS, -5 * YEAR_MS, HOUR_MS])
def test_a_jump_while_running_hurts_no_wait(tmp_path: Path, jump_ms: int) -> None:
    virtual(_jump)(tmp_path, jump_ms)


async def _jump(tmp_path: Path, jump_ms: int) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=1.0) as world:
        await world.registered()
        refused = await world.send("+4915555099038")  # tried again after 1, 10 and 40 minutes
        await world.until(lambda: _tries(world, refused, 1))
        uncertain = await world.send("+4915559098001", class_="bulk", report=False)  # decided after two minutes
        await world.until_status(uncertain, "uncertain", within=300)
        await world.until(lambda: _tries(world, refused, 2), within=300)
        await world.gateway.disable("a")
        lasting = await world.send("+4915551000100", ttl_s=7200)
        short = await world.send("+4915551000101", ttl_s=900)
        world.clock.offset_ms += jump_ms
        jumped = asyncio.get_running_loop().time()
        await asyncio.sleep(300)
        assert (await world.message(lasting))["status"] == "queued"
        assert (await world.message(short))["status"] == "queued"
        assert await _tries(world, refused, 2)
        await world.until_status(uncertain, "unknown", within=120)
        await world.until_status(short, "expired", within=900)
        assert 600 <= asyncio.get_running_loop().time() - jumped <= 1000
        assert not await _tries(world, refused, 3)
        await world.gateway.enable("a")
        await world.until_status(lasting, "delivered", within=300)
        await world.until_status(refused, "failed", within=7200)
        assert world.copies("+4915551000100") == 1
        # What is old is not cleaned up by a clock that has just jumped.
        assert (await world.message(lasting))["text"] == "hello"
        await asyncio.sleep(7200)
        assert (await world.message(lasting))["text"] == "hello"


async def _tries(world: World, message: str, count: int) -> bool:
    steps: list[dict[str, Any]] = (await world.message(message))["timeline"]
    return sum(step["event"] == "refused" for step in steps) >= count


@virtual
async def test_a_time_that_the_client_named_stays(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=1.0) as world:
        await world.registered()
        when = world.clock.wall_ms() + 3 * HOUR_MS
        message = await world.send("+4915551000100", send_at_ms=when, ttl_s=600)
        world.clock.offset_ms += HOUR_MS
        await asyncio.sleep(7000)
        assert (await world.message(message))["status"] == "scheduled"
        await world.until_status(message, "delivered", within=400)
        assert abs(world.clock.wall_ms() - when) < 120_000


@virtual
async def test_what_was_spent_in_a_year_that_never_was_does_not_block_for_years(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=1.0, daily_cap=3) as world:
        await world.registered()
        world.clock.offset_ms += 10 * YEAR_MS
        await asyncio.sleep(120)
        for number in range(3):
            await world.until_status(await world.send(f"+491555100010{number}"), "delivered")
        await world.crash()
        world.clock.offset_ms -= 10 * YEAR_MS
        world.clock.boot_id = "boot-2"
        await world.start()
        await world.registered()
        message = await world.send("+4915551000110")
        await asyncio.sleep(600)
        assert (await world.message(message))["waiting_for"] == "daily_cap"
        await asyncio.sleep(86_400)
        await world.until_status(await world.send("+4915551000111"), "delivered", within=600)
