"""Calls to the listener that nobody waits for: in order, one at a time, outside the port's callbacks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)
_PAUSE_S = 5.0

Upcall = Callable[[], Awaitable[None]]


class Upcalls:
    """A queue and its worker."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: asyncio.Queue[tuple[Upcall, bool]] = asyncio.Queue()

    def add(self, call: Upcall, *, must_succeed: bool = False) -> None:
        """``must_succeed``: repeat it until it does not raise; proof of a submit is not given up."""
        self._queue.put_nowait((call, must_succeed))

    async def run(self) -> None:
        """For ever."""
        while True:
            call, must_succeed = await self._queue.get()
            while True:
                try:
                    await call()
                except Exception:
                    log.exception("%s: the gateway could not take an event", self._name)
                    if must_succeed:
                        await asyncio.sleep(_PAUSE_S)
                        continue
                break
