"""The last lines of a port in both directions, fit to be shown to anybody: no PIN, no number, no message.

Lines are redacted when they are stored, not when they are shown, so that no copy of a secret stays in memory.
"""

from __future__ import annotations

import re
from collections import deque

MAX_LINES = 200
_MAX_SHOWN = 160
_MAX_PARTIAL = 4096

_PIN = re.compile(r"(AT\+(?:CPIN|CLCK|CPWD)=).*", re.DOTALL)
_USSD = re.compile(r'(\+CUSD[:=][^"]*").*', re.DOTALL)
_PDU = re.compile(r"(?=.*[A-Fa-f])(?:[0-9A-Fa-f]{2}){7,}")
_HEX = re.compile(r"[0-9A-Fa-f]{24,}")
_DIGITS = re.compile(r"\d{7,}")
_SECRET = re.compile(r"[0-9A-Fa-f]{7}")  # what all three have


def redact(line: str) -> str:
    """The line without PIN, PDU, USSD text, and without the end of every long number."""
    if "+C" in line:
        line = _PIN.sub(r"\1***", line)
        line = _USSD.sub(lambda found: f"{found[1]}<{len(found[0]) - len(found[1])} characters>", line)
    if _SECRET.search(line):  # most lines hold none, and every line of every modem comes here
        if _PDU.fullmatch(line):
            return f"<{len(line) // 2} octets>"
        line = _HEX.sub(lambda found: f"<{len(found[0]) // 2} octets>", line)
        line = _DIGITS.sub(lambda found: found[0][:3] + "*" * (len(found[0]) - 3), line)
    line = line[:_MAX_SHOWN]
    return line if line.isprintable() else "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line)


class Trace:
    """A ring of redacted lines with the seconds since the port was opened."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self._partial = b""

    def wrote(self, at: float, data: bytes) -> None:
        """Bytes to the modem."""
        if self._partial.strip() == b">":  # a prompt has no line end
            self._add(at, "<", self._partial)
            self._partial = b""
        for line in data.replace(b"\x1b", b"<ESC>\r").replace(b"\x1a", b"\r<CTRL-Z>\r").split(b"\r"):
            if line:
                self._add(at, ">", line)

    def heard(self, at: float, data: bytes) -> None:
        """Bytes from the modem, cut anywhere."""
        if b"\r" not in data and b"\n" not in data:  # as when they come one by one
            self._partial = (self._partial + data)[-_MAX_PARTIAL:]
            return
        *lines, rest = (self._partial + data).replace(b"\n", b"\r").split(b"\r")
        for line in lines:
            self._add(at, "<", line)
        self._partial = rest[-_MAX_PARTIAL:]

    def note(self, at: float, text: str) -> None:
        """Something that happened to the port."""
        self._lines.append(f"{at:10.3f} = {redact(text)}")

    def text(self) -> str:
        """The ring, oldest line first."""
        return "\n".join(self._lines)

    def _add(self, at: float, arrow: str, line: bytes) -> None:
        if line.strip():
            self._lines.append(f"{at:10.3f} {arrow} {redact(line.decode('latin-1'))}")
