"""What a party of the lab will do, and when: a heap of actions over one shared time.

All parties of a lab share one `Now`, so that an action of the network finds the modem's time up to date. Times are the
seconds that the driver passes in; nothing here reads a clock. Actions due at the same moment run in the order they
were made.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field


class Now:
    """The time that every party of one lab sees, in seconds. It never goes back.

    It moves when somebody passes a time in; with `source` (an event loop's `time`) it is also right in between,
    when a test pulls a stick or sends a message out of the blue.
    """

    def __init__(self, start: float = 0.0) -> None:
        self.source: Callable[[], float] | None = None
        self._value = start

    @property
    def value(self) -> float:
        """Now."""
        if self.source is not None:
            self._value = max(self._value, self.source())
        return self._value

    def advance(self, to: float) -> None:
        """Move to `to`, unless it is past already."""
        self._value = max(self._value, to)


@dataclass(slots=True, order=True)
class Entry:
    """One planned action. `cancel()` makes it do nothing."""

    at: float
    number: int
    action: Callable[[], None] | None = field(compare=False)

    def cancel(self) -> None:
        """Never run it. Harmless if it ran already."""
        self.action = None


class Agenda:
    """The planned actions of one party. `on_earlier` is called when the next due time moves forward."""

    def __init__(self, now: Now, on_earlier: Callable[[], None]) -> None:
        self._now = now
        self._on_earlier = on_earlier
        self._heap: list[Entry] = []
        self._count = 0
        self._running = False

    def after(self, delay: float, action: Callable[[], None]) -> Entry:
        """Plan `action` in `delay` seconds from now."""
        self._count += 1
        entry = Entry(self._now.value + max(delay, 0.0), self._count, action)
        first = self.due()
        heapq.heappush(self._heap, entry)
        if not self._running and (first is None or entry.at < first):
            self._on_earlier()
        return entry

    def due(self) -> float | None:
        """When the next action is due, or None."""
        while self._heap and self._heap[0].action is None:
            heapq.heappop(self._heap)
        return self._heap[0].at if self._heap else None

    def run(self, now: float) -> None:
        """Run what is due at `now`, each action seeing the time for which it was planned."""
        self._running = True
        try:
            while (due := self.due()) is not None and due <= now:
                self._now.advance(due)
                action = heapq.heappop(self._heap).action
                if action is not None:
                    action()
        finally:
            self._running = False
        self._now.advance(now)

    def clear(self) -> None:
        """Forget everything that was planned."""
        self._heap.clear()
