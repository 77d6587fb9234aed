"""From a path to a connected ``Port``. The only file that imports a serial library and the only one here with a
thread.

Rules
- Bytes that wait in the tty when it is opened are kept: after a crash they may be the proof that a message was sent.
  So no flush on open, and HUPCL is cleared so that closing does not drop DTR and reset the modem.
- The port is ours alone: ``flock`` for programs that ask, TIOCEXCL for those that do not.
- DTR and RTS are best effort: a pseudo-terminal has none.
- ``open`` can block for seconds on a sick USB device, so it runs in an executor.
- Whatever goes wrong is said in plain words, with the name of the program that holds the port where that can be seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import functools
import os
import stat
import termios
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

import serial
import serial_asyncio

from modemgw.port import usb
from modemgw.port.errors import PortLost, PortUnavailable
from modemgw.port.port import Port

Connect = Callable[[str, asyncio.Protocol], Awaitable[asyncio.Transport]]


class TtySerial(serial.Serial):  # type: ignore[misc]
    """A tty that is opened without throwing away what it holds, and closed without waiting for what it still owes."""

    def _reset_input_buffer(self) -> None:
        """Keeps late bytes. Overrides a private method of pyserial 3.5; a test guards it."""

    def read(self, size: int = 1) -> bytes:
        """What is there. The event loop saw that there is something: no need to ask by ``select`` first."""
        try:
            data = os.read(self.fd, size)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise serial.SerialException(f"read failed: {error}") from error
        if not data:
            raise serial.SerialException("the device hung up")
        return data

    def flush(self) -> None:
        """No ``tcdrain``: it would block the event loop on a modem that does not read."""

    def _update_dtr_state(self) -> None:
        with contextlib.suppress(OSError):
            super()._update_dtr_state()

    def _update_rts_state(self) -> None:
        with contextlib.suppress(OSError):
            super()._update_rts_state()


class TtyTransport(serial_asyncio.SerialTransport):  # type: ignore[misc]
    """Writes at once what the tty takes; pyserial-asyncio would wait a turn of the loop for each line."""

    def write(self, data: bytes) -> None:
        if not self.is_closing() and not self.get_write_buffer_size():
            with contextlib.suppress(OSError):  # full, or gone: that is found out, and told, in the usual way
                data = data[os.write(self.serial.fileno(), data) :]
        if data:
            super().write(data)


async def open_port(path: str, port: Port, *, connect: Connect | None = None) -> Port:
    """Connects ``port`` to ``path``; ``connect`` replaces the tty, for simulated modems. Raises PortUnavailable."""
    try:
        transport = await (connect or connect_tty)(path, port)
    except OSError as error:
        raise explain(path, error) from error
    try:
        await port.connected.wait()
    except asyncio.CancelledError:
        transport.abort()
        raise
    if port.lost_reason is not None:
        raise PortLost(port.lost_reason)
    return port


async def connect_tty(
    path: str, protocol: asyncio.Protocol, *, baud: int = 115200, rtscts: bool = False
) -> asyncio.Transport:
    """Opens a tty and ties it to the protocol. Raises PortUnavailable."""
    loop = asyncio.get_running_loop()
    opening = loop.run_in_executor(None, _open, path, baud, rtscts)
    try:
        device = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_unwanted)
        raise
    return cast("asyncio.Transport", TtyTransport(loop, protocol, device))


def _close_unwanted(opening: asyncio.Future[TtySerial]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _open(path: str, baud: int, rtscts: bool) -> TtySerial:
    """Blocking. Raises PortUnavailable."""
    try:
        if not stat.S_ISCHR(Path(path).stat().st_mode):
            raise PortUnavailable("not_a_port", f"{path} is not a serial port.")
        device = TtySerial(path, baudrate=baud, rtscts=rtscts, exclusive=True)
    except OSError as error:  # SerialException is one
        raise explain(path, error, holder_of(path) if error.errno in _BUSY else None) from error
    try:
        fcntl.ioctl(device.fd, termios.TIOCEXCL)
        settings = termios.tcgetattr(device.fd)
        settings[2] &= ~termios.HUPCL
        termios.tcsetattr(device.fd, termios.TCSANOW, settings)
    except (OSError, termios.error) as error:
        device.close()
        raise PortUnavailable("failed", f"{path} cannot be set up: {error}.") from error
    return device


def may_reset_usb(tty: str) -> bool:
    """Whether this tty belongs to a USB device that this user may reset."""
    device = usb.device_of(tty) if tty.startswith("/") else None
    return device is not None and usb.may_reset(device)


async def reset_usb(tty: str) -> None:
    """Resets the USB device that this tty belongs to. Raises OSError."""
    loop = asyncio.get_running_loop()
    device = usb.device_of(tty)
    if device is None:
        raise FileNotFoundError(errno.ENOENT, "it is no USB device", tty)
    if await loop.run_in_executor(None, functools.partial(usb.authorise, device, allowed=False)):
        await asyncio.sleep(1.0)
        await loop.run_in_executor(None, functools.partial(usb.authorise, device, allowed=True))
    else:
        await loop.run_in_executor(None, usb.reset, device)


_MISSING = {errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO}
_BUSY = {errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK}


def explain(path: str, error: OSError, holder: str | None = None) -> PortUnavailable:
    """The error of an ``open`` in words that say what to do; ``holder``: the program that has the port."""
    if error.errno in _MISSING:
        return PortUnavailable("missing", f"{path} does not exist: is the modem plugged in and switched on?")
    if error.errno in _BUSY:
        by = f" by {holder}" if holder else " by another program"
        return PortUnavailable("busy", f"{path} is in use{by}. Stop that program, or tell it to leave this port alone.")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return PortUnavailable(
            "permission",
            f"{path} may not be opened by this user. Add the user to the group dialout and log in again.",
        )
    if error.errno is None or error.errno == errno.ENOTTY:
        return PortUnavailable("not_a_port", f"{path} is not a serial port.")
    return PortUnavailable("failed", f"{path} cannot be opened: {error.strerror or error}.")


def holder_of(path: str) -> str | None:
    """Name and number of another process that has this tty open, as far as this user may see."""
    target = os.path.realpath(path)
    own = str(os.getpid())
    for process in sorted(Path("/proc").glob("[0-9]*")):
        with contextlib.suppress(OSError):
            if process.name != own and any(str(fd.readlink()) == target for fd in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text(encoding='utf-8').strip()} (process {process.name})"
    return None
