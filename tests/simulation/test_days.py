"""Simulated days and crashes, as many as fit into a push; ``tests/simulation/run.py`` lives them by the hundred.

A seed that breaks a rule prints the command that lives that day again, line by line.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modemgw.store import acceptance, outbox
from simulation import crashes
from simulation import day as days
from simulation.day import Broken, live
from simulation.plan import Crash, Mishap, Plan, Submission, agenda

ROOT = Path(__file__).resolve().parents[2]
FIRST = int(os.environ.get("MODEMGW_SEED", "2"))
DAYS = int(os.environ.get("MODEMGW_DAYS", "1"))
CRASHES = int(os.environ.get("MODEMGW_CRASHES", "500"))
_LIFE = """
import json, sys, tempfile
from pathlib import Path
sys.path[:0] = [{root!r}, {tests!r}]
from simulation.day import live, quiet
from simulation.plan import Plan
quiet()
plan = Plan(seed=7, modems=3, messages=80, arrivals=20, faults=50, crashes=3, jumps=1, slots=4)
with tempfile.TemporaryDirectory() as folder:
    day = live(plan, Path(folder) / "day.db")
print(json.dumps([day.fingerprint, len(day.trace)]))
"""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(FIRST, FIRST + DAYS))
def test_a_day_breaks_no_rule(seed: int, tmp_path: Path) -> None:
    plan = Plan.of(seed)
    try:
        day = live(plan, tmp_path / "day.db")
    except Broken as broken:
        pytest.fail(f"{broken}\nagain: python tests/simulation/run.py --seed {seed} --trace", pytrace=False)
    assert len(day.accepted) == plan.messages
    assert day.copies >= plan.messages // 2


def test_a_day_is_what_was_promised() -> None:
    for seed in range(1, 60):
        plan = Plan.of(seed)
        events = agenda(plan)
        assert sum(isinstance(each, Submission) for each in events) >= 300
        assert sum(isinstance(each, Mishap) for each in events) >= 50
        assert sum(isinstance(each, Crash) for each in events) >= 1
        assert events == agenda(plan)
    assert {Plan.of(seed).modems for seed in range(1, 60)} == set(range(1, 9))


@pytest.mark.timeout(300)
def test_the_same_seed_is_the_same_day_in_any_process() -> None:
    code = _LIFE.format(root=str(ROOT), tests=str(ROOT / "tests"))
    lives = [
        subprocess.Popen(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE
        )
        for seed in ("1", "4711")
    ]
    one, other = [json.loads(life.communicate()[0]) for life in lives]
    assert one == other
    assert one[1] > 500


@pytest.mark.timeout(600)
def test_a_process_that_is_killed_all_the_time_breaks_no_rule(tmp_path: Path) -> None:
    for number, seed in enumerate(range(FIRST, FIRST + max(1, CRASHES // 250))):
        try:
            life = crashes.live(seed, 250, tmp_path / f"{number}.db")
        except Broken as broken:
            pytest.fail(
                f"{broken}\nagain: python tests/simulation/run.py --seed {seed} --crashes 250 --trace", pytrace=False
            )
        assert life.crashes == 250
        assert life.copies > 100


def test_an_overtaken_message_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for order: a product in which no message waits for the one before it."""
    known = acceptance._known
    monkeypatch.setattr(acceptance, "_known", lambda *args: (known(*args)[0], set()))
    monkeypatch.setattr(outbox, "_is_behind", lambda *_: False)
    plan = Plan(seed=3, modems=2, messages=30, arrivals=0, faults=0, crashes=0, jumps=0, magic=0.0, regulars=1.0)
    with pytest.raises(Broken, match=r"I5: message \d+ to \+4915790000\d+ comes after message \d+"):
        live(plan, tmp_path / "day.db")


@pytest.mark.parametrize("rule", ["a copy too many", "a false delivered", "a lost message", "a lost arrival"])
def test_a_broken_rule_is_noticed(rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules are tried on a product that breaks them: what checks nothing would find nothing."""
    checked = days.check_at_the_end

    async def tampered(world: Any, day: Any) -> None:
        network = world.lab.network
        if rule == "a copy too many":
            network.ledger.append(network.ledger[0])
        elif rule == "a false delivered":
            del network.ledger[0]
        elif rule == "a lost message":
            day.accepted["01ARZ3NDEKTSV4RRFFQ69G5FAV"] = next(iter(day.accepted.values()))
        else:
            day.arrived.append("nobody saw me")
        await checked(world, day)

    monkeypatch.setattr(days, "check_at_the_end", tampered)
    plan = Plan(seed=3, modems=1, messages=6, arrivals=2, faults=0, crashes=0, jumps=0, magic=0.0, cancels=0.0)
    with pytest.raises(Broken, match=r"seed 3"):
        live(plan, tmp_path / "day.db")
