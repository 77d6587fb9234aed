"""Modems on real pseudo terminals, used by a client of the same loop as any program would."""

import asyncio
import fcntl
import json
import os
import random
import struct
import termios
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest

from modemgw.emulator.lab import Lab
from modemgw.emulator.persona import load
from modemgw.emulator.pty import PtyLab, serve
from modemgw.pdu.address import Address
from modemgw.pdu.envelope import wrap
from modemgw.pdu.segment import plan
from modemgw.seams import SystemClock

TIOCGEXCL = 0x80045440
SUBMIT = wrap(plan("hello €").submits(Address.parse("+4915551000002"), ref=1)[0].encode())


class Client:
    """A program that has opened a tty."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.data = bytearray()
        self.gone = False
        self._news = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.fd, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.gone = not data
        self.data += data
        self._news.set()
        if self.gone:
            asyncio.get_running_loop().remove_reader(self.fd)

    def write(self, data: bytes) -> None:
        os.write(self.fd, data)

    async def until(self, wanted: bytes) -> None:
        async with asyncio.timeout(5):
            while wanted not in self.data:
                self._news.clear()
                await self._news.wait()

    async def until_gone(self) -> None:
        async with asyncio.timeout(5):
            while not self.gone:
                self._news.clear()
                await self._news.wait()

    async def submit(self) -> None:
        self.write(f"AT+CMGS={SUBMIT.tpdu_length}\r".encode())
        await self.until(b"> ")
        self.write(SUBMIT.hex.encode() + b"\x1a")

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.fd)
        os.close(self.fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """Two modems, served as a and b in the test's folder."""
    lab = Lab(SystemClock(), random.Random(1), report_delay=0.01)
    generic = load("generic")
    lab.add("a", replace(generic, boot=replace(generic.boot, seconds=0.1)))
    lab.add("b")
    async with PtyLab(lab, tmp_path):
        yield lab
    assert list(tmp_path.iterdir()) == []


async def test_a_program_that_forgets_to_say_raw_gets_raw_bytes(lab: Lab, tmp_path: Path) -> None:
    with Client(tmp_path / "a") as client:
        client.write(b"AT\r")
        await client.until(b"OK\r\n")
        assert client.data == b"AT\r\r\nOK\r\n"


async def test_a_message_goes_from_terminal_to_terminal(lab: Lab, tmp_path: Path) -> None:
    with Client(tmp_path / "a") as first, Client(tmp_path / "b") as second:
        second.write(b"AT+CNMI=2,1,0,1,0\r")
        await second.until(b"OK\r\n")
        await first.submit()
        await first.until(b"+CMGS: 0\r\n\r\nOK\r\n")
        await second.until(b'+CMTI: "SM",1\r\n')


async def test_a_terminal_is_closed_and_opened_again_and_a_late_answer_is_there(lab: Lab, tmp_path: Path) -> None:
    lab.network.latency = 0.05
    with Client(tmp_path / "a") as client:
        await client.submit()
    await asyncio.sleep(0.1)
    with Client(tmp_path / "a") as client:
        await client.until(b"+CMGS: 0\r\n\r\nOK\r\n")
        client.write(b"AT+CGSN\r")
        await client.until(lab.ports["a"].imei.encode())


async def test_exclusive_use_ends_with_the_program_that_asked_for_it(lab: Lab, tmp_path: Path) -> None:
    with Client(tmp_path / "a") as client:
        fcntl.ioctl(client.fd, termios.TIOCEXCL)
    async with asyncio.timeout(5):
        while True:
            fd = os.open(tmp_path / "a", os.O_RDWR | os.O_NOCTTY)
            exclusive = struct.unpack("i", fcntl.ioctl(fd, TIOCGEXCL, b"\0" * 4))[0]
            os.close(fd)
            if not exclusive:
                break
            await asyncio.sleep(0.01)


async def test_nobody_reading_blocks_nothing(lab: Lab, tmp_path: Path) -> None:
    fd = os.open(tmp_path / "a", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    device = lab.ports["a"]
    while len(device.heard) < 2000:  # each answered by some 70 bytes: far more than a terminal holds
        with suppress(BlockingIOError):
            os.write(fd, b"ATI\r" * 50)
        await asyncio.sleep(0)
    with Client(tmp_path / "b") as other:
        other.write(b"AT\r")
        await other.until(b"OK\r\n")
    os.close(fd)


async def test_a_pulled_stick_hangs_up_and_comes_back_elsewhere(lab: Lab, tmp_path: Path) -> None:
    device = lab.ports["a"]
    with Client(tmp_path / "a") as client:
        device.unplug()
        await client.until_gone()
        assert not (tmp_path / "a").is_symlink()
    lab.replug(device, "c")
    with Client(tmp_path / "c") as client:
        await client.until(b"RDY\r\n")


async def test_serve_keeps_a_journal_and_says_what_is_where(tmp_path: Path) -> None:
    said: list[str] = []
    ready = asyncio.Event()

    def say(line: str) -> None:
        said.append(line)
        if line == "ready":
            ready.set()

    ports, journal = tmp_path / "ports", tmp_path / "journal.jsonl"
    serving = asyncio.create_task(
        serve(ports, modems=2, personas=["generic"], report_delay=0.01, journal=journal, verbose=True, say=say)
    )
    async with asyncio.timeout(5):
        await ready.wait()
    assert said[0].split()[:2] == [str(ports / "modem0"), "+4915551000001"]
    assert "IMEI 359099000000017" in said[0]
    with Client(ports / "modem0") as first, Client(ports / "modem1") as second:
        first.write(b"AT+CNMI=2,1,0,1,0\r")
        second.write(b"AT+CNMI=2,1,0,1,0\r")
        await first.submit()
        await first.until(b"+CDS:")
        await second.until(b"+CMTI:")
    entries = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [(entry["event"], entry.get("kind")) for entry in entries] == [
        ("accepted", None),
        ("delivered", "deliver"),
        ("delivered", "report"),
    ]
    assert entries[0]["text"] == entries[1]["text"] == "hello €"
    assert (entries[0]["to"], entries[0]["mr"], entries[0]["pdu"]) == ("+4915551000002", 0, SUBMIT.hex)
    traffic = [line for line in said if line.startswith("modem0 ")]
    assert any(line.startswith("modem0 < ") and f"AT+CMGS={SUBMIT.tpdu_length}\\r" in line for line in traffic)
    assert any(line.startswith("modem0 > ") and line.endswith("\\r\\n> ") for line in traffic)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert list(ports.iterdir()) == []
