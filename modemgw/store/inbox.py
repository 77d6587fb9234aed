"""What modems handed over: the raw PDU first, then what it means. Nothing leaves a SIM before it is here.

A PDU read again before it could be deleted from the SIM is the same row (same SIM and PDU, not acknowledged yet).
The same PDU again after that is a repeat by the network: kept, and flagged.
"""

import sqlite3
from dataclasses import dataclass

from modemgw.store import events
from modemgw.store.events import Stamp

REPEAT_MS = 3 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Saved:
    """A stored raw PDU. ``fresh``: not seen before, to be interpreted now. ``repeat``: the network sent it again."""

    received_id: int
    fresh: bool
    repeat: bool


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message for the inbox."""

    id: str
    peer: str
    text: str | None
    data: bytes | None
    encoding: str
    message_class: int | None
    parts: int
    complete: bool
    sent_at_ms: int | None
    flags: tuple[str, ...] = ()
    port: int | None = None


@dataclass(frozen=True, slots=True)
class SetKey:
    """What the parts of one message have in common; senders use the same reference again and again."""

    sim_id: int
    peer: str
    ref: int
    bits: int
    parts: int


@dataclass(frozen=True, slots=True)
class Assembly:
    """A long message whose parts are being collected."""

    assembly_id: int
    parts: int
    message_seq: int | None
    have: dict[int, tuple[int, str]]  # seq -> (received_id, raw PDU)


def save_raw(
    cur: sqlite3.Cursor, *, sim_id: int, modem: str, pdu: str, kind: str, error: str | None, now_ms: int
) -> Saved:
    """Stores a PDU as it came, or finds the row of one that is being read again."""
    again = cur.execute(
        "SELECT received_id FROM received WHERE sim_id = ? AND pdu = ? AND acknowledged_ms IS NULL",
        (sim_id, pdu),
    ).fetchone()
    if again is not None:
        return Saved(again["received_id"], fresh=False, repeat=False)
    repeat = cur.execute(
        "SELECT 1 FROM received WHERE sim_id = ? AND pdu = ? AND received_ms > ? LIMIT 1",
        (sim_id, pdu, now_ms - REPEAT_MS),
    ).fetchone()
    cur.execute(
        "INSERT INTO received (sim_id, modem, pdu, kind, error, received_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (sim_id, modem, pdu, kind, error, now_ms),
    )
    received_id = cur.lastrowid
    assert received_id is not None
    return Saved(received_id, fresh=True, repeat=repeat is not None)


def acknowledged(cur: sqlite3.Cursor, received_id: int, now_ms: int) -> None:
    """The PDU is gone from the SIM. A report has said all it had to say: its PDU, with a number in it, is not kept."""
    cur.execute("DELETE FROM received WHERE received_id = ? AND kind = 'status_report'", (received_id,))
    cur.execute("UPDATE received SET acknowledged_ms = ? WHERE received_id = ? AND acknowledged_ms IS NULL",
                (now_ms, received_id))  # fmt: skip


def add_message(
    cur: sqlite3.Cursor, stamp: Stamp, inbound: Inbound, *, sim_id: int, modem: str, received_ids: list[int]
) -> int:
    """Puts a message into the inbox and announces it; returns its row number."""
    cur.execute(
        "INSERT INTO messages (id, direction, peer, own, text, data, encoding, created_ms, sim_id, modem, "
        "message_class, parts, complete, sent_at_ms, flags, port) "
        "VALUES (?, 'inbound', ?, (SELECT number FROM sims WHERE sim_id = ?), "
        "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            inbound.id, inbound.peer, sim_id, inbound.text, inbound.data, inbound.encoding, stamp.now_ms, sim_id, modem,
            inbound.message_class, inbound.parts, int(inbound.complete), inbound.sent_at_ms, ",".join(inbound.flags),
            inbound.port,
        ),
    )  # fmt: skip
    seq = cur.lastrowid
    assert seq is not None
    _link(cur, seq, received_ids)
    events.announce_message(cur, stamp, seq, "message.received")
    return seq


def update_message(cur: sqlite3.Cursor, stamp: Stamp, seq: int, inbound: Inbound, received_ids: list[int]) -> None:
    """A late part joined a message that had been released incomplete: it keeps its id, and the change is announced."""
    cur.execute(
        "UPDATE messages SET text = ?, data = ?, complete = ?, flags = ? WHERE seq = ?",
        (inbound.text, inbound.data, int(inbound.complete), ",".join(inbound.flags), seq),
    )
    _link(cur, seq, received_ids)
    events.announce_message(cur, stamp, seq, "message.updated")


def _link(cur: sqlite3.Cursor, seq: int, received_ids: list[int]) -> None:
    cur.executemany("UPDATE received SET message_seq = ? WHERE received_id = ?", [(seq, each) for each in received_ids])


def open_assemblies(cur: sqlite3.Cursor, key: SetKey) -> list[Assembly]:
    """The incomplete sets of this key, newest first."""
    rows = cur.execute(
        "SELECT * FROM assemblies WHERE sim_id = ? AND peer = ? AND ref = ? AND parts = ? AND bits = ? "
        "AND complete = 0 ORDER BY assembly_id DESC LIMIT 8",
        (key.sim_id, key.peer, key.ref, key.parts, key.bits),
    ).fetchall()
    return [_assembly(cur, row) for row in rows]


def new_assembly(cur: sqlite3.Cursor, key: SetKey, now_ms: int) -> Assembly:
    """Begins a set."""
    cur.execute(
        "INSERT INTO assemblies (sim_id, peer, ref, bits, parts, first_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (key.sim_id, key.peer, key.ref, key.bits, key.parts, now_ms),
    )
    assert cur.lastrowid is not None
    return Assembly(cur.lastrowid, key.parts, None, {})


def add_part(cur: sqlite3.Cursor, assembly_id: int, seq: int, received_id: int) -> None:
    """Adds one part to a set."""
    cur.execute(
        "INSERT INTO assembly_parts (assembly_id, seq, received_id) VALUES (?, ?, ?)",
        (assembly_id, seq, received_id),
    )


def close_assembly(cur: sqlite3.Cursor, assembly_id: int, message_seq: int, *, complete: bool) -> None:
    """Notes the message that a set has become; an incomplete one stays open for its late parts."""
    cur.execute(
        "UPDATE assemblies SET message_seq = ?, complete = ? WHERE assembly_id = ?",
        (message_seq, int(complete), assembly_id),
    )


def stale_assemblies(cur: sqlite3.Cursor, before_ms: int) -> list[tuple[Assembly, int, str, str]]:
    """Sets begun before ``before_ms`` that were never shown: (set, SIM, modem, peer)."""
    rows = cur.execute(
        "SELECT a.*, (SELECT r.modem FROM assembly_parts AS p JOIN received AS r USING (received_id) "
        "WHERE p.assembly_id = a.assembly_id LIMIT 1) AS modem FROM assemblies AS a "
        "WHERE complete = 0 AND message_seq IS NULL AND first_ms <= ? ORDER BY assembly_id LIMIT 100",
        (before_ms,),
    ).fetchall()
    return [(_assembly(cur, row), row["sim_id"], row["modem"], row["peer"]) for row in rows]


def part_was_used(cur: sqlite3.Cursor, sim_id: int, pdu: str) -> bool:
    """True when this very PDU is already a part of some set."""
    row = cur.execute(
        "SELECT 1 FROM received AS r JOIN assembly_parts AS p USING (received_id) "
        "WHERE r.sim_id = ? AND r.pdu = ? LIMIT 1",
        (sim_id, pdu),
    ).fetchone()
    return row is not None


def mark_read(cur: sqlite3.Cursor, message_id: str, now_ms: int) -> bool:
    """Marks an inbound message as read; False when there is none with this id."""
    cur.execute(
        "UPDATE messages SET read_ms = coalesce(read_ms, ?) WHERE id = ? AND direction = 'inbound'",
        (now_ms, message_id),
    )
    return cur.rowcount == 1


def _assembly(cur: sqlite3.Cursor, row: sqlite3.Row) -> Assembly:
    parts = cur.execute(
        "SELECT p.seq, p.received_id, r.pdu FROM assembly_parts AS p JOIN received AS r USING (received_id) "
        "WHERE p.assembly_id = ? ORDER BY p.seq",
        (row["assembly_id"],),
    )
    have = {each["seq"]: (int(each["received_id"]), str(each["pdu"])) for each in parts}
    return Assembly(row["assembly_id"], row["parts"], row["message_seq"], have)
