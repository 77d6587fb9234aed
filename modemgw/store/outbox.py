"""Outbound messages and their segments: accept (C1), the heads of the queue, and the fold of segments into a status.

A message is ready when its next queued segment may go now. Only then is it in the queue's indexes, so that choosing
the next one costs the same whatever the backlog. Nothing is written when a sender takes a message: the lease is in
memory, and the first durable step is the intent (attempts.py).
"""

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from modemgw.domain.states import FINAL_STATUSES, MessageFacts, advance, rollup
from modemgw.store import events
from modemgw.store.errors import StaleState
from modemgw.store.events import Stamp


@dataclass(frozen=True, slots=True)
class Draft:
    """A message about to be accepted. ``segments``: text or octets of each, in order."""

    id: str
    peer: str
    text: str | None
    data: bytes | None
    encoding: str
    segments: Sequence[str | bytes]
    class_: str
    lane: int
    priority: int
    on_uncertain: str
    report: bool
    flash: bool
    port: int | None
    concat_ref: int
    ref: str | None
    key_id: str
    resend_of: str | None
    send_at_ms: int | None
    expires_ms: int
    sim_id: int | None  # asked for


@dataclass(frozen=True, slots=True)
class Head:
    """A message at the head of its line. ``bound``: it already belongs to the SIM that asks."""

    seq: int
    lane: int
    priority: int
    bound: bool


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The next segment of a message, with all that its SUBMIT needs."""

    message_seq: int
    message_id: str
    segment_id: int
    seq: int
    parts: int
    peer: str
    content: str | bytes
    encoding: str
    class_: str
    report: bool
    flash: bool
    port: int | None
    concat_ref: int
    expires_ms: int
    attempts: int
    failures: int
    resends: int
    on_uncertain: str
    sim_pinned: bool
    unbindable: bool  # no segment was ever taken by a modem: another SIM may have it


def enqueue(cur: sqlite3.Cursor, stamp: Stamp, draft: Draft) -> int:
    """C1: the message and its segments, its timeline and its announcement. Returns its row number."""
    scheduled = draft.send_at_ms is not None and draft.send_at_ms > stamp.now_ms
    status = "scheduled" if scheduled else "queued"
    cur.execute(
        "INSERT INTO messages (id, direction, peer, text, data, encoding, created_ms, sim_id, class, lane, priority, "
        "status, ready, due_ms, sim_pinned, on_uncertain, report, flash, port, concat_ref, ref, key_id, resend_of, "
        "send_at_ms, expires_ms) "
        "VALUES (?, 'outbound', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            draft.id, draft.peer, draft.text, draft.data, draft.encoding, stamp.now_ms, draft.sim_id, draft.class_,
            draft.lane, draft.priority, status, int(not scheduled), draft.send_at_ms if scheduled else None,
            int(draft.sim_id is not None), draft.on_uncertain, int(draft.report), int(draft.flash), draft.port,
            draft.concat_ref, draft.ref, draft.key_id, draft.resend_of, draft.send_at_ms, draft.expires_ms,
        ),
    )  # fmt: skip
    seq = cur.lastrowid
    assert seq is not None  # noqa: S101 - an INSERT gives one
    cur.executemany(
        "INSERT INTO segments (message_seq, seq, text, data) VALUES (?, ?, ?, ?)",
        [
            (seq, number, part if isinstance(part, str) else None, part if isinstance(part, bytes) else None)
            for number, part in enumerate(draft.segments, 1)
        ],
    )
    events.note(cur, stamp, seq, "accepted", segments=len(draft.segments), resend_of=draft.resend_of)
    if not scheduled:
        events.announce_message(cur, stamp, seq, "message.queued")
    return seq


def heads(cur: sqlite3.Cursor, sim_id: int, leased: Collection[int]) -> list[Head]:
    """The first message of each line that ``sim_id`` may take, without those in ``leased`` (row numbers)."""
    found = []
    for bound, where, values in (
        (True, "sim_id = ?", [sim_id]),
        (False, "sim_id IS NULL", []),
    ):
        rows = cur.execute(
            f"SELECT seq, lane, priority FROM messages WHERE ready = 1 AND {where} "
            "ORDER BY lane, priority DESC, seq LIMIT ?",
            [*values, len(leased) + 1],
        )
        for row in rows:
            if row["seq"] not in leased:
                found.append(Head(row["seq"], row["lane"], row["priority"], bound))
                break
    return found


def next_segment(cur: sqlite3.Cursor, message_seq: int) -> Outgoing | None:
    """The first queued segment of a ready message; None when there is nothing to send any more."""
    row = cur.execute(
        "SELECT m.*, g.segment_id, g.seq AS segment_seq, g.text AS segment_text, g.data AS segment_data, g.attempts, "
        "g.failures, g.resends, (SELECT count(*) FROM segments WHERE message_seq = m.seq) AS total, "
        "NOT EXISTS (SELECT 1 FROM segments WHERE message_seq = m.seq AND "
        "(state NOT IN ('queued', 'cancelled', 'expired', 'failed') OR resends > 0)) AS untouched "
        "FROM messages AS m JOIN segments AS g ON g.message_seq = m.seq "
        "WHERE m.seq = ? AND m.ready = 1 AND g.state = 'queued' ORDER BY g.seq LIMIT 1",
        (message_seq,),
    ).fetchone()
    if row is None:
        return None
    return Outgoing(
        message_seq=message_seq,
        message_id=row["id"],
        segment_id=row["segment_id"],
        seq=row["segment_seq"],
        parts=row["total"],
        peer=row["peer"],
        content=row["segment_data"] if row["segment_text"] is None else row["segment_text"],
        encoding=row["encoding"],
        class_=row["class"],
        report=bool(row["report"]),
        flash=bool(row["flash"]),
        port=row["port"],
        concat_ref=row["concat_ref"],
        expires_ms=row["expires_ms"],
        attempts=row["attempts"],
        failures=row["failures"],
        resends=row["resends"],
        on_uncertain=row["on_uncertain"],
        sim_pinned=bool(row["sim_pinned"]),
        unbindable=bool(row["untouched"]) and not row["sim_pinned"],
    )


def move_segment(cur: sqlite3.Cursor, stamp: Stamp, segment_id: int, event: str, **columns: object) -> None:
    """Advances a segment by ``event`` and sets ``columns`` with it; IllegalTransition where the table has no entry."""
    row = cur.execute("SELECT state FROM segments WHERE segment_id = ?", (segment_id,)).fetchone()
    state = advance(row["state"], event)
    if state in ("delivered", "undelivered", "failed", "expired", "cancelled", "unknown"):
        columns.setdefault("finished_ms", stamp.now_ms)
    names = "".join(f", {name} = ?" for name in columns)
    cur.execute(
        f"UPDATE segments SET state = ?{names} WHERE segment_id = ? AND state = ?",
        [state, *columns.values(), segment_id, row["state"]],
    )


def settle(cur: sqlite3.Cursor, stamp: Stamp, message_seq: int, *, due_ms: int | None = None, **detail: object) -> str:
    """Folds the segments into the message's status, and announces the status where it changed.

    ``due_ms``: the next queued segment waits until then. ``detail`` goes to the timeline. Returns the status.
    """
    row = cur.execute(
        "SELECT status, held, ended, send_at_ms, sent_ms, finished_ms FROM messages WHERE seq = ?",
        (message_seq,),
    ).fetchone()
    states = [each["state"] for each in cur.execute(
        "SELECT state FROM segments WHERE message_seq = ? ORDER BY seq", (message_seq,)
    )]  # fmt: skip
    scheduled = due_ms is not None and row["send_at_ms"] == due_ms
    status = rollup(states, MessageFacts(held=bool(row["held"]), scheduled=scheduled, ended=row["ended"]))
    waits = {"submitting", "uncertain"} & set(states)
    ready = "queued" in states and not waits and not row["held"] and due_ms is None
    sent_ms = row["sent_ms"] or (stamp.now_ms if status in ("sent", "delivered", "undelivered") else None)
    finished_ms = stamp.now_ms if status in FINAL_STATUSES and status != row["status"] else row["finished_ms"]
    cur.execute(
        "UPDATE messages SET status = ?, ready = ?, due_ms = ?, sent_ms = ?, finished_ms = ?, "
        "waiting_for = iif(?2, waiting_for, NULL) WHERE seq = ?",
        (status, int(ready), due_ms, sent_ms, finished_ms if status in FINAL_STATUSES else None, message_seq),
    )
    if status != row["status"]:
        events.note(cur, stamp, message_seq, status, **detail)
        if status != "scheduled":
            events.announce_message(cur, stamp, message_seq, f"message.{status}")
    return status


def set_error(cur: sqlite3.Cursor, message_seq: int, error: dict[str, object]) -> None:
    """What went wrong, in the shape of the API's ``error``; shown while it is the last word."""
    cur.execute("UPDATE messages SET error = ? WHERE seq = ?", (json.dumps(error), message_seq))


