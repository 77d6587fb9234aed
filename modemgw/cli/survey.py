"""What a modem says when it is asked about itself, byte for byte: the raw material of transcripts and of new profiles.

Rules: only questions and the two settings that make answers readable (``ATE0``, ``AT+CMEE=1``); nothing is sent, no PIN
is entered, no message is read, and the questions that hang some firmware (``AT+CLAC``, ``AT+COPS=?``) are not asked.
A stale prompt is left by ESC, never by Ctrl-Z. `redact` takes out whatever belongs to a person or a place: long
numbers, and the cell where the modem stands.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

from modemgw.modem.profile import Profiles
from modemgw.port.opener import connect_tty

_FINAL = re.compile(
    rb"(?:^|[\r\n])(?:OK|ERROR|\+CM[ES] ERROR: [^\r\n]*|COMMAND NOT SUPPORT|NO CARRIER|TOO MANY PARAMETERS)\r?\r?\n$"
)
_QUIET_S = 0.3
_BASIC = ("AT", "ATE0", "AT+CMEE=1", "AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN", "ATI", "AT+CPIN?", "AT+CIMI")
_REST = (
    *("AT+CFUN?", "AT+CREG?", "AT+CEREG?", "AT+CSQ", "AT+COPS?", "AT+CSMS?", "AT+CMGF?", "AT+CPMS=?", "AT+CPMS?"),
    *("AT+CNMI=?", "AT+CNMI?", "AT+CSCA?", "AT+CSCS=?", "AT+CNUM", "AT+NOSUCH"),
)
UNKNOWN = "AT+NOSUCH"  # a command that no modem knows: how it says so is a habit of the make

_CELL = re.compile(r'(\+C(?:E|G)?REG: ?(?:\d,)?\d,)"? ?[0-9A-Fa-f]+"?,"? ?[0-9A-Fa-f]+"?')
_SPLIT_NUMBER = re.compile(r"\d{2}-\d{6}-\d{6}-\d")
_NUMBER = re.compile(r"\+?[0-9A-Fa-f]*\d{7,}[0-9A-Fa-f]*")
_DIGITS = "5550100123"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with everything that came until it was answered; empty ``question``: what came unasked."""

    question: str
    said: bytes

    @property
    def ok(self) -> bool:
        return bool(re.search(rb"[\r\n]OK\r?\r?\n$", self.said))

    @property
    def complete(self) -> bool:
        """Whether a final result came."""
        return bool(_FINAL.search(self.said))

    @property
    def lines(self) -> list[str]:
        """Without echo, empty lines and the final result."""
        found = [line.strip() for line in self.said.decode("latin-1").splitlines() if line.strip()]
        found = [line for line in found if line != self.question]
        return found[:-1] if self.complete else found


class _Listener(asyncio.Protocol):
    def __init__(self) -> None:
        self.data = bytearray()
        self.news = asyncio.Event()
        self.lost: Exception | None = None

    def data_received(self, data: bytes) -> None:
        self.data += data
        self.news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = exc or ConnectionResetError("the port was closed")
        self.news.set()

    async def until(self, seconds: float, *, final: bool) -> bytes:
        """What comes within so many seconds; with ``final``, only until the answer is complete."""
        try:
            async with asyncio.timeout(seconds):
                while self.lost is None and not (final and _FINAL.search(bytes(self.data))):
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            pass
        if self.lost is not None:
            raise self.lost
        said = bytes(self.data)
        self.data.clear()
        return said


def questions() -> tuple[str, ...]:
    """In the order in which they are asked; what is not standard comes from the generic profile."""
    sim = Profiles.shipped().generic.sim
    return (*_BASIC, *sim.iccid, *(counter.send for counter in sim.pin_counter), *_REST)


async def survey(path: str, *, listen_s: float = 10.0, answer_s: float = 5.0) -> list[Asked]:
    """Ask everything, then listen for a while. Raises PortUnavailable; OSError if the modem goes away meanwhile."""
    listener = _Listener()
    transport = await connect_tty(path, listener)
    assert isinstance(transport, asyncio.WriteTransport)
    found = []
    try:
        transport.write(b"\x1b\r")
        await listener.until(_QUIET_S * 2, final=False)
        for _ in range(10):  # some hear nothing before they found out the bit rate
            transport.write(b"AT\r")
            if _FINAL.search(await listener.until(1.0, final=True)):
                break
        await listener.until(_QUIET_S, final=False)
        for question in questions():
            transport.write(question.encode() + b"\r")
            found.append(Asked(question, await listener.until(answer_s, final=True)))
            await asyncio.sleep(0.05)
        found.append(Asked("", await listener.until(listen_s, final=False)))
    finally:
        transport.abort()
    return found


def redact(text: str) -> str:
    """The text with made-up digits in place of every long number, at the same length, and in place of the cell.

    What a SIM's number begins with (89, or 98 where digits are swapped) and its padding stay, since programs look at
    them.
    """
    text = _CELL.sub(r'\1"00A1","0000C350"', text)
    text = _SPLIT_NUMBER.sub("35-555010-012355-5", text)
    return _NUMBER.sub(_made_up, text)


def _made_up(found: re.Match[str]) -> str:
    number = found[0]
    start = "+" if number.startswith("+") else number[:2] if number[:2] in ("89", "98") else ""
    end = number[len(number.rstrip("Ff")) :]
    middle = len(number) - len(start) - len(end)
    return start + (_DIGITS * (middle // len(_DIGITS) + 1))[:middle] + end


def answer_to(found: Sequence[Asked], question: str) -> list[str]:
    """The lines of a question that was answered by OK, else none."""
    return next((asked.lines for asked in found if asked.question == question and asked.ok), [])
