"""TP-DCS (23.038 §4): which alphabet, which class, whether a message waits. All 256 values mean something.

Reserved codings are read as the GSM 7-bit default alphabet, as the clause says. Compressed text (§4, bit 5)
is not expanded: its octets are handed on as data.
"""

from dataclasses import dataclass
from enum import StrEnum

from modemgw.pdu.errors import PduError


class Encoding(StrEnum):
    """How TP-UD is to be read."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"  # in truth UTF-16, big endian: phones send surrogate pairs
    OCTETS = "8bit"


@dataclass(frozen=True, slots=True)
class MessageWaiting:
    """Groups 1100-1110: an indicator for voicemail, fax, e-mail or other goes on or off."""

    kind: str  # voicemail, fax, email, other
    active: bool
    store: bool  # False: the text may be thrown away


@dataclass(frozen=True, slots=True)
class Dcs:
    """One value of TP-DCS, read."""

    octet: int
    encoding: Encoding
    message_class: int | None = None  # 0 flash, 1 phone, 2 SIM, 3 terminal equipment
    compressed: bool = False
    auto_delete: bool = False  # "marked for automatic deletion" once read
    waiting: MessageWaiting | None = None

    @staticmethod
    def from_octet(octet: int) -> "Dcs":
        """What the octet (0-255) says."""
        return _ALL[octet]

    @staticmethod
    def build(encoding: Encoding, message_class: int | None = None) -> "Dcs":
        """General data coding (00-1F): the plainest value that says this. PduError for a class out of 0-3."""
        octet = _ALPHABET_BITS[encoding]
        if message_class is not None:
            if message_class not in range(4):
                raise PduError("TP-DCS", None, f"there is no message class {message_class}, only 0 to 3")
            octet |= 0x10 | message_class
        return _ALL[octet]


_ALPHABET_BITS = {Encoding.GSM7: 0x00, Encoding.OCTETS: 0x04, Encoding.UCS2: 0x08}
_ALPHABETS = (Encoding.GSM7, Encoding.OCTETS, Encoding.UCS2, Encoding.GSM7)
_WAITING = ("voicemail", "fax", "email", "other")


def _read(octet: int) -> Dcs:
    group = octet >> 4
    if group < 0x8:  # general data coding, 01xx also marked for automatic deletion
        compressed = bool(octet & 0x20)
        return Dcs(
            octet,
            Encoding.OCTETS if compressed else _ALPHABETS[octet >> 2 & 3],
            octet & 3 if octet & 0x10 else None,
            compressed,
            auto_delete=bool(octet & 0x40),
        )
    if group == 0xF:
        return Dcs(octet, Encoding.OCTETS if octet & 0x04 else Encoding.GSM7, octet & 3)
    if group >= 0xC:
        waiting = MessageWaiting(_WAITING[octet & 3], bool(octet & 0x08), store=group != 0xC)
        return Dcs(octet, Encoding.UCS2 if group == 0xE else Encoding.GSM7, waiting=waiting)
    return Dcs(octet, Encoding.GSM7)  # reserved


_ALL = tuple(_read(octet) for octet in range(256))
