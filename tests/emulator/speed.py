"""How fast the emulator is: SUBMITs a second through in-loop transports, without latency, on one core.

    .venv/bin/python tests/emulator/speed.py [--modems 32] [--submits 20000] [--persona NAME]

Every modem is spoken to by a protocol of its own, which waits for each prompt and each answer as a program would; what
is counted is what the simulated network accepted. Prints one line; the second figure is that of an idle machine.
"""

import argparse
import asyncio
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from modemgw.emulator.lab import Lab
from modemgw.emulator.transport import connect
from modemgw.pdu.address import Address
from modemgw.pdu.envelope import wrap
from modemgw.pdu.segment import plan
from modemgw.seams import SystemClock

LINE = wrap(plan("Your code is 123456.").submits(Address.parse("+4917612345678"), ref=1, srr=True)[0].encode())


class Sender(asyncio.Protocol):
    """Sends the same SUBMIT so many times, one after the other."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._heard = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._heard += data
        if b"\r\n>" in self._heard:
            self._heard = b""
            self._write(LINE.hex.encode() + b"\x1a")
        elif b"\r\nOK\r\n" in self._heard.partition(b"+CMGS:")[2]:
            self._heard = b""
            self.left -= 1
            self._next()

    def _next(self) -> None:
        if self.left:
            self._write(f"AT+CMGS={LINE.tpdu_length}\r".encode())
        elif not self.done.done():
            self.done.set_result(None)

    def _write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)


async def measure(modems: int, submits: int, persona: str = "generic") -> tuple[float, float]:
    """SUBMITs that the network of a lab with so many modems accepted, by second and by second of processor time."""
    lab = Lab(SystemClock(), random.Random(1), report_delay=0.1, keep=1000)
    accepted = 0

    def count(_: object) -> None:
        nonlocal accepted
        accepted += 1

    lab.network.on_accepted.append(count)
    devices = [lab.add(f"modem{number}", persona) for number in range(modems)]
    senders = [Sender(submits // modems) for _ in devices]
    start, used = time.perf_counter(), time.process_time()
    for device, sender in zip(devices, senders, strict=True):
        device.settings.cnmi = (2, 1, 0, 1, 0)
        await connect(device, sender)
    await asyncio.gather(*(sender.done for sender in senders))
    seconds, used = time.perf_counter() - start, time.process_time() - used
    assert accepted == submits // modems * modems
    return accepted / seconds, accepted / used


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modems", type=int, default=32)
    parser.add_argument("--submits", type=int, default=20_000)
    parser.add_argument("--persona", default="generic")
    args = parser.parse_args()
    rate, of_core = asyncio.run(measure(args.modems, args.submits, args.persona))
    who = f"{args.modems} modems ({args.persona})"
    sys.stdout.write(f"{rate:,.0f} SUBMITs a second with {who}, {of_core:,.0f} in a second of one core\n")
