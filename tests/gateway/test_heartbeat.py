"""A message from SIM to SIM: proves that a modem hears, and finds the one that no longer does."""

from dataclasses import replace
from pathlib import Path

from support.virtually import virtual
from support.world import World

from modemgw.modem.ladder import Step

HOURS = 4 * 3600.0


async def _begin(world: World) -> None:
    world.settings = replace(world.settings, heartbeat_s=HOURS)
    await world.start()
    await world.registered()


@virtual
async def test_off_unless_it_is_wanted(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=2) as world:
        await world.registered()
        await world.until(lambda: world.clock.monotonic() > 3 * HOURS, 4 * HOURS)
        assert world.lab.network.ledger == []


@virtual
async def test_each_sim_gets_a_message_of_another_and_nobody_is_bothered(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=2, start=False) as world:
        await _begin(world)
        start = world.clock.monotonic()
        await world.until(lambda: world.clock.monotonic() - start > 1.5 * HOURS, 2 * HOURS)

        assert sorted(entry.number for entry in world.lab.network.ledger) == sorted(map(world.number, "ab"))
        received = await world.inbox()
        assert len(received) == 2
        assert all(each["read"] for each in received)
        assert all(not line.modem.recovery.counts for line in world.gateway.fleet.lines.values())


@virtual
async def test_a_modem_that_no_longer_hears_is_helped_and_it_is_told(tmp_path: Path) -> None:
    """The network has lost it, and it does not know: what is sent to it waits until it registers anew."""
    async with World.of(tmp_path / "w.db", modems=2, start=False) as world:
        await _begin(world)
        mailbox = world.lab.network.mailbox(world.device("a").sim)
        assert mailbox is not None
        mailbox._device = None
        recovery = world.gateway.fleet.lines["a"].modem.recovery

        await world.until(lambda: recovery.counts[Step.RADIO] == 1, 2 * HOURS)
        rows = await world.query("SELECT data FROM events WHERE type = 'modem.heartbeat'")
        assert ["did not arrive at a" in row[0] for row in rows] == [True]
        await world.until(world.inbox, 300.0)
        assert world.gateway.fleet.lines["b"].modem.recovery.counts == {}

        await world.until(lambda: recovery.last is not None, 2 * HOURS)
        assert (recovery.last.cause, recovery.last.step) == ("deaf", "radio")
        assert recovery.counts[Step.RADIO] == 1
