"""``modemgw bench``: how fast this machine is, with a real gateway process and simulated modems in another one.

The modems' network answers at once, so what is measured is the gateway. The database is a real file with its durable
commits; nothing is shared with an installed service. Exit code 0 when every goal is met, 1 when one is missed.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from modemgw.cli.stop import Stop
from modemgw.pdu.decode import decode
from modemgw.seams import SystemClock

_PATIENCE_S = 120.0
_REST_S = 5.0
_SAMPLE = (  # a DELIVER of 160 characters
    "00040D91945155090000F1000062112290210040A054741914AFA7C76B9058FEBEBB41E6371EA4AEB7E173D0DB5E9683E8E8"
    "32881DD6E741E4F7D905A2A2CBA0783D3D5E83C4F2F7DD0D32BFF12075BD0D9F83DEF6B21C44479741ECB03E0F22BFCF2E10"
    "155D06C5EBE9F11A2496BFEF6E90F98D07A9EB6DF81CF4B697E5203ABA0C6287F57910F97D7681A0E1F11AD4CE83C46F3CE8"
    "9EA6A341E6B4BD0C22BFF5"
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ``at_most`` False: the goal is a least."""

    name: str
    value: float
    unit: str
    goal: float
    at_most: bool = True

    @property
    def met(self) -> bool:
        return self.value <= self.goal if self.at_most else self.value >= self.goal


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--messages", metavar="N", type=int, default=1000, help="how many are sent (default 1000)")
    parser.add_argument("--arrivals", metavar="N", type=int, default=200, help="how many arrive (default 200)")
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")


def run(args: argparse.Namespace) -> int:
    if args.messages < 10 or args.arrivals < 10:
        raise Stop("--messages and --arrivals must be at least 10: a median of fewer says nothing", code=2)
    try:
        figures = asyncio.run(measure(args.messages, args.arrivals))
    except TimeoutError:
        raise Stop("the gateway did not get through in time; `modemgw run --simulate 1` may show why") from None
    if args.json:
        print(json.dumps({"figures": [asdict(each) | {"met": each.met} for each in figures]}))
    else:
        for each in figures:
            limit = "at most" if each.at_most else "at least"
            verdict = "good" if each.met else "SHORT"
            print(f"{each.name:<58} {each.value:>10.2f} {each.unit:<6} {limit} {each.goal:g}  {verdict}")
    return 0 if all(each.met for each in figures) else 1


async def measure(messages: int, arrivals: int) -> list[Figure]:
    """Starts bank and gateway, and takes every figure. TimeoutError when something gets stuck."""
    with tempfile.TemporaryDirectory(prefix="modemgw-bench-") as folder:
        async with _bank(Path(folder), 1) as bank:
            return await _measure(Path(folder), bank, messages, arrivals)


async def _measure(folder: Path, bank: "_Process", messages: int, arrivals: int) -> list[Figure]:
    config = folder / "bench.toml"
    config.write_text(_CONFIG.format(state=folder / "state", port=folder / "modem0"), encoding="utf-8")
    config.chmod(0o600)
    _progress("starting a gateway with one modem")
    async with _gateway(config) as gateway:
        await asyncio.sleep(_REST_S)
        idle_mb = gateway.rss_mb()
        _progress(f"sending {messages} messages")
        await bank.ask("stamps")
        stamps = await _send_all(gateway, bank, messages)
        gaps = [
            1000 * (later - sooner) for sooner, later in zip(stamps["accepted"], stamps["ctrl_z"][1:], strict=False)
        ]
        _progress(f"{arrivals} messages arrive")
        arrived = (await bank.ask(f"arrive {arrivals}"))["arrivals"]
        await gateway.post(1, send_at_in_s=1)
    _progress("starting again")
    restart_s = await _restart(config, bank)
    return [
        Figure("answer of the modem -> next Ctrl-Z, median", statistics.median(gaps), "ms", 5),
        Figure("arrival at the modem -> on disk and deleted there, median", 1000 * statistics.median(arrived), "ms", 8),
        Figure("memory of the idle gateway with one modem", idle_mb, "MB", 60),
        Figure("second start -> first Ctrl-Z", restart_s, "s", 5),
        Figure("PDUs decoded (DELIVER of 160 characters)", _decodes_per_second(), "1/s", 10_000, at_most=False),
    ]


