"""Addresses: TP-OA, TP-DA, TP-RA (23.040 §9.1.2.5) and what the SMSC field holds (24.011 §8.2.5.1).

One octet of type (type of number, numbering plan), then digits in semi-octets, or for an alphanumeric
sender its name in packed septets. The length of a TP address counts semi-octets, that of the SMSC field
octets.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from modemgw.pdu import gsm7, semioctets, septets
from modemgw.pdu.cursor import Cursor
from modemgw.pdu.errors import PduError

TELEPHONE = 1  # numbering plan: ISDN / telephone, E.164
_PLAIN = re.compile(r"\+?[0-9*#]{1,20}", re.ASCII)
_MOST_DIGITS = 20
_MOST_CHARACTERS = 11


class TypeOfNumber(StrEnum):
    """How to read the digits. The reserved value 7 is read as unknown."""

    UNKNOWN = "unknown"
    INTERNATIONAL = "international"
    NATIONAL = "national"
    NETWORK = "network"
    SUBSCRIBER = "subscriber"
    ALPHANUMERIC = "alphanumeric"
    ABBREVIATED = "abbreviated"


_TYPES = (*TypeOfNumber, TypeOfNumber.UNKNOWN)
_CODES = {ton: code for code, ton in enumerate(TypeOfNumber)}


@dataclass(frozen=True, slots=True)
class Address:
    """A number without its `+`, or an alphanumeric sender's name. Empty: the network named nobody."""

    text: str
    ton: TypeOfNumber = TypeOfNumber.UNKNOWN
    npi: int = TELEPHONE

    @staticmethod
    def parse(number: str, *, plain: TypeOfNumber = TypeOfNumber.UNKNOWN) -> "Address":
        """A number to dial: `+` makes it international, without it the type is `plain`.

        PduError unless it is 1 to 20 of the digits 0-9 * #, with at most one + in front. Blanks, dashes and
        brackets are refused: guessing what they mean could reach, and bill, somebody else.
        """
        if not _PLAIN.fullmatch(number):
            raise PduError("address", None, "a number is 1 to 20 digits, with + in front when international")
        if number.startswith("+"):
            return Address(number[1:], TypeOfNumber.INTERNATIONAL)
        return Address(number, plain)

    @staticmethod
    def alphanumeric(name: str) -> "Address":
        """A sender's name of 1 to 11 GSM 7-bit septets; PduError otherwise."""
        if not 1 <= len(gsm7.encode(name, "address")) <= _MOST_CHARACTERS:
            raise PduError("address", None, f"a sender's name has 1 to {_MOST_CHARACTERS} characters")
        return Address(name, TypeOfNumber.ALPHANUMERIC, 0)

    @property
    def number(self) -> str:
        """For people and comparisons: +49… when international, else the digits or the name as they are."""
        return f"+{self.text}" if self.ton is TypeOfNumber.INTERNATIONAL and self.text else self.text

    def _value(self, field: str) -> tuple[int, bytes]:
        """The length in semi-octets and the octets behind the type."""
        if self.ton is TypeOfNumber.ALPHANUMERIC:
            values = gsm7.encode(self.text, field)
            if len(values) > 255 * 4 // 7:
                raise PduError(field, None, "the name is too long")
            return (len(values) * 7 + 3) // 4, septets.pack(values)
        if len(self.text) > _MOST_DIGITS:
            raise PduError(field, None, f"more than {_MOST_DIGITS} digits")
        return len(self.text), semioctets.encode(self.text, field)

    def _type(self) -> int:
        return 0x80 | _CODES[self.ton] << 4 | self.npi & 0x0F

    def encode(self, field: str) -> bytes:
        """As a TP address: length in semi-octets, type, value."""
        length, value = self._value(field)
        return bytes((length, self._type())) + value

    def encode_smsc(self) -> bytes:
        """As the SMSC field of PDU mode: length in octets, type, value. PduError for a name: it is a number."""
        if self.ton is TypeOfNumber.ALPHANUMERIC:
            raise PduError("SMSC", None, "a service centre has a number, not a name")
        value = self._value("SMSC")[1]
        return bytes((len(value) + 1, self._type())) + value


def _read(toa: int, value: bytes, semi_octets: int) -> Address:
    ton = _TYPES[toa >> 4 & 7]
    if ton is TypeOfNumber.ALPHANUMERIC:
        return Address(gsm7.decode(septets.unpack(value, semi_octets * 4 // 7)), ton, toa & 0x0F)
    return Address(semioctets.decode(value, semi_octets), ton, toa & 0x0F)


def decode(cursor: Cursor, field: str) -> Address:
    """The TP address at the cursor. An empty one still has its type octet."""
    length = cursor.octet(field)
    toa = cursor.octet(field)
    return _read(toa, cursor.take((length + 1) // 2, field), length)


def decode_smsc(cursor: Cursor) -> Address | None:
    """The SMSC field at the cursor; None when it holds no number."""
    length = cursor.octet("SMSC")
    if length == 0:
        return None
    toa = cursor.octet("SMSC")
    value = cursor.take(length - 1, "SMSC")
    found = _read(toa, value, 2 * len(value))
    return found if found.text else None
