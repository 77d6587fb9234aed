"""Asks one tty whether a modem takes commands there, and which one: ESC, ``AT``, and after an OK ``AT+CGSN``.

A port for diagnostics, positions or dialling up never gets more than ``AT``: it is silent, or streams something else.
The port is opened and closed like any other (`opener`), so what another program holds is left alone. Sources: ITU-T
V.250, 3GPP TS 27.007, 5.4. Do not probe a port on which the answer to a SUBMIT may still come.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from modemgw.port.opener import Connect, connect_tty, explain

_SETTLE_S = 0.1  # after ESC, for what a stale prompt still says
_TRIES = 3  # a sleeping modem loses the first line
_PATIENCE_S = 0.7
_IMEI_PATIENCE_S = 3.0
_OK = re.compile(rb"(?:^|[\r\n])(?:OK|0)\r")
_FINAL = re.compile(rb"(?:^|[\r\n])(?:OK|0|4|ERROR|\+CME ERROR:[^\r]*)\r")
_IMEI = re.compile(rb"(?<!\d)(\d{14,16})(?!\d)")


@dataclass(frozen=True, slots=True)
class Speaks:
    """A tty that takes AT commands. ``imei``: 14-16 digits, None where the modem does not tell a real one."""

    imei: str | None


async def probe(path: str, *, connect: Connect | None = None) -> Speaks | None:
    """None: nothing there takes commands. Raises PortUnavailable. Takes at most about 6 s."""
    listener = _Listener()
    try:
        transport = await (connect or connect_tty)(path, listener)
    except OSError as error:
        raise explain(path, error) from error
    try:
        return await _ask(transport, listener)
    finally:
        transport.abort()
        await listener.closed.wait()


async def _ask(transport: asyncio.Transport, listener: "_Listener") -> Speaks | None:
    transport.write(b"\x1b")
    await asyncio.sleep(_SETTLE_S)
    for _ in range(_TRIES):
        if await listener.answer(partial(transport.write, b"AT\r"), _OK, _PATIENCE_S) is not None:
            break
    else:
        return None
    for question in (b"AT+CGSN\r", b"AT+GSN\r"):
        heard = await listener.answer(partial(transport.write, question), _FINAL, _IMEI_PATIENCE_S)
        found = _IMEI.search(heard) if heard else None
        if found:
            return Speaks(real_imei(found[1].decode("ascii")))
    return Speaks(None)


def real_imei(text: str) -> str | None:
    """None for what modems say that have none: all the same digit, as 000000000000000."""
    return text if len(set(text)) > 1 and not text.startswith("00000000") else None


class _Listener(asyncio.Protocol):
    """Collects what is heard until a pattern is in it."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self._heard = bytearray()
        self._news = asyncio.Event()

    async def answer(self, ask: Callable[[], None], until: "re.Pattern[bytes]", seconds: float) -> bytes | None:
        """What was heard after ``ask``; None if ``until`` did not come in time."""
        self._heard.clear()
        if self.closed.is_set():
            return None
        ask()
        try:
            async with asyncio.timeout(seconds):
                while not until.search(self._heard):
                    self._news.clear()
                    await self._news.wait()
                    if self.closed.is_set():
                        return None
        except TimeoutError:
            return None
        return bytes(self._heard)

    def data_received(self, data: bytes) -> None:
        self._heard += data[-4096:]
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.closed.set()
        self._news.set()
