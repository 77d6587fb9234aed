"""Calls to the listener that nobody waits for: in order, one at a time, outside the port's callbacks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)
_PAUSE_S = 5.0

Upcall = Callable[[], Awaitable[None]]


def heed_cancellation() -> None:
    """For loops that never end: an error on the way out may have hidden that somebody cancelled this task."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def insist(name: str, call: Upcall) -> None:
    """Repeat it until it does not raise."""
    while True:
        try:
            await call()
        except Exception:
            heed_cancellation()
            log.exception("%s: the gateway could not take what it was told; it is told again", name)
            await asyncio.sleep(_PAUSE_S)
        else:
            return


class Upcalls:
    """A queue and its worker."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: asyncio.Queue[tuple[Upcall, bool]] = asyncio.Queue()

    def add(self, call: Upcall, *, must_succeed: bool = False) -> None:
        """``must_succeed``: proof of a submit is not given up, other news are."""
        self._queue.put_nowait((call, must_succeed))

    async def run(self) -> None:
        """For ever."""
        while True:
            heed_cancellation()
            call, must_succeed = await self._queue.get()
            if must_succeed:
                await insist(self._name, call)
                continue
            try:
                await call()
            except Exception:
                log.exception("%s: the gateway could not take an event", self._name)
