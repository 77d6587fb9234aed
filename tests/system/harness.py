"""Three processes and what joins them: the modems' (``Bank``), the gateway's (``Service``), and this one as a client.

Everything outside the gateway survives its death, as in life: the modems with their ttys, the network's ledger, the
receiver of webhooks (``Sink``). All waiting is for a condition, with a limit.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import aiohttp
from aiohttp import web

T = TypeVar("T")
HERE = Path(__file__).parent
TOP = HERE.parents[1]
SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PATIENCE_S = 60.0

CONFIG = """
[gateway]
state_dir = "{state}"
home_country = "DE"
[http]
listen = "127.0.0.1:0"
[policy]
countries = ["*"]
daily_cap = 1000000
"""


def config_text(state: Path, ports: Mapping[str, Path], hook: str | None = None) -> str:
    """A configuration with these modems (name -> tty), and a receiver of webhooks."""
    text = CONFIG.format(state=state)
    for name, port in ports.items():
        text += f'[[modem]]\nname = "{name}"\nport = "{port}"\n'
    if hook is not None:
        text += f'[[webhook]]\nurl = "{hook}"\nsecret = "{SECRET}"\nallow_private = true\n'
    return text


def clean_environ(**more: str) -> dict[str, str]:
    """This process's environment with nothing of ours in it."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("MODEMGW", "NOTIFY", "WATCHDOG"))
    }
    return clean | more


