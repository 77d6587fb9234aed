"""What a modem says without being asked (unsolicited result codes), as types.

A table maps each beginning of a line to a parser. Spellings that only some manufacturers use are data: a profile
passes them in as extra ``boot``, ``full``, ``direct`` and ``ignored`` beginnings. ``+CMT``, ``+CDS`` and ``+CBM`` are
headers whose PDU comes on the next line; ``Chat`` joins them. Nothing here raises: a line that fits no row is simply
not a URC.
Sources: 3GPP TS 27.005 3.4, 3GPP TS 27.007 6.5, 6.11, 7.2, 7.15.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from modemgw.at.params import Params, number
from modemgw.at.results import CALL_RESULTS


@dataclass(frozen=True, slots=True)
class Urc:
    """Root of all typed URCs; ``line`` is what the modem wrote."""

    line: str


@dataclass(frozen=True, slots=True)
class Stored(Urc):
    """``+CMTI`` or, with ``report``, ``+CDSI``: something lies in ``storage`` at ``index``. None = unknown: sweep."""

    report: bool
    storage: str | None
    index: int | None


@dataclass(frozen=True, slots=True)
class Direct(Urc):
    """A PDU straight to us. ``kind``: ``+CMT``, ``+CDS`` or ``+CBM``; ``length``: TPDU octets by the header."""

    kind: str
    length: int | None
    pdu: str


@dataclass(frozen=True, slots=True)
class DirectLost(Urc):
    """A header whose PDU never came: sweep the storages, and re-read the routing."""

    kind: str


@dataclass(frozen=True, slots=True)
class StorageFull(Urc):
    """The modem cannot store another message; ``storage`` if it says which."""

    storage: str | None


@dataclass(frozen=True, slots=True)
class RegistrationChanged(Urc):
    """Unsolicited ``+CREG``, ``+CGREG`` or ``+CEREG`` (``domain``); ``stat`` as in 3GPP TS 27.007 7.2."""

    domain: str
    stat: int
    area: str | None
    cell: str | None
    technology: int | None


@dataclass(frozen=True, slots=True)
class Ussd(Urc):
    """``+CUSD``: ``mode`` 0-5; ``raw`` as the modem wrote it (Latin-1 for its bytes), not decoded; ``dcs`` if given."""

    mode: int | None
    raw: str | None
    dcs: int | None


@dataclass(frozen=True, slots=True)
class Ringing(Urc):
    """``RING`` or ``+CRING``: a call comes in."""


@dataclass(frozen=True, slots=True)
class CallerId(Urc):
    """``+CLIP``: who is calling; None when withheld."""

    number: str | None


@dataclass(frozen=True, slots=True)
class CallEnded(Urc):
    """``NO CARRIER`` and its like, unasked."""


@dataclass(frozen=True, slots=True)
class SimStateChanged(Urc):
    """``+CPIN: …`` unasked: the SIM was put in, pulled or unlocked, or the modem restarted."""

    state: str


@dataclass(frozen=True, slots=True)
class SignalChanged(Urc):
    """``+CSQ: …`` unasked."""

    rssi: int | None


@dataclass(frozen=True, slots=True)
class ModemRestarted(Urc):
    """A line that modems write while they start or stop: settings are lost. ``sms_ready``: messages work now."""

    sms_ready: bool


@dataclass(frozen=True, slots=True)
class Notice(Urc):
    """Known chatter without a meaning for this gateway."""


@dataclass(frozen=True, slots=True)
class PduHeader:
    """The first line of a two-line URC. ``length`` counts TPDU octets, without the SMSC field."""

    line: str
    kind: str
    length: int | None


HEADER_KINDS = ("+CMT:", "+CDS:", "+CBM:")
_RESTART = frozenset(
    {
        "RDY",
        "READY",
        "^SYSSTART",
        "^SYSLOADING",
        "Call Ready",
        "PB DONE",
        "+PBREADY",
        "*ATREADY: 1",
        "+AT: READY",
        "NORMAL POWER DOWN",
        "POWERED DOWN",
    }
)
_SMS_READY = frozenset({"SMS Ready", "SMS DONE"})
_FULL = ("^SMMEMFULL", "+SMS FULL", '+QIND: "smsfull"')
_PREFIX = re.compile(r"[+^*%#$&_!][A-Z0-9]{2,16}(?=:)")


def _stored(line: str) -> Urc:
    params = Params(line)
    storage = params.string() or None
    index = params.integer()
    return Stored(line, line.startswith("+CDSI"), storage, index if index is not None and index >= 0 else None)


def _registration(line: str) -> Urc | None:
    params = Params(line)
    stat = params.integer()
    if stat is None:
        return None
    return RegistrationChanged(
        line, line[1 : line.index(":")], stat, params.string(), params.string(), params.integer()
    )


def _ussd(line: str) -> Urc:
    # Firmware truncates: cut by the outermost quotes, since the text itself may hold commas and quotes.
    head, quote, rest = line.partition('"')
    text, closing, tail = rest.rpartition('"')
    if quote and not closing:
        text, tail = rest, ""
    return Ussd(line, Params(head).integer(), text if quote else None, number(tail.strip(" ,")))


def _caller(line: str) -> Urc:
    return CallerId(line, Params(line).string() or None)


def header(line: str, others: tuple[str, ...] = ()) -> PduHeader | None:
    """``+CMT: [<alpha>],<len>``, ``+CDS: <len>`` and their variants: the length is the last number of the line.

    ``others``: beginnings of lines that mean the same as ``+CMT``.
    A text-mode header ends in no length that fits: its body is then read as the PDU line is not hex, and given up.
    """
    ours = line.startswith(HEADER_KINDS)
    if not ours and not (others and line.startswith(others)):
        return None
    lengths = [value for value in map(number, Params(line).fields) if value is not None]
    return PduHeader(line, line[:4] if ours else "+CMT", lengths[-1] if lengths else None)


_PARSERS: dict[str, Callable[[str], Urc | None]] = {
    "+CMTI": _stored,
    "+CDSI": _stored,
    "+CREG": _registration,
    "+CGREG": _registration,
    "+CEREG": _registration,
    "+CUSD": _ussd,
    "+CLIP": _caller,
    "+CRING": Ringing,
    "+CPIN": lambda line: SimStateChanged(line, (Params(line).string() or "").upper()),
    "+CSQ": lambda line: SignalChanged(line, Params(line).integer()),
    "+CFUN": lambda line: ModemRestarted(line, sms_ready=False),
    "+CIEV": Notice,
    "+CTZV": Notice,
    "+COPS": Notice,
}


@dataclass(frozen=True, slots=True)
class UrcTable:
    """The generic rows, and the beginnings of lines that a profile adds."""

    boot: tuple[str, ...] = ()
    full: tuple[str, ...] = ()
    direct: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def parse(self, line: str) -> Urc | PduHeader | None:
        """The URC, or the header of one, that this line is."""
        if line in _RESTART or line in _SMS_READY or (self.boot and line.startswith(self.boot)):
            ready = any(line.endswith(words) for words in _SMS_READY)
            return ModemRestarted(line, sms_ready=ready)
        if line == "RING":
            return Ringing(line)
        if line in CALL_RESULTS:
            return CallEnded(line)
        if line.startswith(_FULL) or (self.full and line.startswith(self.full)):
            return StorageFull(line, _named_storage(line))
        if line.startswith(self.ignored) and not line.startswith(self.direct):
            return Notice(line)
        prefix = _PREFIX.match(line)
        parser = _PARSERS.get(prefix[0]) if prefix else None
        return parser(line) if parser else header(line, self.direct)


def _named_storage(line: str) -> str | None:
    found = re.search(r'"([A-Z]{2})"', line)
    return found[1] if found else None


def looks_unsolicited(line: str) -> bool:
    """True for ``^WORD: …``, ``+WORD: …`` and so on: never free text such as a manufacturer's name."""
    return _PREFIX.match(line) is not None
