"""Idempotency-Key: the same request with the same key gets the same messages, for seven days."""

import json
import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the same key was used for before."""

    fingerprint: bytes
    message_ids: list[str]


def find(cur: sqlite3.Cursor, key_id: str, idempotency_key: str) -> Earlier | None:
    """The earlier use of a key by this API key, if any."""
    row = cur.execute(
        "SELECT fingerprint, message_ids FROM idempotency WHERE key_id = ? AND idempotency_key = ?",
        (key_id, idempotency_key),
    ).fetchone()
    return Earlier(row["fingerprint"], json.loads(row["message_ids"])) if row else None


def save(
    cur: sqlite3.Cursor, *, key_id: str, idempotency_key: str, fingerprint: bytes, message_ids: list[str], now_ms: int
) -> None:  # fmt: skip
    """Binds a key to the messages it made, in the transaction that made them."""
    cur.execute(
        "INSERT INTO idempotency (key_id, idempotency_key, fingerprint, message_ids, created_ms) "
        "VALUES (?, ?, ?, ?, ?)",
        (key_id, idempotency_key, fingerprint, json.dumps(message_ids), now_ms),
    )
