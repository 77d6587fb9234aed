"""One simulated modem: bytes in, bytes out. No I/O, no clock: whoever drives it passes the time.

    device.receive(data, now)        what the computer writes
    device.due() -> float | None     when it next has something to say or do
    device.tick(now) -> bytes        do what is due, and take what it writes
    device.on_due                    called when something became due earlier than `due()` said

These three are about the first tty; `device.ttys[name]` has the others, and `device.spoken(name)` takes what they
wrote. Every tty has a command line of its own in progress (channel.py). What the modem forgets in a restart is in
`settings`, what it keeps is here, what the card keeps is in `sim`.
"""

import random
from collections import Counter, deque
from collections.abc import Callable

from modemgw.emulator import answers, basic, calls, card, messages, power, sending, stored
from modemgw.emulator.agenda import Agenda
from modemgw.emulator.channel import Channel, Heard
from modemgw.emulator.effects import Do
from modemgw.emulator.exchange import Exchange
from modemgw.emulator.faults import FaultBook
from modemgw.emulator.inbound import Inbox
from modemgw.emulator.intake import Intake, Mode
from modemgw.emulator.lines import Failure, Handler
from modemgw.emulator.network import Network
from modemgw.emulator.noise import Noise
from modemgw.emulator.persona import Persona
from modemgw.emulator.radio import Radio
from modemgw.emulator.settings import Manners, fresh
from modemgw.emulator.sim import Sim
from modemgw.emulator.stream import Stream
from modemgw.emulator.suffering import suffer
from modemgw.emulator.urcs import Announcer
from modemgw.emulator.wire import Wire

COMMAND_MODULES = (answers, basic, calls, card, messages, sending, stored)  # importing them registers their commands
_KEPT = 20_000  # octets of a tty beside the first that wait for somebody to take them

__all__ = ["Device", "Heard"]


