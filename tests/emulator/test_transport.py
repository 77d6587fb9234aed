"""The in-loop transport behaves like a tty that a program has opened."""

import asyncio
import errno
import random

import pytest

from modemgw.emulator.lab import Lab
from modemgw.emulator.transport import connect
from modemgw.seams import SystemClock


class Reader(asyncio.Protocol):
    """Collects what comes."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.made = False
        self.news = asyncio.Event()
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.made = True
        self.news.set()

    def data_received(self, data: bytes) -> None:
        self.data += data
        self.news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)

    async def until(self, wanted: bytes) -> None:
        async with asyncio.timeout(5):
            while wanted not in self.data:
                self.news.clear()
                await self.news.wait()


async def test_a_command_is_answered_and_made_comes_first() -> None:
    lab = Lab(SystemClock(), random.Random(1))
    reader = Reader()
    transport = await connect(lab.add("a"), reader)
    assert not reader.made
    transport.write(b"AT\r")
    await reader.until(b"AT\r\r\nOK\r\n")


async def test_one_opener_at_a_time() -> None:
    lab = Lab(SystemClock(), random.Random(1))
    device = lab.add("a")
    transport = await connect(device, Reader())
    with pytest.raises(OSError, match="busy") as caught:
        await connect(device, Reader())
    assert caught.value.errno == errno.EBUSY
    transport.close()
    await connect(device, Reader())


async def test_a_pulled_stick_loses_the_connection_and_comes_back() -> None:
    lab = Lab(SystemClock(), random.Random(1))
    device = lab.add("a")
    reader = Reader()
    transport = await connect(device, reader)
    device.unplug()
    error = await reader.lost
    assert isinstance(error, OSError)
    assert error.errno == errno.EIO
    transport.write(b"AT\r")
    with pytest.raises(FileNotFoundError):
        await connect(device, Reader())
    device.plug()
    await connect(device, Reader())
