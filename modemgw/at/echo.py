"""Tells the echo of what we wrote from what the modem says (V.250 ATE1; some firmware echoes a PDU even with ATE0).

Only exact repetitions count. The ``>`` in front of an echoed PDU and the Ctrl-Z behind it are gone by then.
"""

from __future__ import annotations

from collections import deque

from modemgw.at.commands import Command

_REMEMBERED = 8  # an echo may come late, when the next command is running already


class Echo:
    """The last texts that were written."""

    def __init__(self) -> None:
        self._recent: deque[str] = deque(maxlen=_REMEMBERED)

    def wrote(self, command: Command) -> None:
        """A command line, and perhaps a payload, goes out."""
        self._recent.append(command.text)
        if command.payload is not None:
            self._recent.append(command.payload.decode("ascii"))

    def is_echo(self, line: str) -> bool:
        """True for a line that we wrote ourselves."""
        return line in self._recent or line.upper() in self._recent
