"""A simulated modem as an asyncio transport in the same loop, driven by the loop's own time.

Like a real tty: one opener at a time, what the modem says while nobody has the port open is lost (unless
`keeps_output`), and a pulled stick ends the connection with EIO.
"""

import asyncio
import errno
import os

from modemgw.emulator.device import Device
from modemgw.emulator.driver import Driver, driver_of
from modemgw.emulator.lab import Lab


async def connect(device: Device, protocol: asyncio.Protocol, *, keeps_output: bool = False) -> "EmulatorTransport":
    """Open the modem's port. OSError: ENOENT when it is not plugged in, EBUSY when somebody has it open.

    `keeps_output`: what the modem says from now on while nobody has the port open is kept (about 20 kB), as when a
    service manager holds the descriptor.
    """
    loop = asyncio.get_running_loop()
    if not device.present:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), device.name)
    driver = driver_of(device, loop)
    driver.keeps_output = keeps_output
    if driver.sink is not None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), device.name)
    transport = EmulatorTransport(driver, protocol)
    driver.sink = transport
    return transport


async def connect_port(lab: Lab, port: str, protocol: asyncio.Protocol) -> "EmulatorTransport":
    """Open whatever modem is on that port of the lab now. OSError ENOENT when there is none."""
    device = lab.ports.get(port)
    if device is None:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), port)
    return await connect(device, protocol)


class EmulatorTransport(asyncio.Transport):
    """One opened port. Writing never blocks and nothing is buffered: the modem takes every byte at once."""

    def __init__(self, driver: Driver, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._driver = driver
        self._protocol: asyncio.BaseProtocol = protocol
        self._closing = False
        self._started = False
        self._paused = False
        self._held = bytearray()
        driver.loop.call_soon(self._start)

    def _start(self) -> None:
        self._protocol.connection_made(self)
        self._started = True
        self._held[:0] = self._driver.kept
        self._driver.kept.clear()
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
        if self._driver.sink is self:
            self._driver.sink = None
        self._driver.loop.call_soon(self._protocol.connection_lost, error)

    def get_extra_info(self, name: str, default: object = None) -> object:
        """`serial_name` and `simulated`, so that a program can tell."""
        known = {"serial_name": f"emulator:{self._driver.device.name}", "simulated": True}
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
        self._driver.device.receive(bytes(data), self._driver.loop.time())
        self._driver.pump.wake()

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
