"""In-process news, after the commit: who waits for a message, or for anything at all, looks again.

Nothing here is promised: what must arrive is a row in the event table.
"""

import asyncio


class Bus:
    """One condition that is raised after each commit; waiters re-read what they care about."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def publish(self) -> None:
        """Something was committed."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def next(self) -> None:
        """Returns after the next commit."""
        await self._changed.wait()
