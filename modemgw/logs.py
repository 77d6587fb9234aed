"""Log lines: one event is one line, in text or JSON, on standard error; safe to look at and to send to a stranger.

Rules: control characters, terminal escapes and bidirectional marks from outside (SMS texts, operator names) are shown
escaped, so that nobody can forge a line or repaint a terminal. Telephone numbers, IMSIs and ICCIDs lose their end,
whoever logs them: the formatter does it, so that lower layers need not know. Message texts and PINs are not logged at
all; that cannot be done here.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

# C0 except tab, DEL, C1; zero-width and bidirectional marks; line and paragraph separator; lone surrogates.
_UNSAFE = re.compile("[\0-\x08\x0a-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
# International numbers, and runs of digits as long as national numbers, IMSI and ICCID; not inside of words or hex.
_NUMBER = re.compile(r"(?<![\w+.-])(?:\+\d{7,15}|\d{10,20})(?![\w-])(?!\.\d)")
_SHOWN = 5  # digits left: country and network, or the maker's part of an identity
# syslog(3) priorities, which journald reads from the start of a line.
_PRIORITY = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (0, 7))


def escape(text: str) -> str:
    """``text`` with everything that could act on a terminal or a parser shown as ``\\xNN`` or ``\\uNNNN``."""
    return _UNSAFE.sub(lambda found: _shown(ord(found[0])), text)


def redact(text: str) -> str:
    """``+491711234567`` becomes ``+49171…7 hidden``: which country and network, but not who."""
    return _NUMBER.sub(_hidden, text)


def _shown(code: int) -> str:
    return {10: "\\n", 13: "\\r"}.get(code) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def _hidden(found: re.Match[str]) -> str:
    kept = _SHOWN + found[0].startswith("+")
    return f"{found[0][:kept]}…{len(found[0]) - kept} hidden"


class TextFormatter(logging.Formatter):
    """``2026-11-22T12:00:00.000Z INFO gateway.sender: …``; under journald only what the journal does not add itself."""

    def __init__(self, *, journal: bool) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_source(record)}: {_message(record)}"
        if self._journal:
            priority = next(number for level, number in _PRIORITY if record.levelno >= level)
            return f"<{priority}>{line}"
        return f"{_time(record)} {record.levelname} {line}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ``time``, ``level``, ``source``, ``message``."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {"time": _time(record), "level": record.levelname.lower(), "source": _source(record)}
        return json.dumps(fields | {"message": _message(record)}, ensure_ascii=False)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _source(record: logging.LogRecord) -> str:
    return record.name.removeprefix("modemgw.")


def _message(record: logging.LogRecord) -> str:
    text = record.getMessage()
    if record.exc_info:
        # Indented lines of a traceback, put behind each other: one event stays one line.
        trace = logging.Formatter().formatException(record.exc_info)
        text += " | " + " | ".join(part.strip() for part in trace.splitlines())
    return escape(redact(text))


def _is_journal(environ: Mapping[str, str]) -> bool:
    """Is standard error the journal? The variable alone does not say so: terminals on a desktop inherit it."""
    try:
        error = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{error.st_dev}:{error.st_ino}"


def setup(level: str = "INFO", *, json: bool = False, environ: Mapping[str, str] = os.environ) -> None:
    """Sends all logging to standard error, from ``level`` (``DEBUG`` … ``ERROR``) up; our Python warnings too."""
    # A log that cannot be written (a full disk, a reader that is gone) must not become an error of the gateway.
    logging.raiseExceptions = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if json else TextFormatter(journal=_is_journal(environ)))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    # Its access log would hold one line a request, with addresses; ours says what happened to messages.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
