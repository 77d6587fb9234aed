"""The limits of a SIM's plan: what they hold back, whom they announce it to, and when they let go."""

import asyncio
import dataclasses
import itertools
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support.virtually import virtual
from support.world import World

from modemgw.domain import period
from modemgw.domain.sim import SimSettings
from modemgw.gateway.limits import Window, forecast, judge

BERLIN = ZoneInfo("Europe/Berlin")
HOUR_MS = 3_600_000
LIMITS = ("per_hour", "per_day", "per_month")


def ms(*when: int, zone: Any = UTC) -> int:
    return int(datetime(*when, tzinfo=zone).timestamp() * 1000)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("now", "first_day", "start", "end"),
    [
        ((2026, 11, 22, 12), 1, (2026, 11, 1), (2026, 12, 1)),
        ((2026, 11, 22, 12), 23, (2026, 10, 23), (2026, 11, 23)),
        ((2026, 1, 5), 15, (2025, 12, 15), (2026, 1, 15)),
        ((2026, 2, 28, 5), 31, (2026, 2, 28), (2026, 3, 31)),
        ((2026, 12, 31, 5), 31, (2026, 12, 31), (2027, 1, 31)),
    ],
)
def test_the_billing_month(now: Any, first_day: int, start: Any, end: Any) -> None:
    found = period.month(ms(*now, zone=BERLIN), BERLIN, first_day)
    assert found == (ms(*start, zone=BERLIN), ms(*end, zone=BERLIN))


def test_a_day_is_the_owners_also_when_the_clocks_change() -> None:
    start, end = period.day(ms(2026, 3, 29, 12, zone=BERLIN), BERLIN)
    assert (end - start) / HOUR_MS == 23


def window(used: int, limit: int = 100, reserve: int = 0, name: str = "per_day") -> Window:
    return Window(name, limit, used, ms(2026, 11, 1), ms(2026, 12, 1), reserve)


def test_the_reserve_is_for_urgent_classes_alone() -> None:
    assert judge([window(79, reserve=20)]).blocked is None
    assert (judge([window(80, reserve=20)]).blocked, judge([window(80, reserve=20)]).urgent_only) == ("sim_limit", True)
    assert not judge([window(100, reserve=20)]).urgent_only
    assert judge([window(100, name="daily_cap")]).blocked == "daily_cap"
    assert judge([]).blocked is None


@pytest.mark.parametrize(
    ("used", "words"),
    [
        (0, "Nothing has been used yet."),
        (50, "At this rate the daily limit of 100 is reached on the 19th at 00:00."),
        (10, "At this rate 33 of 100 will be used."),
        (100, "The daily limit is reached; it begins anew on the 1st at 00:00."),
    ],
)
def test_the_forecast_in_words(used: int, words: str) -> None:
    assert forecast(window(used), ms(2026, 11, 10), ZoneInfo("UTC")) == words


async def limit(world: World, name: str = "a", **plan: Any) -> None:
    """Changes the plan of the SIM in a modem while everything runs."""
    sim = world.gateway.fleet.lines[name].sim
    assert sim is not None
    assert sim.iccid is not None
    context = world.gateway.context
    sims = dict(context.settings.sims) | {sim.iccid: SimSettings(sim.iccid, name=name, **plan)}
    context.settings = dataclasses.replace(context.settings, sims=sims)


async def announced(world: World) -> list[tuple[str, int]]:
    return await world.query(
        "SELECT data ->> 'limit', data ->> 'percent' FROM events WHERE type = 'sim.limit' ORDER BY seq"
    )  # type: ignore[return-value]


@pytest.mark.parametrize("name", LIMITS)
@virtual
async def test_a_limit_is_never_overrun_and_lets_go_in_its_next_window(tmp_path: Path, name: str) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=0.5) as world:
        await world.registered()
        await limit(world, **{name: 10})
        ids = [await world.send(f"+4915551{n:06d}", report=False, ttl_s=40 * 86_400) for n in range(15)]
        await world.until(lambda: len(world.lab.network.ledger) == 10, within=60)
        waiting = await world.message(ids[-1])
        assert (waiting["status"], waiting["waiting_for"]) == ("queued", "sim_limit")
        assert await announced(world) == [(name, 80), (name, 100)], "once each"
        (sim,) = await world.gateway.sims()
        assert (sim["limits"][name]["used"], sim["limits"][name]["left"]) == (10, 0)
        assert "is reached; it begins anew" in sim["limits"][name]["forecast"]
        until = datetime.fromisoformat(sim["limits"][name]["until"]).timestamp() * 1000
        world.clock.offset_ms += int(until - world.clock.wall_ms()) - 60_000
        await world.until(lambda: len(world.lab.network.ledger) == 15, within=200)


