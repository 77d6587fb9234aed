"""A hex line of a modem → Decoded; `explain` for machines, `describe` for people.

A line does not say which way it travelled, so TP-MTI alone names the kind as a modem shows it: DELIVER and
STATUS-REPORT come from the network, SUBMIT was written here. Who knows the way says so, and gets a PduError
for the kinds that share their TP-MTI: SUBMIT-REPORT from the network, DELIVER-REPORT and COMMAND from a
phone.

Text from strangers is described on one line with everything unprintable escaped: a message must not be able to
move a terminal's cursor, change its colours or turn the writing direction around.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from modemgw.pdu import envelope, status, tpdu
from modemgw.pdu.address import Address
from modemgw.pdu.cursor import Cursor
from modemgw.pdu.dcs import Encoding
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


_HEADLINES = {
    Submit: "SMS-SUBMIT: a message to be sent",
    Deliver: "SMS-DELIVER: a message received",
    StatusReport: "SMS-STATUS-REPORT: what became of a message",
}
_ENCODINGS = {Encoding.GSM7: "GSM 7-bit text", Encoding.UCS2: "UCS2 text", Encoding.OCTETS: "8-bit data"}
_CLASSES = ("0 (flash: shown at once)", "1 (to the phone)", "2 (to the SIM)", "3 (to the terminal)")


def describe(decoded: Decoded) -> str:
    """Lines of `what: value`, without a newline at the end; at most 4 KiB."""
    message = decoded.tpdu
    lines = [_HEADLINES[type(message)]]
    if isinstance(message, StatusReport):
        lines += [_describe_peer("to", message.recipient), *_describe_report(message)]
    elif isinstance(message, Submit):
        lines += [_describe_peer("to", message.destination), *_describe_submit(message), *_describe_body(message)]
    else:
        lines += [_describe_peer("from", message.originator), f"service centre's time: {_when(message.scts)}"]
        lines += _describe_body(message)
    if decoded.smsc:
        lines.append(_describe_peer("SMSC", decoded.smsc))
    lines.append(f"length: {decoded.tpdu_length} octets without the SMSC")
    if decoded.trailing:
        lines.append(f"ignored: {decoded.trailing} octets behind the message")
    return "\n".join(lines)


def _describe_peer(role: str, peer: Address) -> str:
    return f"{role}: {_printable(peer.number) or 'nobody named'} ({peer.ton.value})"


def _describe_report(message: StatusReport) -> list[str]:
    meaning = status.meaning(message.status)
    return [
        f"status: {message.status:02X}, {meaning.outcome}. {meaning.text}",
        f"message reference: {message.mr}",
        f"accepted by the service centre: {_when(message.scts)}",
        f"discharged: {_when(message.discharge)}",
    ]


def _describe_submit(message: Submit) -> list[str]:
    names = ("status report asked for", "reject duplicates", "reply path")
    flags = [name for name, on in zip(names, (message.srr, message.rd, message.rp), strict=True) if on]
    lines = [f"message reference: {message.mr}"]
    if isinstance(message.validity, Relative):
        lines.append(f"valid for: {timedelta(seconds=message.validity.seconds)}")
    elif isinstance(message.validity, Absolute):
        lines.append(f"valid until: {_when(message.validity.at)}")
    elif message.validity:
        lines.append(f"valid: enhanced format, {message.validity.raw.hex()}")
    return [*lines, f"flags: {', '.join(flags)}"] if flags else lines


def _describe_body(message: Submit | Deliver) -> list[str]:
    coding = f"coding: {_ENCODINGS[message.dcs.encoding]}, TP-DCS {message.dcs.octet:02X}, TP-PID {message.pid:02X}"
    lines = [coding + (", compressed" if message.dcs.compressed else "")]
    if message.message_class is not None:
        lines.append(f"class: {_CLASSES[message.message_class]}")
    if message.dcs.waiting:
        waiting = message.dcs.waiting
        lines.append(f"message waiting: {waiting.kind} {'on' if waiting.active else 'off'}")
    if message.concat:
        concat = message.concat
        lines.append(f"part: {concat.seq} of {concat.parts}, reference {concat.ref} ({concat.bits} bits)")
    if message.ports:
        lines.append(f"ports: to {message.ports.dst}, from {message.ports.src}")
    data = message.data
    if data is not None:
        return [*lines, f"data: {data.hex() or 'none'}"]
    return [*lines, f"text: {_printable(message.text or '')}"]


def _when(at: datetime | None) -> str:
    return at.isoformat(" ") if at else "no valid time"


def _printable(text: str) -> str:
    """Unprintable characters, writing direction marks among them, as Python escapes them."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
