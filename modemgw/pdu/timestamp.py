"""Time stamps of seven octets (23.040 §9.2.3.11): TP-SCTS, TP-DT and the absolute TP-VP.

Year, month, day, hour, minute, second as swapped digits; then the offset from UTC in quarter hours, its
sign in bit 3. Networks send unset and impossible ones; those are None, and the message around them stays
whole.
"""

from datetime import datetime, timedelta, timezone

from modemgw.pdu.errors import PduError
from modemgw.pdu.semioctets import SWAPPED

LENGTH = 7
_QUARTER = timedelta(minutes=15)
_ZONES = {quarters: timezone(quarters * _QUARTER) for quarters in range(-79, 80)}


def decode(raw: bytes) -> datetime | None:
    """The seven octets as a time with the offset that was sent; None when they are no time."""
    zone = raw[6]
    digits = raw.translate(SWAPPED)[:6].hex()
    if not digits.isdecimal() or zone > 0x9F:
        return None
    quarters = (zone & 0x07) * 10 + (zone >> 4)
    year = int(digits[:2])
    try:
        return datetime(
            # SMS began in 1992: two digits from 90 on are of the last century
            year + (1900 if year >= 90 else 2000),
            int(digits[2:4]),
            int(digits[4:6]),
            int(digits[6:8]),
            int(digits[8:10]),
            int(digits[10:12]),
            tzinfo=_ZONES[-quarters if zone & 0x08 else quarters],
        )
    except ValueError:
        return None


def encode(at: datetime, field: str) -> bytes:
    """Seven octets. Fractions of a second are dropped: the format has none.

    PduError for a time without an offset, an offset that is no quarter hour, a year out of 1990-2089.
    """
    offset = at.utcoffset()
    if offset is None:
        raise PduError(field, None, "a time without an offset from UTC")
    if offset % _QUARTER:
        raise PduError(field, None, "the offset from UTC is not a multiple of 15 minutes")
    quarters = offset // _QUARTER
    if abs(quarters) not in range(80):
        raise PduError(field, None, "the offset from UTC is more than 19 h 45 min")
    if at.year not in range(1990, 2090):
        raise PduError(field, None, f"the year {at.year} is not in 1990 to 2089")
    values = (at.year % 100, at.month, at.day, at.hour, at.minute, at.second, abs(quarters))
    octets = bytearray.fromhex("".join(f"{value % 10}{value // 10}" for value in values))
    if quarters < 0:
        octets[6] |= 0x08
    return bytes(octets)
