"""One simulated modem: bytes in, bytes out. No I/O, no clock: whoever drives it passes the time.

    device.receive(data, now)        what the computer writes
    device.due() -> float | None     when it next has something to say or do
    device.tick(now) -> bytes        do what is due, and take what it writes
    device.on_due                    called when something became due earlier than `due()` said

Rules: one command line at a time (V.250 clause 5.6); unsolicited lines wait for its final result where the persona says so;
input is bounded; what the modem forgets in a restart is in `settings`, what it keeps is here, what the card keeps is in `sim`.
"""

import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from modemgw.emulator import basic, calls, card, messages, sending  # noqa: F401  # they register their commands
from modemgw.emulator.agenda import Agenda, Now
from modemgw.emulator.exchange import Exchange
from modemgw.emulator.faults import (
    Command,
    Do,
    Dribble,
    Drop,
    Duplicate,
    FaultBook,
    Garble,
    Reboot,
    RegisterLoss,
    StorageFull,
    Stray,
    Unplug,
    Urc,
    pick,
)
from modemgw.emulator.inbound import Inbox
from modemgw.emulator.lines import Failure, Handler
from modemgw.emulator.network import Network
from modemgw.emulator.persona import Persona
from modemgw.emulator.radio import Radio
from modemgw.emulator.settings import fresh
from modemgw.emulator.sim import Sim

_LINE_LIMIT = 600
_INPUT_LIMIT = 8192
_CR, _SUBMIT, _ESCAPE = 0x0D, 0x1A, 0x1B
_END_OF_PAYLOAD = (_SUBMIT, _ESCAPE)


class Mode(Enum):
    """What the modem makes of input."""

    OFF = "off"
    COMMAND = "command"
    BUSY = "busy"
    PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class Heard:
    """One command line that was received: lab time in seconds, the line as it came."""

    at: float
    line: str


