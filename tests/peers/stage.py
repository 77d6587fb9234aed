"""A stage for one foreign program: simulated modems on terminals, the program's processes, a folder of its own.

The modems run in the test's event loop, so a test reads the network's ledger, and what a modem heard, as they are.
Programs are started in process groups of their own, die with the test run (`setpriv --pdeathsig`), and whatever they
left running is ended when the stage closes. Nothing here sleeps blindly: `until` looks for a condition, and says what
it missed, with the ends of all logs.
"""

import asyncio
import os
import random
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Self

from peers.debian import Programs

from modemgw.emulator.device import Device
from modemgw.emulator.lab import Lab
from modemgw.emulator.ledger import Accepted
from modemgw.emulator.mailbox import RETRY
from modemgw.emulator.pty import PtyLab
from modemgw.seams import SystemClock

PATIENCE = 2.5 * RETRY
"""Seconds for a program to get anywhere. What a modem could not show, or nobody acknowledged, the network brings again
only after `RETRY`, so with a deadline near that a program would be called lost that was just about to be served."""

_LOOK = 0.02  # seconds between two looks at a condition
_LOG_END = 3000  # characters


class Stage:
    """Modems `modem0`, `modem1`, … of one persona. `settings` are those that the program needs for it (makes.toml).

    The network is quick, so that the program's own pace counts; but a report comes a second after the answer, because
    a real one is never there before a program wrote down what it had sent.
    """

    def __init__(self, programs: Programs, folder: Path, persona: str, modems: int, settings: dict[str, str]) -> None:
        self.programs = programs
        self.folder = folder
        self.settings = settings
        self._logs: list[Path] = []
        self.lab = Lab(SystemClock(), random.Random(1), latency=0.02, report_delay=1.0, gap=0.1)
        self.modems = [self.lab.add(f"modem{number}", persona) for number in range(modems)]
        for modem in self.modems:
            modem.inbox.cpms_refusals = 0  # they were plugged in long ago
            modem.on_traffic = partial(self._note, self.log(f"{modem.name}.traffic"))
        self.environ = {**programs.environ, "HOME": str(folder)}
        self._running: list[subprocess.Popen[bytes]] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(PtyLab(self.lab, self.folder / "lab"))
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception):  # not when the test is skipped
            error.add_note(self.ends_of_logs())
        await self._end_all()
        await self._stack.aclose()

    # ---- the modems

    def port(self, modem: Device) -> Path:
        """The terminal of a modem."""
        return self.folder / "lab" / modem.name

    def _note(self, path: Path, tty_name: str, direction: str, data: bytes) -> None:
        with path.open("a") as file:
            file.write(f"{datetime.now(UTC):%H:%M:%S.%f} {tty_name} {direction} {repr(data)[2:-1]}\n")

    @property
    def ledger(self) -> list[Accepted]:
        """What the network accepted."""
        return self.lab.network.ledger

    def reports(self) -> int:
        """How many status reports the modems took from the network."""
        return sum(entry.kind == "report" for entry in self.lab.network.delivered)

    def write_in(self, messages: Iterable[tuple[str, str]], *modems: Device) -> None:
        """Somebody writes to the modems, in turn: (sender, text)."""
        for place, (sender, text) in enumerate(messages):
            self.lab.network.deliver_from_outside(sender, modems[place % len(modems)], text)

    # ---- the programs

    def log(self, name: str) -> Path:
        """A file in the folder whose end is shown when something goes wrong."""
        path = self.folder / name
        if path not in self._logs:
            self._logs.append(path)
        return path

    def said(self, name: str) -> str:
        """What is in such a file by now."""
        path = self.log(name)
        return path.read_text(errors="replace") if path.exists() else ""

    async def run(self, *command: object, stdin: bytes = b"", seconds: float = PATIENCE, fails: bool = False) -> str:
        """Run a program to its end; what it wrote. AssertionError unless it succeeds, or `fails` as foretold."""
        process = await asyncio.create_subprocess_exec(
            *self._command(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environ,
            cwd=self.folder,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(seconds):
                written, _ = await process.communicate(stdin)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            raise
        text = written.decode("utf-8", "replace")
        assert (process.returncode != 0) == fails, f"{command} ended with {process.returncode}: {text}"
        return text

    def start(self, *command: object, log: str) -> None:
        """Start a daemon; it is ended with the stage. Both its outputs go to that file."""
        with self.log(log).open("wb") as output:
            process = subprocess.Popen(
                self._command(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environ,
                cwd=self.folder,
                start_new_session=True,
            )
        self._running.append(process)

    def _command(self, command: tuple[object, ...]) -> list[str]:
        name, *arguments = map(str, command)
        return ["setpriv", "--pdeathsig", "KILL", str(self.programs.find(name)), *arguments]

    async def until(self, condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
        """Wait for a condition while all daemons run. AssertionError names `what` did not come."""
        loop = asyncio.get_running_loop()
        over = loop.time() + seconds
        while not condition():
            for process in self._running:
                assert process.poll() is None, f"{process.args} ended with {process.returncode} before: {what}"
            assert loop.time() < over, f"not within {seconds} s: {what}"
            await asyncio.sleep(_LOOK)

    async def _end_all(self) -> None:
        """TERM, five seconds, KILL, to whole groups."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in self._running:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
            if await self._all_ended(5.0):
                break
        for process in self._running:  # a daemon that ended may have left children
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await asyncio.to_thread(process.wait)  # else Python complains later, during somebody else's test

    async def _all_ended(self, seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        over = loop.time() + seconds
        while any(process.poll() is None for process in self._running):
            if loop.time() > over:
                return False
            await asyncio.sleep(_LOOK)
        return True

    def ends_of_logs(self) -> str:
        """What the programs said last, and what the modems heard last."""
        ends = [
            f"--- {path.name}\n{path.read_text(errors='replace')[-_LOG_END:]}" for path in self._logs if path.exists()
        ]
        return "\n".join([*ends, f"--- unknown {[dict(modem.unknown) for modem in self.modems]}"])


def sent(ledger: Iterable[Accepted]) -> dict[str, str]:
    """Recipient → text of the whole message, put together from its parts.

    AssertionError when a number got a message twice, a part twice, or not all parts: so every test that uses this
    checks that nothing was lost or doubled.
    """
    parts: dict[str, dict[int, Accepted]] = {}
    for entry in ledger:
        there = parts.setdefault(entry.number, {})
        seq = entry.concat.seq if entry.concat else 1
        assert seq not in there, f"{entry.number} got part {seq} twice: {there[seq].text!r}, {entry.text!r}"
        there[seq] = entry
    for number, there in parts.items():
        wanted = {entry.concat.parts if entry.concat else 1 for entry in there.values()}
        assert wanted == {len(there)}, f"{number} got parts {sorted(there)} of {wanted}"
    return {number: "".join(there[seq].text or "" for seq in sorted(there)) for number, there in parts.items()}


def complete(ledger: Iterable[Accepted]) -> set[str]:
    """Recipients who got every part of their message."""
    missing: dict[str, int] = {}
    for entry in ledger:
        there = missing.setdefault(entry.number, entry.concat.parts if entry.concat else 1)
        missing[entry.number] = there - 1
    return {number for number, parts in missing.items() if parts <= 0}


def occurrences(words: Iterable[str]) -> dict[str, int]:
    """How often each word is there: a comparison that shows what is missing and what is twice."""
    return dict(sorted(Counter(words).items()))


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
