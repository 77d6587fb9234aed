"""JSON values → hex lines, as `modemgw encode` prints them. Sends nothing, asks nobody.

Keys: `to`, and `text` or `data` (hex); optionally `smsc`, `mr`, `ref`, `ref_bits`, `srr`, `rd`, `class`,
`validity_seconds`, `ports` ([dst, src]). Null is the same as absent. PduError names the key that is wrong.
"""

import binascii
import zlib
from collections.abc import Mapping
from typing import Any

from modemgw.pdu import envelope, segment
from modemgw.pdu.address import Address
from modemgw.pdu.dcs import Encoding
from modemgw.pdu.errors import PduError
from modemgw.pdu.segment import Plan, RefBits
from modemgw.pdu.udh import Ports
from modemgw.pdu.validity import Relative

_KEYS = frozenset(
    ("to", "text", "data", "smsc", "mr", "ref", "ref_bits", "srr", "rd", "class", "validity_seconds", "ports")
)


def encode_json(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`{"pdus": [{"pdu": hex, "tpdu_length": octets}, …]}`, one for each segment, in the order to send them.

    Flags are off unless given. An empty text or empty data makes one empty SUBMIT.
    """
    given = {key: value for key, value in fields.items() if value is not None}
    unknown = sorted(given.keys() - _KEYS)
    if unknown:
        raise PduError(unknown[0], None, "there is no such key")
    ports = _ports(given)
    ref = _ref(given)
    wide = given.get("ref_bits", 16 if ref > 255 else 8)
    if wide not in (8, 16):
        raise PduError("ref_bits", None, "8 or 16")
    seconds = _number(given, "validity_seconds")
    submits = _plan(given, wide, ports).submits(
        _address(given, "to"),
        ref=ref,
        mr=_number(given, "mr", 255) or 0,
        validity=None if seconds is None else Relative(seconds),
        srr=_flag(given, "srr"),
        rd=_flag(given, "rd"),
        message_class=_number(given, "class", 3),
    )
    smsc = _address(given, "smsc") if "smsc" in given else None
    wrapped = [envelope.wrap(submit.encode(), smsc) for submit in submits]
    return {"pdus": [{"pdu": pdu.hex, "tpdu_length": pdu.tpdu_length} for pdu in wrapped]}


def _plan(given: Mapping[str, Any], ref_bits: RefBits, ports: Ports | None) -> Plan[str] | Plan[bytes]:
    if ("text" in given) == ("data" in given):
        raise PduError("text", None, "either text or data is needed, and not both")
    if "text" in given:
        text = _string(given, "text")
        if not text:
            return Plan(Encoding.GSM7, ("",), 0, 0, ref_bits=ref_bits, ports=ports)
        return segment.plan(text, ref_bits=ref_bits, ports=ports)
    try:
        data = binascii.unhexlify(_string(given, "data"))
    except ValueError:
        raise PduError("data", None, "not hex octets") from None
    if not data:
        return Plan(Encoding.OCTETS, (b"",), 0, 0, ref_bits=ref_bits, ports=ports)
    return segment.plan_data(data, ref_bits=ref_bits, ports=ports)


def _ref(given: Mapping[str, Any]) -> int:
    """The reference of a message in several segments.

    Without one it is drawn from the message: two messages to one number would otherwise get the same, and their
    segments would mix on the phone.
    """
    ref = _number(given, "ref", 0xFFFF)
    if ref is not None:
        return ref
    message = f"{given.get('to')} {given.get('text')} {given.get('data')}"
    return zlib.crc32(message.encode(errors="replace")) % (0x10000 if given.get("ref_bits") == 16 else 0x100)


def _ports(given: Mapping[str, Any]) -> Ports | None:
    ports = given.get("ports")
    if ports is None:
        return None
    if not isinstance(ports, list | tuple) or len(ports) != 2 or any(type(port) is not int for port in ports):
        raise PduError("ports", None, "two numbers: destination and source")
    return Ports(*ports)


def _address(given: Mapping[str, Any], key: str) -> Address:
    try:
        return Address.parse(_string(given, key))
    except PduError as error:
        raise PduError(key, None, error.reason) from None


def _string(given: Mapping[str, Any], key: str) -> str:
    value = given.get(key)
    if not isinstance(value, str):
        raise PduError(key, None, "a string is needed")
    return value


def _flag(given: Mapping[str, Any], key: str) -> bool:
    value = given.get(key, False)
    if not isinstance(value, bool):
        raise PduError(key, None, "true or false")
    return value


def _number(given: Mapping[str, Any], key: str, most: int | None = None) -> int | None:
    value = given.get(key)
    if value is None:
        return None
    if type(value) is not int or value < 0 or (most is not None and value > most):
        raise PduError(key, None, "a whole number is needed" + ("" if most is None else f", at most {most}"))
    return value
