"""Which SUBMIT a result belongs to: the running one's, or one that was given up earlier.

A modem answers in order, so a result that nobody waits for is credited to the SUBMIT that was just given up; among
several, to the oldest. While one is owed (``doubt``) the result of the next SUBMIT is held for a while: were it the
late one, the true one follows, and the two are credited in the order of submission. It is not held where its TP-MR
shows that it is the newer one, since modems count references up. Once a later SUBMIT is answered, nothing earlier is
owed. ``+CMGS:`` is proof by itself; an OK without it is proof too, but is held as well, since it may be a stray one.
Source: 3GPP TS 27.005 4.3 for the forms; the rest is experience with modems that answer late.
"""

from __future__ import annotations

import re
from collections import deque

from modemgw.at.commands import Command
from modemgw.at.events import Event, LateFailure, LateSubmit
from modemgw.at.results import OK, Result, ResultKind

PROOF_GRACE = 5.0  # seconds for the OK after +CMGS, which is proof by itself
STRAY_GRACE = 10.0  # seconds in which the true result follows, if an OK without +CMGS was a stray one
DOUBT_GRACE = 30.0  # seconds in which the true result follows, if this one is an earlier SUBMIT's
_MAX_OWED = 16
_REFERENCE = re.compile(r"\+CMGS: *(\d{1,3})(?!\d)")


def reference(line: str) -> int | None:
    """The TP-MR in a ``+CMGS:`` line, 0-255; None when it cannot be read."""
    found = _REFERENCE.match(line)
    return int(found[1]) if found and int(found[1]) <= 255 else None


class Owed:
    """SUBMITs given up without a result, oldest first."""

    def __init__(self) -> None:
        self._commands: deque[Command | None] = deque(maxlen=_MAX_OWED)
        self._just_given_up = False  # no proof of order came since: a result is the newest one's
        self._silent = False  # not even a final result came since
        self._last_mr: int | None = None

    @property
    def doubt(self) -> bool:
        """True if the next result may be for one of these."""
        return bool(self._commands)

    def settles(self, mr: int | None) -> bool:
        """True if this reference cannot be an earlier SUBMIT's: it counts all of those in."""
        if not self._commands:
            return True
        return self._last_mr is not None and mr == (self._last_mr + len(self._commands) + 1) % 256

    def add(self, command: Command | None) -> None:
        """Given up; None stands for a SUBMIT of an earlier run of the program, which only its records know."""
        self._commands.append(command)
        self._just_given_up = self._silent = True

    def passed(self) -> None:
        """A later command was answered in order."""
        self._just_given_up = self._silent = False

    def answered(self, mr: int | None) -> None:
        """A later SUBMIT was answered: the earlier ones never will be."""
        self._commands.clear()
        self._last_mr = mr

    def sent(self, mr: int | None) -> LateSubmit:
        """A ``+CMGS`` that is not the running SUBMIT's."""
        self._last_mr = mr
        return LateSubmit(mr, self._take())

    def failed(self, result: Result) -> LateFailure:
        """An error that is not the running SUBMIT's."""
        return LateFailure(result, self._take())

    def stray(self, result: Result) -> list[Event]:
        """A final result that no command waits for. The first ``+CMS ERROR`` after giving up is the answer."""
        silent, self._silent = self._silent, False
        if result.kind is not ResultKind.CMS:
            return []
        return [self.failed(result) if silent else LateFailure(result, None)]

    def _take(self) -> Command | None:
        newest, self._just_given_up = self._just_given_up, False
        if not self._commands:
            return None
        return self._commands.pop() if newest else self._commands.popleft()


class Outcome:
    """What was heard so far for the SUBMIT whose payload is written."""

    def __init__(self, owed: Owed) -> None:
        self._owed = owed
        self._proof = False  # a +CMGS line is there
        self._mr: int | None = None
        self._held: Result | None = None
        self.heard = False  # the final result that counts was really heard

    @property
    def mr(self) -> int | None:
        """The TP-MR, if it was told."""
        return self._mr if self._proof else None

    @property
    def grace(self) -> float | None:
        """Seconds to wait for more before what is there has to do; None: nothing is there."""
        if self._held is not None:
            return DOUBT_GRACE if self._owed.doubt else STRAY_GRACE
        return PROOF_GRACE if self._proof else None

    @property
    def so_far(self) -> Result | None:
        """The result if nothing more is heard; None: uncertain."""
        if self._held is not None:
            return self._held
        return OK if self._proof else None

    def hear_reference(self, line: str) -> list[Event]:
        """A ``+CMGS:`` line."""
        mr = reference(line)
        if self._proof and mr == self._mr:
            return []
        events = self._credit_earlier()
        self._proof, self._mr, self.heard = True, mr, False
        return events

    def hear_result(self, result: Result) -> tuple[list[Event], Result | None]:
        """A final result. Returns what it proves of earlier SUBMITs, and this one's result if that is settled."""
        if self._held is not None:
            return ([], None) if result.ok else (self._credit_earlier(), result)
        if self._proof and not result.ok and not self._owed.doubt:
            return [], OK  # there is no earlier one that the proof could belong to
        if self._proof and not result.ok:
            return self._credit_earlier(), result
        self.heard = self._proof or not result.ok
        if not self.heard or not self._owed.settles(self.mr):
            self._held = result
            return [], None
        return [], result

    def expire(self) -> Result | None:
        """``grace`` is over. Returns the result, or None if it is held a little longer."""
        if self._held is None and self._proof and not self._owed.settles(self._mr):
            self._held = OK
            return None
        return self.so_far

    def _credit_earlier(self) -> list[Event]:
        """What was taken for this SUBMIT's belongs to an earlier one, if it is worth anything."""
        held, proof = self._held, self._proof
        self._held, self._proof = None, False
        if proof:
            return [self._owed.sent(self._mr)]
        return [self._owed.failed(held)] if held is not None and not held.ok else []
