"""A clock that begins in the past or jumps by an hour or by decades: what waits, waits as long as it should."""

import asyncio
import itertools
from pathlib import Path

import pytest
from support.virtual import START_MS
from support.virtually import virtual
from support.world import World

OUTSIDE = "+4915559000001"
HOUR_MS, YEAR_MS = 3_600_000, 365 * 86_400_000
JUMPS = (-HOUR_MS, HOUR_MS, -30 * YEAR_MS, 30 * YEAR_MS, 5_000, -5_000)


@pytest.mark.parametrize("by_ms", JUMPS)
@virtual
async def test_nothing_expires_early_or_lives_longer(tmp_path: Path, by_ms: int) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        world.device("a").unplug()
        await world.until(lambda: world.gateway.fleet.lines["a"].sender is None, 300)
        began = asyncio.get_running_loop().time()
        message = await world.send(OUTSIDE, ttl_s=7200)
        await asyncio.sleep(1800)
        world.clock.offset_ms += by_ms
        await asyncio.sleep(3600)
        assert (await world.message(message))["status"] == "queued"
        await world.until_status(message, "expired", within=3000)
        assert 7199 <= asyncio.get_running_loop().time() - began <= 7280


@pytest.mark.parametrize("by_ms", JUMPS)
@virtual
async def test_no_retry_comes_before_its_time_and_none_much_later(tmp_path: Path, by_ms: int) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=1.0) as world:
        await world.registered()
        loop = asyncio.get_running_loop()
        tries: list[float] = []
        world.device("a").on_submit_byte = lambda *_: tries.append(loop.time())
        await world.send("+4915559099042", ttl_s=86_400)  # congestion: again after 30 s, 2, 10, 30, 60 minutes
        for count in range(1, 6):
            await world.until(lambda count=count: len(tries) == count, within=5000)  # type: ignore[misc]
            await asyncio.sleep(3)
            world.clock.offset_ms += by_ms if count % 2 else -by_ms
        gaps = [later - earlier for earlier, later in itertools.pairwise(tries)]
        for gap, wanted in zip(gaps, (30, 120, 600, 1800), strict=True):
            assert wanted <= gap <= wanted + 75


@virtual
async def test_a_start_in_1970_is_no_reason_to_expire_or_repeat_anything_when_the_time_comes(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, start=False) as world:
        world.clock.offset_ms, world.clock.is_trusted = 60_000, False
        await world.start()
        await world.registered()
        world.device("a").unplug()
        await world.until(lambda: world.gateway.fleet.lines["a"].sender is None, 300)
        message = await world.send(OUTSIDE, ttl_s=7200)
        await asyncio.sleep(600)
        world.clock.offset_ms, world.clock.is_trusted = START_MS, True
        await asyncio.sleep(600)
        body = await world.message(message)
        assert (body["status"], body["created_at"][:4]) == ("queued", "2026")
        world.device("a").plug()
        await world.until_status(message, "delivered")
        assert world.copies(OUTSIDE) == 1


@virtual
async def test_a_time_that_the_client_gave_is_no_duration(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        at_eight = START_MS + 2 * HOUR_MS
        message = await world.send(OUTSIDE, send_at_ms=at_eight)
        world.clock.offset_ms += HOUR_MS
        await asyncio.sleep(3000)
        assert (await world.message(message))["status"] == "scheduled"
        await world.until_status(message, "delivered", within=700)
        assert world.clock.wall_ms() >= at_eight


@virtual
async def test_the_step_is_noticed_also_when_it_came_while_we_were_down(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        world.device("a").unplug()
        await world.until(lambda: world.gateway.fleet.lines["a"].sender is None, 300)
        message = await world.send(OUTSIDE, ttl_s=7200)
        await world.crash()
        world.clock.offset_ms += 5 * HOUR_MS
        await world.start()
        await asyncio.sleep(3600)
        assert (await world.message(message))["status"] == "queued"
        await world.until_status(message, "expired", within=4000)


@virtual
async def test_another_boot_begins_a_reckoning_of_its_own(tmp_path: Path) -> None:
    """The time that the machine was off counts."""
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        world.device("a").unplug()
        await world.until(lambda: world.gateway.fleet.lines["a"].sender is None, 300)
        message = await world.send(OUTSIDE, ttl_s=7200)
        await world.crash()
        world.clock.boot_id = "boot-2"
        world.clock.offset_ms += 5 * HOUR_MS
        await world.start()
        await world.until_status(message, "expired", within=60)


@virtual
async def test_messages_stay_in_the_order_of_their_arrival_over_a_clock_that_goes_back(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=1.0) as world:
        await world.registered()
        first = [await world.send(f"+49155590{n:05d}") for n in range(3)]
        world.clock.offset_ms -= HOUR_MS
        ids = first + [await world.send(f"+49155591{n:05d}") for n in range(3)]
        assert ids == sorted(ids)
        for message in ids:
            await world.until_status(message, "delivered", within=300)
        order = [entry.number for entry in world.lab.network.ledger]
        assert order == [f"+49155590{n:05d}" for n in range(3)] + [f"+49155591{n:05d}" for n in range(3)]


@virtual
async def test_the_daily_fuse_does_not_forget_over_a_step(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=1.0, daily_cap=3) as world:
        await world.registered()
        for number in range(3):
            await world.until_status(await world.send(f"+49155590{number:05d}", report=False), "sent")
        world.clock.offset_ms += 2 * HOUR_MS
        held = await world.send(OUTSIDE)
        await asyncio.sleep(900)
        assert (await world.message(held))["waiting_for"] == "daily_cap"
        assert len(world.lab.network.ledger) == 3
