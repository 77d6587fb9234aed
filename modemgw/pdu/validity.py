"""TP-VP (23.040 §9.2.3.12): how long the network keeps trying. Relative, absolute or enhanced.

A relative period is one octet in steps that grow: 5 min up to 12 h, 30 min up to 24 h, days up to 30, weeks
up to 63. What cannot be said exactly is rounded up, so that the network never gives up early.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime

from modemgw.pdu import timestamp
from modemgw.pdu.errors import PduError

_HOUR = 3600
_DAY = 24 * _HOUR
_WEEK = 7 * _DAY
MIN_RELATIVE = 300
MAX_RELATIVE = 63 * _WEEK
ENHANCED_LENGTH = 7

# TP-VPF, bits 4-3 of the first octet
NONE, ENHANCED, RELATIVE, ABSOLUTE = range(4)


def relative_seconds(octet: int) -> int:
    """What a relative TP-VP says, in seconds."""
    if octet < 144:
        return (octet + 1) * 300
    if octet < 168:
        return 12 * _HOUR + (octet - 143) * 1800
    if octet < 197:
        return (octet - 166) * _DAY
    return (octet - 192) * _WEEK


_STEPS = tuple(relative_seconds(octet) for octet in range(256))


def relative_octet(seconds: float) -> int:
    """The shortest relative TP-VP that is not shorter than `seconds` (so at least 300 s are said).

    PduError for zero and less, and for more than `MAX_RELATIVE` (63 weeks).
    """
    if not 0 < seconds <= MAX_RELATIVE:
        raise PduError("TP-VP", None, "a validity must be more than 0 seconds and at most 63 weeks")
    return bisect_left(_STEPS, seconds)


@dataclass(frozen=True, slots=True)
class Relative:
    """So many seconds after the service centre got the message."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Absolute:
    """Until this moment; None when the octets were no time (decoding only)."""

    at: datetime | None


@dataclass(frozen=True, slots=True)
class Enhanced:
    """Seven octets as they are (§9.2.3.12.3); carried, not interpreted."""

    raw: bytes


Validity = Relative | Absolute | Enhanced


def encode(validity: Validity | None) -> tuple[int, bytes]:
    """TP-VPF (0-3) and the octets of TP-VP. PduError for what cannot be said."""
    if validity is None:
        return NONE, b""
    if isinstance(validity, Relative):
        return RELATIVE, bytes((relative_octet(validity.seconds),))
    if isinstance(validity, Absolute):
        if validity.at is None:
            raise PduError("TP-VP", None, "an absolute validity needs a time")
        return ABSOLUTE, timestamp.encode(validity.at, "TP-VP")
    if len(validity.raw) != ENHANCED_LENGTH:
        raise PduError("TP-VP", None, f"an enhanced validity has {ENHANCED_LENGTH} octets")
    return ENHANCED, validity.raw


def octets_of(vpf: int) -> int:
    """How many octets TP-VP takes for this TP-VPF."""
    return (0, ENHANCED_LENGTH, 1, timestamp.LENGTH)[vpf]


def decode(vpf: int, raw: bytes) -> Validity | None:
    """The TP-VP that TP-VPF announced; `raw` has `octets_of(vpf)` octets."""
    if vpf == RELATIVE:
        return Relative(_STEPS[raw[0]])
    if vpf == ABSOLUTE:
        return Absolute(timestamp.decode(raw))
    return Enhanced(raw) if vpf == ENHANCED else None
