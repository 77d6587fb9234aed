"""The ttys of a modem that take no commands: a diagnostic port that pours out binary frames, a port of position lines.

They say something only while a program has them open, and swallow whatever is written to them. Frames are framed as
HDLC does (0x7E at both ends); position lines are NMEA 0183 with their checksum, and know no position.
"""

from functools import reduce
from operator import xor
from typing import TYPE_CHECKING

from modemgw.emulator.agenda import Entry
from modemgw.emulator.wire import Wire

if TYPE_CHECKING:
    from modemgw.emulator.device import Device

_SECONDS = {"diag": 0.2, "nmea": 1.0}


def nmea(body: str) -> str:
    """A sentence with its checksum: the exclusive-or of everything between `$` and `*`."""
    return f"${body}*{reduce(xor, body.encode()):02X}"


class Stream:
    """A tty that only talks. `name` says what about: diag or nmea."""

    def __init__(self, device: "Device", name: str) -> None:
        self.device = device
        self.name = name
        self.wire = Wire(device.network.now, device.due_earlier)
        self._next: Entry | None = None

    def receive(self, data: bytes) -> None:
        """Nobody listens here."""

    def opened(self) -> None:
        """A program opened it: talk."""
        if self._next is None and self.device.present:
            self._talk()

    def closed(self) -> None:
        """Nobody has it open any more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def power_off(self) -> None:
        """Silence."""
        self.closed()

    def _talk(self) -> None:
        self.wire.write(self._said())
        self._next = self.device.agenda.after(_SECONDS[self.name], self._talk)

    def _said(self) -> bytes:
        if self.name == "diag":
            return b"\x7e" + self.device.rng.randbytes(48).replace(b"\x7e", b"\x7d") + b"\x7e"
        moment = self.device.network.now.value % 86400
        clock = f"{int(moment // 3600):02d}{int(moment // 60 % 60):02d}{moment % 60:05.2f}"
        lines = (f"GPGGA,{clock},,,,,0,00,,,M,,M,,", f"GPRMC,{clock},V,,,,,,,,,,N")
        return "".join(f"{nmea(line)}\r\n" for line in lines).encode()
