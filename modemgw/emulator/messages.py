"""Message storage and routing commands of TS 27.005: service, format, storages, indications, reading, deleting."""

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from modemgw.emulator import textmode
from modemgw.emulator.lines import PENDING, Ask, Failure, Reply, reply_to
from modemgw.emulator.storage import READ, SENT, UNSENT, Slot, Storage, Union

if TYPE_CHECKING:
    from modemgw.emulator.device import Device
    from modemgw.emulator.exchange import Exchange


@reply_to("+CSMS")
def csms(device: "Device", ask: Ask) -> Reply:
    """Message service (clause 3.2.1)."""
    if ask.kind == "test":
        return [f"+CSMS: ({','.join(map(str, device.persona.routing.csms))})"]
    if ask.kind == "read":
        return [f"+CSMS: {device.settings.csms},1,1,1"]
    value = ask.number(0, 0)
    if value not in device.persona.routing.csms:
        raise Failure("CMS", 302)
    device.settings.csms = value
    return ["+CSMS: 1,1,1"]


@reply_to("+CMGF")
def cmgf(device: "Device", ask: Ask) -> Reply:
    """Message format: 0 PDU, 1 text (clause 3.2.3)."""
    if ask.kind == "test":
        return ["+CMGF: (0,1)"]
    if ask.kind == "read":
        return [f"+CMGF: {device.settings.cmgf}"]
    device.inbox.usable()
    value = ask.number(0, 0)
    if value > 1:
        raise Failure("CMS", 303)
    device.settings.cmgf = value
    return []


@reply_to("+CSMP")
def csmp(device: "Device", ask: Ask) -> Reply:
    """First octet, validity, protocol and coding of messages sent in text mode (clause 3.3.2)."""
    if ask.kind == "test":
        return []
    if ask.kind == "read":
        return ["+CSMP: " + ",".join(map(str, device.settings.csmp))]
    device.settings.csmp = tuple(ask.number(place, device.settings.csmp[place]) for place in range(4))
    return []


@reply_to("+CPMS")
def cpms(device: "Device", ask: Ask) -> Reply:
    """Preferred storages (clause 3.2.2)."""
    device.inbox.usable()
    persona = device.persona.storage
    chosen = device.settings.cpms
    lists = [device.inbox.names(names) for names in (persona.read, persona.write, persona.receive)]
    if ask.kind == "test":
        return ["+CPMS: " + ",".join("({})".format(",".join(f'"{name}"' for name in names)) for names in lists)]
    if ask.kind == "read":
        return ["+CPMS: " + ",".join(f'"{name}",{_counters(device, name)}' for name in chosen)]
    if device.inbox.cpms_refusals:
        device.inbox.cpms_refusals -= 1
        raise Failure("CMS", 500)
    wanted = [name for name in ask.args if name]
    if len(wanted) not in persona.forms or any(name not in lists[place] for place, name in enumerate(wanted)):
        raise Failure("CMS", 302)
    device.settings.cpms = wanted + chosen[len(wanted) :]
    if persona.bare_ok:
        return []
    return ["+CPMS: " + ",".join(_counters(device, name) for name in device.settings.cpms)]


def _counters(device: "Device", name: str) -> str:
    return f"{device.inbox.counted(name)},{device.inbox.storage(name).capacity}"


@reply_to("+CNMI")
def cnmi(device: "Device", ask: Ask) -> Reply:
    """Routing of what arrives (clause 3.4.1)."""
    routing = device.persona.routing
    lists = (routing.mode, routing.mt, routing.bm, routing.ds, routing.bfr)
    if ask.kind == "test":
        return ["+CNMI: " + ",".join(f"({_ranges(values)})" for values in lists)]
    if ask.kind == "read":
        return ["+CNMI: " + ",".join(map(str, device.settings.cnmi))]
    defaults = (0, 0, 0, 0, routing.bfr[0])
    values = tuple(ask.number(place, defaults[place]) for place in range(5))
    text = ",".join(map(str, values))
    listed = all(value in allowed for value, allowed in zip(values, lists, strict=True))
    if not listed or len(ask.args) > 5 or any(fnmatchcase(text, pattern) for pattern in routing.refuses):
        raise Failure("CMS", 303) if routing.error == "303" else Failure()
    device.settings.cnmi = values
    device.inbox.routing_changed(values[4])
    return []


def _ranges(values: tuple[int, ...]) -> str:
    """How modems write a list of numbers: three or more in a row as first-last."""
    if len(values) > 2 and values == tuple(range(values[0], values[-1] + 1)):
        return f"{values[0]}-{values[-1]}"
    return ",".join(map(str, values))


@reply_to("+CNMA")
def cnma(device: "Device", ask: Ask) -> Reply:
    """Acknowledge what was shown directly (clause 3.4.4): nothing, 0 or 1 taken, 2 refused.

    With a length, a PDU follows.
    """
    exchange = device.exchange
    if ask.kind == "test" or exchange is None:
        return ["+CNMA: (0-2)"]
    taken = ask.number(0, 0) != 2
    if ask.number(1, 0) == 0:
        device.inbox.acknowledge(taken=taken)
        return []
    device.inbox.check_unacknowledged()
    exchange.prompt(lambda _: _acknowledged_with_pdu(device, exchange, taken=taken))
    return PENDING


