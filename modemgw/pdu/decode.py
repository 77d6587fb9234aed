"""A hex line of a modem → Decoded; `explain` for machines, `describe` for people.

A line does not say which way it travelled, so TP-MTI alone names the kind as a modem shows it: DELIVER and
STATUS-REPORT come from the network, SUBMIT was written here. Who knows the way says so, and gets a PduError
for the kinds that share their TP-MTI: SUBMIT-REPORT from the network, DELIVER-REPORT and COMMAND from a
phone.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from modemgw.pdu import envelope, tpdu
from modemgw.pdu.address import Address
from modemgw.pdu.cursor import Cursor
from modemgw.pdu.errors import PduError
from modemgw.pdu.tpdu import Deliver, StatusReport, Submit
from modemgw.pdu.validity import Absolute, Relative, Validity


class Sender(Enum):
    """Who sent a TPDU, as far as the caller knows."""

    ANYONE = "anyone"
    NETWORK = "network"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A line, read. `tpdu_length` counts everything behind the SMSC field, as AT+CMGS and +CMT do.

    `trailing` octets of those followed the TPDU and mean nothing.
    """

    smsc: Address | None
    tpdu: Submit | Deliver | StatusReport
    tpdu_length: int
    trailing: int


_KINDS = {Submit: "submit", Deliver: "deliver", StatusReport: "status_report"}
_MISTAKEN = {
    (Sender.NETWORK, tpdu.SUBMIT): "SUBMIT-REPORT",
    (Sender.PHONE, tpdu.DELIVER): "DELIVER-REPORT",
    (Sender.PHONE, tpdu.STATUS_REPORT): "COMMAND",
    (Sender.PHONE, tpdu.RESERVED): "message of a reserved type",
}


def decode(line: str, *, sender: Sender = Sender.ANYONE) -> Decoded:
    """Read one line. PduError when it is not hex, cut, overrun, or of a kind that `sender` rules out."""
    smsc, octets = envelope.unwrap(line)
    cursor = Cursor(octets)
    try:
        message = _read(cursor, sender)
    except PduError as error:
        if error.offset is None:
            raise
        before = len(line) // 2 - len(octets)
        raise PduError(error.field, error.offset + before, error.reason) from None
    return Decoded(smsc, message, len(octets), cursor.left())


def _read(cursor: Cursor, sender: Sender) -> Submit | Deliver | StatusReport:
    if not cursor.octets:
        raise PduError("TP-MTI", 0, "nothing follows the SMSC field")
    mti = cursor.octets[0] & 3
    mistaken = _MISTAKEN.get((sender, mti))
    if mistaken:
        raise PduError("TP-MTI", 0, f"an SMS-{mistaken}, which is not for this gateway")
    if mti == tpdu.SUBMIT:
        return Submit.read(cursor)
    if mti == tpdu.STATUS_REPORT:
        return StatusReport.read(cursor)
    return Deliver.read(cursor)  # the reserved type as well, says 23.040 §9.2.3.1


def explain(decoded: Decoded) -> dict[str, Any]:
    """A JSON object. Times are ISO 8601 with the offset as sent, null when they were no time; data is hex."""
    message = decoded.tpdu
    fields: dict[str, Any] = {
        "kind": _KINDS[type(message)],
        "tpdu_length": decoded.tpdu_length,
        "smsc": decoded.smsc.number if decoded.smsc else None,
    }
    if isinstance(message, StatusReport):
        return fields | _explain_report(message)
    peer = message.destination if isinstance(message, Submit) else message.originator
    fields |= {
        "number": peer.number,
        "type_of_number": peer.ton.value,
        "pid": message.pid,
        "dcs": message.dcs.octet,
        "encoding": message.dcs.encoding.value,
        "class": message.message_class,
        "concat": _explain_concat(message),
        "ports": _explain_ports(message),
        "rp": message.rp,
    }
    fields |= {"text": message.text} if message.data is None else {"data": message.data.hex()}
    if isinstance(message, Deliver):
        return fields | {"sri": message.sri, "timestamp": _iso(message.scts)}
    validity = _explain_validity(message.validity)
    return fields | {"mr": message.mr, "srr": message.srr, "rd": message.rd, "validity": validity}


def _explain_report(message: StatusReport) -> dict[str, Any]:
    return {
        "number": message.recipient.number,
        "type_of_number": message.recipient.ton.value,
        "mr": message.mr,
        "status": message.status,
        "timestamp": _iso(message.scts),
        "discharge": _iso(message.discharge),
        "concat": _explain_concat(message),
        "ports": _explain_ports(message),
    }


def _explain_concat(message: Submit | Deliver | StatusReport) -> dict[str, int] | None:
    concat = message.concat
    if concat is None:
        return None
    return {"ref": concat.ref, "parts": concat.parts, "seq": concat.seq, "bits": concat.bits}


def _explain_ports(message: Submit | Deliver | StatusReport) -> dict[str, int] | None:
    ports = message.ports
    if ports is None:
        return None
    return {"dst": ports.dst, "src": ports.src, "bits": ports.bits}


def _explain_validity(validity: Validity | None) -> dict[str, Any] | None:
    if validity is None:
        return None
    if isinstance(validity, Relative):
        return {"format": "relative", "seconds": validity.seconds}
    if isinstance(validity, Absolute):
        return {"format": "absolute", "at": _iso(validity.at)}
    return {"format": "enhanced"}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
