"""What can go wrong: the effects of faults. When they happen is said by `faults.py`.

Effects of an exchange: Drop, Delay, Duplicate, Garble, Error, AcceptBut, Ignore, Lose, Stray, Unplug, Reboot. Of an
unsolicited line: Drop, Delay, Duplicate, Garble, Reword, Stray. Of the modem as a whole, whenever they happen: the
others, Unplug and Reboot.
"""

import math
from dataclasses import dataclass
from typing import Literal

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
    """A line comes at a boundary inside the exchange, or of an indication; `hex:…` are bytes without a frame."""

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
    """No network for so many seconds; `stat` as in TS 27.007 clause 7.2: 2 searching, 3 denied, 0 not even looking."""

    seconds: float
    stat: int = 2


@dataclass(frozen=True, slots=True)
class StorageFull:
    """All storages look full for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Dribble:
    """From now on bytes are written `chunk` at a time, each chunk taking so many seconds; 0 ends it.

    It ends by itself `lasts` seconds later.
    """

    seconds: float
    chunk: int = 1
    lasts: float = math.inf


@dataclass(frozen=True, slots=True)
class Ignore:
    """The command is answered by OK and does nothing."""


@dataclass(frozen=True, slots=True)
class Lose:
    """So many bytes of the payload behind a prompt get lost, chosen by the lab's random numbers."""

    count: int = 1


@dataclass(frozen=True, slots=True)
class Reword:
    """The unsolicited line reads like this instead: `{0}`, `{1}` are the fields of the right one."""

    text: str


@dataclass(frozen=True, slots=True)
class Hang:
    """The modem neither hears nor speaks for so many seconds; then what it had to say comes."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """What is written during so many seconds comes at their end in one piece."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Flood:
    """The unsolicited line comes so many times, even inside a command."""

    text: str
    count: int = 1000


@dataclass(frozen=True, slots=True)
class Intrude:
    """Another program writes this to the first tty: `AT+GCAP` and CR, say."""

    text: str


@dataclass(frozen=True, slots=True)
class WeakSignal:
    """For so many seconds every SUBMIT fails like this, so long after its 0x1A; the network does not get it."""

    seconds: float
    answer: str = "+CMS ERROR: 513"
    after: float = 28.0


@dataclass(frozen=True, slots=True)
class NoCredit:
    """The SIM has no credit any more: SUBMITs are refused with this, or with "" answered like good ones and dropped.

    `answer` "paid" is credit again.
    """

    answer: str = "+CMS ERROR: 21"


@dataclass(frozen=True, slots=True)
class SwapSim:
    """The card loses contact for so many seconds; None: for good."""

    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Ring:
    """Somebody calls; an empty `caller` withholds the number."""

    caller: str = ""
    seconds: float = 20.0


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
    | Ignore
    | Lose
    | Reword
    | Hang
    | Hold
    | Flood
    | Intrude
    | WeakSignal
    | NoCredit
    | SwapSim
    | Ring
)
# These hit the modem and not the exchange or line that they were tied to.
MODEM_WIDE = (RegisterLoss, StorageFull, Dribble, Hang, Hold, Flood, Intrude, WeakSignal, NoCredit, SwapSim, Ring)
