"""What is kept for how long: bodies 30 days, everything else of a message a year, announcements a week.

Every function is one bounded step that returns how many rows it dealt with; the caller repeats it, with a pause, until
that is 0. So the hour's clean-up never holds the writer for more than some milliseconds, whatever has piled up.

Deleted content is overwritten in the file (secure_delete). What is not over is never touched.
"""

import sqlite3
from typing import Protocol

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
BODIES_MS = 30 * DAY_MS
MESSAGES_MS = 365 * DAY_MS
EVENTS_MS = 7 * DAY_MS
ORPHANS_MS = 10 * DAY_MS
KEYS_MS = 7 * DAY_MS
RECEIPT_MS = 25 * HOUR_MS  # the longest default validity and an hour
LIMIT = 50  # some ten milliseconds; on a slow card a tenth of what the start of a send may take
_OVER = "(direction = 'inbound' OR status IN ('sent', 'delivered', 'undelivered', 'failed', 'expired', 'cancelled', "
_OVER += "'unknown'))"


class Step(Protocol):
    """One bounded step."""

    def __call__(self, cur: sqlite3.Cursor, now_ms: int) -> int: ...


def bodies(cur: sqlite3.Cursor, now_ms: int) -> int:
    """Blanks text and data of messages that are over, with their raw PDUs and what was announced of them."""
    seqs = _column(
        cur,
        "SELECT seq FROM messages WHERE (text IS NOT NULL OR data IS NOT NULL) AND created_ms < ? "
        f"AND {_OVER} ORDER BY created_ms LIMIT ?",
        now_ms - BODIES_MS,
    )
    for seq in seqs:
        cur.execute("UPDATE messages SET text = NULL, data = NULL WHERE seq = ?", (seq,))
        cur.execute("UPDATE segments SET text = NULL, data = NULL WHERE message_seq = ?", (seq,))
        cur.execute("DELETE FROM events WHERE message_seq = ?", (seq,))
        forget_raw(cur, seq)
    return len(seqs)


def messages(cur: sqlite3.Cursor, now_ms: int) -> int:
    """Deletes what is left of the oldest messages; segments, attempts and timeline go with them."""
    rows = cur.execute(f"SELECT seq, created_ms FROM messages WHERE {_OVER} ORDER BY seq LIMIT ?", (LIMIT,)).fetchall()
    seqs = [row["seq"] for row in rows if row["created_ms"] < now_ms - MESSAGES_MS]
    for seq in seqs:
        forget_raw(cur, seq)
        cur.execute("DELETE FROM messages WHERE seq = ?", (seq,))
    return len(seqs)


def raw(cur: sqlite3.Cursor, now_ms: int) -> int:
    """Deletes old PDUs that belong to no message, and with them sets of parts that nobody will complete."""
    ids = _column(
        cur,
        "SELECT received_id FROM received WHERE received_ms < ? AND acknowledged_ms IS NOT NULL ORDER BY received_ms "
        "LIMIT ?",
        now_ms - BODIES_MS,
    )
    for received_id in ids:
        cur.execute(
            "DELETE FROM assemblies WHERE assembly_id IN "
            "(SELECT assembly_id FROM assembly_parts WHERE received_id = ?)",
            (received_id,),
        )
        cur.execute("DELETE FROM received WHERE received_id = ?", (received_id,))
    return len(ids)


def events(cur: sqlite3.Cursor, now_ms: int) -> int:
    """Deletes announcements that no delivery waits for."""
    ids = _column(
        cur,
        "SELECT seq FROM events WHERE at_ms < ? AND NOT EXISTS "
        "(SELECT 1 FROM deliveries WHERE event_seq = events.seq AND state = 'pending') ORDER BY at_ms LIMIT ?",
        now_ms - EVENTS_MS,
    )
    cur.executemany("DELETE FROM events WHERE seq = ?", [(each,) for each in ids])
    return len(ids)


def receipts(cur: sqlite3.Cursor, now_ms: int) -> int:
    """Notes that a report never came; the message stays ``sent``."""
    cur.execute(
        "UPDATE messages SET no_receipt = 1 WHERE seq IN (SELECT seq FROM messages WHERE status = 'sent' "
        "AND report = 1 AND no_receipt = 0 AND sent_ms < ? LIMIT ?)",
        (now_ms - RECEIPT_MS, LIMIT),
    )
    return cur.rowcount


def small(cur: sqlite3.Cursor, now_ms: int) -> int:
    """Tables that never grow big: unclaimed reports, idempotency keys, the hours of past years, answers about money."""
    cur.execute("DELETE FROM orphan_reports WHERE received_ms < ?", (now_ms - ORPHANS_MS,))
    cur.execute(
        "DELETE FROM idempotency WHERE (key_id, idempotency_key) IN "
        "(SELECT key_id, idempotency_key FROM idempotency WHERE created_ms < ? LIMIT ?)",
        (now_ms - KEYS_MS, LIMIT),
    )
    left = cur.rowcount
    cur.execute("DELETE FROM usage WHERE hour_ms < ?", (now_ms - MESSAGES_MS,))
    cur.execute(
        "UPDATE balances SET text = NULL, error = NULL WHERE text IS NOT NULL AND asked_ms < ?", (now_ms - BODIES_MS,)
    )
    return left


STEPS: tuple[Step, ...] = (receipts, bodies, messages, raw, events, small)


def forget_raw(cur: sqlite3.Cursor, message_seq: int) -> None:
    """Deletes the PDUs that a message was made of, the set that they were collected in, and what a balance quotes."""
    cur.execute("UPDATE balances SET text = NULL, error = NULL WHERE message_seq = ?", (message_seq,))
    parts = _of(cur, "SELECT received_id FROM assembly_parts WHERE assembly_id IN "
                "(SELECT assembly_id FROM assemblies WHERE message_seq = ?)", message_seq)  # fmt: skip
    linked = _of(cur, "SELECT received_id FROM received WHERE message_seq = ?", message_seq)
    cur.execute("DELETE FROM assemblies WHERE message_seq = ?", (message_seq,))
    for received_id in dict.fromkeys([*parts, *linked]):
        cur.execute("DELETE FROM received WHERE received_id = ?", (received_id,))


def _of(cur: sqlite3.Cursor, sql: str, message_seq: int) -> list[int]:
    return [row[0] for row in cur.execute(sql, (message_seq,)).fetchall()]


def _column(cur: sqlite3.Cursor, sql: str, before_ms: int) -> list[int]:
    return [row[0] for row in cur.execute(sql, (before_ms, LIMIT)).fetchall()]
