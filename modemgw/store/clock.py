"""Times on disk when the wall clock is set: what was written since the boot moves along with the clock.

A machine without a battery clock may begin in 1970 and learn the time later; people set clocks by hours. What waits
here waits for durations (a back-off, a window, a time to live), so each stored time of this boot is moved by the same
step. Times that a client gave (``send_at``) and what was stored before this boot stay as they are.
"""

import sqlite3
from dataclasses import dataclass

from modemgw.store.attempts import HOUR_MS

# Deadlines lie ahead of when they were written, by this much at the most.
_AHEAD_MS = 27 * HOUR_MS
_PAST = (
    ("timeline", ("at_ms",)),
    ("events", ("at_ms",)),
    ("received", ("received_ms", "acknowledged_ms")),
    ("assemblies", ("first_ms",)),
    ("orphan_reports", ("received_ms",)),
    ("idempotency", ("created_ms",)),
    ("segments", ("submitted_ms", "finished_ms")),
    ("attempts", ("started_ms", "ended_ms")),
    ("balances", ("asked_ms", "read_ms")),
    ("messages", ("sent_ms", "finished_ms", "read_ms", "created_ms")),
)
_FUTURE = (("deliveries", "due_ms"), ("attempts", "decide_ms"), ("balances", "due_ms"), ("balances", "awaits_ms"))


@dataclass(frozen=True, slots=True)
class Reckoning:
    """``offset_ms``: wall clock minus time since boot. ``since_ms``: the first look in this boot, by the wall clock."""

    boot_id: str
    offset_ms: int
    since_ms: int


def recall(cur: sqlite3.Cursor) -> Reckoning | None:
    """What was last remembered."""
    row = cur.execute("SELECT boot_id, offset_ms, since_ms FROM clock").fetchone()
    return Reckoning(*row) if row else None


def remember(cur: sqlite3.Cursor, reckoning: Reckoning) -> None:
    """Keeps it over restarts."""
    cur.execute(
        "INSERT INTO clock (clock_id, boot_id, offset_ms, since_ms) VALUES (1, ?1, ?2, ?3) "
        "ON CONFLICT DO UPDATE SET boot_id = ?1, offset_ms = ?2, since_ms = ?3",
        (reckoning.boot_id, reckoning.offset_ms, reckoning.since_ms),
    )


def shift(cur: sqlite3.Cursor, by_ms: int, since_ms: int, until_ms: int) -> None:
    """Moves what was written from ``since_ms`` to ``until_ms`` (old reckoning) by ``by_ms``."""
    times = {"by": by_ms, "since": since_ms, "until": until_ms, "ahead": until_ms + _AHEAD_MS}
    cur.execute(
        "UPDATE messages SET expires_ms = expires_ms + :by "
        "WHERE created_ms BETWEEN :since AND :until AND (send_at_ms IS NULL OR send_at_ms <= created_ms)",
        times,
    )
    cur.execute(
        "UPDATE messages SET due_ms = due_ms + :by WHERE due_ms BETWEEN :since AND :ahead AND due_ms IS NOT send_at_ms",
        times,
    )
    for table, column in _FUTURE:
        cur.execute(f"UPDATE {table} SET {column} = {column} + :by WHERE {column} BETWEEN :since AND :ahead", times)
    for table, columns in _PAST:
        for column in columns:
            cur.execute(f"UPDATE {table} SET {column} = {column} + :by WHERE {column} BETWEEN :since AND :until", times)
    _shift_usage(cur, times)


def _shift_usage(cur: sqlite3.Cursor, times: dict[str, int]) -> None:
    """What was debited keeps counting for its hour and its day."""
    rows = cur.execute(
        "DELETE FROM usage WHERE hour_ms BETWEEN :since - 3600000 AND :until RETURNING sim_id, hour_ms, segments", times
    ).fetchall()
    for row in rows:
        cur.execute(
            "INSERT INTO usage (sim_id, hour_ms, segments) VALUES (?, ?, ?) "
            "ON CONFLICT (sim_id, hour_ms) DO UPDATE SET segments = segments + excluded.segments",
            (row["sim_id"], (row["hour_ms"] + times["by"]) // HOUR_MS * HOUR_MS, row["segments"]),
        )
