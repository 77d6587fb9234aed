"""One simulated modem: bytes in, bytes out. No I/O, no clock: whoever drives it passes the time.

    device.receive(data, now)        what the computer writes
    device.due() -> float | None     when it next has something to say or do
    device.tick(now) -> bytes        do what is due, and take what it writes
    device.on_due                    called when something became due earlier than `due()` said

Rules: one command line at a time (V.250 clause 5.6); unsolicited lines wait for its final result where the persona
says so. What the modem forgets in a restart is in `settings`, what it keeps is here, what the card keeps is in
`sim`.
"""

import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from modemgw.emulator import basic, calls, card, messages, sending
from modemgw.emulator.agenda import Agenda
from modemgw.emulator.exchange import Exchange
from modemgw.emulator.faults import Command, Do, Dribble, FaultBook, Reboot, RegisterLoss, StorageFull, Stray, Unplug
from modemgw.emulator.inbound import Inbox
from modemgw.emulator.intake import Intake, Mode
from modemgw.emulator.lines import Failure, Handler
from modemgw.emulator.network import Network
from modemgw.emulator.persona import Persona
from modemgw.emulator.radio import Radio
from modemgw.emulator.settings import fresh
from modemgw.emulator.sim import Sim
from modemgw.emulator.urcs import Announcer
from modemgw.emulator.wire import Wire

COMMAND_MODULES = (basic, calls, card, messages, sending)  # importing them registers their commands


@dataclass(frozen=True, slots=True)
class Heard:
    """One command line that was received: lab time in seconds, the line from its `AT` on."""

    at: float
    line: str


