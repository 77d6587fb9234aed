"""Bytes on their way from the modem to the computer, in order, each at its time."""

from collections import deque
from collections.abc import Callable

from modemgw.emulator.agenda import Now


class Wire:
    """A queue of written bytes. With `byte_seconds` every `chunk` bytes take so long."""

    def __init__(self, now: Now, on_earlier: Callable[[], None]) -> None:
        self.byte_seconds = 0.0
        self.chunk = 1
        self._now = now
        self._on_earlier = on_earlier
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._not_before = 0.0

    def write(self, data: bytes) -> None:
        """Put bytes behind those that wait already."""
        if not data:
            return
        first = not self._waiting
        start = max(self._now.value, self._not_before, 0.0 if first else self._waiting[-1][0])
        if self.byte_seconds:
            for place in range(0, len(data), self.chunk):
                start += self.byte_seconds
                self._waiting.append((start, data[place : place + self.chunk]))
        else:
            self._waiting.append((start, data))
        if first:
            self._on_earlier()

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
