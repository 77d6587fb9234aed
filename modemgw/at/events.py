"""What ``Chat`` tells: frozen facts, in the order in which the modem's bytes gave rise to them."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from modemgw.at.commands import Command
from modemgw.at.results import Result
from modemgw.at.urc import Urc


class Phase(enum.Enum):
    """Where the running command stands."""

    IDLE = "idle"
    ANSWER = "answer"  # an ordinary command or a probe waits for its result
    PROMPT = "prompt"  # a SUBMIT waits for the prompt
    PAYLOAD = "payload"  # the prompt is there, the payload is not written
    RESULT = "result"  # the payload is written: the message may be on its way


@dataclass(frozen=True, slots=True)
class Prompt:
    """The modem waits for the payload: call ``payload`` or ``escape``."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to ``command``.

    ``mr`` is the TP-MR of a SUBMIT, if it was told. ``heard`` is False where the final result itself never came and was
    deduced. ``echoed``: the modem repeated the command, so its echo is on.
    """

    command: Command
    lines: tuple[str, ...]
    result: Result
    mr: int | None = None
    echoed: bool = False
    heard: bool = True
    payload_written: bool = False


@dataclass(frozen=True, slots=True)
class LateSubmit:
    """A ``+CMGS`` that belongs to an earlier SUBMIT: it was sent. ``command`` is None when we never knew of it."""

    mr: int | None
    command: Command | None


@dataclass(frozen=True, slots=True)
class LateFailure:
    """A ``+CMS ERROR`` that belongs to an earlier SUBMIT."""

    result: Result
    command: Command | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A line that nobody asked for and no table knows."""

    line: str


Event = Prompt | Reply | Urc | LateSubmit | LateFailure | Unknown
