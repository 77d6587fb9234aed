"""A clean stop leaves nothing uncertain, whenever it comes."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from support.virtual import InlineConnection
from support.virtually import virtual
from support.world import World

from modemgw.emulator.storage import UNREAD, Slot

T = TypeVar("T")


class SlowConnection(InlineConnection):
    """A card that takes its time for every transaction."""

    async def run(self, function: Callable[..., T]) -> T:
        await asyncio.sleep(0.02)
        return await super().run(function)


class SlowWorld(World):
    async def _open(self, path: Path) -> InlineConnection:
        self._connections.append(SlowConnection(path))
        return self._connections[-1]


@pytest.mark.parametrize("milliseconds", [0, 10, 20, 30, 40, 60])
def test_a_stop_while_another_modem_becomes_ready_leaves_nothing_uncertain(tmp_path: Path, milliseconds: int) -> None:
    """The first is sending, so that the stop takes a while; the second must not begin in that while."""

    @virtual
    async def run() -> None:
        async with SlowWorld.of(tmp_path / "db", latency=5.0, start=False) as world:
            world.device("b").unplug()
            await world.start()
            await world.registered("a")
            for number in range(6):
                await world.send(f"+4915112345{number:03d}")
            world.device("b").plug()
            line = world.gateway.fleet.lines["b"]
            while line.modem.state != "registered":  # noqa: ASYNC110 - the moment itself is what is tried
                await asyncio.sleep(0.001)
            await asyncio.sleep(milliseconds / 1000)
            await world.stop()
            await world.start()
            assert await world.query("SELECT count(*) FROM timeline WHERE event = 'uncertain'") == [(0,)]

    run()


@pytest.mark.parametrize("milliseconds", range(0, 160, 10))
def test_a_stop_while_messages_are_taken_off_the_sim_comes_to_an_end(tmp_path: Path, milliseconds: int) -> None:
    """They lie in a store that is not the modem's usual one, so that it has to be selected, and put back."""

    @virtual
    async def run() -> None:
        async with World.of(tmp_path / "db", modems=1, start=False) as world:
            device = world.device("a")
            device.persona = replace(device.persona, line=replace(device.persona.line, answer_seconds=0.01))
            assert device.sim is not None
            for number in range(6):
                device.sim.storage.put(Slot(UNREAD, f"0791132604000{number}F0FF0B91", 10))
            await world.start()
            await world.registered("a")
            await asyncio.sleep(milliseconds / 1000)
            await world.gateway.stop()
            tasks = [task for task in asyncio.all_tasks() if task in world._runs]
            for task in tasks:
                task.cancel()
            async with asyncio.timeout(60):
                await asyncio.gather(*tasks, return_exceptions=True)

    run()


@virtual
async def test_while_sending_is_held_modems_become_ready_and_receive_and_nothing_goes_out(tmp_path: Path) -> None:
    async with World.of(tmp_path / "db", modems=1, start=False) as world:
        await world.start()
        world.gateway.fleet.held = True
        message = await world.send("+4915112345001")
        line = world.gateway.fleet.lines["a"]
        await world.until(lambda: line.modem.state == "registered")
        world.lab.network.deliver_from_outside("+4915559000001", world.device("a"), "hello")
        await world.sleep(120)
        assert world.lab.network.ledger == []
        assert [each["text"] for each in await world.inbox()] == ["hello"]

        world.gateway.fleet.go()
        await world.until_status(message, "sent", "delivered")
        assert len(world.lab.network.ledger) == 1
