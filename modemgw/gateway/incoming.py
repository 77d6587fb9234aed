"""The door for what comes in: raw PDU and meaning in one transaction; only after the commit is it taken off the SIM.

A PDU that can't be decoded is kept raw, shown in the inbox, and taken off the SIM like any other, so that it can't
come again and again. Nothing that a message says is ever acted on, but for the answer to a question that we asked
(credit.py).
"""

import sqlite3
from dataclasses import dataclass

from modemgw.gateway import credit, reassembly, reports
from modemgw.gateway.context import Context
from modemgw.pdu.decode import Sender, decode
from modemgw.pdu.errors import PduError
from modemgw.pdu.tpdu import Deliver, StatusReport, Submit
from modemgw.seams import crash_point
from modemgw.store import inbox
from modemgw.store.inbox import Inbound, Saved

AnyTpdu = Deliver | StatusReport | Submit
_KINDS = {Deliver: "deliver", StatusReport: "status_report", Submit: "submit"}
_SILENT_PID = 0x40
_REPLACE_PIDS = range(0x41, 0x48)
_SIM_DOWNLOAD_PIDS = (0x7C, 0x7F)


@dataclass(frozen=True, slots=True)
class _Read:
    kind: str
    tpdu: AnyTpdu | None
    error: str | None


async def handle(context: Context, *, sim_id: int, modem: str, pdu: str) -> int:
    """Stores a PDU with all that follows from it; returns its row number once that is on disk.

    Raises StoreFull while the disk is nearly full: the message stays on the SIM. A report is the outcome of something
    that was begun, and may use the room that is kept for that.
    """
    read = _read(pdu)
    if read.kind != "status_report":
        context.db.require_room()

    def unit(cur: sqlite3.Cursor) -> int:
        saved = inbox.save_raw(
            cur,
            sim_id=sim_id,
            modem=modem,
            pdu=pdu,
            kind=read.kind,
            error=read.error,
            now_ms=context.clock.wall_ms(),
        )
        if saved.fresh:
            _interpret(cur, context, read, saved, sim_id=sim_id, modem=modem, pdu=pdu)
        return saved.received_id

    is_report = isinstance(read.tpdu, StatusReport)
    if is_report:
        crash_point("before_c4")
    received_id = await context.commit(unit)
    if is_report:
        crash_point("after_c4")
    return received_id


def is_report(pdu: str) -> bool:
    """Does it speak of a message that we sent?"""
    return _read(pdu).kind == "status_report"


async def acknowledged(context: Context, received_id: int) -> None:
    """The PDU is gone from the SIM: the same one again would be a repeat by the network."""
    await context.db.write(lambda cur: inbox.acknowledged(cur, received_id, context.clock.wall_ms()))


def _read(pdu: str) -> _Read:
    try:
        tpdu = decode(pdu, sender=Sender.ANYONE).tpdu
    except PduError as error:
        return _Read("undecodable", None, str(error))
    return _Read(_KINDS[type(tpdu)], tpdu, None)


def _interpret(
    cur: sqlite3.Cursor, context: Context, read: _Read, saved: Saved, *, sim_id: int, modem: str, pdu: str
) -> None:
    tpdu = read.tpdu
    if isinstance(tpdu, StatusReport):
        reports.handle(cur, context, sim_id, tpdu)
        return
    if isinstance(tpdu, Deliver):
        part = tpdu.concat
        if part is not None and part.parts > 1 and 1 <= part.seq <= part.parts:
            reassembly.add(
                cur,
                context,
                sim_id=sim_id,
                modem=modem,
                pdu=pdu,
                received_id=saved.received_id,
                deliver=tpdu,
                part=part,
            )
            return
        message = _message(context, tpdu, repeat=saved.repeat)
    else:
        message = _unreadable(context, pdu)
    seq = inbox.add_message(cur, context.stamp(), message, sim_id=sim_id, modem=modem, received_ids=[saved.received_id])
    credit.heard(cur, context, sim_id, seq, message.peer, message.text)


def _message(context: Context, deliver: Deliver, *, repeat: bool) -> Inbound:
    return Inbound(
        id=context.ids.new(),
        peer=deliver.originator.number,
        text=deliver.text,
        data=deliver.data if deliver.text is None else None,
        encoding=str(deliver.encoding or "unknown"),
        message_class=deliver.message_class,
        parts=1,
        complete=True,
        sent_at_ms=int(deliver.scts.timestamp() * 1000) if deliver.scts else None,
        flags=_flags(deliver, repeat=repeat),
        port=deliver.ports.dst if deliver.ports else None,
    )


def _flags(deliver: Deliver, *, repeat: bool) -> tuple[str, ...]:
    """What is special about a message, for whoever reads it."""
    tests = (
        ("possible_duplicate", repeat),
        ("flash", deliver.message_class == 0),
        ("silent", deliver.pid == _SILENT_PID),
        ("replace", deliver.pid in _REPLACE_PIDS),
        ("sim_data", deliver.pid in _SIM_DOWNLOAD_PIDS),
        ("no_time", deliver.scts is None),
    )
    return tuple(flag for flag, applies in tests if applies)


def _unreadable(context: Context, pdu: str) -> Inbound:
    """Also for a SUBMIT, which has no business among what was received."""
    return Inbound(
        id=context.ids.new(),
        peer="",
        text=None,
        data=pdu.encode("ascii", "replace"),
        encoding="unknown",
        message_class=None,
        parts=1,
        complete=True,
        sent_at_ms=None,
        flags=("undecodable",),
    )
