"""Things that go wrong at a chosen moment: `Fault(when=…, do=…)`, given to `device.faults.add`.

    device.faults.add(Fault(Command("AT+CMGS", nth=2), Unplug("submitted", accepted=True)))
    device.faults.add(Fault(Urc("+CMTI"), Drop()))
    device.faults.add(Fault(At(60.0), Reboot()))

Counting starts when the fault is added; a fault happens once unless it says `every=True`. A fault on a command
changes what that command's exchange does; on an unsolicited line, that line; on a byte or a time, the modem itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from modemgw.emulator.effects import (
    MODEM_WIDE,
    AcceptBut,
    Boundary,
    Delay,
    Do,
    Dribble,
    Drop,
    Duplicate,
    Error,
    Flood,
    Garble,
    Hang,
    Hold,
    Ignore,
    Intrude,
    Lose,
    NoCredit,
    Point,
    Reboot,
    RegisterLoss,
    Reword,
    Ring,
    StorageFull,
    Stray,
    SwapSim,
    Unplug,
    WeakSignal,
)

__all__ = [
    "MODEM_WIDE",
    "AcceptBut",
    "At",
    "Boundary",
    "Byte",
    "Command",
    "Delay",
    "Do",
    "Dribble",
    "Drop",
    "Duplicate",
    "Error",
    "Fault",
    "FaultBook",
    "Flood",
    "Garble",
    "Hang",
    "Hold",
    "Ignore",
    "Intrude",
    "Lose",
    "NoCredit",
    "Point",
    "Reboot",
    "RegisterLoss",
    "Reword",
    "Ring",
    "StorageFull",
    "Stray",
    "SwapSim",
    "Unplug",
    "Urc",
    "WeakSignal",
    "When",
    "pick",
]


@dataclass(frozen=True, slots=True)
class Command:
    """The nth command line that begins with `prefix` (`AT+CMGS`, letter case does not matter)."""

    prefix: str
    nth: int = 1
    every: bool = False


@dataclass(frozen=True, slots=True)
class Urc:
    """The nth unsolicited line that begins with `prefix`."""

    prefix: str
    nth: int = 1
    every: bool = False


@dataclass(frozen=True, slots=True)
class Byte:
    """After `count` more bytes have been received: the last of them still counts, the next does not arrive before."""

    count: int


@dataclass(frozen=True, slots=True)
class At:
    """At that time of the lab, in seconds."""

    time: float


When = Command | Urc | Byte | At

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    when: When
    do: Do


def pick(effects: list[Do], kind: type[T], **wanted: object) -> T | None:
    """The first effect of that kind whose fields are as wanted."""
    for effect in effects:
        if isinstance(effect, kind) and all(getattr(effect, key) == value for key, value in wanted.items()):
            return effect
    return None


class FaultBook:
    """The faults that are still to come. `happened` lists those that did."""

    def __init__(self, at: Callable[[float, Do], None]) -> None:
        self._at = at
        self._waiting: list[tuple[Fault, int]] = []
        self.happened: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Arm a fault."""
        if isinstance(fault.when, At):
            self._at(fault.when.time, fault.do)
            return
        count = fault.when.count if isinstance(fault.when, Byte) else fault.when.nth
        self._waiting.append((fault, count))

    def clear(self) -> None:
        """Disarm everything that does not wait for a time."""
        self._waiting.clear()

    def on_line(self, kind: type[Command] | type[Urc], line: str) -> list[Do]:
        """What goes wrong with this command line or unsolicited line."""
        if not self._waiting:
            return []
        effects: list[Do] = []
        kept: list[tuple[Fault, int]] = []
        for fault, count in self._waiting:
            when = fault.when
            if not isinstance(when, kind) or not line.upper().startswith(when.prefix.upper()):
                kept.append((fault, count))
            elif count > 1:
                kept.append((fault, count - 1))
            else:
                effects.append(fault.do)
                self.happened.append(fault)
                if when.every:
                    kept.append((fault, 1))
        self._waiting = kept
        return effects

    def bytes_until(self) -> int | None:
        """How many more bytes may arrive before a Byte fault happens."""
        return min((count for fault, count in self._waiting if isinstance(fault.when, Byte)), default=None)

    def on_bytes(self, received: int) -> list[Do]:
        """Count received bytes; what goes wrong now."""
        effects: list[Do] = []
        kept: list[tuple[Fault, int]] = []
        for fault, count in self._waiting:
            left = count - received if isinstance(fault.when, Byte) else count
            if isinstance(fault.when, Byte) and left <= 0:
                effects.append(fault.do)
                self.happened.append(fault)
            else:
                kept.append((fault, left))
        self._waiting = kept
        return effects
