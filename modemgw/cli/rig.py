"""What ``modemgw bench`` measures with: a bank of simulated modems and a gateway, each a process of its own."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from modemgw.cli.stop import Stop
from modemgw.seams import SystemClock

PATIENCE_S = 180.0


class Process:
    """A child that answers a line with a JSON line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def ask(self, line: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n".encode())
        async with asyncio.timeout(PATIENCE_S):
            answer: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return answer


class Gateway:
    """A running gateway and a client of its API."""

    def __init__(self, process: asyncio.subprocess.Process, session: aiohttp.ClientSession) -> None:
        self.process = process
        self.session = session

    def rss_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def cpu_s(self) -> float:
        """Seconds of CPU time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def post(
        self,
        count: int,
        *,
        send_at_in_s: int | None = None,
        first: int = 0,
        each: int = 500,
        class_: str = "transactional",
        clients: int = 1,
    ) -> float:
        """Accepts ``count`` messages, up to ``each`` in a request, from so many clients; seconds that it took."""
        clock = SystemClock()
        began = clock.monotonic()
        starts = iter(range(first, first + count, each))

        async def client() -> None:
            for start in starts:
                await self.send(self._request(range(start, min(start + each, first + count)), send_at_in_s, class_))

        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(client())
        return clock.monotonic() - began

    @staticmethod
    def _request(numbers: range, send_at_in_s: int | None, class_: str) -> dict[str, Any]:
        to = [f"+4915{60000000 + number:09d}" for number in numbers]
        body: dict[str, Any] = {"to": to, "text": "a message of the bench", "report": False, "class": class_}
        if send_at_in_s is not None:
            at = datetime.fromtimestamp(SystemClock().wall_ms() / 1000 + send_at_in_s, UTC)
            body["send_at"] = at.isoformat()
        return body

    async def send(self, body: dict[str, Any]) -> None:
        """One request."""
        async with self.session.post("/v1/messages", json=body) as response:
            if response.status != 202:
                raise Stop(f"the gateway answered {response.status}: {await response.text()}")
            await response.read()

    async def registered(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with self.session.get("/v1/modems") as response:
                    modems = (await response.json())["items"]
                if all(each["state"] == "registered" for each in modems):
                    return
                await asyncio.sleep(0.1)


@asynccontextmanager
async def start_bank(folder: Path, modems: int) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "modemgw.cli.bank", str(folder), str(modems), "0",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=64 * 1024 * 1024,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        await process.stdout.readline()
        yield Process(process)
    finally:
        await _end(process)


@asynccontextmanager
async def start_gateway(config: Path, *, ready: bool = True) -> AsyncIterator[Gateway]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MODEMGW__", "NOTIFY_"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "modemgw", "run", "--log-level", "warning", "--config", str(config),
        stdout=asyncio.subprocess.PIPE, env=environ,
    )  # fmt: skip
    try:
        if not ready:
            async with aiohttp.ClientSession() as unused:
                yield Gateway(process, unused)
            return
        url, key = await _address_and_key(process)
        async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {key}"}) as session:
            gateway = Gateway(process, session)
            await gateway.registered()
            yield gateway
    finally:
        await _end(process)


async def first_send_s(config: Path, bank: Process) -> float:
    """Starts a gateway that has something to send, and ends it: seconds until the first Ctrl-Z came."""
    await bank.ask("stamps")
    began = SystemClock().monotonic()  # the bank's clock as well: it is the system's
    async with start_gateway(config, ready=False), asyncio.timeout(PATIENCE_S):
        while not (stamps := (await bank.ask("stamps"))["ctrl_z"]):  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.05)
    return float(stamps["modem0"][0] - began)


async def _address_and_key(process: asyncio.subprocess.Process) -> tuple[str, str]:
    assert process.stdout is not None
    url = key = ""
    async with asyncio.timeout(PATIENCE_S):
        while not (url and key):
            line = (await process.stdout.readline()).decode()
            if not line:
                raise Stop("the gateway ended at once; its reason stands above")
            key = next((word for word in line.split() if word.startswith("mgw_")), key)
            url = line.split()[1].removesuffix("/v1") if line.startswith("API: ") else url
    return url, key


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    await process.wait()


def progress(text: str) -> None:
    print(f"bench: {text} ...", file=sys.stderr, flush=True)


def configuration(folder: Path, modems: int, *, hook: str | None = None) -> Path:
    """The configuration of a gateway with this many modems of the bank in ``folder``."""
    config = folder / "bench.toml"
    text = _CONFIG.format(state=folder / "state")
    for number in range(modems):
        text += f'[[modem]]\nname = "modem{number}"\nport = "{folder / f"modem{number}"}"\n'
    if hook is not None:
        text += (
            f'[[webhook]]\nurl = "{hook}"\nsecret = "{_SECRET}"\nevents = ["message.received"]\nallow_private = true\n'
        )
    config.write_text(text, encoding="utf-8")
    config.chmod(0o600)
    return config


_SECRET = "whsec_" + "YmVuY2hiZW5jaGJlbmNoYmVuY2hiZW5jaGJlbmNo"  # of a receiver that checks nothing
_CONFIG = """
[gateway]
state_dir = "{state}"
home_country = "DE"
[http]
listen = "127.0.0.1:0"
[policy]
countries = ["*"]
daily_cap = 1000000000
"""