class Device:
    """One modem. What tests look at: `heard`, `unknown`, `intake.overlaps`, `submits_seen`, `sim.attempts`.

    Hooks: `on_submit_byte(device, payload)` runs when 0x1A comes, before anything is accepted; `on_command(line)`;
    `on_traffic(tty, direction, data)` sees all bytes, direction `<` to the modem or `>` from it; `on_unplug` and
    `on_plug` belong to the driver, `on_due` as well.
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
        self.on_traffic: Callable[[str, str, bytes], None] | None = None
        self.on_unplug: Callable[[], None] | None = None
        self.on_plug: Callable[[], None] | None = None
        self.plug_into: Callable[[str], None] = lambda _: self.plug()
        self.driver: object | None = None
        self.agenda = Agenda(network.now, self.due_earlier)
        self.faults = FaultBook(lambda at, do: network.at(at, lambda: suffer(self, do)))
        self.main = Channel(self, "")
        self.ttys: dict[str, Channel | Stream] = {"": self.main}
        for tty in persona.ports.extra:
            self.ttys[tty] = Channel(self, tty) if tty in ("modem", "aux") else Stream(self, tty)
        self.urcs_on: str = persona.ports.urcs
        self.speaking = self.main
        self._spoken: dict[str, bytearray] = {tty: bytearray() for tty in self.ttys if tty}
        self.announcer = Announcer(self)
        self.card = card.Card(self)
        self.radio = Radio(self)
        self.inbox = Inbox(self)
        self.calls = calls.Calls(self)
        self.noise = Noise(self)
        self.deaf_lines = 0
        self._hung_until = 0.0
        self._inside = False
        network.devices.append(self)

    # ---- its ttys

    @property
    def exchange(self) -> Exchange | None:
        """The command in progress on the tty whose handler runs."""
        return self.speaking.exchange

    @property
    def manners(self) -> Manners:
        """Echo and the form of results on that tty."""
        return self.speaking.manners

    @property
    def intake(self) -> Intake:
        """The receiving side of the first tty."""
        return self.main.intake

    @property
    def wire(self) -> Wire:
        """The sending side of the first tty."""
        return self.main.wire

    def channels(self) -> list[Channel]:
        """The ttys that take commands, the first one first."""
        return [tty for tty in self.ttys.values() if isinstance(tty, Channel)]

    def talkers(self) -> list[Channel]:
        """Where unsolicited lines go."""
        if self.deaf_lines:
            return []
        return [channel for channel in self.channels() if self.urcs_on in (channel.name or "first", "all")]

    @property
    def busy(self) -> bool:
        """Whether a command is in progress where unsolicited lines would go."""
        return any(channel.exchange is not None for channel in self.talkers())

    # ---- driving it

    def receive(self, data: bytes, now: float, tty: str = "") -> None:
        """Take what the computer wrote. Ignored while the modem is off or starting."""
        self.network.now.advance(now)
        if self.on_traffic is not None:
            self.on_traffic(tty, "<", data)
        if self.network.now.value < self._hung_until:
            return
        self._inside = True
        try:
            self.ttys[tty].receive(data)
        finally:
            self._inside = False

    def due(self) -> float | None:
        """When `tick` should be called next; None if nothing will happen unasked."""
        due = self.agenda.due()
        for tty in self.ttys.values():
            output = tty.wire.due()
            if output is not None and (due is None or output < due):
                due = output
        return due

    def tick(self, now: float) -> bytes:
        """Do what is due at `now` and take the bytes that the first tty writes by then."""
        self._inside = True
        try:
            self.agenda.run(now)
        finally:
            self._inside = False
        return self.output()

    def output(self) -> bytes:
        """Take the bytes written by now on the first tty, doing nothing else."""
        now = self.network.now.value
        for name, kept in self._spoken.items():
            kept.extend(self._take(name, now))
            del kept[:-_KEPT]
        return self._take("", now)

    def _take(self, tty: str, now: float) -> bytes:
        data = self.ttys[tty].wire.take(now)
        if data and self.on_traffic is not None:
            self.on_traffic(tty, ">", data)
        return data

    def spoken(self, tty: str) -> bytes:
        """Take what another tty wrote up to the last tick."""
        data = bytes(self._spoken[tty])
        self._spoken[tty].clear()
        return data

    def due_earlier(self) -> None:
        """Something is due earlier than before."""
        if self.on_due is not None and not self._inside:
            self.on_due()

    def still_deaf(self) -> bool:
        """Whether this line is one of those that a modem needs to find out the bit rate."""
        if not self.deaf_lines:
            return False
        self.deaf_lines -= 1
        if not self.deaf_lines:
            power.say_hello(self)
        return self.deaf_lines > 0

    @property
    def off(self) -> bool:
        """Whether it has no power or is still starting."""
        return self.main.intake.mode is Mode.OFF

    def hang(self, seconds: float) -> None:
        """Neither hear nor speak for so long."""
        self._hung_until = self.network.now.value + seconds
        for tty in self.ttys.values():
            tty.wire.hold(seconds)

    def submit_byte(self, payload: bytes) -> None:
        """0x1A has come behind a prompt: from here on money may be spent."""
        self.submits_seen += 1
        if self.on_submit_byte is not None:
            self.on_submit_byte(self, payload)

    # ---- output

    def write(self, data: bytes) -> None:
        """Write bytes to the first tty."""
        self.main.write(data)

    def urc(self, text: str, pdu: str = "", *, at_once: bool = False) -> None:
        """Say something unasked; see Announcer."""
        self.announcer.say(text, pdu, at_once=at_once)

    # ---- power

    def unplug(self, *, back: float | None = None, port: str = "") -> None:
        """Pull the stick: power and port are gone.

        `back`: plug it in again after so many seconds, on another `port` if named.
        """
        self.radio.stuck = False
        self._vanish(back, port)

    def _vanish(self, back: float | None, port: str) -> None:
        if not self.present:
            return
        self._power_off()
        self.present = False
        if self.on_unplug is not None:
            self.on_unplug()
        for tty in self.ttys.values():
            tty.wire.clear()
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
        if self.persona.boot.stuck_after_reset:
            self.radio.stuck = True
        if self.persona.boot.drops_port:
            self._vanish(self.persona.boot.seconds, "")
            return
        self._power_off()
        self.agenda.after(self.persona.boot.seconds, self._boot)

    def _power_off(self) -> None:
        self._hung_until = 0.0
        power.off(self)

    def _boot(self) -> None:
        power.boot(self)

    def suffer(self, do: Do) -> None:
        """Let a fault of the whole modem happen now."""
        suffer(self, do)

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