class Device:
    """One modem. What tests look at: `heard`, `unknown`, `intake.overlaps`, `submits_seen`, `sim.attempts`.

    Hooks: `on_submit_byte(device, payload)` runs when 0x1A comes, before anything is accepted; `on_command(line)`;
    `on_unplug` and `on_plug` belong to the driver, `on_due` as well.
    """

    def __init__(
        self, name: str, persona: Persona, sim: Sim | None, network: Network, *, imei: str, rng: random.Random
    ) -> None:
        self.name = name
        self.persona = persona
        self.network = network
        self.imei = imei
        self.rng = rng
        self.sim = sim
        self.settings = fresh(persona)
        self.present = True
        self.heard: deque[Heard] = deque(maxlen=10_000)
        self.unknown: Counter[str] = Counter()
        self.submits_seen = 0
        self.on_due: Callable[[], None] | None = None
        self.on_submit_byte: Callable[[Device, bytes], None] | None = None
        self.on_command: Callable[[str], None] | None = None
        self.on_unplug: Callable[[], None] | None = None
        self.on_plug: Callable[[], None] | None = None
        self.plug_into: Callable[[str], None] = lambda _: self.plug()
        self.driver: object | None = None
        self.exchange: Exchange | None = None
        self.agenda = Agenda(network.now, self._due_earlier)
        self.faults = FaultBook(lambda at, do: network.at(at, lambda: self.suffer(do)))
        self.wire = Wire(network.now, self._due_earlier)
        self.intake = Intake(self)
        self.announcer = Announcer(self)
        self.card = card.Card(self)
        self.radio = Radio(self)
        self.inbox = Inbox(self)
        self.calls = calls.Calls(self)
        self._inside = False
        network.devices.append(self)

    # ---- driving it

    def receive(self, data: bytes, now: float) -> None:
        """Take what the computer wrote. Ignored while the modem is off or starting."""
        self.network.now.advance(now)
        self._inside = True
        try:
            self.intake.receive(data)
        finally:
            self._inside = False

    def due(self) -> float | None:
        """When `tick` should be called next; None if nothing will happen unasked."""
        action, output = self.agenda.due(), self.wire.due()
        if action is None or output is None:
            return output if action is None else action
        return min(action, output)

    def tick(self, now: float) -> bytes:
        """Do what is due at `now` and take the bytes that it writes by then."""
        self._inside = True
        try:
            self.agenda.run(now)
        finally:
            self._inside = False
        return self.output()

    def output(self) -> bytes:
        """Take the bytes written by now, doing nothing else."""
        return self.wire.take(self.network.now.value)

    def _due_earlier(self) -> None:
        if self.on_due is not None and not self._inside:
            self.on_due()

    # ---- a command line

    def execute(self, line: str, echo: bytes) -> None:
        """Run a command line, `AT` included; `echo` are the bytes of it that have not been echoed."""
        self.heard.append(Heard(self.network.now.value, line))
        if self.on_command is not None:
            self.on_command(line)
        self.intake.mode = Mode.BUSY
        self.exchange = exchange = Exchange(self, line, self.faults.on_line(Command, line))
        exchange.before_echo()
        self.echo(echo)
        seconds = self.persona.line.answer_seconds
        if seconds:
            exchange.later(seconds, lambda: exchange.start(line[2:]))
        else:
            exchange.start(line[2:])

    def expect_payload(self) -> None:
        """From now on input is the payload of the command in progress."""
        self.intake.expect_payload()

    def submit_byte(self, payload: bytes) -> None:
        """0x1A has come behind a prompt: from here on money may be spent."""
        self.submits_seen += 1
        if self.on_submit_byte is not None:
            self.on_submit_byte(self, payload)

    def free(self) -> None:
        """The command in progress is answered: say what waited, and go on with queued input."""
        self.exchange = None
        self.intake.mode = Mode.COMMAND
        self.inbox.after_command()
        self.announcer.release()
        if self.intake.waiting:
            self.agenda.after(0.0, self.intake.work)

    # ---- output

    def write(self, data: bytes) -> None:
        """Write bytes to the computer."""
        self.wire.write(data)

    def echo(self, data: bytes) -> None:
        """Give back what was typed, if echo is on."""
        if self.settings.echo:
            self.write(data)

    def echo_payload(self, data: bytes, *, ended: bool) -> None:
        """The same behind a prompt, where a persona may echo always, and the 0x1A too."""
        if self.settings.echo or self.persona.line.echo_payload:
            self.write(data + (b"\x1a" if ended and self.persona.line.echo_ctrl_z else b""))

    def frame_info(self, text: str) -> bytes:
        """An information line as V.250 frames it."""
        return (f"\r\n{text}\r\n" if self.settings.verbose else f"{text}\r\n").encode("latin-1", "replace")

    def urc(self, text: str, pdu: str = "", *, at_once: bool = False) -> None:
        """Say something unasked; see Announcer."""
        self.announcer.say(text, pdu, at_once=at_once)

    # ---- power

    def unplug(self, *, back: float | None = None, port: str = "") -> None:
        """Pull the stick: power and port are gone.

        `back`: plug it in again after so many seconds, on another `port` if named.
        """
        if not self.present:
            return
        self._power_off()
        self.present = False
        if self.on_unplug is not None:
            self.on_unplug()
        self.wire.clear()
        if back is not None:
            self.network.at(self.network.now.value + back, lambda: self.plug_into(port))

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
        if not self.present:
            return
        if self.persona.boot.drops_port:
            self.unplug(back=self.persona.boot.seconds)
            return
        self._power_off()
        self.agenda.after(self.persona.boot.seconds, self._boot)

    def _power_off(self) -> None:
        self.agenda.clear()
        self.exchange = None
        self.announcer.power_off()
        self.settings = fresh(self.persona)
        self.intake.power_off()
        self.radio.power_off()
        self.inbox.power_off()
        self.calls.power_off()
        self.card.power_off()

    def _boot(self) -> None:
        self.intake.mode = Mode.COMMAND
        self.inbox.booted()
        boot = self.persona.boot
        for place, text in enumerate(boot.urcs):
            self.agenda.after(place * boot.urc_seconds, lambda text=text: self._say_boot(text))  # type: ignore[misc]
        self.card.booted()

    def _say_boot(self, text: str) -> None:
        if text.startswith("+CPIN:"):
            try:
                text = f"+CPIN: {self.card.state()}"
            except Failure:
                text = "+CPIN: NOT READY"
        self.urc(text)

    def suffer(self, do: Do) -> None:
        """Let a fault of the whole modem happen now; one that is off can still be pulled, no more."""
        if self.intake.mode is Mode.OFF and not isinstance(do, Unplug):
            return
        if isinstance(do, Unplug):
            self.unplug(back=do.back, port=do.port)
        elif isinstance(do, Reboot):
            self.reboot()
        elif isinstance(do, RegisterLoss):
            self.radio.lose(do.seconds)
        elif isinstance(do, StorageFull):
            self.inbox.block(do.seconds)
        elif isinstance(do, Dribble):
            self.wire.byte_seconds = do.seconds
        elif isinstance(do, Stray):
            self.write(self.announcer.frame(do.text))

    # ---- what commands ask for

    def unknown_command(self) -> Failure:
        """How this make answers what it does not know."""
        answer = self.persona.line.unknown
        return Failure("CME", int(answer[4:])) if answer.startswith("CME ") else Failure(text=answer)

    def own_command(self, name: str) -> Handler | None:
        """Commands whose names the persona chooses."""
        if name == self.persona.identity.iccid_command:
            return basic.iccid
        return card.tries_left if name == self.persona.card.retry_command else None
