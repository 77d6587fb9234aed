"""Real pseudo-terminals: what is kept, what is refused, and what a user reads when a port cannot be opened."""

import asyncio
import errno
import fcntl
import os
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

from modemgw.at import commands
from modemgw.at.events import LateSubmit
from modemgw.port import opener
from modemgw.port.errors import PortLost, PortUnavailable
from modemgw.port.opener import connect_tty, open_port
from modemgw.port.port import Port

PDU = "0031000B915155100021F30000A705E8329BFD06"
TIOCGEXCL = 0x80045440


async def closed(port: Port) -> None:
    port.abort()
    await asyncio.wait_for(port.lost.wait(), 2)


async def test_a_whole_dialogue_over_a_pty(pty_modem: Any) -> None:
    intents: list[bytes] = []

    async def intent() -> None:
        intents.append(pty_modem.modem.received)

    pty_modem.start()
    port = await open_port(pty_modem.path, Port("test"))
    assert (await port.run(commands.SIGNAL)).lines == ("+CSQ: 20,99",)
    reply = await port.run(commands.cmgs(19, PDU), before_payload=intent)
    assert reply.mr == 1
    assert pty_modem.modem.sent == [(1, PDU.encode())]
    assert intents[0].endswith(b"AT+CMGS=19\r")
    await closed(port)
    assert port.lost_reason == "the port was closed"


async def test_bytes_that_waited_in_the_tty_are_read(pty_modem: Any) -> None:
    """After a crash they may be the proof that a message was sent; pyserial alone would throw them away."""
    pty_modem.raw()
    pty_modem.emit(b"\r\n+CMGS: 77\r\n\r\nOK\r\n")
    late: list[LateSubmit] = []
    port = await open_port(pty_modem.path, Port("test", on_late_submit=late.append))
    assert await asyncio.wait_for(port.listen(5), 6) == LateSubmit(77, None)
    await asyncio.sleep(0)
    assert late == [LateSubmit(77, None)]
    await closed(port)
    pty_modem.emit(b"\r\n+CMGS: 78\r\n")  # the same when it is opened again
    again = await open_port(pty_modem.path, Port("test"))
    assert await asyncio.wait_for(again.listen(5), 6) == LateSubmit(78, None)
    await closed(again)


async def test_the_tty_is_raw_exclusive_and_survives_closing(pty_modem: Any) -> None:
    port = Port("test")
    transport = await connect_tty(pty_modem.path, port, baud=9600)
    await port.connected.wait()
    descriptor = transport.get_extra_info("serial").fd
    input_flags, output_flags, control_flags, local_flags, speed, *_ = termios.tcgetattr(descriptor)
    assert not local_flags & (termios.ECHO | termios.ICANON | termios.ISIG)
    assert not input_flags & (termios.ICRNL | termios.IXON | termios.IGNCR)
    assert not output_flags & termios.OPOST
    assert not control_flags & termios.HUPCL
    assert speed == termios.B9600
    assert struct.unpack("i", fcntl.ioctl(descriptor, TIOCGEXCL, b"\0" * 4)) == (1,)
    await closed(port)


async def test_unplugged_while_idle_is_noticed_without_spinning(pty_modem: Any) -> None:
    reasons: list[str] = []
    pty_modem.start()
    port = await open_port(pty_modem.path, Port("test", on_lost=reasons.append))
    await port.resync()
    start = time.monotonic()
    pty_modem.unplug()
    await asyncio.wait_for(port.lost.wait(), 2)
    assert time.monotonic() - start < 2
    cpu = time.process_time()
    await asyncio.sleep(0.5)
    assert time.process_time() - cpu < 0.2
    assert "unplugged" in reasons[0]
    with pytest.raises(PortLost):
        await port.run(commands.SIGNAL)


