"""What the store knows about the time: the last one that was surely reached, and what claims to come from the future.

Some machines start in the past, some were years ahead until somebody noticed. Rows are never believed to be of a time
that has not come: the waits in them would be waits of years, and what was spent then would count on every day until
then.
"""

import sqlite3

from modemgw.store.attempts import HOUR_MS

LONGEST_WAIT_MS = 24 * HOUR_MS  # the longest back-off there is, of a webhook
_OPEN = "('scheduled', 'queued', 'sending', 'uncertain', 'unknown', 'held')"
_FROM_THE_FUTURE = (
    f"UPDATE messages SET expires_ms = expires_ms - (created_ms - :now), created_ms = :now WHERE status IN {_OPEN} "
    "AND created_ms > :limit AND (send_at_ms IS NULL OR send_at_ms <= created_ms)"
)
_NEWEST = (
    ("messages", "seq", "created_ms"),
    ("attempts", "attempt_id", "started_ms"),
    ("timeline", "timeline_id", "at_ms"),
    ("received", "received_id", "received_ms"),
    ("events", "seq", "at_ms"),
)


def last_ms(cur: sqlite3.Cursor) -> int:
    """The last time in the store; 0 in an empty one. Looks at the newest row of each table, not at all of them."""
    rows = (
        cur.execute(f"SELECT {column} FROM {table} ORDER BY {key} DESC LIMIT 1").fetchone()
        for table, key, column in _NEWEST
    )
    return max((int(row[0]) for row in rows if row), default=0)


def bring_back(cur: sqlite3.Cursor, now_ms: int) -> int:
    """Takes what claims to come from the future as if it were of now, and ends waits that were never meant.

    A back-off longer than any, an evidence window, the time to live of a message accepted "tomorrow", a debit in an
    hour that has not begun. Times that a client named (``send_at``) stay. Returns how many rows were wrong.
    """
    limit_ms = now_ms + LONGEST_WAIT_MS
    wrong = 0
    for sql in (
        "UPDATE messages SET due_ms = :now WHERE due_ms > :limit AND due_ms IS NOT send_at_ms",
        "UPDATE attempts SET decide_ms = :now WHERE state = 'uncertain' AND decide_ms > :limit",
        _FROM_THE_FUTURE,
    ):
        wrong += cur.execute(sql, {"now": now_ms, "limit": limit_ms}).rowcount
    for target in cur.execute("SELECT target_id FROM webhook_targets").fetchall():
        wrong += cur.execute(
            "UPDATE deliveries SET due_ms = ? WHERE target_id = ? AND state = 'pending' AND due_ms > ?",
            (now_ms, target["target_id"], limit_ms + HOUR_MS * 12),
        ).rowcount
    return wrong + _usage(cur, now_ms, limit_ms)


def _usage(cur: sqlite3.Cursor, now_ms: int, limit_ms: int) -> int:
    rows = cur.execute("SELECT sim_id, segments FROM usage WHERE hour_ms > ?", (limit_ms,)).fetchall()
    cur.execute("DELETE FROM usage WHERE hour_ms > ?", (limit_ms,))
    for row in rows:
        cur.execute(
            "INSERT INTO usage (sim_id, hour_ms, segments) VALUES (?, ?, ?) "
            "ON CONFLICT (sim_id, hour_ms) DO UPDATE SET segments = segments + excluded.segments",
            (row["sim_id"], now_ms // HOUR_MS * HOUR_MS, row["segments"]),
        )
    return len(rows)
