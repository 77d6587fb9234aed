"""Message storage as TS 27.005 clause 3.1 has it: numbered slots of one named memory.

The lowest free index is used again at once, so an index says nothing about age; some modems shift the rest down on
deletion.
"""

from dataclasses import dataclass, replace

UNREAD, READ, UNSENT, SENT = range(4)


@dataclass(frozen=True, slots=True)
class Slot:
    """One stored message: <stat> 0..3, the hex as `+CMGR` shows it, TPDU length in octets."""

    stat: int
    pdu: str
    length: int


class Storage:
    """Slots `base` .. `last`. `base` is the modem's habit, not the card's, so it may change with the modem.

    `blocked` makes it look full without holding anything more.
    """

    def __init__(self, name: str, capacity: int, *, base: int = 1, compacts: bool = False) -> None:
        self.name = name
        self.capacity = capacity
        self.base = base
        self.compacts = compacts
        self.blocked = False
        self._slots: dict[int, Slot] = {}  # by place, 0-based

    @property
    def used(self) -> int:
        """Slots taken, as `+CPMS` reports them."""
        return self.capacity if self.blocked else len(self._slots)

    @property
    def full(self) -> bool:
        """True when nothing more can be stored."""
        return self.used >= self.capacity

    @property
    def last(self) -> int:
        """The highest index that exists."""
        return self.base + self.capacity - 1

    def put(self, slot: Slot) -> int | None:
        """Store in the lowest free slot; its index, or None when full."""
        if self.full:
            return None
        place = next(i for i in range(self.capacity) if i not in self._slots)
        self._slots[place] = slot
        return place + self.base

    def get(self, index: int) -> Slot | None:
        """What is at `index`, or None."""
        return self._slots.get(index - self.base)

    def mark_read(self, index: int) -> None:
        """Turn a received unread message into a read one."""
        slot = self.get(index)
        if slot is not None and slot.stat == UNREAD:
            self._slots[index - self.base] = replace(slot, stat=READ)

    def items(self) -> list[tuple[int, Slot]]:
        """All slots by index."""
        return [(place + self.base, slot) for place, slot in sorted(self._slots.items())]

    def delete(self, index: int) -> bool:
        """Empty one slot; False if it was empty."""
        place = index - self.base
        if self._slots.pop(place, None) is None:
            return False
        if self.compacts:
            self._slots = {i - (i > place): slot for i, slot in sorted(self._slots.items())}
        return True

    def delete_stats(self, stats: tuple[int, ...]) -> None:
        """Empty every slot whose <stat> is in `stats` (`+CMGD=…,1..4`)."""
        for index, slot in reversed(self.items()):
            if slot.stat in stats:
                self.delete(index)
