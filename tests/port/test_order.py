"""Ten thousand answers that come early, late or never: none is ever credited to the wrong command.

The modem keeps the truth. Every command has an answer of its own, so that a wrong one shows. ``MODEMGW_ORDER=1000000``
runs longer, ``MODEMGW_ORDER_SEED`` differently.
"""

import asyncio
import os
import random
from typing import Any

import pytest
from support.virtual import run_virtual

from modemgw.at import commands
from modemgw.at.commands import Command
from modemgw.at.errors import CommandFailed
from modemgw.at.events import LateSubmit
from modemgw.port.errors import CommandTimeout
from modemgw.port.port import Port

COUNT = int(os.environ.get("MODEMGW_ORDER", "10000"))
SEED = os.environ.get("MODEMGW_ORDER_SEED", "order")
TIMEOUT = 5.0


def nasty(rng: random.Random) -> float | None:
    """Seconds for an answer: mostly at once, often around the deadline or the probes, sometimes minutes, or never."""
    kind = rng.random()
    if kind < 0.55:
        return rng.uniform(0.001, 0.05)
    if kind < 0.75:
        return TIMEOUT + rng.uniform(-0.02, 0.02)
    if kind < 0.85:
        return TIMEOUT + rng.choice([0.29, 0.3, 0.31, 0.6, 2.3, 2.6]) + rng.uniform(-0.02, 0.02)
    if kind < 0.95:
        return rng.uniform(0.0, 30.0)
    if kind < 0.97:
        return rng.uniform(30.0, 200.0)
    return None


@pytest.mark.parametrize("deaf", [False, True], ids=["buffers", "deaf while busy"])
def test_no_answer_is_credited_to_another_command(wire: Any, deaf: bool) -> None:
    rng = random.Random(f"{SEED}-{deaf}")
    told = {"answered": 0, "refused": 0, "timeout": 0}

    async def main() -> None:
        port = Port("test")
        line = wire(port)
        line.modem.deaf_while_busy = deaf
        line.modem.delay = lambda text: nasty(rng)
        for number in range(COUNT // 2):
            # The answer of one in three is a bare result, where only its kind can be wrong.
            refused = rng.random() < 0.3
            plain = rng.random() < 0.3
            text = f"AT+TEST={number}"
            answer = "ERROR" if refused else "OK" if plain else f"+TEST: {number}\r\n\r\nOK"
            line.modem.script = {text: f"\r\n{answer}\r\n".encode()}
            command = Command(text, ("+TEST:",), timeout=TIMEOUT, needs_line=not plain)
            try:
                reply = await port.run(command)
            except CommandFailed:
                assert refused, number
                told["refused"] += 1
            except CommandTimeout:
                told["timeout"] += 1
            else:
                assert not refused, number
                assert reply.lines == (() if plain else (f"+TEST: {number}",))
                told["answered"] += 1

    run_virtual(main)
    assert sum(told.values()) == COUNT // 2
    assert min(told.values()) > COUNT // 40, told


class Sending:
    """A port, a modem and the truth about every message."""

    def __init__(self, wire: Any, rng: random.Random, *, background: bool) -> None:
        self.rng = rng
        self.background = background
        self.port = Port("test", on_late_submit=self.late)
        self.line = wire(self.port)
        self.line.modem.network = self.network
        self.line.modem.delay = self.delay
        self.radio_free = 0.0
        self.slow = False
        self.truth: dict[str, int | None] = {}  # MR of each PDU that the network took, None where it refused
        self.told: dict[str, int | None] = {}
        self.endings = dict.fromkeys(("sent", "refused", "uncertain", "not sent", "late"), 0)

    def late(self, event: LateSubmit) -> None:
        assert event.command is not None
        assert event.command.token is not None
        assert event.command.token not in self.told
        self.told[event.command.token] = event.mr
        self.endings["late"] += 1

    def delay(self, text: str) -> float:
        if text != "<payload>" or self.background:
            return 0.01
        return self.rng.choice([2.0, 4.0, 179.99, 180.01, 180.3, 184.0, 190.0])

    def network(self, payload: bytes) -> bytes:
        if self.rng.random() < 0.2:
            self.truth[payload.decode()] = None
            answer = b"\r\n+CMS ERROR: 38\r\n"
        else:
            answer = self.line.modem.accept(payload)
            self.truth[payload.decode()] = self.line.modem.mr
        return self.in_background(answer) if self.background else answer

    def in_background(self, answer: bytes) -> bytes:
        """The modem takes commands again while its radio works, one message after the other."""
        loop = asyncio.get_running_loop()
        slow = not self.slow and self.rng.random() < 0.4
        self.slow = slow
        seconds = self.rng.choice([179.5, 180.2, 181.5, 183.0, 185.0]) if slow else self.rng.uniform(2.0, 25.0)
        self.radio_free = max(self.radio_free, loop.time()) + seconds
        loop.call_at(self.radio_free, self.line.emit, answer)
        return b""

    async def send(self, token: str) -> None:
        try:
            reply = await self.port.run(commands.cmgs(3, token, token=token), before_payload=nothing)
        except CommandFailed:
            self.endings["refused"] += 1
            assert self.truth[token] is None, token
        except CommandTimeout as error:
            self.endings["uncertain" if error.payload_written else "not sent"] += 1
        else:
            self.endings["sent"] += 1
            self.told[token] = reply.mr


@pytest.mark.parametrize("background", [False, True], ids=["in order", "answers while sending"])
def test_no_message_is_credited_to_another(wire: Any, background: bool) -> None:
    """Every SUBMIT that was told as sent, early or late, has the MR that the network gave to its own PDU."""
    sending: list[Sending] = []

    async def main() -> None:
        sending.append(Sending(wire, random.Random(f"{SEED}-{background}"), background=background))
        for number in range(COUNT // 10):
            await sending[0].send(f"{number:08X}")

    run_virtual(main)
    (result,) = sending
    assert len(result.truth) > COUNT // 15
    for token, mr in result.told.items():
        assert result.truth[token] == mr, token
    assert result.endings["late"] > COUNT // 100, result.endings
    assert result.endings["sent"] > COUNT // 50, result.endings


async def nothing() -> None:
    """An intent that is written down at once."""
