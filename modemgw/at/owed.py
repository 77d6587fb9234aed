"""SUBMITs that were given up without a result, oldest first.

Rule: a result that comes late is credited to the oldest, since a modem answers in order. ``doubt`` says that the next result
may be one of these; it ends with the first SUBMIT that is answered after them.
"""

from __future__ import annotations

from collections import deque

from modemgw.at.commands import Command
from modemgw.at.events import LateFailure, LateSubmit
from modemgw.at.results import Result

_MAX = 16


class Owed:
    """The list, and the two ways off it."""

    def __init__(self) -> None:
        self._commands: deque[Command | None] = deque(maxlen=_MAX)
        self.doubt = False

    def __bool__(self) -> bool:
        return bool(self._commands)

    def add(self, command: Command | None) -> None:
        """Given up; None stands for a SUBMIT of an earlier run of the program, which only its records know."""
        self._commands.append(command)
        self.doubt = True

    def sent(self, mr: int | None) -> LateSubmit:
        """A ``+CMGS`` for the oldest."""
        return LateSubmit(mr, self._oldest())

    def failed(self, result: Result) -> LateFailure:
        """An error for the oldest."""
        return LateFailure(result, self._oldest())

    def _oldest(self) -> Command | None:
        command = self._commands.popleft() if self._commands else None
        self.doubt = self.doubt and bool(self._commands)
        return command
