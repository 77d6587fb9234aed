"""Parts of long messages -> whole messages, over restarts, in any order, with repeats and gaps.

A set is known by SIM, sender, reference and count. References are reused, so a part that is already there with another
content begins a new set. What is incomplete after a day is shown as it is; a late part still joins it.
"""

import sqlite3
from collections.abc import Mapping

from modemgw.gateway import credit
from modemgw.gateway.context import Context
from modemgw.pdu import concat
from modemgw.pdu.decode import decode
from modemgw.pdu.tpdu import Deliver
from modemgw.pdu.udh import Concat
from modemgw.store import inbox
from modemgw.store.inbox import Assembly, Inbound, SetKey

RELEASE_MS = 24 * 3_600_000
GAP = " […] "


def add(
    cur: sqlite3.Cursor, context: Context, *, sim_id: int, modem: str, pdu: str, received_id: int, deliver: Deliver,
    part: Concat,
) -> None:  # fmt: skip
    """Books one part; the last one that was missing puts the message into the inbox."""
    if inbox.part_was_used(cur, sim_id, pdu):
        return  # the network repeated it; the raw PDU is kept
    key = SetKey(sim_id=sim_id, peer=deliver.originator.number, ref=part.ref, bits=part.bits, parts=part.parts)
    fitting = (each for each in inbox.open_assemblies(cur, key) if part.seq not in each.have)
    assembly = next(fitting, None) or inbox.new_assembly(cur, key, context.clock.wall_ms())
    inbox.add_part(cur, assembly.assembly_id, part.seq, received_id)
    have = {**assembly.have, part.seq: (received_id, pdu)}
    complete = len(have) == assembly.parts
    if complete or assembly.message_seq is not None:
        _show(cur, context, assembly, have, sim_id=sim_id, modem=modem)


def release_stale(cur: sqlite3.Cursor, context: Context) -> int:
    """Shows the sets that have waited for a day; returns how many."""
    stale = inbox.stale_assemblies(cur, context.clock.wall_ms() - RELEASE_MS)
    for assembly, sim_id, modem, _ in stale:
        _show(cur, context, assembly, assembly.have, sim_id=sim_id, modem=modem)
    return len(stale)


def _show(
    cur: sqlite3.Cursor,
    context: Context,
    assembly: Assembly,
    have: Mapping[int, tuple[int, str]],
    *,
    sim_id: int,
    modem: str,
) -> None:
    complete = len(have) == assembly.parts
    message = _join(context, assembly, have, complete=complete)
    ids = [received_id for received_id, _ in have.values()]
    if assembly.message_seq is None:
        seq = inbox.add_message(cur, context.stamp(), message, sim_id=sim_id, modem=modem, received_ids=ids)
    else:
        seq = assembly.message_seq
        inbox.update_message(cur, context.stamp(), seq, message, ids)
    inbox.close_assembly(cur, assembly.assembly_id, seq, complete=complete)
    if complete:
        credit.heard(cur, context, sim_id, seq, message.peer, message.text)


def _join(context: Context, assembly: Assembly, have: Mapping[int, tuple[int, str]], *, complete: bool) -> Inbound:
    delivers = {seq: _deliver(pdu) for seq, (_, pdu) in sorted(have.items())}
    first = next(iter(delivers.values()))
    runs: list[list[Deliver]] = []
    previous = 0
    for seq, deliver in delivers.items():
        if not runs or seq != previous + 1:
            runs.append([])
        runs[-1].append(deliver)
        previous = seq
    joined = [concat.join(run) for run in runs]
    octets = any(isinstance(each, bytes) for each in joined)
    lead = GAP if 1 not in delivers else ""
    tail = GAP if assembly.parts not in delivers else ""
    text = None if octets else lead + GAP.join(each for each in joined if isinstance(each, str)) + tail
    data = b"".join(each if isinstance(each, bytes) else each.encode() for each in joined) if octets else None
    return Inbound(
        id=context.ids.new(),
        peer=first.originator.number,
        text=text,
        data=data,
        encoding=str(first.encoding or "unknown"),
        message_class=first.message_class,
        parts=assembly.parts,
        complete=complete,
        sent_at_ms=int(first.scts.timestamp() * 1000) if first.scts else None,
        flags=() if complete else ("incomplete",),
        port=first.ports.dst if first.ports else None,
    )


def _deliver(pdu: str) -> Deliver:
    message = decode(pdu).tpdu
    assert isinstance(message, Deliver)
    return message
