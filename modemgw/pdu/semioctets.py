"""Digits in semi-octets (23.040 §9.1.2.3): two in an octet, the first in the low half, F fills an odd end.

Besides 0-9 the half-octets A-E stand for * # a b c.
"""

from modemgw.pdu.errors import PduError

SWAPPED = bytes((octet >> 4) | (octet & 0x0F) << 4 for octet in range(256))
_TO_DIGIT = str.maketrans("abcde", "*#abc", "f")
_TO_NIBBLE = str.maketrans("*#abc", "abcde")
DIGITS = frozenset("0123456789*#abc")


def decode(octets: bytes, count: int) -> str:
    """The first `count` semi-octets as digits. Fillers are left out wherever they stand: the length rules."""
    digits = octets.translate(SWAPPED).hex()[:count]
    return digits if digits.isdecimal() else digits.translate(_TO_DIGIT)


def encode(digits: str, field: str) -> bytes:
    """Digits 0-9 * # a b c as semi-octets, filled with F to whole octets. PduError for anything else."""
    if not DIGITS.issuperset(digits):
        raise PduError(field, None, "only the digits 0-9, * and # can be dialled")
    nibbles = digits.translate(_TO_NIBBLE) + "f" * (len(digits) % 2)
    return bytes.fromhex(nibbles).translate(SWAPPED)
