"""Listens: on TCP addresses for everybody who has a key, and on the local control socket for the machine's own tools.

Both serve the same application under the same limits. What comes over the control socket counts as admin: its file has
mode 0660, so the file system decides who may open it.
"""

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from modemgw.http.connection import Counter, LimitedServer
from modemgw.http.limits import LIMITS, Limits


class CannotListen(Exception):
    """An address can't be used; the text is one plain line."""


class HttpServer:
    """A running server. ``urls``: where it is reached, with the real port where 0 was asked for."""

    def __init__(self, runner: web.AppRunner, limits: Limits) -> None:
        self._runner = runner
        self._limits = limits
        self._servers: list[LimitedServer] = []
        self._sockets: list[asyncio.Server] = []
        self._control: Path | None = None
        self.urls: list[str] = []

    async def listen(self, address: str, counter: Counter, tls: ssl.SSLContext | None) -> None:
        """Opens one ``host:port``; raises CannotListen."""
        host, port = parse_listen(address)
        server = self._new(counter, is_control=False)
        try:
            opened = await asyncio.get_running_loop().create_server(server, host, port, ssl=tls, backlog=128)
        except (OSError, OverflowError) as error:
            raise CannotListen(f"Cannot listen on {address}: {_why(error, port)}") from error
        self._sockets.append(opened)
        real = opened.sockets[0].getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        self.urls.append(f"{'https' if tls else 'http'}://{shown}:{real}")

    async def listen_control(self, path: Path) -> None:
        """Opens the control socket; a file that an earlier run left there is replaced. Raises CannotListen."""
        server = self._new(Counter(self._limits.control, self._limits.control), is_control=True)
        try:
            door = _door(path)
        except OSError as error:
            raise CannotListen(f"Cannot open the control socket {path}: {error.strerror or error}.") from error
        self._sockets.append(await asyncio.get_running_loop().create_unix_server(server, sock=door))
        self._control = path

    async def close(self) -> None:
        """Stops listening, lets requests under way finish for a few seconds, and ends the application."""
        for opened in self._sockets:
            opened.close()
        if self._control is not None:
            _remove(self._control)
        await asyncio.sleep(0)  # what has just been accepted becomes a request
        for server in self._servers:
            server.pre_shutdown()
        await self._runner.shutdown()
        for server in self._servers:
            await server.shutdown(self._limits.stop_s)
        await self._runner.cleanup()

    def _new(self, counter: Counter, *, is_control: bool) -> LimitedServer:
        base = self._runner.server
        if base is None:
            raise RuntimeError("the application is not set up")
        server = LimitedServer(base, self._limits, counter, is_control=is_control)
        self._servers.append(server)
        return server


async def serve(
    app: web.Application, listen: Sequence[str], *, control: Path | None = None, tls: ssl.SSLContext | None = None
) -> HttpServer:
    """Starts the application on every ``host:port`` of ``listen`` and on the socket ``control``.

    The limits are those of the application. Raises CannotListen, with nothing left open.
    """
    limits = app[LIMITS]
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    server = HttpServer(runner, limits)
    counter = Counter(limits.connections, limits.per_address)
    try:
        for address in listen:
            await server.listen(address, counter, tls)
        if control is not None:
            await server.listen_control(control)
    except BaseException:
        await server.close()
        raise
    return server


def parse_listen(address: str) -> tuple[str, int]:
    """``127.0.0.1:8025``, ``[::1]:8025`` or ``name:8025``; raises CannotListen."""
    host, colon, port = address.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = host[1:-1]
    good = colon and host and port.isascii() and port.isdigit() and int(port) < 65536
    if not good or (":" in host) != bracketed:
        raise CannotListen(f"`{address}` is no address to listen on: write it as 127.0.0.1:8025 or [::1]:8025.")
    return host, int(port)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _door(path: Path) -> socket.socket:
    """A bound socket with the right mode; nobody can connect before it listens."""
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        door.bind(str(path))
        path.chmod(0o660)
    except OSError:
        door.close()
        raise
    return door


def _why(error: Exception, port: int) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return f"another program uses port {port} already (perhaps another modemgw)."
    if number == errno.EADDRNOTAVAIL:
        return "this machine does not have that address."
    if number == errno.EACCES:
        return f"port {port} is reserved for the system: choose one above 1023."
    if isinstance(error, socket.gaierror):
        return "that name is not known here."
    return f"{error}."
