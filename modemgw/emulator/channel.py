"""One tty of a modem that takes commands: what it heard, what it writes, the command line in progress.

Rules: one command line at a time per tty (V.250 clause 5.6), and the ttys of a modem do not wait for each other. Echo,
the form of results and the wording of errors belong to the tty; everything else that a command sets belongs to the
modem. Unsolicited lines wait for the final result where the persona says so, and go only to the ttys it names.
"""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modemgw.emulator.exchange import Exchange
from modemgw.emulator.faults import Command
from modemgw.emulator.intake import Intake, Mode
from modemgw.emulator.settings import Manners
from modemgw.emulator.wire import Wire

if TYPE_CHECKING:
    from modemgw.emulator.device import Device


@dataclass(frozen=True, slots=True)
class Heard:
    """One command line that was received: lab time in seconds, the line from its `AT` on."""

    at: float
    line: str


class Channel:
    """A command tty. `name` is "" for the one that programs use first, else what is written behind the dot."""

    def __init__(self, device: "Device", name: str) -> None:
        self.device = device
        self.name = name
        self.exchange: Exchange | None = None
        self.wire = Wire(device.network.now, device.due_earlier)
        self.intake = Intake(self)
        self._own = Manners(echo=device.persona.boot.echo)
        self._held: deque[bytes] = deque(maxlen=1000)
        self._last_input = device.network.now.value

    @property
    def manners(self) -> Manners:
        """Echo and the form of results on this tty."""
        return self._own if self.name else self.device.settings

    def reset_manners(self) -> None:
        """As after a start; those of the first tty are reset with the modem's settings."""
        self._own = Manners(echo=self.device.persona.boot.echo)

    def receive(self, data: bytes) -> None:
        """Take what the computer wrote; a modem that dozed off loses the first line."""
        device = self.device
        now = device.network.now.value
        idle = device.persona.line.dozes_after
        if idle and now - self._last_input >= idle and data:
            data = data[data.find(b"\r") + 1 :] if b"\r" in data else b""
        self._last_input = now
        self.intake.receive(data)

    # ---- a command line

    def execute(self, line: str, echo: bytes) -> None:
        """Run a command line, `AT` included; `echo` are the bytes of it that have not been echoed."""
        device = self.device
        if device.still_deaf():
            return
        device.heard.append(Heard(device.network.now.value, line))
        if device.on_command is not None:
            device.on_command(line)
        self.intake.mode = Mode.BUSY
        self.exchange = exchange = Exchange(self, line, device.faults.on_line(Command, line))
        exchange.before_echo()
        self.echo(echo)
        seconds = device.persona.line.answer_seconds
        if seconds:
            exchange.later(seconds, lambda: exchange.start(line[2:]))
        else:
            exchange.start(line[2:])

    def expect_payload(self) -> None:
        """From now on input is the payload of the command in progress."""
        self.intake.expect_payload()

    def free(self) -> None:
        """The command in progress is answered: say what waited, and go on with queued input."""
        self.exchange = None
        self.intake.mode = Mode.COMMAND
        self.device.inbox.after_command()
        while self._held:
            self.wire.write(self._held.popleft())
        if self.intake.waiting:
            self.device.agenda.after(0.0, self.intake.work)

    # ---- output

    def write(self, data: bytes) -> None:
        """Write bytes to the computer."""
        self.wire.write(data)

    def say(self, data: bytes, *, at_once: bool) -> None:
        """Write something unsolicited, now or when the command in progress is answered."""
        if self.exchange is not None and self.device.persona.line.hold_urcs and not at_once:
            self._held.append(data)
        else:
            self.write(data)

    def echo(self, data: bytes) -> None:
        """Give back what was typed, if echo is on."""
        if self.manners.echo:
            self.write(data)

    def echo_payload(self, data: bytes, *, ended: bool) -> None:
        """The same behind a prompt, where a persona may echo always, and the 0x1A too."""
        line = self.device.persona.line
        if self.manners.echo or line.echo_payload:
            self.write(data + (b"\x1a" if ended and line.echo_ctrl_z else b""))

    def frame_info(self, text: str) -> bytes:
        """An information line as V.250 frames it, or as the persona does."""
        line = self.device.persona.line
        framed = f"{line.info_start}{text}{line.info_end}" if self.manners.verbose else f"{text}\r\n"
        return framed.encode("latin-1", "replace")

    def power_off(self) -> None:
        """Everything that was going on is lost."""
        self.exchange = None
        self._held.clear()
        self.intake.power_off()
        self.reset_manners()
        self._last_input = self.device.network.now.value
