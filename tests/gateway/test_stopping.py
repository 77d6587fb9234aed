"""A clean stop leaves nothing uncertain, whenever it comes."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from support.virtual import InlineConnection
from support.virtually import virtual
from support.world import World

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
