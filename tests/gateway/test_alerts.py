"""The owner is told what needs a person, once, through a SIM that works."""

from dataclasses import replace
from pathlib import Path

from support.virtually import virtual
from support.world import World

from modemgw.domain.message import Order
from modemgw.gateway.context import AlertSettings

OWNER = "+4915559000007"


def _alerting(world: World, *kinds: str) -> None:
    world.gateway.context.settings = replace(world.gateway.context.settings, alerts=AlertSettings(OWNER, kinds))


@virtual
async def test_a_modem_that_stays_away_is_reported_through_another_one_and_once(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=2) as world:
        await world.registered()
        _alerting(world, "modem.failed")
        world.device("a").unplug()
        await world.until(lambda: world.copies(OWNER), within=400)
        (entry,) = [each for each in world.lab.network.ledger if each.number == OWNER]
        assert entry.device == "b"
        assert entry.text is not None
        assert entry.text.startswith("modemgw: modem a is ")
        await world.sleep(3 * 3600)
        assert world.copies(OWNER) == 1


@virtual
async def test_a_modem_that_comes_back_by_itself_is_no_news(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=2) as world:
        await world.registered()
        _alerting(world, "modem.failed")
        world.device("a").unplug()
        await world.sleep(45)
        world.device("a").plug()
        await world.sleep(1800)
        assert world.copies(OWNER) == 0


@virtual
async def test_messages_that_nobody_takes_are_reported_when_a_sim_is_back(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        _alerting(world, "queue.stuck")
        world.device("a").unplug()
        await world.until(lambda: world.gateway.modems()[0]["state"] == "absent", within=120)
        await world.gateway.submit(Order(to=("+4915559000001",), text="x"), key_id="k")
        await world.sleep(3600)
        assert await world.query("SELECT count(*) FROM messages WHERE peer = ?", OWNER) == [(1,)]


@virtual
async def test_nothing_is_told_without_being_asked_for(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=2) as world:
        await world.registered()
        world.device("a").unplug()
        await world.sleep(3600)
        assert world.lab.network.ledger == []
