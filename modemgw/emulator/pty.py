"""Simulated modems on pseudo terminals, for any program: `serve(...)` is what `modemgw emulate` runs.

Rules: the slave side is raw from the start, so that a program which forgets to say so still works; we hold it open,
so that what a modem says between two programs is there for the next one, and nothing breaks when a program closes
it; writing never blocks (a terminal that nobody reads loses what exceeds it); links are removed at the end.
"""

import asyncio
import errno
import fcntl
import os
import random
import signal
import termios
import tty
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Self

from modemgw.emulator.control import Control
from modemgw.emulator.device import Device
from modemgw.emulator.driver import driver_of
from modemgw.emulator.journal import Journal
from modemgw.emulator.lab import Lab
from modemgw.emulator.network import Range
from modemgw.emulator.openings import Openings
from modemgw.emulator.orders import Orders
from modemgw.emulator.persona import load_all
from modemgw.seams import SystemClock

_SAYS = {
    "modem": "second command port",
    "aux": "second command port",
    "diag": "diagnostic port: binary, takes no commands",
    "nmea": "position port: NMEA lines, takes no commands",
}
_WAITING = 20_000  # octets kept for a slow reader beyond what the kernel keeps


class PtyPort:
    """One tty of a modem on one pseudo terminal, reachable by `link`: DIR/NAME; DIR/NAME.diag for its tty `diag`.

    Pulling the modem closes it, plugging makes a new one.
    """

    def __init__(self, lab: Lab, device: Device, tty_name: str, directory: Path, openings: Openings) -> None:
        self.device = device
        self._lab = lab
        self._directory = directory
        self.key = -1
        self._openings = openings
        self._loop = asyncio.get_running_loop()
        self._tty = driver_of(device, self._loop).ttys[tty_name]
        self.link = self._link()
        self._waiting = bytearray()
        self._master = self._slave = -1
        self._open_by = 0
        if device.present:
            self.open()

    def _link(self) -> Path:
        name = self._lab.port_of(self.device)
        return self._directory / (f"{name}.{self._tty.name}" if self._tty.name else name)

    def describe(self) -> str:
        """What is here, in one line."""
        if self._tty.name:
            return f"{self.link}  {_SAYS[self._tty.name]}"
        number = self.device.sim.number if self.device.sim else "no SIM"
        return f"{self.link}  {number}  IMEI {self.device.imei}  {self.device.persona.name}"

    def open(self) -> None:
        """Make a terminal and the link to it."""
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave, termios.TCSANOW)
        os.set_blocking(self._master, False)
        path = os.ttyname(self._slave)
        self.key = self._openings.watch(path)
        self._open_by = 0
        self.link = self._link()
        new = self.link.with_name(f".{self.link.name}.new")
        new.unlink(missing_ok=True)
        new.symlink_to(path)
        new.replace(self.link)
        self._tty.sink = self
        self._loop.add_reader(self._master, self._read)

    def opened(self, change: int) -> None:
        """Another program opened (+1) or closed (-1) the terminal. After the last close anyone may open it again."""
        self._open_by = max(self._open_by + change, 0)
        if self._open_by:
            self._tty.opened()
        elif self._slave >= 0:
            self._tty.closed()
            with suppress(OSError):
                fcntl.ioctl(self._slave, termios.TIOCNXCL)

    def _read(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return
        self._tty.receive(data)

    def feed(self, data: bytes) -> None:
        """Bytes from the modem."""
        if self._waiting:
            self._waiting += data[: max(_WAITING - len(self._waiting), 0)]
            return
        rest = data[self._write(data) :]
        if rest:
            self._waiting += rest[:_WAITING]
            self._loop.add_writer(self._master, self._write_waiting)

    def _write(self, data: bytes | bytearray) -> int:
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0

    def _write_waiting(self) -> None:
        del self._waiting[: self._write(self._waiting)]
        if not self._waiting:
            self._loop.remove_writer(self._master)

    def lose(self, error: Exception | None) -> None:  # noqa: ARG002
        """The modem was pulled."""
        self.close()

    def close(self) -> None:
        """Remove the link and hang up on whoever has the terminal open."""
        if self._master < 0:
            return
        self._tty.sink = None
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        self.link.unlink(missing_ok=True)
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1
        self._waiting.clear()


def _open_all(ports: Sequence[PtyPort]) -> None:
    for port in ports:
        port.open()


class PtyLab:
    """All modems of a lab on terminals DIR/NAME. An async context manager."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self._lab = lab
        self._directory = directory
        self._openings = Openings()
        self.ports: list[PtyPort] = []

    async def __aenter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        for device in self._lab.ports.values():
            of_device = [PtyPort(self._lab, device, name, self._directory, self._openings) for name in device.ttys]
            device.on_plug = partial(_open_all, of_device)
            self.ports += of_device
        if self._openings.fileno() >= 0:
            asyncio.get_running_loop().add_reader(self._openings.fileno(), self._news)
        return self

    def _news(self) -> None:
        for key, change in self._openings.news():
            for port in self.ports:
                if port.key == key:
                    port.opened(change)

    async def __aexit__(self, *_: object) -> None:
        if self._openings.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._openings.fileno())
        self._openings.close()
        for port in self.ports:
            port.close()


async def serve(
    directory: Path,
    *,
    modems: int = 2,
    personas: Sequence[str] = ("generic",),
    latency: Range = 0.0,
    report_delay: Range = 1.0,
    journal: Path | None = None,
    control: Path | None = None,
    verbose: bool = False,
    say: Callable[[str], None] = lambda _: None,
    seed: int = 1,
) -> None:
    """Serve `modems` modems as DIR/modem0 … until SIGINT, SIGTERM or cancellation.

    `personas` are given out in turn. `control` is where the control socket goes. `say` gets one line per tty, one for
    the socket, then one when all are ready, and with `verbose` everything that is written and answered. PersonaError
    for personas that cannot be used, OSError for a directory, socket or journal that cannot be written.
    """
    kinds = load_all(personas)
    rng = random.Random(seed)  # noqa: S311  # chance of a simulation, and it must be repeatable
    lab = Lab(SystemClock(), rng, latency=latency, report_delay=report_delay, keep=10_000)
    for number in range(modems):
        device = lab.add(f"modem{number}", kinds[number % len(kinds)])
        if verbose:
            device.on_traffic = partial(_show, say, device.name)
    async with AsyncExitStack() as stack:
        if journal is not None:
            record = Journal(journal)
            stack.callback(record.close)
            record.attach(lab.network)
        served = await stack.enter_async_context(PtyLab(lab, directory))
        for port in served.ports:
            say(port.describe())
        if control is not None:
            await stack.enter_async_context(Control(Orders(lab), control))
            say(f"{control}  control socket")
        say("ready")
        await _until_signal()


def _show(say: Callable[[str], None], name: str, tty_name: str, direction: str, data: bytes) -> None:
    """One piece of traffic: `modem0 < AT+CSQ\\r`."""
    port = f"{name}.{tty_name}" if tty_name else name
    say(f"{port} {direction} {repr(data)[2:-1]}")


async def _until_signal() -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(ValueError, RuntimeError):  # not in the main thread: then only cancellation ends it
            loop.add_signal_handler(number, stop.set)
    try:
        await stop.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(ValueError, RuntimeError):
                loop.remove_signal_handler(number)
