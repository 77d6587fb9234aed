"""A fault of our own in one modem's driver ends neither that modem nor the others."""

from pathlib import Path
from typing import Any

import pytest
from support.virtually import virtual
from support.world import World

from modemgw.modem.stores import Stores


@virtual
async def _live(path: Path) -> None:
    async with World.of(path, modems=2) as world:
        await world.registered()
        world.lab.network.deliver_from_outside("+4915559000001", world.device("a"), "still read")
        (body,) = await world.until(world.inbox, within=300)
        assert body["text"] == "still read"
        world.raise_death()
        message = await world.send("+4915559000002")
        await world.until_status(message, "delivered")


def test_a_fault_while_reading_messages_is_tried_again_and_harms_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = 0
    listing = Stores.listing

    async def broken(self: Stores, *args: Any, **kwargs: Any) -> Any:
        nonlocal faults
        faults += 1
        if faults <= 2:
            raise ZeroDivisionError
        return await listing(self, *args, **kwargs)

    monkeypatch.setattr(Stores, "listing", broken)
    _live(tmp_path / "w.db")
    assert faults >= 2
