"""The wall clock is set while we run, or while we were down: what waits goes on waiting for as long as it should.

Nothing tells a program that the clock was set, so its distance from the time since boot is looked at before every
commit and by the timers. A step moves the stored times of this boot (store/clock.py); slow drift is none.
"""

import logging
import sqlite3

from modemgw.seams import Clock
from modemgw.store import clock as store
from modemgw.store.clock import Reckoning
from modemgw.store.database import Database

log = logging.getLogger(__name__)
_STEP_MS = 1000


class ClockSteps:
    """``begin`` before anything else reads the database, then ``follow`` as often as you like."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._reckoning: Reckoning | None = None

    async def begin(self) -> None:
        """Takes up the reckoning of an earlier run in this boot, or begins a new one."""
        earlier = await self._db.read(store.recall)
        if earlier is not None and earlier.boot_id == self._clock.boot_id:
            self._reckoning = earlier
            await self.follow()
            return
        reckoning = Reckoning(self._clock.boot_id, self._offset_ms(), self._clock.wall_ms())
        await self._db.write(lambda cur: store.remember(cur, reckoning))
        self._reckoning = reckoning

    async def follow(self) -> None:
        """Notices a step and moves what it concerns; cheap when there was none."""
        reckoning = self._reckoning
        if reckoning is None:
            return
        offset_ms = self._offset_ms()
        by_ms = offset_ms - reckoning.offset_ms
        if abs(by_ms) < _STEP_MS:
            self._reckoning = Reckoning(reckoning.boot_id, offset_ms, reckoning.since_ms)
            return
        log.warning("The clock was set by %+.1f s: everything that waits is moved along", by_ms / 1000)
        until_ms = self._clock.wall_ms() - by_ms
        moved = Reckoning(reckoning.boot_id, offset_ms, reckoning.since_ms + by_ms)

        def unit(cur: sqlite3.Cursor) -> None:
            store.shift(cur, by_ms, reckoning.since_ms, until_ms)
            store.remember(cur, moved)

        self._reckoning = moved  # before the first await: others must not move it again
        try:
            await self._db.write(unit, urgent=True)
        except BaseException:
            self._reckoning = reckoning
            raise

    def _offset_ms(self) -> int:
        return self._clock.wall_ms() - round(self._clock.elapsed() * 1000)
