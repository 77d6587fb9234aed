"""Modems kept going in an event loop: each party of a lab is ticked when it is due, by the loop's own time.

Everything is scheduled with `loop.call_at`, so a loop with virtual time runs the modems in virtual time. A modem
goes on while nobody has its port open, as the real thing does.
"""

import asyncio
import errno
import os
from collections.abc import Callable
from typing import Protocol

from modemgw.emulator.device import Device
from modemgw.emulator.stream import Stream

_KEPT = 20_000  # octets that a tty holds for a slow reader, about


class Sink(Protocol):
    """Whoever has a modem's port open."""

    def feed(self, data: bytes) -> None:
        """Bytes from the modem."""

    def lose(self, error: Exception | None) -> None:
        """The port is gone."""


class Pump:
    """Ticks one party (a modem or the network) of a lab whenever it is due, in one loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        due: Callable[[], float | None],
        tick: Callable[[float], None],
    ) -> None:
        self.loop = loop
        self._due = due
        self._tick = tick
        self._handle: asyncio.TimerHandle | asyncio.Handle | None = None
        self._at = 0.0

    def wake(self) -> None:
        """Look again when the party is due."""
        due = self._due()
        if due is None:
            return
        now = self.loop.time()
        due = max(due, now)
        if self._handle is not None:
            if self._at <= due:
                return
            self._handle.cancel()
        self._at = due
        self._handle = self.loop.call_soon(self._run) if due <= now else self.loop.call_at(due, self._run)

    def _run(self) -> None:
        self._handle = None
        self._tick(max(self.loop.time(), self._at))
        self.wake()

    def stop(self) -> None:
        """Tick no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


class Tty:
    """One tty of a modem as the loop sees it: who has it open, and what was said while nobody had."""

    def __init__(self, driver: "Driver", name: str) -> None:
        self.driver = driver
        self.name = name
        self.keeps_output = False
        self.sink: Sink | None = None
        self.kept = bytearray()

    def receive(self, data: bytes) -> None:
        """Bytes from the computer."""
        self.driver.device.receive(data, self.driver.loop.time(), self.name)
        self.driver.pump.wake()

    def opened(self) -> None:
        """A program has it open: some ttys talk only then."""
        stream = self.driver.device.ttys[self.name]
        if isinstance(stream, Stream):
            stream.opened()

    def closed(self) -> None:
        """Nobody has it open any more."""
        stream = self.driver.device.ttys[self.name]
        if isinstance(stream, Stream):
            stream.closed()

    def pass_on(self, data: bytes) -> None:
        """Give bytes to whoever has the port open."""
        if not data:
            return
        if self.sink is not None:
            self.sink.feed(data)
        elif self.keeps_output:
            self.kept += data
            del self.kept[:-_KEPT]


class Driver:
    """Keeps one modem going in a loop, with or without somebody at its ports."""

    def __init__(self, device: Device, loop: asyncio.AbstractEventLoop) -> None:
        self.device = device
        self.loop = loop
        self.ttys = {name: Tty(self, name) for name in device.ttys}
        self.pump = Pump(loop, device.due, self.tick)
        device.on_due = self.pump.wake
        device.on_unplug = self._unplugged
        self.pump.wake()

    def tick(self, now: float) -> None:
        """Let the modem do what is due and pass on what it writes."""
        self._pass_on(self.device.tick(now))

    def _pass_on(self, data: bytes) -> None:
        for name, tty in self.ttys.items():
            tty.pass_on(self.device.spoken(name) if name else data)

    def _unplugged(self) -> None:
        self._pass_on(self.device.output())
        for tty in self.ttys.values():
            if tty.sink is not None:
                tty.sink.lose(OSError(errno.EIO, os.strerror(errno.EIO)))


def driver_of(device: Device, loop: asyncio.AbstractEventLoop) -> Driver:
    """The driver of a modem in this loop; also keeps its network and the other modems there going."""
    network = device.network
    pump = network.driver
    if not isinstance(pump, Pump) or pump.loop is not loop:
        network.now.source = loop.time
        network.driver = pump = Pump(loop, network.due, network.tick)
        network.on_due = pump.wake
        pump.wake()
    for each in network.devices:
        _of(each, loop)
    return _of(device, loop)


def _of(device: Device, loop: asyncio.AbstractEventLoop) -> Driver:
    driver = device.driver
    if not isinstance(driver, Driver) or driver.loop is not loop:
        device.driver = driver = Driver(device, loop)
    return driver
