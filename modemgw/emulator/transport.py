"""A simulated modem as an asyncio transport in the same loop, driven by the loop's own time.

Like a real tty: one opener at a time, what the modem says while nobody has the port open is lost (unless
`keeps_output`), and a pulled stick ends the connection with EIO.
"""

import asyncio
import errno
import os

from modemgw.emulator.device import Device
from modemgw.emulator.driver import Tty, driver_of
from modemgw.emulator.lab import Lab


async def connect(
    device: Device, protocol: asyncio.Protocol, *, tty: str = "", keeps_output: bool = False
) -> "EmulatorTransport":
    """Open the modem's port, or another of its ttys.

    OSError: ENOENT when it is not plugged in, EBUSY when somebody has it open.

    `keeps_output`: what the modem says from now on while nobody has the port open is kept (about 20 kB), as when a
    service manager holds the descriptor.
    """
    loop = asyncio.get_running_loop()
    if not device.present:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), device.name)
    port = driver_of(device, loop).ttys[tty]
    port.keeps_output = keeps_output
    if port.sink is not None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), device.name)
    transport = EmulatorTransport(port, protocol)
    port.sink = transport
    port.opened()
    return transport


async def connect_port(lab: Lab, port: str, protocol: asyncio.Protocol) -> "EmulatorTransport":
    """Open whatever modem is on that port of the lab now; `a.modem` is its tty of that name. OSError ENOENT: none."""
    name, _, tty = (port, "", "") if port in lab.ports else port.rpartition(".")
    device = lab.ports.get(name)
    if device is None or tty not in device.ttys:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), port)
    return await connect(device, protocol, tty=tty)


class EmulatorTransport(asyncio.Transport):
    """One opened port. Writing never blocks and nothing is buffered: the modem takes every byte at once."""

    def __init__(self, tty: Tty, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._tty = tty
        self._driver = tty.driver
        self._protocol: asyncio.BaseProtocol = protocol
        self._closing = False
        self._started = False
        self._paused = False
        self._held = bytearray()
        tty.driver.loop.call_soon(self._start)

    def _start(self) -> None:
        self._protocol.connection_made(self)
        self._started = True
        self._held[:0] = self._tty.kept
        self._tty.kept.clear()
        self._give()

    def feed(self, data: bytes) -> None:
        """Bytes from the modem."""
        self._held += data
        self._give()

    def _give(self) -> None:
        if self._started and not self._paused and self._held and not self._closing:
            data = bytes(self._held)
            self._held.clear()
            if isinstance(self._protocol, asyncio.Protocol):
                self._protocol.data_received(data)

    def lose(self, error: Exception | None) -> None:
        """The port is gone."""
        if self._closing:
            return
        self._closing = True
        if self._tty.sink is self:
            self._tty.sink = None
            self._tty.closed()
        self._driver.loop.call_soon(self._protocol.connection_lost, error)

    def get_extra_info(self, name: str, default: object = None) -> object:
        """`serial_name` and `simulated`, so that a program can tell."""
        port = ".".join(filter(None, (self._driver.device.name, self._tty.name)))
        known = {"serial_name": f"emulator:{port}", "simulated": True}
        return known.get(name, default)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who reads."""
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Let somebody else read."""
        self._protocol = protocol

    def is_closing(self) -> bool:
        """Whether it is closed or lost."""
        return self._closing

    def close(self) -> None:
        """Close the port; the modem goes on."""
        self.lose(None)

    def abort(self) -> None:
        """The same: there is nothing to flush."""
        self.lose(None)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Give bytes to the modem; dropped when the port is closed."""
        if self._closing or not data:
            return
        self._tty.receive(bytes(data))

    def can_write_eof(self) -> bool:
        """A tty has no half-close."""
        return False

    def write_eof(self) -> None:
        """A tty has no half-close."""
        raise NotImplementedError

    def get_write_buffer_size(self) -> int:
        """Nothing waits to be written."""
        return 0

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Nothing ever waits."""
        return (0, 0)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing ever waits."""

    def is_reading(self) -> bool:
        """Whether bytes are passed on."""
        return not self._paused and not self._closing

    def pause_reading(self) -> None:
        """Keep what the modem says until `resume_reading`."""
        self._paused = True

    def resume_reading(self) -> None:
        """Pass on what was kept."""
        self._paused = False
        self._driver.loop.call_soon(self._give)
