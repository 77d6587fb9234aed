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

    @property
    def is_report(self) -> bool:
        """Whether the first octet behind the SMSC says STATUS-REPORT (TP-MTI 10)."""
        try:
            smsc = int(self.pdu[:2], 16)
            return int(self.pdu[2 + 2 * smsc : 4 + 2 * smsc], 16) & 3 == 2
        except ValueError:
            return False


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

    def overwrite(self, index: int, slot: Slot) -> None:
        """Put something else into a slot."""
        self._slots[index - self.base] = slot

    def delete_stats(self, stats: tuple[int, ...]) -> None:
        """Empty every slot whose <stat> is in `stats` (`+CMGD=…,1..4`)."""
        for index, slot in reversed(self.items()):
            if slot.stat in stats:
                self.delete(index)


class Union:
    """MT (TS 27.005 clause 3.1): several storages under one numbering, those of the card first."""

    def __init__(self, name: str, parts: tuple[Storage, ...]) -> None:
        self.name = name
        self.parts = parts

    @property
    def capacity(self) -> int:
        """Slots of all parts."""
        return sum(part.capacity for part in self.parts)

    @property
    def used(self) -> int:
        """Slots taken."""
        return sum(part.used for part in self.parts)

    @property
    def full(self) -> bool:
        """True when no part has room."""
        return all(part.full for part in self.parts)

    @property
    def base(self) -> int:
        """The lowest index that exists."""
        return self.parts[0].base

    @property
    def last(self) -> int:
        """The highest index that exists."""
        return self.base + self.capacity - 1

    def put(self, slot: Slot) -> int | None:
        """Store where there is room; its index, or None when full."""
        before = 0
        for part in self.parts:
            index = part.put(slot)
            if index is not None:
                return index + before
            before += part.capacity
        return None

    def get(self, index: int) -> Slot | None:
        """What is at `index`, or None."""
        part, inner = self._find(index)
        return part.get(inner)

    def mark_read(self, index: int) -> None:
        """Turn a received unread message into a read one."""
        part, inner = self._find(index)
        part.mark_read(inner)

    def items(self) -> list[tuple[int, Slot]]:
        """All slots by index."""
        found, before = [], 0
        for part in self.parts:
            found += [(index + before, slot) for index, slot in part.items()]
            before += part.capacity
        return found

    def delete(self, index: int) -> bool:
        """Empty one slot; False if it was empty."""
        part, inner = self._find(index)
        return part.delete(inner)

    def overwrite(self, index: int, slot: Slot) -> None:
        """Put something else into a slot."""
        part, inner = self._find(index)
        part.overwrite(inner, slot)

    def delete_stats(self, stats: tuple[int, ...]) -> None:
        """Empty every slot whose <stat> is in `stats`."""
        for part in self.parts:
            part.delete_stats(stats)

    def _find(self, index: int) -> tuple[Storage, int]:
        for part in self.parts[:-1]:
            if index <= part.last:
                return part, index
            index -= part.capacity
        return self.parts[-1], index
