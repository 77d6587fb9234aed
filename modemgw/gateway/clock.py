"""The machine's clock, but never before the last time in the store.

A small box without a battery starts in the past, and a time server may never answer it. While its clock can't be
right, time goes on from the last moment that the store knows: late at the worst, so nothing ends before its time by
it, and elapsed time is counted right. What waited in the store goes on waiting for as long as it should, the day's
counters are those of the last day, ids and times stay in order.

The machine's clock is taken when a time server keeps it, when it is ahead of ours, or when somebody has set it since
to a time that can be right: not before the build, nor before the last time in the store. That is a step like any
other, and what waits is moved along with it.
"""

from collections.abc import Callable

from modemgw.seams import BUILD_MS, Clock

_SET_MS = 10_000  # more than any drift: somebody has set the clock


class FlooredClock:
    """A Clock over ``base`` that does not begin before ``floor_ms``. ``synchronised``: a time server keeps ``base``."""

    def __init__(self, base: Clock, floor_ms: int, *, synchronised: Callable[[], bool] = lambda: False) -> None:
        self.boot_id = base.boot_id
        self._base = base
        self._synchronised = synchronised
        self._floor_ms = max(BUILD_MS, floor_ms + 1)  # what is stamped from now on can be told from what was
        self._began_at_ms = self._base_offset_ms()
        # Ours minus the time since the boot, while the machine's clock is not taken.
        self._offset_ms: int | None = None
        if not synchronised() and base.wall_ms() < self._floor_ms:
            self._offset_ms = self._floor_ms - self._since_boot_ms()

    def wall_ms(self) -> int:
        """Milliseconds since 1970 UTC, as far as it is known."""
        if self._offset_ms is not None and self._takes(self._offset_ms):
            self._offset_ms = None
        return self._base.wall_ms() if self._offset_ms is None else self._offset_ms + self._since_boot_ms()

    def monotonic(self) -> float:
        return self._base.monotonic()

    def elapsed(self) -> float:
        return self._base.elapsed()

    def trusted(self) -> bool:
        """False while the wall time can't be right."""
        self.wall_ms()
        if self._offset_ms is not None:
            return False
        return (self._base.trusted() and self._base.wall_ms() >= self._floor_ms) or self._synchronised()

    def synchronised(self) -> bool:
        """True while a time server keeps the clock."""
        return self._synchronised()

    def _takes(self, offset_ms: int) -> bool:
        """Is the machine's clock to be taken instead of ours?"""
        if self._synchronised():
            return True
        found_ms = self._base_offset_ms()
        was_set = abs(found_ms - self._began_at_ms) > _SET_MS
        possible = self._base.trusted() and self._base.wall_ms() >= self._floor_ms
        return possible and (was_set or found_ms >= offset_ms)

    def _base_offset_ms(self) -> int:
        return self._base.wall_ms() - self._since_boot_ms()

    def _since_boot_ms(self) -> int:
        return round(self._base.elapsed() * 1000)
