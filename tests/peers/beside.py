"""`@beside_the_others`: a test that runs at the same time as all others marked so. See conftest.py."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import NoReturn

import pytest
from peers.stage import Stage

Scenario = Callable[[Stage], Awaitable[None]]


def beside_the_others(*, modems: int) -> Callable[[Scenario], Callable[[asyncio.Task[None]], Awaitable[None]]]:
    """Make a test of `async def test_x(stage)`, which gets a stage with so many modems."""

    def wrap(scenario: Scenario) -> Callable[[asyncio.Task[None]], Awaitable[None]]:
        @pytest.mark.asyncio(loop_scope="session")
        @pytest.mark.scenario(scenario, modems)
        async def test(outcome: asyncio.Task[None]) -> None:
            await outcome

        test.__name__, test.__qualname__ = scenario.__name__, scenario.__qualname__
        test.__doc__, test.__module__ = scenario.__doc__, scenario.__module__
        return test

    return wrap


def give_up(reason: str) -> NoReturn:
    """Skip: a program cannot be had or cannot run here, and why. On a build server (CI=true) that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"foreign programs: {reason}", pytrace=False)
    pytest.skip(f"foreign programs: {reason}")
