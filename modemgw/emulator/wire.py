"""Bytes on their way from the modem to the computer, in order, each at its time."""

from collections import deque
from collections.abc import Callable

from modemgw.emulator.agenda import Now


class Wire:
    """A queue of written bytes."""

    def __init__(self, now: Now, on_earlier: Callable[[], None]) -> None:
        self._now = now
        self._on_earlier = on_earlier
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._not_before = 0.0
        self._chunk_seconds = 0.0
        self._chunk = 1
        self._dribbles_until = 0.0

    def write(self, data: bytes) -> None:
        """Put bytes behind those that wait already."""
        if not data:
            return
        first = not self._waiting
        start = max(self._now.value, self._not_before, 0.0 if first else self._waiting[-1][0])
        if self._chunk_seconds and self._now.value < self._dribbles_until:
            for place in range(0, len(data), self._chunk):
                start += self._chunk_seconds
                self._waiting.append((start, data[place : place + self._chunk]))
        else:
            self._waiting.append((start, data))
        if first:
            self._on_earlier()

    def dribble(self, seconds: float, chunk: int, lasts: float) -> None:
        """What is written in the next `lasts` seconds comes `chunk` bytes at a time, each chunk taking so long."""
        self._chunk_seconds, self._chunk = seconds, chunk
        self._dribbles_until = self._now.value + lasts

    def hold(self, seconds: float) -> None:
        """Nothing that is written from now on comes before so many seconds are over."""
        self._not_before = self._now.value + seconds

    def due(self) -> float | None:
        """When the next byte is there."""
        return self._waiting[0][0] if self._waiting else None

    def take(self, now: float) -> bytes:
        """The bytes that are there by `now`."""
        taken = []
        while self._waiting and self._waiting[0][0] <= now:
            taken.append(self._waiting.popleft()[1])
        return b"".join(taken)

    def clear(self) -> None:
        """They are lost."""
        self._waiting.clear()
        self._not_before = 0.0
