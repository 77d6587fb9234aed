"""Stops gateways in the middle of sending: ``python tests/system/sigterm_loop.py --rounds 300``.

A round: a gateway with four modems and a queue, SIGTERM while at least one modem has a message in its hands, and the
exit code. At the end the database holds no attempt that was ever uncertain, and the ledger one copy of each message
that a modem had begun. Exit code 0 when that is so.
"""

import argparse
import asyncio
import contextlib
import random
import signal
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from system.harness import Bank, Forge, Service, config_text

MODEMS = 4
_MOST = 60  # messages in the queue at a time


@dataclass(slots=True)
class Outcome:
    """What so many stops cost. ``in_flight``: attempts that the SIGTERMs found between C2 and C3."""

    stops: int = 0
    in_flight: int = 0
    uncertain: int = 0
    slowest_s: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"SIGTERMs {self.stops}, attempts in flight {self.in_flight}, uncertain {self.uncertain}, "
            f"slowest stop {self.slowest_s:.2f} s, wrong: {self.wrong or 'nothing'}"
        )


async def loop(
    rounds: int, *, seed: int = 1, keep: Path | None = None, say: Callable[[str], None] = lambda _: None
) -> Outcome:
    """One database, so many lives. ``keep``: a new folder that stays, with the database and the log."""
    outcome, rng = Outcome(), random.Random(seed)
    with contextlib.ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="modemgw-sigterm-")))
        folder.mkdir(exist_ok=True)
        modems = [{"name": f"modem{number}"} for number in range(MODEMS)]
        async with Bank.of(folder, modems, latency=[0.3, 0.8], report_delay=0.3) as bank, Forge.of() as forge:
            config = folder / "modemgw.toml"
            config.write_text(config_text(folder / "state", bank.ports))
            config.chmod(0o600)
            key: str | None = None
            sent = 0
            for number in range(rounds):
                service = await Service.start(config, starter=forge)
                try:
                    await service.listening(key)
                    key = key or service.key
                    heard = asyncio.create_task(bank.ask("wait_ctrl_z"))
                    waiting = (await service.get("/v1/messages?status=queued&limit=500"))["items"]
                    while len(waiting) < _MOST and sent < (number + 1) * 8:
                        sent += 1
                        await service.send(f"+49151{sent:08d}", f"message {sent}", report=rng.random() < 0.5)
                    await heard
                    await asyncio.sleep(rng.uniform(0.0, 0.9))
                    await _stop(service, folder / "state" / "modemgw.db", outcome)
                finally:
                    await service.kill()
                say(f"round {number + 1} of {rounds}, {outcome}")
            _judge(folder / "state" / "modemgw.db", await bank.ask("ledger"), outcome)
    return outcome


async def _stop(service: Service, database: Path, outcome: Outcome) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    outcome.in_flight += len(_rows(database, "SELECT 1 FROM attempts WHERE state = 'submitting'"))
    service.signal(signal.SIGTERM)
    code = await service.ended()
    outcome.stops += 1
    outcome.slowest_s = max(outcome.slowest_s, clock() - began)
    if code != 0:
        outcome.wrong.append(f"exit code {code}")
    left = _rows(database, "SELECT 1 FROM attempts WHERE state = 'submitting'")
    if left:
        outcome.wrong.append(f"{len(left)} attempts left open")


def _judge(database: Path, ledger: list[dict[str, str]], outcome: Outcome) -> None:
    uncertain = _rows(
        database,
        "SELECT m.peer, t.at_ms, a.modem, a.started_ms, a.ended_ms, a.state, a.evidence, a.error "
        "FROM timeline AS t JOIN messages AS m ON m.seq = t.message_seq JOIN segments AS g ON g.message_seq = m.seq "
        "JOIN attempts AS a ON a.segment_id = g.segment_id WHERE t.event = 'uncertain'",
    )
    outcome.uncertain = len(uncertain)
    outcome.wrong += [f"uncertain: {row}" for row in uncertain]
    copies = Counter(each["to"] for each in ledger)
    twice = [number for number, count in copies.items() if count > 1]
    if twice:
        outcome.wrong.append(f"sent twice: {twice}")
    sent = {peer for (peer,) in _rows(
        database, "SELECT peer FROM messages WHERE status IN ('sent', 'delivered', 'undelivered')"
    )}  # fmt: skip
    if sent != set(copies):
        outcome.wrong.append(f"the record and the ledger differ: {sent ^ set(copies)}")


def _rows(database: Path, sql: str) -> list[tuple[str, ...]]:
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as db:
        return db.execute(sql).fetchall()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="keep database and log in this new folder")
    args = parser.parse_args()
    end = "\r" if sys.stderr.isatty() else "\n"
    outcome = asyncio.run(loop(args.rounds, seed=args.seed, keep=args.keep, say=lambda text: _progress(text + end)))
    sys.stdout.write(f"{outcome}\n")
    return 1 if outcome.wrong or outcome.uncertain else 0


def _progress(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
