"""Simulated days and crashes by the hundred, on all cores.

    python tests/simulation/run.py --seeds 300              days 1 to 300
    python tests/simulation/run.py --seeds 50 --from 1000 --modems 8 --jobs 4
    python tests/simulation/run.py --seed 17 --trace        one day again, line by line
    python tests/simulation/run.py --crashes 100000         the process killed that often, at any moment

Prints a line of progress, then a table of what broke, with the command that lives that day again. Exit 1 if any did.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

from simulation import crashes  # noqa: E402 - found by the path above
from simulation.day import live, quiet  # noqa: E402
from simulation.plan import Plan  # noqa: E402

_PER_LIFE = 250  # crashes on one database file


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one seed; ``wrong`` is None when nothing did."""

    seed: int
    seconds: float
    virtual_s: float = 0.0
    messages: int = 0
    copies: int = 0
    crashes: int = 0
    fingerprint: str = ""
    wrong: str | None = None


def _say(text: str = "", end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()


def one_day(seed: int, modems: int | None) -> Outcome:
    quiet()
    began = time.process_time()
    try:
        with tempfile.TemporaryDirectory() as folder:
            day = live(Plan.of(seed, modems), Path(folder) / "day.db")
    except Exception as error:  # noqa: BLE001 - whatever it is, the seed is reported
        return Outcome(seed, time.process_time() - began, wrong=f"{type(error).__name__}: {error}")
    return Outcome(
        seed, time.process_time() - began, day.virtual_s, len(day.accepted), day.copies, day.crashes, day.fingerprint
    )


def one_life(seed: int, count: int) -> Outcome:
    quiet()
    began = time.process_time()
    try:
        with tempfile.TemporaryDirectory() as folder:
            life = crashes.live(seed, count, Path(folder) / "life.db")
    except Exception as error:  # noqa: BLE001
        return Outcome(seed, time.process_time() - began, wrong=f"{type(error).__name__}: {error}")
    return Outcome(seed, time.process_time() - began, life.virtual_s, life.messages, life.copies, life.crashes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="how many days")
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first seed")
    parser.add_argument("--modems", type=int, choices=range(1, 9), help="as many in each; else each seed says how many")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--trace", action="store_true", help="with --seed: what happened, line by line")
    parser.add_argument("--crashes", type=int, help="kill the process this often instead of living days")
    asked = parser.parse_args()
    if asked.crashes is not None and asked.seed is None:
        lives = -(-asked.crashes // _PER_LIFE)
        return _many(partial(one_life, count=_PER_LIFE), range(asked.first, asked.first + lives), asked)
    if asked.seed is None:
        return _many(partial(one_day, modems=asked.modems), range(asked.first, asked.first + asked.seeds), asked)
    return _replay(asked)


def _replay(asked: argparse.Namespace) -> int:
    """One seed again; with --trace every line of it, and the wrong thing behind the last one."""
    quiet()
    on_line: Callable[[str], None] | None = (lambda line: _say(_readable(line))) if asked.trace else None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "replay.db"
        if asked.crashes is not None:
            life = crashes.live(asked.seed, asked.crashes, path, on_line)
            _say(f"seed {asked.seed}: {life.crashes} crashes, {life.messages} messages, {life.copies} copies")
        else:
            plan = Plan.of(asked.seed, asked.modems)
            _say(str(plan))
            day = live(plan, path, on_line)
            _say(f"seed {asked.seed}: {day.statuses}, {day.copies} copies, fingerprint {day.fingerprint}")
    return 0


def _readable(line: str) -> str:
    at, _, what = line.partition(" ")
    seconds = float(at)
    return f"{int(seconds // 3600):02d}:{int(seconds // 60) % 60:02d}:{seconds % 60:06.3f}  {what}"


def _many(task: "partial[Outcome]", seeds: range, asked: argparse.Namespace) -> int:
    began = time.monotonic()
    outcomes: list[Outcome] = []
    with multiprocessing.get_context("spawn").Pool(asked.jobs) as pool:
        for outcome in pool.imap_unordered(task, seeds):
            outcomes.append(outcome)
            broken = sum(each.wrong is not None for each in outcomes)
            _say(f"\r{len(outcomes)}/{len(seeds)} done, {broken} broken, {time.monotonic() - began:.0f} s ", end="")
            if outcome.wrong is not None:
                _say(f"\n  {outcome.wrong[:600]}\n  again: {_again(outcome.seed, asked)}")
    _say()
    return _table(outcomes, time.monotonic() - began)


def _again(seed: int, asked: argparse.Namespace) -> str:
    more = f" --crashes {_PER_LIFE}" if asked.crashes is not None else f" --modems {asked.modems}" * bool(asked.modems)
    return f"python tests/simulation/run.py --seed {seed}{more} --trace"


def _table(outcomes: list[Outcome], seconds: float) -> int:
    good = [each for each in outcomes if each.wrong is None]
    kinds = Counter((each.wrong or "").partition(": ")[2][:60] for each in outcomes if each.wrong is not None)
    per_seed = sorted(each.seconds for each in outcomes)
    virtual = sum(each.virtual_s for each in good)
    killed = sum(each.crashes for each in good)
    for name, value in (
        ("seeds", f"{len(outcomes)}, broken {len(outcomes) - len(good)}"),
        ("messages", f"{sum(each.messages for each in good)}, copies {sum(each.copies for each in good)}"),
        ("crashes", f"{killed}, {killed / max(sum(per_seed), 0.001):.1f} a CPU second"),
        ("CPU seconds", f"{sum(per_seed) / len(per_seed):.1f} a seed, longest {per_seed[-1]:.1f}"),
        ("virtual time", f"{virtual / 86_400:.1f} days, {virtual / max(sum(per_seed), 0.001):.0f} times as fast"),
        ("wall time", f"{seconds:.0f} s"),
    ):
        _say(f"{name:14}{value}")
    for kind, count in kinds.most_common():
        _say(f"  {count} x {kind}")
    return int(bool(kinds))


if __name__ == "__main__":
    sys.exit(main())
