"""Short forms of the loops; each is a script as well, for as many rounds as there is time for."""

import asyncio
import sys

import pytest
from system import kill_loop, power_loop, sigterm_loop

from modemgw.seams import CRASH_POINTS

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


def progress(text: str) -> None:
    """Shown by pytest where a test fails."""
    sys.stderr.write(text + "\n")


def test_fifty_kills_lose_nothing_double_nothing_and_claim_nothing() -> None:
    total = asyncio.run(kill_loop.loop(50, seed=11, side_by_side=4, quick=True, say=progress))
    progress(total.table())
    assert total.breaks == []
    kills = [kill for verdict in total.verdicts for kill in verdict.kills]
    assert len(kills) >= 50
    assert {kill.point for kill in kills if kill.fired} == set(CRASH_POINTS), "every named point has killed"
    assert sum(verdict.accepted for verdict in total.verdicts) > 50
    assert sum(verdict.received for verdict in total.verdicts) > 20
    assert sum(bool(kill.cut) for kill in kills) > 5, "kills in the middle of sending are what this is about"


def test_three_power_cuts_lose_nothing_that_was_acknowledged() -> None:
    try:
        verdict = asyncio.run(power_loop.loop(3, seed=3, say=progress))
    except power_loop.Impossible as reason:
        pytest.skip(f"power cuts can't be simulated here: {reason}")
    assert verdict.breaks == {}
    assert len(verdict.kills) == 3
    assert verdict.accepted > 0


def test_ten_stops_in_the_middle_of_sending_leave_nothing_uncertain() -> None:
    outcome = asyncio.run(sigterm_loop.loop(10, seed=5, say=progress))
    assert (outcome.wrong, outcome.uncertain) == ([], 0)
    assert outcome.in_flight > 10, "there was something to wait for"
