"""Final result codes: a line ends a command only if it matches as a whole, never because it begins like one.

``+CME`` and ``+CMS`` errors come with a number or, from modems that ignore ``AT+CMEE=1``, with words; either family
may answer any command. ``NO CARRIER``, ``BUSY``, ``NO ANSWER`` and ``NO DIALTONE`` end calls: this gateway never
dials, so they are never taken for the answer to a command. Sources: ITU-T V.250 5.7, 3GPP TS 27.007 9.2, 3GPP TS
27.005 3.2.5.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Collection
from dataclasses import dataclass

from modemgw.at import cme
from modemgw.at import cms as cms_table


class ResultKind(enum.StrEnum):
    """The family of a final result code."""

    OK = "OK"
    ERROR = "ERROR"  # an error without a number
    CME = "+CME ERROR"
    CMS = "+CMS ERROR"


@dataclass(frozen=True, slots=True)
class Result:
    """A final result. ``code`` is set for numbers, and for the words of a ``+CME ERROR`` that the standard lists."""

    kind: ResultKind
    text: str
    code: int | None = None

    @property
    def ok(self) -> bool:
        """True for success."""
        return self.kind is ResultKind.OK

    @property
    def cms(self) -> int | None:
        """The number of a ``+CMS ERROR``."""
        return self.code if self.kind is ResultKind.CMS else None

    @property
    def cme(self) -> int | None:
        """The number of a ``+CME ERROR``."""
        return self.code if self.kind is ResultKind.CME else None

    def submit_class(self, definite: Collection[int] = ()) -> cms_table.CmsClass:
        """What this error proves about a SUBMIT that was written. ``definite``: more codes that a profile trusts."""
        if self.kind is ResultKind.CMS and self.code is not None:
            return cms_table.cms_class(self.code, definite)
        return cms_table.CmsClass.UNCERTAIN

    @property
    def meaning(self) -> str:
        """One plain sentence for people."""
        if self.cms is not None:
            return cms_table.meaning(self.cms).text
        if self.cme is not None:
            return cme.meaning(self.cme).text
        return "The modem refused without a reason." if not self.ok else "Done."


OK = Result(ResultKind.OK, "OK")

_PLAIN_ERRORS = frozenset({"ERROR", "COMMAND NOT SUPPORT", "COMMAND NOT SUPPORTED", "TOO MANY PARAMETERS", "NA"})
_CODED = re.compile(r"\+(CM[ES]) ERROR: *(.*)")
_MODEM_ERROR = re.compile(r"MODEM ERROR: *\d{1,9}")
_NUMERIC = {"0": OK, "4": Result(ResultKind.ERROR, "ERROR")}
# Firmware forgets the line end between a final result and what follows.
_GLUED = re.compile(r"(OK|ERROR)([+^*][A-Z0-9]{2,16}:.*)", re.DOTALL)

CALL_RESULTS = frozenset({"NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE"})


def parse(line: str, *, numeric: bool = False) -> Result | None:
    """The final result that this whole line is, or None. ``numeric`` admits ``0`` and ``4`` (V.250 ATV0)."""
    if line == "OK":
        return OK
    if line in _PLAIN_ERRORS or _MODEM_ERROR.fullmatch(line):
        return Result(ResultKind.ERROR, line)
    coded = _CODED.fullmatch(line)
    if coded:
        kind = ResultKind.CME if coded[1] == "CME" else ResultKind.CMS
        reason = coded[2].strip().strip('"')
        if reason.isascii() and reason.isdigit() and len(reason) <= 9:
            return Result(kind, line, int(reason))
        return Result(kind, line, cme.code_of(reason) if kind is ResultKind.CME else None)
    return _NUMERIC.get(line) if numeric else None


def unglue(line: str) -> tuple[str, str] | None:
    """``ERROR+CNUM: x`` as its two lines; None for a line that is not glued so."""
    glued = _GLUED.fullmatch(line)
    return (glued[1], glued[2]) if glued else None
