"""Messages written into storage and sent from there: `+CMGW`, `+CMSS` (TS 27.005 clauses 3.5.3, 3.5.2 / 4.4, 4.7).

A message that was sent this way is marked as sent, which is proof after a crash. It goes into <mem2>. Also the file of
the card that holds the last TP-MR (EF_SMSS, TS 31.102 clause 4.2.28), read by `+CRSM` (27.007 clause 8.18).
"""

from typing import TYPE_CHECKING

from modemgw.emulator.lines import PENDING, Ask, Failure, Reply, reply_to
from modemgw.emulator.sending import reader, send
from modemgw.emulator.storage import SENT, UNSENT, Slot
from modemgw.pdu.decode import decode
from modemgw.pdu.errors import PduError
from modemgw.pdu.tpdu import Submit

if TYPE_CHECKING:
    from modemgw.emulator.device import Device
    from modemgw.emulator.exchange import Exchange
    from modemgw.emulator.sending import Reader

_EF_SMSS = 28483


@reply_to("+CMGW")
def cmgw(device: "Device", ask: Ask) -> Reply:
    """Store a message to be sent later."""
    exchange = device.exchange
    if ask.kind == "test" or exchange is None:
        return []
    device.inbox.usable()
    read = reader(device, ask)
    exchange.prompt(lambda payload: _write(device, exchange, read, payload))
    return PENDING


def _write(device: "Device", exchange: "Exchange", read: "Reader", payload: bytes) -> None:
    try:
        line, submit = read(payload)
        index = device.inbox.storage(device.settings.cpms[1]).put(Slot(UNSENT, line, len(submit.encode())))
        if index is None:
            raise Failure("CMS", 322)
    except Failure as failure:
        exchange.fail(failure)
    else:
        exchange.resume([f"+CMGW: {index}"])


@reply_to("+CMSS")
def cmss(device: "Device", ask: Ask) -> Reply:
    """Send a stored message."""
    exchange = device.exchange
    if ask.kind == "test" or exchange is None:
        return []
    device.inbox.usable()
    storage = device.inbox.storage(device.settings.cpms[1])
    index = ask.number(0)
    slot = storage.get(index)
    if slot is None:
        raise Failure("CMS", 321)
    try:
        submit = decode(slot.pdu).tpdu
    except PduError:
        raise Failure("CMS", 320) from None
    if not isinstance(submit, Submit):
        raise Failure("CMS", 302)
    sent = Slot(SENT, slot.pdu, slot.length)
    send(device, exchange, submit, slot.pdu, "+CMSS: {mr}{scts}", lambda: storage.overwrite(index, sent))
    return PENDING


@reply_to("+CRSM")
def crsm(device: "Device", ask: Ask) -> Reply:
    """Read the file of the card that holds the TP-MR used last; other files cannot be read."""
    if ask.kind == "test":
        return []
    sim = device.card.check()
    if ask.kind != "set" or ask.number(0) != 176 or ask.number(1, 0) != _EF_SMSS:
        return ["+CRSM: 106,130"]
    return [f'+CRSM: 144,0,"{sim.last_mr % 256:02X}FF"']
