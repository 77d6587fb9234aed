"""Text mode (`AT+CMGF=1`, TS 27.005 clause 3.1 and table 3): messages as text instead of PDUs.

It is here mainly as a trap: a program that believes the modem is in PDU mode when it is not sends the hex digits of
its PDU, as a text, to a "number" that is really a length. Strings are coded by `+CSCS`; a text must fit one SUBMIT.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from modemgw.emulator.lines import Failure
from modemgw.emulator.storage import Slot
from modemgw.pdu.address import Address
from modemgw.pdu.decode import decode
from modemgw.pdu.errors import PduError
from modemgw.pdu.segment import plan
from modemgw.pdu.tpdu import Deliver, StatusReport, Submit

if TYPE_CHECKING:
    from modemgw.emulator.device import Device

_STATS = ("REC UNREAD", "REC READ", "STO UNSENT", "STO SENT")
_ASKS_FOR_REPORT = 0x20  # of <fo>, the first octet that +CSMP sets


def stats_wanted(word: str) -> tuple[int, ...]:
    """The <stat>s that `AT+CMGL="…"` names; Failure for anything else, such as a number."""
    if word == "ALL":
        return (0, 1, 2, 3)
    if word not in _STATS:
        raise Failure("CMS", 305)
    return (_STATS.index(word),)


def recipient(text: str) -> Address:
    """The number of `AT+CMGS="…"`."""
    try:
        return Address.parse(text)
    except PduError:
        raise Failure("CMS", 305) from None


def submit(device: "Device", number: Address, payload: bytes) -> Submit:
    """The SUBMIT that the text becomes; Failure when it is empty or too long for one."""
    text = payload.decode("latin-1").lstrip("\n")
    try:
        if device.settings.cscs == "UCS2":
            text = bytes.fromhex(text).decode("utf-16-be")
        parts = plan(text).submits(number, ref=0, srr=bool(device.settings.csmp[0] & _ASKS_FOR_REPORT))
    except ValueError:
        raise Failure("CMS", 305) from None
    if len(parts) > 1:
        raise Failure("CMS", 305)
    return parts[0]


def stored(device: "Device", slot: Slot) -> tuple[str, str]:
    """What `+CMGR` and `+CMGL` show of a stored message: the header behind the index, the line below it or ""."""
    try:
        tpdu = decode(slot.pdu).tpdu
    except PduError:
        raise Failure("CMS", 320) from None
    if isinstance(tpdu, StatusReport):
        return f'"{_STATS[slot.stat]}",{_report(device, tpdu)}', ""
    if isinstance(tpdu, Deliver):
        return f'"{_STATS[slot.stat]}",{_deliver(device, tpdu)}', _body(device, tpdu)
    return f'"{_STATS[slot.stat]}","{_coded(device, tpdu.destination.number)}",', _body(device, tpdu)


def shown(device: "Device", tpdu: Deliver | StatusReport) -> tuple[str, str]:
    """The header and the line below it of `+CMT` and `+CDS`."""
    if isinstance(tpdu, StatusReport):
        return f"+CDS: {_report(device, tpdu)}", ""
    return f"+CMT: {_deliver(device, tpdu)}", _body(device, tpdu)


def _deliver(device: "Device", tpdu: Deliver) -> str:
    return f'"{_coded(device, tpdu.originator.number)}",,"{time_text(tpdu.scts)}"'


def _report(device: "Device", tpdu: StatusReport) -> str:
    number = tpdu.recipient.number
    kind = 145 if number.startswith("+") else 129
    times = f'"{time_text(tpdu.scts)}","{time_text(tpdu.discharge)}"'
    return f'6,{tpdu.mr},"{_coded(device, number)}",{kind},{times},{tpdu.status}'


def _body(device: "Device", tpdu: Deliver | Submit) -> str:
    if tpdu.data is not None:
        return tpdu.data.hex().upper()
    text = tpdu.text or ""
    if device.settings.cscs != "UCS2" and tpdu.encoding == "ucs2":
        return text.encode("utf-16-be").hex().upper()
    return _coded(device, text)


def _coded(device: "Device", text: str) -> str:
    return text.encode("utf-16-be").hex().upper() if device.settings.cscs == "UCS2" else text


def time_text(moment: datetime | None) -> str:
    """`yy/MM/dd,hh:mm:ss±zz`, zz in quarters of an hour."""
    if moment is None:
        return ""
    offset = moment.utcoffset()
    quarters = int(offset.total_seconds() // 900) if offset is not None else 0
    return f"{moment:%y/%m/%d,%H:%M:%S}{quarters:+03d}"