@virtual
async def test_limits_that_change_take_effect_at_once(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=0.5) as world:
        await world.registered()
        await limit(world, per_day=2)
        for n in range(6):
            await world.send(f"+4915551{n:06d}", report=False)
        await world.until(lambda: blocked(world))
        assert len(world.lab.network.ledger) == 2
        await limit(world, per_day=5)
        await world.until(lambda: len(world.lab.network.ledger) == 5, within=5)
        await limit(world)
        await world.until(lambda: len(world.lab.network.ledger) == 6, within=5)


@virtual
async def test_urgent_messages_use_the_reserve(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=0.5) as world:
        await world.registered()
        await limit(world, per_day=10, reserve=50)
        bulk = [await world.send(f"+4915551{n:06d}", report=False, class_="bulk") for n in range(8)]
        await world.until(lambda: blocked(world))
        assert len(world.lab.network.ledger) == 5
        assert (await world.message(bulk[-1]))["waiting_for"] == "sim_limit"
        for n in range(5):
            await world.until_status(await world.send(f"+4915552{n:06d}", class_="otp", report=False), "sent", within=9)
        last = await world.send("+4915552999999", class_="otp", report=False)
        await world.until(lambda: says(world, last, "sim_limit"), within=60)
        assert len(world.lab.network.ledger) == 10


@virtual
async def test_different_recipients_are_counted_and_known_ones_stay_allowed(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=2, latency=0.5) as world:
        await world.registered()
        await limit(world, "a", recipients_per_month=3)
        for turn in range(3):
            for n in range(10):
                await world.send(f"+4915551{n:06d}", f"turn {turn}", report=False)
        await world.until(lambda: len(world.lab.network.ledger) == 30, within=120)
        people = {entry.number for entry in world.lab.network.ledger if entry.device == "a"}
        assert len(people) == 3
        by_a = [entry for entry in world.lab.network.ledger if entry.device == "a"]
        assert len(by_a) == 9, "its three people keep it, and nobody new comes"


@virtual
async def test_a_sim_at_two_limits_lets_its_modem_rest(tmp_path: Path) -> None:
    """Known numbers may be written to in spite of the one, and nobody because of the other."""
    async with World.of(tmp_path / "w.db", modems=1, latency=0.5) as world:
        await world.registered()
        await limit(world, recipients_per_month=1, per_day=2)
        ids = [await world.send("+4915551000001", f"number {n}", report=False) for n in range(4)]
        await world.until(lambda: len(world.lab.network.ledger) == 2, within=60)
        await world.until(lambda: says(world, ids[2], "sim_limit"), within=60)
        await asyncio.sleep(600)
        assert len(world.lab.network.ledger) == 2
        asked = [each.line for each in world.device("a").heard if each.line.startswith("AT+CMGS")]
        assert len(asked) == 2, "a message that may not go is not begun again and again"


@virtual
async def test_the_fuse_over_all_sims_holds_exactly(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=6, latency=(0.1, 2.0), daily_cap=25) as world:
        await world.registered()
        for n in range(60):
            await world.send(f"+4915551{n:06d}", report=False)
        await world.until(lambda: len(world.lab.network.ledger) == 25, within=60)
        message = await world.send("+4915552000000")
        await world.until(lambda: says(world, message, "daily_cap"), within=60)
        assert len(world.lab.network.ledger) == 25
        assert await announced(world) == [("daily_cap", 80), ("daily_cap", 100)]


@virtual
async def test_a_pace_with_chance_in_it(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=0.0) as world:
        await world.registered()
        await limit(world, min_gap_s=20, jitter_s=10)
        for n in range(12):
            await world.send(f"+4915551{n:06d}", report=False)
        await world.until(lambda: len(world.lab.network.ledger) == 12, within=600)
        times = [entry.at_ms / 1000 for entry in world.lab.network.ledger]
        gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
        assert all(20 <= gap <= 31 for gap in gaps)
        assert max(gaps) - min(gaps) > 2


async def blocked(world: World) -> bool:
    return any(each["blocked"] for each in await world.gateway.sims())


async def says(world: World, message: str, word: str) -> bool:
    return bool((await world.message(message))["waiting_for"] == word)
