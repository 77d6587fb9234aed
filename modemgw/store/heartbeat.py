"""The two questions of the heartbeat: what became of it, and did it arrive."""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sent:
    """The outbound message. ``sent_ms``: when the network took it, None until then."""

    seq: int
    status: str
    sent_ms: int | None


def sent(cur: sqlite3.Cursor, message_id: str) -> Sent | None:
    """The message with this id; None when it was erased."""
    row = cur.execute("SELECT seq, status, sent_ms FROM messages WHERE id = ?", (message_id,)).fetchone()
    return Sent(row["seq"], row["status"], row["sent_ms"]) if row else None


def arrived(cur: sqlite3.Cursor, after_seq: int, sim_id: int, text: str) -> str | None:
    """The id of the message with this text that came to this SIM since."""
    row = cur.execute(
        "SELECT id FROM messages WHERE seq > ? AND direction = 'inbound' AND sim_id = ? AND text = ? LIMIT 1",
        (after_seq, sim_id, text),
    ).fetchone()
    return row["id"] if row else None
