"""Things that go wrong at a chosen moment: `Fault(when=…, do=…)`, given to `device.faults.add`.

    device.faults.add(Fault(Command("AT+CMGS", nth=2), Unplug("submitted", accepted=True)))
    device.faults.add(Fault(Urc("+CMTI"), Drop()))
    device.faults.add(Fault(At(60.0), Reboot()))

Counting starts when the fault is added; a fault happens once unless it says `every=True`. A fault on a command
changes what that command's exchange does; on an unsolicited line, that line; on a byte or a time, the modem itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar


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

# Where in an exchange: the command line has come; the prompt was written; PDU there but not the 0x1A; 0x1A has come;
# between the information line (+CMGS: n) and OK; after the whole answer.
Point = Literal["command", "prompt", "payload", "submitted", "final", "end"]
# Before the echo, before the information lines, behind the first of them, before the final result, after it, before the
# prompt, after the prompt; between an indication's header and its PDU.
Boundary = Literal["echo", "info", "lines", "final", "end", "prompt", "payload", "pdu"]


@dataclass(frozen=True, slots=True)
class Drop:
    """Bytes never come: the whole answer, its final result, the prompt; or the unsolicited line."""

    what: Literal["answer", "final", "prompt"] = "answer"


@dataclass(frozen=True, slots=True)
class Delay:
    """Bytes come later.

    `busy`: the modem itself hangs so long; else only this answer is late and others overtake it.
    """

    seconds: float
    what: Literal["answer", "prompt"] = "answer"
    busy: bool = True


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The whole answer, its final result, or the unsolicited line comes twice."""

    what: Literal["answer", "final"] = "answer"


@dataclass(frozen=True, slots=True)
class Garble:
    """`count` bytes of the answer or unsolicited line are changed, chosen by the lab's random numbers."""

    count: int = 1


@dataclass(frozen=True, slots=True)
class Error:
    """The command fails with this final result (`+CMS ERROR: 38`).

    A SUBMIT is not accepted; `early`: before the prompt.
    """

    text: str
    early: bool = False


@dataclass(frozen=True, slots=True)
class AcceptBut:
    """The network accepts the SUBMIT and the modem answers with this final result all the same."""

    text: str


@dataclass(frozen=True, slots=True)
class Stray:
    """A line comes at a boundary inside the exchange, or of an indication."""

    text: str
    where: Boundary


@dataclass(frozen=True, slots=True)
class Unplug:
    """The port vanishes; at `submitted`, with the message accepted or not.

    It comes back after `back` seconds unless that is None, under the name `port` if one is given.
    """

    point: Point = "command"
    accepted: bool = False
    back: float | None = None
    port: str = ""


@dataclass(frozen=True, slots=True)
class Reboot:
    """The modem restarts: answers are lost, settings gone, echo is on."""

    point: Point = "command"
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class RegisterLoss:
    """No network for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class StorageFull:
    """All storages look full for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Dribble:
    """From now on every byte written takes so many seconds; 0 ends it."""

    seconds: float


Do = (
    Drop
    | Delay
    | Duplicate
    | Garble
    | Error
    | AcceptBut
    | Stray
    | Unplug
    | Reboot
    | RegisterLoss
    | StorageFull
    | Dribble
)
MODEM_WIDE = (RegisterLoss, StorageFull, Dribble)
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
