"""The modem bank of ``modemgw bench``: simulated modems on pseudo terminals in a process of their own.

Started as ``python -m modemgw.cli.bank DIR N LATENCY``. Says ``ready`` when its ports are there; then answers one JSON
line for each line on standard input: ``stamps`` (when each Ctrl-Z came and each SUBMIT was accepted, in seconds of the
system's monotonic clock, which all processes share) and ``arrive K`` (K messages arrive one after the other; for each
the seconds until the gateway deleted it, which it does once it is on disk, and when it came) and ``latency LOW HIGH``
(seconds that the network takes from now on). ``cmgs`` among the stamps is when each ``AT+CMGS`` was complete, and
``urgent`` when each Ctrl-Z for a number that begins with +4917 came. Ends with its standard input.
"""

import asyncio
import json
import random
import sys
from pathlib import Path
from typing import Any

from modemgw.emulator.device import Device
from modemgw.emulator.lab import Lab
from modemgw.emulator.pty import PtyLab
from modemgw.seams import SystemClock

_PATIENCE_S = 30.0
_URGENT = b"919471"  # +4917 as a TPDU has it: international, digits in pairs swapped


class Bank:
    """Modems with a stopwatch."""

    def __init__(self, modems: int, latency: float) -> None:
        self.clock = SystemClock()
        rng = random.Random(1)  # noqa: S311 - chance of a simulation
        self.lab = Lab(self.clock, rng, latency=latency, report_delay=0.5, keep=10_000)
        self._ctrl_z: dict[str, list[float]] = {}
        self._accepted: dict[str, list[float]] = {}
        self._cmgs: list[float] = []
        self._urgent: list[float] = []
        self._deleted = asyncio.Event()
        self.lab.network.accept_at = 1.0  # the stamp of an accepted SUBMIT is that of its answer
        for number in range(modems):
            device = self.lab.add(f"modem{number}")
            device.on_submit_byte = self._saw_ctrl_z
            device.on_command = self._saw_command
        self.lab.network.on_accepted.append(
            lambda entry: self._accepted.setdefault(entry.device, []).append(self.clock.monotonic())
        )

    def _saw_ctrl_z(self, device: Device, payload: bytes) -> None:
        if _URGENT in payload:
            self._urgent.append(self.clock.monotonic())
        self._ctrl_z.setdefault(device.name, []).append(self.clock.monotonic())

    def _saw_command(self, line: str) -> None:
        if line.startswith("AT+CMGS"):
            self._cmgs.append(self.clock.monotonic())
        elif line.startswith("AT+CMGD"):
            self._deleted.set()

    async def answer(self, line: str) -> dict[str, Any]:
        """One request of the bench."""
        verb, _, rest = line.partition(" ")
        if verb == "arrive":
            found = [await self._arrive(number) for number in range(int(rest))]
            return {"arrivals": [seconds for _, seconds in found], "began": [began for began, _ in found]}
        if verb == "latency":
            low, high = map(float, rest.split())
            self.lab.network.latency = (low, high)
            return {}
        stamps = {"ctrl_z": self._ctrl_z, "accepted": self._accepted, "cmgs": self._cmgs, "urgent": self._urgent}
        self._ctrl_z, self._accepted, self._cmgs, self._urgent = {}, {}, [], []
        return stamps

    async def _arrive(self, number: int) -> tuple[float, float]:
        device = next(iter(self.lab.ports.values()))
        self._deleted.clear()
        began = self.clock.monotonic()
        self.lab.network.deliver_from_outside("+4915559000001", device, f"message {number} for the bench")
        async with asyncio.timeout(_PATIENCE_S):
            await self._deleted.wait()
        seconds = self.clock.monotonic() - began
        await asyncio.sleep(0.02)  # let the gateway come to rest: single arrivals are measured, not a queue
        return began, seconds


async def serve(directory: Path, modems: int, latency: float) -> None:
    """Until standard input ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    bank = Bank(modems, latency)
    async with PtyLab(bank.lab, directory):
        print("ready", flush=True)
        while line := (await reader.readline()).decode().strip():
            print(json.dumps(await bank.answer(line)), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
