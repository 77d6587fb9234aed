"""Bytes from a modem to whole lines and prompts.

Rules
- CR and LF each end a line and empty lines vanish: so CR LF, doubled CR, LF alone and the CR of an echo all work.
- The prompt has no line end: a ``>`` as the first character of a line is given out at once, and what follows it
  starts a new line. This covers ``> ``, ``>``, CR LF ``>`` CR LF and an echoed PDU behind the prompt.
- NUL, 0xFF and control characters are noise. Only inside the quotes of ``+CUSD:`` they may be text, and are kept;
  there a line end is text too, until the quote closes or a line follows that can only be the modem's own.
- A line beyond 4 KiB is dropped and counted, and reading resumes at the next line end. The result never depends on
  how the bytes were cut. Text is Latin-1, so that every byte can be had back.
Sources: ITU-T V.250 5.2 and 5.7.1, 3GPP TS 27.005 3.5.1 and 4.3.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator

MAX_LINE = 4096

_LINE_END = re.compile(rb"[\r\n]")
_NOISE = bytes(code for code in (*range(0x20), 0x7F, 0xFF) if code not in b"\r\n\t")
_LEADING = _NOISE + b" \t"
_QUOTED = b"+CUSD:"
# While a quote is open, these can only be the modem speaking again.
_BREAKS_QUOTE = re.compile(rb"OK|ERROR|\+CM[ES] ERROR:.*|[+^*][A-Z]{2,12}:.*", re.DOTALL)


class Mark(enum.Enum):
    """A token that is not a line."""

    PROMPT = ">"


PROMPT = Mark.PROMPT
Token = str | Mark


class LineReader:
    """Feed bytes, get lines and prompts. Holds at most two lines of 4 KiB."""

    def __init__(self) -> None:
        self.garbage = 0  # bytes dropped because a line was too long
        self._tail = bytearray()
        self._skipping = False
        self._open: bytes | None = None

    @property
    def quote_open(self) -> bool:
        """True while a quoted text waits for its end."""
        return self._open is not None

    @property
    def buffered(self) -> int:
        """Bytes held back; never more than two full lines."""
        return len(self._tail) + len(self._open or b"")

    def feed(self, data: bytes) -> Iterator[Token]:
        """Every token that these bytes complete."""
        *lines, rest = _LINE_END.split(data)
        for line in lines:
            if line:
                yield from self._add(line)
            if self._tail or self._skipping or self._open is not None:  # half of all lines are empty
                yield from self._end_line()
        if rest:
            yield from self._add(rest)

    def close_quote(self) -> Iterator[Token]:
        """Gives up waiting for the end of a quoted text."""
        if self._open is not None:
            line, self._open = self._open, None
            yield line.decode("latin-1")
            yield from self._take_prompts()

    def _add(self, data: bytes) -> Iterator[Token]:
        if self._skipping:
            self.garbage += len(data)
            return
        self._tail += data
        if b">" in self._tail:
            yield from self._take_prompts()
        if len(self._tail) > MAX_LINE:
            self._skipping = True
            self.garbage += len(self._tail)
            self._tail.clear()

    def _take_prompts(self) -> Iterator[Token]:
        while self._open is None:
            significant = self._tail.lstrip(_LEADING)
            if not significant.startswith(b">"):
                return
            self._tail = significant[1:]
            yield PROMPT

    def _end_line(self) -> Iterator[Token]:
        if self._skipping:
            self._skipping = False
            return
        line = bytes(self._tail)
        self._tail.clear()
        if self._open is not None:
            if not _BREAKS_QUOTE.fullmatch(line.strip()):
                yield from self._continue_quote(line)
                return
            yield from self.close_quote()
        clean = line.translate(None, _NOISE).strip()
        if clean.startswith(_QUOTED):
            self._open = b""
            yield from self._continue_quote(line.strip(_LEADING))
        elif clean:
            yield clean.decode("latin-1")

    def _continue_quote(self, line: bytes) -> Iterator[Token]:
        text = (self._open or b"") + (b"\n" if self._open and line else b"") + line
        if len(text) > MAX_LINE:
            self.garbage += len(text)
            self._open = None
        elif text.count(b'"') % 2:
            self._open = text
        else:
            self._open = None
            yield text.decode("latin-1")