@pytest.mark.parametrize("proof", [False, True])
async def test_unplugged_while_sending(pty_modem: Any, proof: bool) -> None:
    def network(payload: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        loop.call_later(0.05, pty_modem.unplug)
        return b"\r\n+CMGS: 5\r\n" if proof else b""

    pty_modem.start()
    pty_modem.modem.network = network
    port = await open_port(pty_modem.path, Port("test"))
    if proof:
        assert (await port.run(commands.cmgs(19, PDU))).mr == 5
    else:
        with pytest.raises(PortLost) as caught:
            await port.run(commands.cmgs(19, PDU))
        assert caught.value.payload_written
    await asyncio.wait_for(port.lost.wait(), 2)


async def test_a_modem_that_does_not_read_cannot_block_the_loop(pty_modem: Any) -> None:
    pty_modem.raw()
    port = await open_port(pty_modem.path, Port("test"))
    with pytest.raises(Exception, match="does not answer"):
        await port.resync(limit=1)
    start = time.monotonic()
    await closed(port)
    assert time.monotonic() - start < 1


# -- what cannot be opened ---------------------------------------------------------------------------------------------
async def refusal(path: object) -> PortUnavailable:
    with pytest.raises(PortUnavailable) as caught:
        await open_port(str(path), Port("test"))
    assert str(path) in caught.value.text
    return caught.value


async def test_a_port_that_does_not_exist(tmp_path: Path) -> None:
    error = await refusal(tmp_path / "ttyUSB9")
    assert error.reason == "missing"
    assert "plugged in" in error.text


async def test_what_is_no_port(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a port", encoding="ascii")
    for path in (tmp_path, tmp_path / "file", "/dev/null"):
        assert (await refusal(path)).reason == "not_a_port"
    assert (tmp_path / "file").read_text(encoding="ascii") == "not a port"


HOLD = """
import fcntl, sys, time
port = open(sys.argv[1], "rb+", 0)
fcntl.flock(port, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


async def test_a_port_that_another_program_holds_is_named(pty_modem: Any) -> None:
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLD, pty_modem.path, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    error = await refusal(pty_modem.path)
    holder.kill()
    await holder.wait()
    assert error.reason == "busy"
    assert f"(process {holder.pid})" in error.text
    assert "python" in error.text


async def test_two_ports_of_this_program_on_one_tty(pty_modem: Any) -> None:
    port = await open_port(pty_modem.path, Port("test"))
    assert (await refusal(pty_modem.path)).reason == "busy"
    await closed(port)
    await closed(await open_port(pty_modem.path, Port("test")))


@pytest.mark.parametrize(
    ("number", "reason", "word"),
    [
        (errno.EACCES, "permission", "dialout"),
        (errno.EBUSY, "busy", "in use"),
        (errno.ENODEV, "missing", "plugged in"),
        (errno.EIO, "missing", "plugged in"),
        (errno.EMFILE, "failed", "Too many open files"),
    ],
)
def test_every_refusal_is_explained(number: int, reason: str, word: str) -> None:
    error = opener.explain("/dev/ttyUSB0", OSError(number, os.strerror(number)))
    assert error.reason == reason
    assert word in error.text


# -- the seam for simulated modems -------------------------------------------------------------------------------------
async def test_another_way_to_connect(wire: Any) -> None:
    asked: list[str] = []

    async def connect(path: str, protocol: asyncio.Protocol) -> asyncio.Transport:
        asked.append(path)
        transport: asyncio.Transport = wire(protocol)
        return transport

    port = await open_port("emulator:a", Port("test"), connect=connect)
    assert (await port.run(commands.SIGNAL)).lines == ("+CSQ: 20,99",)
    assert asked == ["emulator:a"]
    await closed(port)


async def test_a_simulated_modem_that_is_not_there() -> None:
    async def connect(path: str, protocol: asyncio.Protocol) -> asyncio.Transport:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    with pytest.raises(PortUnavailable) as caught:
        await open_port("emulator:a", Port("test"), connect=connect)
    assert caught.value.reason == "missing"


async def test_a_port_that_is_lost_while_it_opens(wire: Any) -> None:
    async def connect(path: str, protocol: asyncio.Protocol) -> asyncio.Transport:
        transport: asyncio.Transport = wire(protocol)
        transport.abort()
        await asyncio.sleep(0)
        return transport

    with pytest.raises(PortLost):
        await open_port("emulator:a", Port("test"), connect=connect)


async def test_opening_that_nobody_waits_for_any_more_leaves_nothing_open(pty_modem: Any) -> None:
    for turns in range(4):
        task = asyncio.create_task(open_port(pty_modem.path, Port("test")))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            while True:
                try:
                    port = await open_port(pty_modem.path, Port("test"))
                except PortUnavailable:
                    await asyncio.sleep(0.01)
                else:
                    break
        await closed(port)


async def test_opening_cancelled_at_the_last_moment_lets_go_of_the_tty(pty_modem: Any) -> None:
    async def connect(path: str, protocol: asyncio.Protocol) -> asyncio.Transport:
        transport = await connect_tty(path, protocol)
        task.cancel()
        return transport

    abandoned = Port("test")
    task = asyncio.create_task(open_port(pty_modem.path, abandoned, connect=connect))
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(abandoned.lost.wait(), 2)
    await closed(await open_port(pty_modem.path, Port("test")))
