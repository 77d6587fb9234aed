"""What waits at the service centre for one SIM: strictly in order, one at a time (23.040 §3.2.6, §3.3.2).

A message stays until the modem took it. Refused (memory full) or not acknowledged: it is tried again when the modem
has room or comes back, and after `RETRY` seconds.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modemgw.emulator.sim import Sim
from modemgw.pdu.decode import decode
from modemgw.pdu.tpdu import Deliver, StatusReport, Submit

if TYPE_CHECKING:
    from modemgw.emulator.device import Device
    from modemgw.emulator.network import Network

RETRY = 60.0


@dataclass(frozen=True, slots=True)
class Mt:
    """One message to a modem: decoded, as its hex line, and what to do once it was taken."""

    tpdu: Deliver | StatusReport
    pdu: str
    length: int
    done: Callable[[], None] | None = None

    @staticmethod
    def from_line(line: str) -> "Mt":
        """From the hex line of a DELIVER or STATUS-REPORT. PduError or ValueError if it is none."""
        decoded = decode(line)
        if isinstance(decoded.tpdu, Submit):
            raise ValueError("a SUBMIT cannot be delivered")
        return Mt(decoded.tpdu, line, decoded.tpdu_length)


class Mailbox:
    """The queue of one SIM."""

    def __init__(self, network: "Network", sim: Sim) -> None:
        self._network = network
        self._sim = sim
        self._device: Device | None = None
        self._waiting: deque[Mt] = deque()
        self._in_flight = False
        self._resting = False
        self._retry_planned = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: Mt, *, at_once: bool = False) -> None:
        """Add a message; `at_once` shows it even inside a command (a report before `+CMGS`)."""
        self._waiting.append(message)
        self._pump(at_once=at_once)

    def holds(self, message: Mt) -> bool:
        """Whether the message still waits here."""
        return any(there is message for there in self._waiting)

    def drop(self, message: Mt) -> bool:
        """Its time is over: False if it was taken already, or is just being shown."""
        if not self.holds(message) or (self._in_flight and self._waiting[0] is message):
            return False
        self._waiting = deque(there for there in self._waiting if there is not message)
        return True

    def attach(self, device: "Device") -> None:
        """The SIM is reachable in this modem."""
        self._device = device
        self._in_flight = device.inbox.awaits_acknowledgement
        self._pump()

    def settle(self, *, taken: bool) -> None:
        """The message in flight was acknowledged, or not."""
        if not self._in_flight:
            return
        self._in_flight = False
        if taken:
            self._taken()
            self._pump()
        else:
            self._later()

    def _pump(self, *, at_once: bool = False) -> None:
        while self._waiting and not self._in_flight and (at_once or not self._resting):
            device = self._device
            if device is None or device.sim is not self._sim or not device.radio.attached:
                return
            taken = device.inbox.receive(self._waiting[0], at_once=at_once)
            if taken is None:
                self._in_flight = True
            elif taken:
                self._taken()
            else:
                self._later()
                return

    def _taken(self) -> None:
        message = self._waiting.popleft()
        if self._device is not None:
            self._network.took(self._device, message)
        if message.done is not None:
            message.done()
        gap = self._network.draw(self._network.gap)
        if gap > 0:
            self._resting = True
            self._network.agenda.after(gap, self._rested)

    def _rested(self) -> None:
        self._resting = False
        self._pump()

    def _later(self) -> None:
        if not self._retry_planned:
            self._retry_planned = True
            self._network.agenda.after(RETRY, self._again)

    def _again(self) -> None:
        self._retry_planned = False
        self._pump()