def promote_due(cur: sqlite3.Cursor, stamp: Stamp, limit: int = 500) -> int:
    """Makes ready what waited for a time that has come; returns how many."""
    rows = cur.execute(
        "SELECT seq FROM messages WHERE due_ms IS NOT NULL AND due_ms <= ? ORDER BY due_ms, seq LIMIT ?",
        (stamp.now_ms, limit),
    ).fetchall()
    for row in rows:
        settle(cur, stamp, row["seq"])
    return len(rows)


def next_due_ms(cur: sqlite3.Cursor) -> int | None:
    """When the next message that waits for a time is due; None when none does."""
    value: int | None = cur.execute("SELECT min(due_ms) FROM messages WHERE due_ms IS NOT NULL").fetchone()[0]
    return value


def end_queued(cur: sqlite3.Cursor, stamp: Stamp, message_seq: int, event: str) -> int:
    """Moves every queued segment by ``event`` (cancel, expire); returns how many there were."""
    rows = cur.execute(
        "SELECT segment_id FROM segments WHERE message_seq = ? AND state = 'queued'", (message_seq,)
    ).fetchall()
    for row in rows:
        move_segment(cur, stamp, row["segment_id"], event)
    return len(rows)


def cancel(cur: sqlite3.Cursor, stamp: Stamp, message_id: str) -> None:
    """Cancels a message of which no modem has taken anything; StaleState (with the status) when it is too late."""
    row = _row(cur, message_id)
    touched = cur.execute(
        "SELECT 1 FROM segments WHERE message_seq = ? AND (state != 'queued' OR resends > 0) LIMIT 1",
        (row["seq"],),
    ).fetchone()
    if touched or row["status"] not in ("scheduled", "queued", "held"):
        raise StaleState(row["status"])
    cur.execute("UPDATE messages SET ended = 'cancelled', held = 0 WHERE seq = ?", (row["seq"],))
    end_queued(cur, stamp, row["seq"], "cancel")
    settle(cur, stamp, row["seq"])


