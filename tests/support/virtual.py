"""A loop whose time is virtual, a clock that follows it, and a database without threads.

The loop's clock stands still while anything can run and jumps to the next timer when nothing can. So a day passes in
a moment, and the same seed gives the same day. Nothing may wait for the outside world: the database runs inline.
"""

import asyncio
import selectors
import sqlite3
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
START_MS = int(datetime(2026, 11, 22, 6, 0, tzinfo=UTC).timestamp() * 1000)


class _Selector(selectors.DefaultSelector):
    """Polls; where a real one would sleep, time jumps instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout == 0:
            return []  # something can run: the loop's own wake-up pipe, the only file here, can wait
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("everything waits, and nothing will ever happen")
        if timeout > 0:
            self.now += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time; ``time()`` starts at 0."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


class VirtualClock:
    """Wall time that follows the loop; ``offset_ms`` can be moved, as by a time server or a person."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start_ms: int = START_MS) -> None:
        self._loop = loop
        self.offset_ms = start_ms
        self.boot_id = "boot-1"
        self.is_trusted = True
        self.is_synchronised = False

    def wall_ms(self) -> int:
        return self.offset_ms + round(self._loop.time() * 1000)

    def monotonic(self) -> float:
        return self._loop.time()

    def elapsed(self) -> float:
        return self._loop.time()

    def trusted(self) -> bool:
        return self.is_trusted

    def synchronised(self) -> bool:
        return self.is_synchronised


class InlineConnection:
    """A database connection that runs its functions in the loop's own thread."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._gone = False

    idle = True

    def here(self, function: Callable[[sqlite3.Connection], T]) -> T:
        if self._gone:
            raise sqlite3.OperationalError("the process is gone")
        return function(self._connection)

    async def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        return self.here(function)

    async def close(self) -> None:
        self.vanish()

    def vanish(self) -> None:
        """As when the process is killed: what was not committed never happens."""
        self._gone = True
        self._connection.close()


async def open_inline(path: Path) -> InlineConnection:
    return InlineConnection(path)


def run_virtual(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs ``main`` on a virtual loop; what it left behind is cancelled."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())