class Device:
    """One modem. Public attributes are for tests and tools to look at; `network`, `persona` and `name` do not change."""

    def __init__(
        self, name: str, persona: Persona, sim: Sim | None, network: Network, *, imei: str, rng: random.Random
    ) -> None:
        self.name = name
        self.persona = persona
        self.network = network
        self.imei = imei
        self.rng = rng
        self.now: Now = network.now
        self.agenda = Agenda(self.now, self._due_earlier)
        self.faults = FaultBook(lambda at, do: network.at(at, lambda: self.suffer(do)))
        self.settings = fresh(persona)
        self.sim = sim
        self.card = card.Card(self)
        self.radio = Radio(self)
        self.inbox = Inbox(self)
        self.calls = calls.Calls(self)
        self.exchange: Exchange | None = None
        self.mode = Mode.COMMAND
        self.present = True
        self.heard: deque[Heard] = deque(maxlen=10_000)
        self.unknown: Counter[str] = Counter()
        self.submits_seen = 0
        self.stray_submits = 0
        self.on_due: Callable[[], None] | None = None
        self.on_submit_byte: Callable[[Device, bytes], None] | None = None
        self.on_command: Callable[[str], None] | None = None
        self.on_unplug: Callable[[], None] | None = None
        self.on_plug: Callable[[], None] | None = None
        self._input = bytearray()
        self._line = bytearray()
        self._payload = bytearray()
        self._out: deque[tuple[float, bytes]] = deque()
        self._held: list[bytes] = []
        self._byte_seconds = 0.0
        self._inside = False

    # ---- driving it

    def receive(self, data: bytes, now: float) -> None:
        """Take what the computer wrote. Ignored while the modem is off or starting."""
        self.now.advance(now)
        self._inside = True
        try:
            while data:
                limit = self.faults.bytes_until()
                head = data if limit is None else data[:limit]
                data = data[len(head) :]
                if self.mode is not Mode.OFF:
                    self._input += head
                    self._work()
                if limit is not None:
                    for do in self.faults.on_bytes(len(head)):
                        self.suffer(do)
        finally:
            self._inside = False

    def due(self) -> float | None:
        """When `tick` should be called next; None if nothing will happen unasked."""
        action = self.agenda.due()
        output = self._out[0][0] if self._out else None
        if action is None or output is None:
            return action if output is None else output
        return min(action, output)

    def tick(self, now: float) -> bytes:
        """Do what is due at `now` and take the bytes that it writes by then."""
        self._inside = True
        try:
            self.agenda.run(now)
        finally:
            self._inside = False
        return self.output(now)

    def output(self, now: float) -> bytes:
        """Take the bytes written by `now`, doing nothing else."""
        taken = []
        while self._out and self._out[0][0] <= now:
            taken.append(self._out.popleft()[1])
        return b"".join(taken)

    def _due_earlier(self) -> None:
        if self.on_due is not None and not self._inside:
            self.on_due()

    # ---- input

    def _work(self) -> None:
        while self._input:
            if self.mode is Mode.COMMAND:
                more = self._take_line()
            elif self.mode is Mode.PROMPT:
                more = self._take_payload()
            else:
                more = self._while_busy()
            if not more:
                return

    def _take_line(self) -> bool:
        end = self._input.find(_CR) + 1
        piece = bytes(self._input[: end or len(self._input)])
        del self._input[: len(piece)]
        if len(self._line) < _LINE_LIMIT:
            self._line += piece
        if not end:
            self._echo(piece)
            return False
        self.stray_submits += self._line.count(_SUBMIT)
        line = self._line.decode("latin-1").strip("\r\n\x00\x1a\x1b ")
        self._line.clear()
        self._execute(line, piece)
        return True

    def _execute(self, line: str, echo: bytes) -> None:
        start = line.upper().find("AT")
        if start < 0:
            self._echo(echo)
            return
        line = line[start:]
        self.heard.append(Heard(self.now.value, line))
        if self.on_command is not None:
            self.on_command(line)
        self.mode = Mode.BUSY
        self.exchange = exchange = Exchange(self, line, self.faults.on_line(Command, line))
        exchange.before_echo()
        self._echo(echo)
        if self.persona.line.answer_seconds:
            exchange.later(self.persona.line.answer_seconds, lambda: exchange.start(line[2:]))
        else:
            exchange.start(line[2:])

    def _take_payload(self) -> bool:
        end = next((i for i, byte in enumerate(self._input) if byte in _END_OF_PAYLOAD), -1)
        piece = bytes(self._input if end < 0 else self._input[:end])
        last = self._input[end] if end >= 0 else None
        del self._input[: len(piece) + (end >= 0)]
        if len(self._payload) < 2 * _LINE_LIMIT:
            self._payload += piece
        if self.settings.echo or self.persona.line.echo_payload:
            self.write(piece + (b"\x1a" if last == _SUBMIT and self.persona.line.echo_ctrl_z else b""))
        if last is None or self.exchange is None:
            return False
        payload = bytes(self._payload)
        self._payload.clear()
        if last == _ESCAPE:
            self.exchange.escaped()
        elif not self.exchange.reach("payload"):
            self.mode = Mode.BUSY
            self.submits_seen += 1
            if self.on_submit_byte is not None:
                self.on_submit_byte(self, payload)
            self.exchange.payload(payload)
        return True

    def _while_busy(self) -> bool:
        policy = self.persona.line.busy
        if policy == "queue":
            del self._input[_INPUT_LIMIT:]
            return False
        lines = self._input.count(_CR)
        if policy == "refuse" and lines == 0:
            return False
        self._input.clear()
        if policy == "refuse":
            self.write(b"\r\nERROR\r\n" * lines)
        elif policy == "abort" and self.exchange is not None:
            self.exchange.abort()
        return False

    def expect_payload(self) -> None:
        """From now on input is the payload of the command in progress."""
        self.mode = Mode.PROMPT
        self._payload.clear()

    def free(self) -> None:
        """The command in progress is answered: say what waited, and go on with queued input."""
        self.exchange = None
        self.mode = Mode.COMMAND
        self.inbox.after_command()
        for line in self._held:
            self.write(line)
        self._held.clear()
        if self._input and not self._inside:
            self.agenda.after(0.0, self._work)

    # ---- output

    def write(self, data: bytes) -> None:
        """Write bytes to the computer, slowly if a fault says so."""
        if not data:
            return
        start = max(self.now.value, self._out[-1][0] if self._out else 0.0)
        if self._byte_seconds:
            for place in range(len(data)):
                self._out.append((start + (place + 1) * self._byte_seconds, data[place : place + 1]))
        else:
            self._out.append((start, data))
        self._due_earlier()

    def frame_info(self, text: str) -> bytes:
        """An information line as V.250 frames it."""
        return f"\r\n{text}\r\n".encode("latin-1") if self.settings.verbose else f"{text}\r\n".encode("latin-1")

    def frame_urc(self, text: str) -> bytes:
        """An unsolicited line."""
        return f"\r\n{text}{self.persona.line.urc_end}".encode("latin-1")

    def _echo(self, data: bytes) -> None:
        if self.settings.echo:
            self.write(data)

    def urc(self, text: str, pdu: str = "", *, at_once: bool = False) -> None:
        """Say something unasked; with a PDU line behind it for `+CMT` and `+CDS`. `at_once`: even inside a command."""
        effects = self.faults.on_line(Urc, text)
        if pick(effects, Drop):
            return
        data = self.frame_urc(text)
        for do in effects:
            if isinstance(do, Stray) and do.where == "pdu":
                data += self.frame_urc(do.text)
        if pdu:
            data += f"{pdu}{self.persona.line.urc_end}".encode()
        garble = pick(effects, Garble)
        if garble is not None:
            data = self.garbled(data, garble.count)
        if pick(effects, Duplicate):
            data += data
        if self.exchange is not None and self.persona.line.hold_urcs and not at_once:
            self._held.append(data)
        else:
            self.write(data)
        for do in effects:
            if isinstance(do, (Unplug, Reboot, Dribble, RegisterLoss, StorageFull)):
                self.suffer(do)

    def garbled(self, data: bytes, count: int) -> bytes:
        """The data with `count` bytes changed."""
        changed = bytearray(data)
        for _ in range(count if data else 0):
            changed[self.rng.randrange(len(changed))] ^= self.rng.randrange(1, 256)
        return bytes(changed)

    # ---- power

    def unplug(self, *, back: float | None = None) -> None:
        """Pull the stick: power and port are gone. `back` plugs it in again after so many seconds."""
        if not self.present:
            return
        self._power_off()
        self.present = False
        if self.on_unplug is not None:
            self.on_unplug()
        self._out.clear()
        if back is not None:
            self.network.at(self.now.value + back, self.plug)

    def plug(self) -> None:
        """Put the stick in: the port is there, the modem starts."""
        if self.present:
            return
        self.present = True
        if self.on_plug is not None:
            self.on_plug()
        self.agenda.after(self.persona.boot.seconds, self._boot)

    def reboot(self) -> None:
        """Restart: settings and pending answers are lost, the card and the stored messages are kept."""
        if self.persona.boot.drops_port:
            self.unplug(back=self.persona.boot.seconds)
            return
        self._power_off()
        self.agenda.after(self.persona.boot.seconds, self._boot)

    def _power_off(self) -> None:
        self.mode = Mode.OFF
        self.exchange = None
        self.agenda.clear()
        for buffer in (self._input, self._line, self._payload, self._held):
            buffer.clear()
        self.settings = fresh(self.persona)
        self.radio.power_off()
        self.inbox.power_off()
        self.calls.power_off()
        self.card.power_off()

    def _boot(self) -> None:
        self.mode = Mode.COMMAND
        self.inbox.booted()
        boot = self.persona.boot
        for place, text in enumerate(boot.urcs):
            self.agenda.after(place * boot.urc_seconds, lambda text=text: self._say_boot(text))  # type: ignore[misc]
        self.card.booted()

    def _say_boot(self, text: str) -> None:
        if text == "+CPIN: READY":
            text = f"+CPIN: {self.card.state()}"
        self.urc(text)

    def suffer(self, do: Do) -> None:
        """Let a fault of the whole modem happen now."""
        if isinstance(do, Unplug):
            self.unplug(back=do.back)
        elif isinstance(do, Reboot):
            self.reboot()
        elif isinstance(do, RegisterLoss):
            self.radio.lose(do.seconds)
        elif isinstance(do, StorageFull):
            self.inbox.block(do.seconds)
        elif isinstance(do, Dribble):
            self._byte_seconds = do.seconds
        elif isinstance(do, Stray):
            self.write(self.frame_urc(do.text))

    # ---- what commands ask for

    def count_unknown(self, line: str) -> None:
        """Remember a line that this modem does not know."""
        self.unknown[line] += 1

    def unknown_command(self) -> Failure:
        """How this make answers what it does not know."""
        answer = self.persona.line.unknown
        if answer.startswith("CME "):
            return Failure("CME", int(answer[4:]))
        return Failure(text=answer)

    def own_command(self, name: str) -> Handler | None:
        """Commands whose names the persona chooses."""
        if name == self.persona.identity.iccid_command:
            return basic.iccid
        if name and name == self.persona.card.retry_command:
            return card.tries_left
        return None
