"""The control socket of a lab: JSON lines in, JSON lines out, over a Unix socket that its owner alone can use.

    {"modem": "modem0", "unplug": {"back": 5}}      {"ok": true}
    {"modem": "modem9", "restart": true}            {"ok": false, "error": "modem must be one of modem0, not 'modem9'"}

What can be told is in orders.py. Any number of programs may be connected; each order is carried out before the next.
"""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Self

from modemgw.emulator.orders import Orders

_LIMIT = 1 << 20  # octets of one line


class Control:
    """Serves orders at `path`. An async context manager; OSError when there can be no socket."""

    def __init__(self, orders: Orders, path: Path) -> None:
        self.path = path
        self._orders = orders
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._server = await asyncio.start_unix_server(self._talk, self.path, limit=_LIMIT)
        self.path.chmod(0o600)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.close()
        self.path.unlink(missing_ok=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            with suppress(ConnectionError, ValueError):  # ValueError: a line without an end
                while line := await reader.readline():
                    if line.strip():
                        writer.write(self._answer(line))
                        await writer.drain()
        finally:
            self._writers.remove(writer)
            writer.close()

    def _answer(self, line: bytes) -> bytes:
        try:
            order: object = json.loads(line)
        except (ValueError, RecursionError) as error:
            return _line({"ok": False, "error": f"no JSON: {error}"})
        return _line(self._orders.obey(order))


def _line(answer: dict[str, object]) -> bytes:
    return (json.dumps(answer, ensure_ascii=False) + "\n").encode()
