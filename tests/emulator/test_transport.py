"""The in-loop transport behaves like a tty that a program has opened."""

import asyncio
import errno
import random
import selectors

import pytest

from modemgw.emulator.lab import Lab
from modemgw.emulator.transport import connect, connect_port
from modemgw.pdu.address import Address
from modemgw.pdu.envelope import wrap
from modemgw.pdu.segment import plan
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

    async def until(self, wanted: bytes, seconds: float = 5) -> None:
        async with asyncio.timeout(seconds):
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


async def test_what_is_said_while_nobody_listens_is_lost_unless_it_is_to_be_kept() -> None:
    lab = Lab(SystemClock(), random.Random(1))
    device = lab.add("a")
    for keeps in (False, True):
        transport = await connect(device, Reader(), keeps_output=keeps)
        transport.write(b"ATE0\rAT+CSQ\r")
        transport.close()
        await asyncio.sleep(0.01)
        reader = Reader()
        transport = await connect(device, reader)
        transport.write(b"AT+CFUN?\r")
        await reader.until(b"+CFUN: 1\r\n\r\nOK\r\n")
        assert (b"+CSQ:" in reader.data) is keeps
        transport.close()


async def test_ports_of_a_lab_are_opened_by_name() -> None:
    lab = Lab(SystemClock(), random.Random(1))
    device = lab.add("a")
    transport = await connect_port(lab, "a", Reader())
    device.unplug()
    lab.replug(device, "b")
    with pytest.raises(FileNotFoundError):
        await connect_port(lab, "a", Reader())
    with pytest.raises(FileNotFoundError):
        await connect_port(lab, "nowhere", Reader())
    again = await connect_port(lab, "b", Reader())
    assert transport.is_closing()
    assert again.get_extra_info("serial_name") == "emulator:a"


async def test_reading_can_be_paused() -> None:
    lab = Lab(SystemClock(), random.Random(1))
    reader = Reader()
    transport = await connect(lab.add("a"), reader)
    transport.pause_reading()
    transport.write(b"AT\r")
    await asyncio.sleep(0.01)
    assert reader.data == b""
    transport.resume_reading()
    await reader.until(b"OK\r\n")


async def test_two_modems_meet_on_the_network() -> None:
    lab = Lab(SystemClock(), random.Random(1), report_delay=0.01)
    first, second = lab.add("a"), lab.add("b")
    sender, receiver = Reader(), Reader()
    out, back = await connect(first, sender), await connect(second, receiver)
    out.write(b"AT+CNMI=2,1,0,1,0\r")
    back.write(b"AT+CNMI=2,1,0,1,0\r")
    line = wrap(plan("hi").submits(Address.parse(second.sim.number if second.sim else ""), ref=1)[0].encode())
    out.write(f"AT+CMGS={line.tpdu_length}\r".encode())
    await sender.until(b"> ")
    out.write(line.hex.encode() + b"\x1a")
    await receiver.until(b'+CMTI: "SM",1\r\n')
    await sender.until(b"+CMGS: 0")
    await sender.until(b"+CDS: ")


class _Impatient(selectors.DefaultSelector):
    """Never waits: hands the time to wait over to the loop's clock."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.skipped += timeout
        return ready


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.impatient = _Impatient()
        super().__init__(self.impatient)

    def time(self) -> float:
        return self.impatient.skipped


class _LoopClock:
    boot_id = "virtual"

    def __init__(self, loop: _VirtualLoop) -> None:
        self.loop = loop

    def wall_ms(self) -> int:
        return 1_800_000_000_000 + int(self.loop.time() * 1000)

    def monotonic(self) -> float:
        return self.loop.time()

    def trusted(self) -> bool:
        return True


async def _a_day(loop: _VirtualLoop) -> list[float]:
    """A message every hour of a day, each answered after a minute; when each answer came."""
    lab = Lab(_LoopClock(loop), random.Random(1), latency=60.0, report_delay=600.0)
    device = lab.add("a")
    line = wrap(plan("hi").submits(Address.parse("+4917600001"), ref=1)[0].encode())
    came = []
    for hour in range(24):
        await asyncio.sleep(hour * 3600 - loop.time())
        reader = Reader()
        transport = await connect(device, reader)
        transport.write(f"AT+CNMI=2,1,0,1,0;+CMGS={line.tpdu_length}\r".encode())
        await asyncio.sleep(1)
        transport.write(line.hex.encode() + b"\x1a")
        await reader.until(b"+CMGS:", seconds=120)
        came.append(loop.time() - hour * 3600)
        await asyncio.sleep(700)
        assert b"+CDS:" in reader.data
        transport.close()
    assert lab.network.ledger[-1].at_ms == 1_800_000_000_000 + (23 * 3600 + 31) * 1000
    device.unplug(back=100.0)
    await asyncio.sleep(99)
    assert not device.present
    await asyncio.sleep(2)
    assert device.present
    return came


def test_a_day_of_virtual_time_passes_at_once() -> None:
    loop = _VirtualLoop()
    try:
        asyncio.set_event_loop(loop)
        assert loop.run_until_complete(_a_day(loop)) == [61.0] * 24
    finally:
        asyncio.set_event_loop(None)
        loop.close()
