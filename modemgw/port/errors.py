"""How an exchange can end without an answer. ``payload_written`` is the fact that decides about money.

False: nothing was submitted, trying again is safe. True: the message may have been sent, the outcome is uncertain.
"""

from __future__ import annotations

from modemgw.at.commands import Command


class PortError(Exception):
    """Root of what this package raises."""

    payload_written = False


class CommandTimeout(PortError):
    """No final result within the command's deadline. The port resynchronises before the next command."""

    def __init__(self, command: Command, payload_written: bool, reason: str = "no answer in time") -> None:
        super().__init__(f"{command.name}: {reason}")
        self.command = command
        self.payload_written = payload_written


class PortLost(PortError):
    """The tty is gone, or was closed; ``reason`` in plain words."""

    def __init__(self, reason: str, payload_written: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.payload_written = payload_written


class NotSent(PortError):
    """A SUBMIT was called off before its payload was written."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PortUnavailable(PortError):
    """A port cannot be opened. ``reason``: missing, busy, permission, not_a_port, failed; ``text``: what to do."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text