async def until(look: Callable[[], T | Awaitable[T]], seconds: float = PATIENCE_S, every: float = 0.03) -> T:
    """What ``look`` returns, once that is not falsy; TimeoutError with its last word after ``seconds``."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        found = look()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return found  # type: ignore[return-value]
        if loop.time() >= end:
            raise TimeoutError(f"did not happen within {seconds} s: {look}")
        await asyncio.sleep(every)


class Bank:
    """The modems' process; see modem_bank.py for what it can be asked."""

    def __init__(self, process: asyncio.subprocess.Process, directory: Path, names: Sequence[str]) -> None:
        self._process = process
        self._lock = asyncio.Lock()
        self.ports = {name: directory / name for name in names}

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, folder: Path, modems: Sequence[Mapping[str, Any]], **options: Any) -> AsyncIterator["Bank"]:
        """Modems under ``folder``/tty; each by the arguments of ``Lab.add``."""
        directory = folder / "tty"
        asked = json.dumps({"dir": str(directory), "modems": list(modems), **options})
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(HERE / "modem_bank.py"), asked, cwd=TOP, env=clean_environ(PYTHONPATH=str(TOP)),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 26,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            assert (await process.stdout.readline()).strip() == b"ready"
            yield cls(process, directory, [modem["name"] for modem in modems])
        finally:
            await _end(process)

    async def ask(self, do: str, **arguments: Any) -> Any:
        """One question, one answer; also for a caller that is cancelled meanwhile, or the next would get its answer."""
        return await asyncio.shield(asyncio.create_task(self._ask(do, arguments)))

    async def _ask(self, do: str, arguments: Mapping[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with self._lock, asyncio.timeout(PATIENCE_S):
            self._process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
            return json.loads(await self._process.stdout.readline())


class Child(Protocol):
    """A process that was started."""

    pid: int

    @property
    def returncode(self) -> int | None: ...

    async def wait(self) -> int: ...


class Starter(Protocol):
    """How a gateway is started: by ``start_plainly``, or by a ``Forge``."""

    async def __call__(self, argv: Sequence[str], env: Mapping[str, str], stdout: Path, stderr: Path) -> Child: ...


async def start_plainly(argv: Sequence[str], env: Mapping[str, str], stdout: Path, stderr: Path) -> Child:
    """As a user does: a new interpreter."""
    with stdout.open("ab") as out, stderr.open("ab") as err:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "modemgw", *argv, cwd=TOP, env=dict(env),
            stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=err,
        )  # fmt: skip


@dataclass(slots=True)
class ForgedChild:
    """A gateway forked by the forge."""

    pid: int
    ended: asyncio.Future[int]

    @property
    def returncode(self) -> int | None:
        return self.ended.result() if self.ended.done() else None

    async def wait(self) -> int:
        return await asyncio.shield(self.ended)


class Forge:
    """Starts gateways by fork; see forge.py."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._lock = asyncio.Lock()
        self._born: asyncio.Queue[int] = asyncio.Queue()
        self._children: dict[int, asyncio.Future[int]] = {}
        self._reader = asyncio.create_task(self._read())

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls) -> AsyncIterator["Forge"]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(HERE / "forge.py"), cwd=TOP, env=clean_environ(PYTHONPATH=str(TOP)),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        forge = cls(process)
        try:
            yield forge
        finally:
            await _end(process)
            forge._reader.cancel()
            await asyncio.gather(forge._reader, return_exceptions=True)

    async def __call__(self, argv: Sequence[str], env: Mapping[str, str], stdout: Path, stderr: Path) -> Child:
        order = {"argv": list(argv), "env": dict(env), "stdout": str(stdout), "stderr": str(stderr)}
        assert self._process.stdin is not None
        async with self._lock, asyncio.timeout(PATIENCE_S):
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            pid = await self._born.get()
        return ForgedChild(pid, self._children[pid])

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            said = json.loads(line)
            if "code" in said:
                self._children[said["pid"]].set_result(said["code"])
            else:
                self._children[said["pid"]] = asyncio.get_running_loop().create_future()
                self._born.put_nowait(said["pid"])


class Gone(Exception):
    """The gateway ended before it said where it listens."""


class Service:
    """One life of a gateway, and a client of its API."""

    def __init__(self, child: Child, stdout: Path, stderr: Path, offset: int) -> None:
        self.child = child
        self.url = ""
        self._stdout = stdout
        self._offset = offset
        self.stderr = stderr
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    async def start(
        cls, config: Path, *, starter: Starter = start_plainly, options: Sequence[str] = (), **environ: str
    ) -> "Service":
        """Starts ``modemgw run``; does not wait for anything. Its output goes into files beside the configuration."""
        stdout, stderr = config.with_suffix(".stdout"), config.with_suffix(".stderr")
        stdout.touch()
        offset = stdout.stat().st_size
        argv = ["run", "--config", str(config), "--log-level", "info", *options]
        child = await starter(argv, clean_environ(**environ), stdout, stderr)
        return cls(child, stdout, stderr, offset)

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, config: Path, **options: Any) -> AsyncIterator["Service"]:
        """Started, listening and with a client of its API; killed at the end if it still runs."""
        service = await cls.start(config, **options)
        try:
            await service.listening()
            yield service
        finally:
            await service.kill()

    def said(self) -> str:
        """What this life printed on standard output so far."""
        with self._stdout.open("rb") as file:
            file.seek(self._offset)
            return file.read().decode()

    @property
    def key(self) -> str | None:
        """The first API key, if this life printed it."""
        return next((word for word in self.said().split() if word.startswith("mgw_")), None)

    async def listening(self, key: str | None = None) -> None:
        """Returns when the API answers; ``key`` or the one that was printed is used from then on. Raises Gone."""
        await until(lambda: "API: " in self.said() or self.child.returncode is not None, every=0.01)
        found = [line for line in self.said().splitlines() if line.startswith("API: ")]
        if not found:
            raise Gone(f"exit code {self.child.returncode}: {self.stderr.read_text()[-2000:]}")
        self.url = found[0].split()[1].removesuffix("/v1")
        self.use(key or self.key)

    def use(self, key: str | None) -> None:
        """Another API key from now on."""
        old, self._session = self._session, None
        if old is not None:
            asyncio.get_running_loop().create_task(old.close())
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        self._session = aiohttp.ClientSession(self.url, headers=headers, timeout=timeout)

    async def call(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **body: Any) -> Any:
        """(status, decoded JSON). Raises aiohttp.ClientError when the gateway dies meanwhile."""
        assert self._session is not None
        async with self._session.request(method, path, headers=headers, **body) as response:
            content = await response.read()
            return response.status, json.loads(content) if content else None

    async def get(self, path: str) -> Any:
        """The body of a 200."""
        status, body = await self.call("GET", path)
        assert status == 200, (status, body)
        return body

    async def send(self, to: str, text: str, **fields: Any) -> str:
        """Accepts one message; its id."""
        status, body = await self.call("POST", "/v1/messages", json={"to": to, "text": text, **fields})
        assert status == 202, (status, body)
        return str(body["id"])

    async def message(self, message_id: str, *statuses: str, within: float = PATIENCE_S) -> dict[str, Any]:
        """The message, once it has one of these statuses."""

        async def look() -> dict[str, Any] | None:
            body: dict[str, Any] = await self.get(f"/v1/messages/{message_id}")
            return body if body["status"] in statuses else None

        found = await until(look, within)
        assert found is not None
        return found

    async def modem(self, name: str, *states: str, within: float = PATIENCE_S) -> dict[str, Any]:
        """The modem, once it is in one of these states."""

        async def look() -> dict[str, Any] | None:
            body: dict[str, Any] = await self.get(f"/v1/modems/{name}")
            return body if body["state"] in states else None

        found = await until(look, within)
        assert found is not None
        return found

    async def inbox(self) -> list[dict[str, Any]]:
        """All that arrived, oldest first."""
        items: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = await self.get(f"/v1/inbox?limit=500{cursor}")
            items += page["items"]
            if page["next_cursor"] is None:
                return items[::-1]
            cursor = f"&cursor={page['next_cursor']}"

    def signal(self, number: signal.Signals) -> None:
        """Nothing, if it has ended."""
        if self.child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.child.pid, number)

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    async def kill(self) -> int:
        """SIGKILL, if it still runs; the exit code."""
        self.signal(signal.SIGKILL)
        return await self.ended()

    async def ended(self) -> int:
        """The exit code, once there is one."""
        async with asyncio.timeout(PATIENCE_S):
            code = await self.child.wait()
        if self._session is not None:
            await self._session.close()
            self._session = None
        return code


@dataclass(slots=True)
class Sink:
    """A receiver of webhooks that takes everything; ``got``: (webhook-id, type, data's id, data's status)."""

    got: list[tuple[str, str, str | None, str | None]] = field(default_factory=list)
    url: str = ""

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls) -> AsyncIterator["Sink"]:
        sink = cls()
        app = web.Application()
        app.router.add_post("/hook", sink._take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        sink.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        try:
            yield sink
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        data = body["data"]
        self.got.append((request.headers["webhook-id"], body["type"], data.get("id"), data.get("status")))
        return web.Response()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Closes its standard input, which ends it."""
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError, BrokenPipeError):
        process.stdin.close()
        await process.stdin.wait_closed()
    try:
        async with asyncio.timeout(10):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
