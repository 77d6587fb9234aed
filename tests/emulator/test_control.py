"""The control socket, as a program uses it: lines of JSON both ways while terminals are served."""

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from modemgw.emulator.pty import serve

Ask = Any


@asynccontextmanager
async def serving(tmp_path: Path, *personas: str) -> AsyncIterator[list[str]]:
    """`serve` in the background; the lines that it said."""
    said: list[str] = []
    ready = asyncio.Event()

    def say(line: str) -> None:
        said.append(line)
        if line == "ready":
            ready.set()

    running = asyncio.create_task(
        serve(tmp_path / "lab", modems=len(personas), personas=personas, control=tmp_path / "c.sock", say=say)
    )
    async with asyncio.timeout(5):
        await ready.wait()
    yield said
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert list((tmp_path / "lab").iterdir()) == []
    assert not (tmp_path / "c.sock").exists()


@asynccontextmanager
async def asking(tmp_path: Path) -> AsyncIterator[Ask]:
    """A connection to the socket: `await ask("line")` is the answer."""
    reader, writer = await asyncio.open_unix_connection(tmp_path / "c.sock")

    async def ask(line: object) -> dict[str, Any]:
        writer.write((line if isinstance(line, str) else json.dumps(line)).encode() + b"\n")
        async with asyncio.timeout(5):
            answer: dict[str, Any] = json.loads(await reader.readline())
        return answer

    yield ask
    writer.close()


async def test_orders_are_taken_while_terminals_are_served(tmp_path: Path) -> None:
    async with serving(tmp_path, "generic") as said, asking(tmp_path) as ask, asking(tmp_path) as other:
        assert f"{tmp_path / 'c.sock'}  control socket" in said
        assert stat.S_IMODE((tmp_path / "c.sock").stat().st_mode) == 0o600
        assert await ask({"modem": "modem0", "signal": 3}) == {"ok": True}
        assert (await ask("nonsense"))["error"].startswith("no JSON: ")
        assert (await other("[" * 100_000))["ok"] is False
        assert (await ask({"modem": "modem0", "unplug": {"back": 0.01, "port": "z"}}))["ok"] is True
        async with asyncio.timeout(5):
            while (await other({"modems": 1}))["modems"][0]["port"] != "z":
                pass
        assert (tmp_path / "lab" / "z").is_symlink()


async def test_all_ttys_of_a_modem_go_and_come_together(tmp_path: Path) -> None:
    async with serving(tmp_path, "quectel-ec25") as said, asking(tmp_path) as ask:
        lab = tmp_path / "lab"
        names = ["modem0", "modem0.diag", "modem0.modem", "modem0.nmea"]
        assert sorted(path.name for path in lab.iterdir()) == names
        assert f"{lab / 'modem0.diag'}  diagnostic port: binary, takes no commands" in said
        fd = os.open(lab / "modem0.diag", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        talks = asyncio.Event()
        asyncio.get_running_loop().add_reader(fd, talks.set)
        async with asyncio.timeout(5):
            await talks.wait()
        asyncio.get_running_loop().remove_reader(fd)
        assert os.read(fd, 1) == b"\x7e"
        os.close(fd)
        assert (await ask({"modem": "modem0", "unplug": True}))["ok"] is True
        assert list(lab.iterdir()) == []
        assert await ask({"modem": "modem0", "plug": "modem7"}) == {"ok": True, "port": "modem7"}
        assert sorted(path.name for path in lab.iterdir()) == [name.replace("m0", "m7") for name in names]


async def test_a_socket_left_behind_is_replaced_and_a_line_without_end_hangs_up(tmp_path: Path) -> None:
    server = await asyncio.start_unix_server(lambda _reader, writer: writer.close(), tmp_path / "c.sock")
    server.close()
    async with serving(tmp_path, "generic"):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "c.sock")
        writer.write(b"x" * (3 << 20))
        async with asyncio.timeout(5):
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
        writer.close()
        async with asking(tmp_path) as ask:
            assert await ask({"modem": "modem0", "signal": 3}) == {"ok": True}
