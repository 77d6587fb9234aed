"""Every test here runs in virtual time; `rig` is one simulated modem with its driver."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from modem.rig import MakeRig, Rig, make
from support.virtual import VirtualLoop


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, type[VirtualLoop]]:
    return {"virtual": VirtualLoop}


@pytest.fixture
async def make_rig() -> AsyncIterator[MakeRig]:
    rigs: list[Rig] = []

    def remember(*args: Any, **kwargs: Any) -> Rig:
        rigs.append(make(*args, **kwargs))
        return rigs[-1]

    yield remember
    await asyncio.gather(*(rig.stop() for rig in rigs))


@pytest.fixture
async def rig(make_rig: MakeRig) -> Rig:
    return make_rig()
