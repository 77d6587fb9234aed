"""What can go wrong in a dialogue, as facts and not as prose.

Rule: an exception says which command it was about and whether the payload (the PDU that costs money) had been
written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modemgw.at.commands import Command
    from modemgw.at.results import Result


class AtError(Exception):
    """Root of everything that this package raises."""


class UnsafeText(AtError, ValueError):
    """A command text holds something that must never reach a modem. Never shows the text: it may hold a PIN."""


class UnexpectedReply(AtError):
    """The modem said OK, but not what the command asks for."""

    def __init__(self, what: str, lines: tuple[str, ...]) -> None:
        super().__init__(f"{what}: the answer cannot be read")  # without the lines: they may hold numbers
        self.what = what
        self.lines = lines


class Busy(AtError):
    """A command was sent while another one is running: a fault of the caller."""


class CommandFailed(AtError):
    """The modem answered with an error; ``payload_written`` tells whether a SUBMIT had been handed over before."""

    def __init__(
        self, command: Command, result: Result, *, lines: tuple[str, ...] = (), payload_written: bool = False
    ) -> None:
        super().__init__(f"{command.name}: {result.text}")
        self.command = command
        self.result = result
        self.lines = lines
        self.payload_written = payload_written
