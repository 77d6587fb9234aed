"""The queue: which message may go next, and what waits for a time.

A message is ready when its next queued segment may go now. Only then is it in the queue's indexes, so that choosing
the next one costs the same whatever the backlog. Nothing is written when a sender takes a message: the lease is in
memory, and the first durable step is the intent (attempts.py).
"""

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

from modemgw.store import events
from modemgw.store.events import Stamp
from modemgw.store.outbox import settle


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
    last_cms: int | None  # of its last refusal
    on_uncertain: str
    sim_pinned: bool
    unbindable: bool  # no segment was ever taken by a modem: another SIM may have it


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
        "g.failures, g.resends, g.cms AS segment_cms, "
        "(SELECT count(*) FROM segments WHERE message_seq = m.seq) AS total, "
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
        last_cms=row["segment_cms"],
        on_uncertain=row["on_uncertain"],
        sim_pinned=bool(row["sim_pinned"]),
        unbindable=bool(row["untouched"]) and not row["sim_pinned"],
    )


def put_off(cur: sqlite3.Cursor, stamp: Stamp, message_seq: int, reason: str, due_ms: int) -> None:
    """A modem could not take the message, and nothing was written: it waits until ``due_ms`` for any SIM."""
    row = cur.execute("SELECT ready FROM messages WHERE seq = ?", (message_seq,)).fetchone()
    if row is not None and row["ready"]:
        events.note(cur, stamp, message_seq, "not_sent", reason=reason)
        settle(cur, stamp, message_seq, due_ms=due_ms)


def promote_due(cur: sqlite3.Cursor, stamp: Stamp, limit: int = 500) -> int:
    """Makes ready what waited for a time that has come; returns how many."""
    rows = cur.execute(
        "SELECT seq FROM messages WHERE due_ms IS NOT NULL AND due_ms <= ? ORDER BY due_ms, seq LIMIT ?",
        (stamp.now_ms, limit),
    ).fetchall()
    for row in rows:
        settle(cur, stamp, row["seq"], due_ms=None)
    return len(rows)


def next_due_ms(cur: sqlite3.Cursor) -> int | None:
    """When the next message that waits for a time is due; None when none does."""
    value: int | None = cur.execute("SELECT min(due_ms) FROM messages WHERE due_ms IS NOT NULL").fetchone()[0]
    return value
