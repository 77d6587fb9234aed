"""Bytes on their way from the modem to the computer, in order, each at its time."""

from collections import deque
from collections.abc import Callable

from modemgw.emulator.agenda import Now


class Wire:
    """A queue of written bytes. With `byte_seconds` every byte takes so long, one at a time."""

    def __init__(self, now: Now, on_earlier: Callable[[], None]) -> None:
        self.byte_seconds = 0.0
        self._now = now
        self._on_earlier = on_earlier
        self._waiting: deque[tuple[float, bytes]] = deque()

    def write(self, data: bytes) -> None:
        """Put bytes behind those that wait already."""
        if not data:
            return
        first = not self._waiting
        start = max(self._now.value, 0.0 if first else self._waiting[-1][0])
        if self.byte_seconds:
            for place in range(len(data)):
                self._waiting.append((start + (place + 1) * self.byte_seconds, data[place : place + 1]))
        else:
            self._waiting.append((start, data))
        if first:
            self._on_earlier()

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