def _acknowledged_with_pdu(device: "Device", exchange: "Exchange", *, taken: bool) -> None:
    try:
        device.inbox.acknowledge(taken=taken)
    except Failure as failure:
        exchange.fail(failure)
    else:
        exchange.resume()


@reply_to("+CSCA")
def csca(device: "Device", ask: Ask) -> Reply:
    """The service centre's number, kept on the card (clause 3.3.1)."""
    if ask.kind == "test":
        return []
    device.inbox.usable()
    sim = device.card.check()
    if ask.kind == "read":
        return [f'+CSCA: "{sim.smsc or ""}",{145 if (sim.smsc or "+").startswith("+") else 129}']
    if not ask.text(0).lstrip("+").isdigit():
        raise Failure("CMS", 305)
    sim.smsc = ask.text(0)
    return []


def _shown(device: "Device", slot: Slot) -> str:
    if device.settings.cmgf == 1:
        header, body = textmode.stored(device, slot)
        return f"{header}\r\n{body}" if body else header
    persona = device.persona.storage
    alpha = "," if persona.alpha else ""
    if persona.report_header and slot.is_report:
        return f"{persona.report_header.format(stat=slot.stat, length=slot.length)}\r\n{slot.pdu}"
    return f"{slot.stat},{alpha}{slot.length}\r\n{slot.pdu}"


def _preferred(device: "Device") -> Storage | Union:
    device.inbox.usable()
    return device.inbox.storage(device.settings.cpms[0])


@reply_to("+CMGR")
def cmgr(device: "Device", ask: Ask) -> Reply:
    """Read one message and mark it read; `=i,1` leaves the mark (clause 3.4.3)."""
    if ask.kind == "test":
        return []
    storage = _preferred(device)
    index = ask.number(0)
    slot = storage.get(index)
    empty = device.persona.storage.empty_read
    if slot is None:
        if empty == "321" or not storage.base <= index <= storage.last:
            raise Failure("CMS", 321)
        return ["+CMGR: 0,,0"] if empty == "0,,0" else []
    if ask.number(1, 0) == 0:
        storage.mark_read(index)
    return [f"+CMGR: {_shown(device, slot)}"]


@reply_to("+CMGL")
def cmgl(device: "Device", ask: Ask) -> Reply:
    """List messages by <stat>, 4 = all, and mark them read (clause 3.4.2)."""
    if ask.kind == "test":
        return ["+CMGL: (0-4)"]
    storage = _preferred(device)
    persona = device.persona.storage
    if persona.list_answer == "303" or (storage.name == "SR" and not persona.list_reports):
        raise Failure("CMS", 303)
    stats = _stats_wanted(device, ask)
    if persona.list_answer == "hang":
        return PENDING
    listed = [] if persona.list_answer == "empty" else storage.items()
    lines = []
    for index, slot in listed:
        if slot.stat in stats:
            lines.append(f"+CMGL: {index},{_shown(device, slot)}")
            if ask.number(1, 0) == 0:
                storage.mark_read(index)
    if not persona.list_seconds or device.exchange is None:
        return lines
    device.exchange.trickle(lines, persona.list_seconds / (len(lines) + 1))
    return PENDING


def _stats_wanted(device: "Device", ask: Ask) -> tuple[int, ...]:
    if device.settings.cmgf == 1:
        return textmode.stats_wanted(ask.text(0, "REC UNREAD"))
    stat = ask.number(0, 0)
    if stat > 4:
        raise Failure("CMS", 304)
    return (0, 1, 2, 3) if stat == 4 else (stat,)


@reply_to("+CMGD")
def cmgd(device: "Device", ask: Ask) -> Reply:
    """Delete one message, or by <delflag> 1..4 all that are read, sent, unsent, or everything (clause 3.5.4)."""
    storage = _preferred(device)
    if ask.kind == "test":
        indexes = ",".join(str(index) for index, _ in storage.items())
        return [f"+CMGD: ({indexes}),(0-4)"]
    index, flag = ask.number(0), ask.number(1, 0)
    if flag > 4:
        raise Failure("CMS", 304)
    persona = device.persona.storage
    if flag and storage.name == "SR" and not persona.list_reports:
        raise Failure("CMS", 303)
    known = storage.base <= index <= storage.last
    if not flag and (not known or (storage.get(index) is None and persona.empty_delete == "321")):
        raise Failure("CMS", 321)
    exchange = device.exchange
    if not persona.delete_seconds or exchange is None:
        _delete(device, storage, index, flag)
        return []

    def done() -> None:  # whatever came while it was busy goes as well
        _delete(device, storage, index, flag)
        exchange.resume()

    exchange.later(persona.delete_seconds, done)
    return PENDING


def _delete(device: "Device", storage: Storage | Union, index: int, flag: int) -> None:
    if flag:
        storage.delete_stats((READ, SENT, UNSENT)[:flag] if flag < 4 else (0, 1, 2, 3))
    else:
        storage.delete(index)
    device.inbox.freed(storage)