async def _send_all(gateway: "_Gateway", bank: "_Process", messages: int) -> dict[str, list[float]]:
    merged: dict[str, list[float]] = {"ctrl_z": [], "accepted": []}
    await gateway.post(messages)
    async with asyncio.timeout(_PATIENCE_S):
        while len(merged["accepted"]) < messages:
            await asyncio.sleep(0.2)
            answer = await bank.ask("stamps")
            for kind, stamps in merged.items():
                stamps.extend(answer[kind].get("modem0", []))
    return merged


async def _restart(config: Path, bank: "_Process") -> float:
    await asyncio.sleep(1.0)  # the message that waits is due
    await bank.ask("stamps")
    began = SystemClock().monotonic()  # the bank's clock as well: it is the system's
    async with _gateway(config, ready=False), asyncio.timeout(_PATIENCE_S):
        while not (stamps := (await bank.ask("stamps"))["ctrl_z"]):  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.05)
    return float(stamps["modem0"][0] - began)


def _decodes_per_second(seconds: float = 1.0) -> float:
    clock = SystemClock()
    began = clock.monotonic()
    count = 0
    while (passed := clock.monotonic() - began) < seconds:
        for _ in range(100):
            decode(_SAMPLE)
        count += 100
    return count / passed


class _Process:
    """A child that answers a line with a JSON line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def ask(self, line: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n".encode())
        async with asyncio.timeout(_PATIENCE_S):
            answer: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return answer


class _Gateway:
    """A running gateway and a client of its API."""

    def __init__(self, process: asyncio.subprocess.Process, session: aiohttp.ClientSession) -> None:
        self.process = process
        self.session = session

    def rss_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    async def post(self, count: int, *, send_at_in_s: int | None = None) -> None:
        """Accepts ``count`` messages, up to 500 in a request."""
        for first in range(0, count, 500):
            numbers = [f"+4915{60000000 + first + each:09d}" for each in range(min(500, count - first))]
            body: dict[str, Any] = {"to": numbers, "text": "a message of the bench", "report": False}
            if send_at_in_s is not None:
                at = datetime.fromtimestamp(SystemClock().wall_ms() / 1000 + send_at_in_s, UTC)
                body["send_at"] = at.isoformat()
            async with self.session.post("/v1/messages", json=body) as response:
                if response.status != 202:
                    raise Stop(f"the gateway answered {response.status}: {await response.text()}")

    async def registered(self) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                async with self.session.get("/v1/modems") as response:
                    modems = (await response.json())["items"]
                if all(each["state"] == "registered" for each in modems):
                    return
                await asyncio.sleep(0.1)


@asynccontextmanager
async def _bank(folder: Path, modems: int) -> AsyncIterator[_Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "modemgw.cli.bank", str(folder), str(modems), "0",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=64 * 1024 * 1024,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        await process.stdout.readline()
        yield _Process(process)
    finally:
        await _end(process)


@asynccontextmanager
async def _gateway(config: Path, *, ready: bool = True) -> AsyncIterator[_Gateway]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MODEMGW__", "NOTIFY_"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "modemgw", "run", "--log-level", "warning", "--config", str(config),
        stdout=asyncio.subprocess.PIPE, env=environ,
    )  # fmt: skip
    try:
        if not ready:
            async with aiohttp.ClientSession() as unused:
                yield _Gateway(process, unused)
            return
        url, key = await _address_and_key(process)
        async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {key}"}) as session:
            gateway = _Gateway(process, session)
            await gateway.registered()
            yield gateway
    finally:
        await _end(process)


async def _address_and_key(process: asyncio.subprocess.Process) -> tuple[str, str]:
    assert process.stdout is not None
    url = key = ""
    async with asyncio.timeout(_PATIENCE_S):
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


def _progress(text: str) -> None:
    print(f"bench: {text} ...", file=sys.stderr, flush=True)


_CONFIG = """
[gateway]
state_dir = "{state}"
home_country = "DE"
[http]
listen = "127.0.0.1:0"
[policy]
countries = ["*"]
daily_cap = 1000000000
[[modem]]
name = "bench"
port = "{port}"
"""
