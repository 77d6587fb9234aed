"""A scripted modem for the port's own tests: answers in order, from a script, late or never, over memory or a PTY.

It is no emulator: it knows a handful of answers, and keeps the truth about every message that it was given.
"""

import asyncio
import contextlib
import os
import tty
from collections.abc import Callable, Iterator

import pytest

ANSWERS = {
    "AT": "",
    "AT+CGSN": "490154203237518",
    "AT+CMEE?": "+CMEE: 1",
    "AT+CMGF?": "+CMGF: 0",
    "AT+CSCS?": '+CSCS: "GSM"',
    "AT+CNMI?": "+CNMI: 2,1,0,1,0",
    "AT+CSQ": "+CSQ: 20,99",
    "ATQ0V1": "",
}


class ScriptedModem:
    """Takes bytes, works one command at a time, buffers what comes meanwhile.

    ``delay(text)`` gives the seconds for a command (``<payload>`` for a PDU), None to ignore it. ``script`` maps a
    command to its whole answer. ``network(payload)`` gives the answer to a PDU; the default accepts it.
    """

    def __init__(self, emit: Callable[[bytes], None]) -> None:
        self.emit = emit
        self.script: dict[str, bytes] = {}
        self.delay: Callable[[str], float | None] = lambda text: 0.01
        self.network: Callable[[bytes], bytes] = self.accept
        self.prompt: bytes | None = b"\r\n> "
        self.echo = False
        self.deaf_while_busy = False
        self.commands: list[str] = []
        self.received = b""
        self.sent: list[tuple[int, bytes]] = []  # the truth: MR and PDU of every message that was submitted
        self.mr = 0
        self._input = b""
        self._busy = False
        self._prompting = False

    def feed(self, data: bytes) -> None:
        self.received += data
        if self._busy and self.deaf_while_busy:
            return
        self._input += data
        self._pump()

    def accept(self, payload: bytes) -> bytes:
        self.mr = (self.mr + 1) % 256
        self.sent.append((self.mr, payload))
        return b"\r\n+CMGS: %d\r\n\r\nOK\r\n" % self.mr

    def _pump(self) -> None:
        while not self._busy and self._input:
            ends = b"\x1a\x1b" if self._prompting else b"\r"
            end = min((self._input.find(bytes([one])) for one in ends if bytes([one]) in self._input), default=None)
            if end is None:
                return
            part, mark, self._input = self._input[:end], self._input[end : end + 1], self._input[end + 1 :]
            if self._prompting:
                self._prompting = False
                if mark == b"\x1a":
                    self._work("<payload>", lambda payload=part: self.network(payload))
                else:
                    self._work("<escape>", lambda: b"\r\nOK\r\n")
            else:
                text = part.replace(b"\x1b", b"").decode("latin-1")
                if text:
                    self._command(text)

    def _command(self, text: str) -> None:
        self.commands.append(text)
        if self.echo:
            self.emit(text.encode() + b"\r")
        if text.startswith("AT+CMGS=") and text not in self.script:
            self._work(text, self._ask)
        else:
            self._work(text, lambda: self.answer(text))

    def _ask(self) -> bytes:
        self._prompting = self.prompt is not None
        return self.prompt or b""

    def answer(self, text: str) -> bytes:
        if text in self.script:
            return self.script[text]
        if text not in ANSWERS:
            return b"\r\nERROR\r\n"
        return (f"\r\n{ANSWERS[text]}\r\n" if ANSWERS[text] else "").encode() + b"\r\nOK\r\n"

    def _work(self, text: str, act: Callable[[], bytes]) -> None:
        seconds = self.delay(text)
        if seconds is not None:
            self._busy = True
            asyncio.get_running_loop().call_later(seconds, self._done, act)

    def _done(self, act: Callable[[], bytes]) -> None:
        self._busy = False
        answer = act()
        if answer:
            self.emit(answer)
        self._pump()


class Wire(asyncio.Transport):
    """Both directions in memory."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.modem = ScriptedModem(self.emit)
        self.writes: list[tuple[float, bytes]] = []
        self._closing = False
        protocol.connection_made(self)

    def write(self, data: bytes) -> None:
        self.writes.append((asyncio.get_running_loop().time(), bytes(data)))
        if not self._closing:
            self.modem.feed(bytes(data))

    def emit(self, data: bytes) -> None:
        if not self._closing:
            self.protocol.data_received(data)

    def is_closing(self) -> bool:
        return self._closing

    def abort(self) -> None:
        self.unplug(None)

    def unplug(self, error: Exception | None) -> None:
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, error)


@pytest.fixture
def wire() -> type[Wire]:
    """``wire(port)`` connects a port to a scripted modem in memory."""
    return Wire


class PtyModem:
    """A scripted modem behind a real pseudo-terminal."""

    def __init__(self) -> None:
        self.master, self._slave = os.openpty()
        self.path = os.ttyname(self._slave)
        self.modem = ScriptedModem(self.emit)

    def emit(self, data: bytes) -> None:
        os.write(self.master, data)

    def start(self) -> None:
        """From here on the slave is held by the port alone."""
        os.close(self._slave)
        self._slave = -1
        os.set_blocking(self.master, False)
        asyncio.get_running_loop().add_reader(self.master, self._read)

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # as long as nobody holds the slave, and for a moment after
            self.modem.feed(os.read(self.master, 4096))

    def raw(self) -> None:
        tty.setraw(self._slave)

    def unplug(self) -> None:
        if self.master >= 0:
            asyncio.get_running_loop().remove_reader(self.master)
            os.close(self.master)
            self.master = -1

    def close(self) -> None:
        for descriptor in (self.master, self._slave):
            if descriptor >= 0:
                os.close(descriptor)


@pytest.fixture
def pty_modem() -> Iterator[PtyModem]:
    modem = PtyModem()
    yield modem
    modem.close()