def release(cur: sqlite3.Cursor, stamp: Stamp, message_id: str) -> None:
    """Frees a held message; StaleState when it is not held."""
    row = _row(cur, message_id)
    if not row["held"]:
        raise StaleState(row["status"])
    cur.execute("UPDATE messages SET held = 0, crashes = 0 WHERE seq = ?", (row["seq"],))
    settle(cur, stamp, row["seq"], due_ms=row["due_ms"])


def resolve(cur: sqlite3.Cursor, stamp: Stamp, message_id: str, outcome: str) -> None:
    """Closes an unknown message as ``sent`` or ``failed`` on an operator's word; StaleState when it is not unknown."""
    row = _row(cur, message_id)
    if row["status"] != "unknown":
        raise StaleState(row["status"])
    if outcome == "failed":
        set_error(cur, row["seq"], {"code": "resolved_failed", "text": "An operator closed this message as not sent.",
                                    "retryable": True, "cms": None, "tp_status": None})  # fmt: skip
    for segment in cur.execute(
        "SELECT segment_id FROM segments WHERE message_seq = ? AND state = 'unknown'", (row["seq"],)
    ).fetchall():
        move_segment(cur, stamp, segment["segment_id"], f"resolve_{outcome}")
    settle(cur, stamp, row["seq"], by="operator")


def expire(cur: sqlite3.Cursor, stamp: Stamp, limit: int = 500) -> list[int]:
    """Ends what is still queued after its time; returns the row numbers of those messages.

    A segment that some modem has, or may have, keeps its own course.
    """
    seqs = [row["seq"] for row in cur.execute(
        "SELECT seq FROM messages WHERE status IN ('scheduled', 'queued', 'sending') AND expires_ms <= ? "
        "AND (ready = 1 OR due_ms IS NOT NULL) LIMIT ?",
        (stamp.now_ms, limit),
    ).fetchall()]  # fmt: skip
    for seq in seqs:
        expire_message(cur, stamp, seq)
    return seqs


def expire_message(cur: sqlite3.Cursor, stamp: Stamp, seq: int) -> None:
    """Ends the queued segments of one message because its time to live is over."""
    cur.execute("UPDATE messages SET ended = 'expired' WHERE seq = ?", (seq,))
    end_queued(cur, stamp, seq, "expire")
    states = {row["state"] for row in cur.execute("SELECT state FROM segments WHERE message_seq = ?", (seq,))}
    code, text = "expired", "The message was not sent in time."
    if states - {"expired", "failed", "cancelled"}:
        code, text = "partly_sent", "The time to live was over when only a part of the message had been sent."
    set_error(cur, seq, {"code": code, "text": text, "retryable": True, "cms": None, "tp_status": None})
    settle(cur, stamp, seq)


def mark_no_receipt(cur: sqlite3.Cursor, before_ms: int) -> int:
    """Notes that the report of messages sent before ``before_ms`` never came; their status stays ``sent``."""
    cur.execute(
        "UPDATE messages SET no_receipt = 1 WHERE status = 'sent' AND report = 1 AND no_receipt = 0 AND sent_ms < ?",
        (before_ms,),
    )
    return cur.rowcount


def wait_for(cur: sqlite3.Cursor, message_seq: int, reason: str | None) -> None:
    """Says in ``waiting_for`` why a queued message does not go."""
    cur.execute("UPDATE messages SET waiting_for = ? WHERE seq = ?", (reason, message_seq))


def erase(cur: sqlite3.Cursor, message_id: str) -> None:
    """Deletes a message that has ended, with all that hangs on it; StaleState while it is still under way."""
    row = _row(cur, message_id)
    if row["direction"] == "outbound" and row["status"] not in (*FINAL_STATUSES, "sent"):
        raise StaleState(row["status"])
    cur.execute(
        "DELETE FROM received WHERE message_seq = ? AND received_id NOT IN (SELECT received_id FROM assembly_parts)",
        (row["seq"],),
    )
    cur.execute("DELETE FROM messages WHERE seq = ?", (row["seq"],))


def _row(cur: sqlite3.Cursor, message_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = cur.execute("SELECT * FROM messages WHERE id = ?", (message_id,)).fetchone()
    if row is None:
        raise KeyError(message_id)
    return row
