"""Kills gateways, hundreds of them, and counts what that cost: ``python tests/system/kill_loop.py --rounds 300``.

A round is one life: a gateway with six modems on PTYs, traffic both ways, SIGKILL at a random moment or at a named
point (``modemgw.seams.CRASH_POINTS``). Rounds go in worlds of 25 on one database each; at the end of a world a last
gateway works off what is left, and the ledger of the modems' process says what was really sent. Several worlds run side
by side. Exit code 0 when every promise was kept.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from system.harness import Bank, Forge, Sink, Starter, config_text, start_plainly
from system.kill_world import MODEMS, RANDOM, KillWorld, Verdict

from modemgw.seams import CRASH_POINTS

ROUNDS_PER_WORLD = 25
PROMISES = ("accepted lost", "received lost", "duplicate in a never-class", "copy that is not recorded", "false sent")
# Behind these nothing can ever prove what became of the message: no Ctrl-Z was written, or its answer died with us.
# The port then only listens for 20 s, so that they come last in a world.
_QUIET = ("after_c2", "before_c3")
# A named point is not reached where all ports only listen, or the machine is too busy: the round is played again.
_TRIES = 3


def plan(rounds: int, worlds: int, rng: random.Random) -> list[list[str]]:
    """For each world its rounds. Every named point comes as often as every other, at least once; half is random."""
    others = [point for point in CRASH_POINTS if point not in ("in_migration", *_QUIET)]
    each = max(1, rounds // (3 * len(CRASH_POINTS)))
    named = others * each
    quiet = [point for point in _QUIET for _ in range(each)]
    rng.shuffle(named)
    rng.shuffle(quiet)
    left = max(0, rounds - len(named) - len(quiet) - worlds)
    first = named + [RANDOM] * left
    rng.shuffle(first)
    return [["in_migration", *first[lane::worlds], *quiet[lane::worlds]] for lane in range(worlds)]


@dataclass(slots=True)
class Total:
    """All worlds together."""

    verdicts: list[Verdict] = field(default_factory=list)

    def count(self, what: str) -> int:
        return sum(len(each.breaks.get(what, [])) for each in self.verdicts)

    @property
    def breaks(self) -> list[str]:
        return [f"{what}: {one}" for each in self.verdicts for what, details in each.breaks.items() for one in details]

    def unresolved(self, points: Sequence[str] | None = None) -> tuple[int, int]:
        """Of the attempts that kills cut off: those that were never proven, and all."""
        cut = [
            token in each.proven
            for each in self.verdicts
            for kill in each.kills
            if points is None or kill.point in points
            for token in kill.cut
        ]
        return cut.count(False), len(cut)

    def table(self) -> str:
        kills = [kill for each in self.verdicts for kill in each.kills]
        lines = [f"{'point':<16}{'kills':>7}{'fired':>7}{'hit submitting':>16}{'cut off':>9}{'unresolved':>12}"]
        for point in (RANDOM, *CRASH_POINTS):
            here = [kill for kill in kills if kill.point == point]
            missing, cut = self.unresolved([point])
            fired = sum(kill.fired for kill in here)
            hit = sum(bool(kill.cut) for kill in here)
            lines.append(f"{point:<16}{len(here):>7}{fired:>7}{hit:>16}{cut:>9}{missing:>12}")
        lines.append("")
        never = [point for point in CRASH_POINTS if not any(kill.point == point and kill.fired for kill in kills)]
        lines += [f"named points that never fired: {', '.join(never)}"] * bool(never)
        lines += [f"{name:<44}{value}" for name, value in self.figures().items()]
        return "\n".join(lines)

    def figures(self) -> dict[str, Any]:
        """Name -> figure, in the words of the promise."""
        missing, cut = self.unresolved()
        random_missing, random_cut = self.unresolved([RANDOM])
        others = [point for point in (RANDOM, *CRASH_POINTS) if point != "after_c2"]
        proper_missing, proper_cut = self.unresolved(others)
        uncertain = sum(each.uncertain for each in self.verdicts)
        extra = sum(each.extra_copies for each in self.verdicts)
        return {
            "kills": sum(len(each.kills) for each in self.verdicts),
            "messages accepted": sum(each.accepted for each in self.verdicts),
            "messages received": sum(each.received for each in self.verdicts),
            "copies that the network took": sum(each.copies for each in self.verdicts),
            **{what: self.count(what) for what in PROMISES},
            "anything else wrong": len(self.breaks) - sum(self.count(what) for what in PROMISES),
            "uncertain events": uncertain,
            "extra copies, of resend-classes": f"{extra} ({extra / uncertain:.3f} per uncertain)"
            if uncertain
            else extra,
            "unresolved, random kills": _share(random_missing, random_cut),
            "unresolved, all kills but after_c2": _share(proper_missing, proper_cut),
            "unresolved, all kills": _share(missing, cut),
            "unresolved, and the modem had sent it": _share(sum(each.taken_unproven for each in self.verdicts), cut),
        }


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole}" + (f" ({100 * part / whole:.1f} %)" if whole else "")


async def one_world(
    points: Sequence[str],
    seed: int,
    starter: Starter,
    progress: Callable[[str], None],
    *,
    keep: Path | None = None,
    quick: bool = False,
) -> Verdict:
    """A world from its first start to its verdict."""
    with contextlib.ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="modemgw-kill-")))
        folder.mkdir(parents=True, exist_ok=True)
        modems = [{"name": f"modem{number}"} for number in range(MODEMS)]
        bank_options = {"latency": [0.2, 0.6], "report_delay": [0.2, 0.8], "seed": seed}
        async with Bank.of(folder, modems, **bank_options) as bank, Sink.of() as sink:
            config = folder / "modemgw.toml"
            config.write_text(config_text(folder / "state", bank.ports, sink.url))
            config.chmod(0o600)
            world = KillWorld(folder, bank, sink, config, starter, seed)
            for point in points:
                for _ in range(_TRIES):
                    progress(point)
                    died = await world.round(point)
                    if died.fired or point == RANDOM:
                        break
            progress("end")
            return await world.end(quick=quick)


async def loop(
    rounds: int,
    *,
    seed: int = 1,
    side_by_side: int = 3,
    per_world: int = ROUNDS_PER_WORLD,
    forged: bool = True,
    say: Callable[[str], None] = lambda _: None,
    keep: Path | None = None,
    quick: bool = False,
) -> Total:
    """All worlds; ``say`` gets a line of progress."""
    worlds = max(side_by_side, -(-rounds // per_world))
    plans = plan(rounds, worlds, random.Random(seed))
    total, done = Total(), Counter[str]()
    room = asyncio.Semaphore(side_by_side)

    def progress(point: str) -> None:
        done["rounds"] += point != "end"
        kinds = len({what for each in total.verdicts for what in each.breaks})
        ended = f"worlds ended: {len(total.verdicts)}, kinds of breaks: {kinds}"
        say(f"round {done['rounds']} of about {sum(map(len, plans))}, {ended}")

    async def lane(number: int, starter: Starter) -> None:
        async with room:
            folder = keep / f"world-{seed}-{number}" if keep else None
            verdict = await one_world(plans[number], seed * 1000 + number, starter, progress, keep=folder, quick=quick)
            total.verdicts.append(verdict)

    async with contextlib.AsyncExitStack() as stack:
        starter: Starter = await stack.enter_async_context(Forge.of()) if forged else start_plainly
        async with asyncio.TaskGroup() as group:
            for number in range(worlds):
                group.create_task(lane(number, starter))
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--side-by-side", type=int, default=3, help="worlds at a time")
    parser.add_argument("--plain", action="store_true", help="a new interpreter for each gateway, not a fork")
    parser.add_argument("--keep", type=Path, help="keep databases and logs under this folder")
    args = parser.parse_args()
    end = "\r" if sys.stderr.isatty() else "\n"
    options = {"seed": args.seed, "side_by_side": args.side_by_side, "forged": not args.plain, "keep": args.keep}
    total = asyncio.run(loop(args.rounds, **options, say=lambda text: _write(sys.stderr, text + end)))
    _write(sys.stdout, total.table() + "\n")
    for verdict in total.verdicts:
        _write(sys.stdout, "".join(f"unresolved: {note}\n" for note in verdict.notes))
    _write(sys.stdout, "".join(f"BREAK {line}\n" for line in total.breaks))
    return 1 if total.breaks else 0


def _write(file: TextIO, text: str) -> None:
    file.write(text)
    file.flush()


if __name__ == "__main__":
    sys.exit(main())
