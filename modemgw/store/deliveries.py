"""The webhook outbox: what is still to be told to whom. Rows are made by events.py in the transaction of the change.

What waits behind an earlier delivery of its message is never due before that one: so a look at the outbox reads what
may go now and nothing else, however much has piled up for a receiver that does not answer.
"""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_FIRST_IN_LINE = (
    "(d.message_seq IS NULL OR NOT EXISTS (SELECT 1 FROM deliveries AS b WHERE b.target_id = d.target_id "
    "AND b.message_seq = d.message_seq AND b.state = 'pending' AND b.delivery_id < d.delivery_id))"
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One announcement for one target. ``event_id`` stays the same over all tries; ``body`` is the event's data."""

    id: int
    event_id: str
    type: str
    at_ms: int
    body: dict[str, Any]
    attempts: int
    message_seq: int | None


def set_targets(cur: sqlite3.Cursor, targets: Iterable[tuple[str, str, tuple[str, ...]]]) -> None:
    """Makes the configured targets (id, url, patterns) the current ones; others get nothing new."""
    cur.execute("UPDATE webhook_targets SET enabled = 0")
    for target_id, url, patterns in targets:
        cur.execute(
            "INSERT INTO webhook_targets (target_id, url, events) VALUES (?, ?, ?) "
            "ON CONFLICT (target_id) DO UPDATE SET url = excluded.url, events = excluded.events, enabled = 1",
            (target_id, url, json.dumps(patterns)),
        )


def add(cur: sqlite3.Cursor, target_id: str, announced: Iterable[tuple[int, int | None]], now_ms: int) -> None:
    """Puts announcements (event, message) into the outbox; without a message it waits for no other."""
    cur.executemany(
        "INSERT INTO deliveries (target_id, event_seq, message_seq, due_ms) VALUES (?1, ?2, ?3, max(?4, coalesce("
        "(SELECT max(due_ms) FROM deliveries INDEXED BY deliveries_order "
        "WHERE target_id = ?1 AND message_seq = ?3 AND state = 'pending'), 0)))",
        [(target_id, event_seq, message_seq, now_ms) for event_seq, message_seq in announced],
    )


def disable_target(cur: sqlite3.Cursor, target_id: str, now_ms: int, reason: str) -> None:
    """Ends a target that said it is gone; what still waits for it is dead."""
    cur.execute("UPDATE webhook_targets SET enabled = 0 WHERE target_id = ?", (target_id,))
    cur.execute(
        "UPDATE deliveries SET state = 'dead', finished_ms = ?, error = ? WHERE target_id = ? AND state = 'pending'",
        (now_ms, reason, target_id),
    )


def due(cur: sqlite3.Cursor, target_id: str, now_ms: int, limit: int) -> list[Delivery]:
    """What may go to the target now, longest due first: of each message only the first that is not done yet."""
    rows = cur.execute(
        "SELECT d.*, e.id AS event_id, e.type, e.at_ms, e.data "
        "FROM deliveries AS d JOIN events AS e ON e.seq = d.event_seq "
        f"WHERE d.target_id = ? AND d.state = 'pending' AND d.due_ms <= ? AND {_FIRST_IN_LINE} "
        "ORDER BY d.due_ms, d.delivery_id LIMIT ?",
        (target_id, now_ms, limit),
    ).fetchall()
    return [
        Delivery(
            id=row["delivery_id"], event_id=row["event_id"], type=row["type"], at_ms=row["at_ms"],
            body=json.loads(row["data"]), attempts=row["attempts"], message_seq=row["message_seq"],
        )
        for row in rows
    ]  # fmt: skip


def next_due_ms(cur: sqlite3.Cursor, target_id: str) -> int | None:
    """When the next delivery that no earlier one of its message blocks is due; None when nothing waits."""
    value: int | None = cur.execute(
        f"SELECT min(d.due_ms) FROM deliveries AS d WHERE d.target_id = ? AND d.state = 'pending' AND {_FIRST_IN_LINE}",
        (target_id,),
    ).fetchone()[0]
    return value


def succeeded(cur: sqlite3.Cursor, delivery_id: int, now_ms: int, http_status: int) -> None:
    """The target took it."""
    cur.execute(
        "UPDATE deliveries SET state = 'delivered', attempts = attempts + 1, finished_ms = ?, http_status = ?, "
        "error = NULL WHERE delivery_id = ? AND state = 'pending'",
        (now_ms, http_status, delivery_id),
    )


def failed(
    cur: sqlite3.Cursor,
    delivery_id: int,
    now_ms: int,
    error: str,
    http_status: int | None,
    next_ms: int | None,
) -> None:
    """The target did not take it: try again at ``next_ms``, or never (None: dead, until somebody redelivers it)."""
    if next_ms is not None:
        cur.execute(
            "UPDATE deliveries INDEXED BY deliveries_order SET due_ms = ?1 WHERE (target_id, message_seq) = "
            "(SELECT target_id, message_seq FROM deliveries WHERE delivery_id = ?2) "
            "AND state = 'pending' AND due_ms < ?1",
            (next_ms, delivery_id),
        )
    cur.execute(
        "UPDATE deliveries SET state = iif(?1 IS NULL, 'dead', 'pending'), attempts = attempts + 1, "
        "due_ms = coalesce(?1, due_ms), finished_ms = iif(?1 IS NULL, ?2, NULL), http_status = ?3, error = ?4 "
        "WHERE delivery_id = ?5 AND state = 'pending'",
        (next_ms, now_ms, http_status, error, delivery_id),
    )
