"""The hex line of PDU mode (27.005 §3.1): SMSC field, then the TPDU.

The length that AT+CMGS takes and +CMT or +CMGR names counts the TPDU alone, without the SMSC field.
"""

import binascii
from dataclasses import dataclass

from modemgw.pdu import address
from modemgw.pdu.address import Address
from modemgw.pdu.cursor import Cursor
from modemgw.pdu.errors import PduError

MAX_HEX = 2048  # digits; a TPDU has 175 octets at most, modems that fill up to a record stay far below


@dataclass(frozen=True, slots=True)
class Pdu:
    """A line for the modem and its length in octets for AT+CMGS."""

    hex: str
    tpdu_length: int


def wrap(tpdu: bytes, smsc: Address | None = None) -> Pdu:
    """Upper-case hex; without an SMSC the field is `00` and the SIM's own is used."""
    field = smsc.encode_smsc() if smsc else b"\0"
    return Pdu((field + tpdu).hex().upper(), len(tpdu))


def unwrap(line: str) -> tuple[Address | None, bytes]:
    """The SMSC (None when empty) and the TPDU's octets, with whatever follows them.

    PduError for anything but hex octets, for a cut SMSC field and for lines above `MAX_HEX`.
    """
    if len(line) > MAX_HEX:
        raise PduError("PDU", None, f"more than {MAX_HEX} hex digits")
    try:
        cursor = Cursor(binascii.unhexlify(line))
    except ValueError:
        raise PduError("PDU", None, "not a line of hex octets") from None
    smsc = address.decode_smsc(cursor)
    return smsc, cursor.octets[cursor.at :]
