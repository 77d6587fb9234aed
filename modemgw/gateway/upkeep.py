"""What a gateway does for itself: room on the disk, times that can't be, and the hour's clean-up.

The clean-up goes in small steps with pauses, so that nothing that is being sent has to wait for it. It destroys by the
clock, so it only runs while the clock is beyond doubt: trusted, and not set by more than an hour within the last day
unless a time server keeps it.
"""

import asyncio
import logging
import sqlite3
from functools import partial

from modemgw.gateway import reassembly
from modemgw.gateway.context import Context
from modemgw.store import events, retention, timebase
from modemgw.store.errors import StoreError

log = logging.getLogger(__name__)
_LOOK_S = 10.0
_CLEAN_UP_S = 3600.0
_FIRST_S = 60.0  # a start has better things to do first
_PAUSE_S = 0.05
_DOUBT_S = 86_400.0
_DOUBT_MS = 3_600_000


class Upkeep:
    """``run`` until cancelled."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._was_low = False
        self._cleaned = context.clock.monotonic() - _CLEAN_UP_S + _FIRST_S
        self._scrub = False
        self._doubt_until = float("-inf")
        self._offset_ms = self._clock_offset_ms()

    def scrub_soon(self) -> None:
        """Something was erased, and a reader was in the way of emptying the write-ahead log."""
        self._scrub = True

    async def run(self) -> None:
        """Forever; a fault of the store is logged and tried again."""
        try:
            await self._context.commit(self._mend)
        except StoreError as problem:
            log.error("The store is not in order yet: %s", problem)
        while True:
            try:
                await self._look()
            except StoreError as problem:
                log.error("The clean-up waits for the store: %s", problem)
            await asyncio.sleep(_LOOK_S)

    async def _look(self) -> None:
        await self._look_at_disk()
        self._look_at_clock()
        if self._scrub and await self._context.db.scrub():
            self._scrub = False
        now = self._context.clock.monotonic()
        if now - self._cleaned >= _CLEAN_UP_S:
            self._cleaned = now
            await self.clean_up()

    async def _look_at_disk(self) -> None:
        room = self._context.db.room
        if room is None:
            return
        room.tend()
        low = room.low()
        if low == self._was_low:
            return
        self._was_low = low
        if low:
            log.error("The disk is nearly full: new messages are refused, received ones stay on the SIMs.")
        else:
            log.warning("There is room on the disk again: messages are taken as before.")
        body = {"low": low, "free": max(0, room.spare())}
        await self._context.commit(lambda cur: events.announce(cur, self._context.stamp(), "store.disk", body))

    def _look_at_clock(self) -> None:
        offset_ms = self._clock_offset_ms()
        if abs(offset_ms - self._offset_ms) > _DOUBT_MS:
            self._doubt_until = self._context.clock.elapsed() + _DOUBT_S
        self._offset_ms = offset_ms

    def _clock_offset_ms(self) -> int:
        clock = self._context.clock
        return clock.wall_ms() - round(clock.elapsed() * 1000)

    async def clean_up(self) -> None:
        """Everything whose time is over, in steps."""
        context = self._context
        await context.commit(self._mend)
        for step in retention.STEPS:
            while self._sure_of_the_time():
                if not await context.db.write(partial(step, now_ms=context.clock.wall_ms())):
                    break
                await asyncio.sleep(_PAUSE_S)

    def _sure_of_the_time(self) -> bool:
        clock = self._context.clock
        return clock.trusted() and (clock.synchronised() or clock.elapsed() >= self._doubt_until)

    def _mend(self, cur: sqlite3.Cursor) -> None:
        """Ends waits that can't be meant, and shows long messages whose missing parts will not come any more."""
        if self._context.clock.trusted():
            timebase.bring_back(cur, self._context.clock.wall_ms())
        reassembly.release_stale(cur, self._context)
