"""What the owner is to be told, and what was told already."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

_TYPES = ("sim.limit", "sim.credit")


@dataclass(frozen=True, slots=True)
class News:
    """An announcement about a SIM."""

    seq: int
    type: str
    data: dict[str, Any]
    sim_id: int | None


def news(cur: sqlite3.Cursor, after_seq: int) -> list[News]:
    """Announcements about SIMs in trouble since ``after_seq``, in order; -1: the newest alone, to begin there."""
    if after_seq < 0:
        rows = cur.execute("SELECT * FROM events ORDER BY seq DESC LIMIT 1").fetchall()
    else:
        rows = cur.execute(
            "SELECT * FROM events WHERE seq > ? AND type IN (?, ?) AND data ->> 'state' IS NOT 'fine' "
            "ORDER BY seq LIMIT 100",
            (after_seq, *_TYPES),
        ).fetchall()
    found = []
    for row in rows:
        data = json.loads(row["data"])
        sim = cur.execute("SELECT sim_id FROM sims WHERE iccid = ?", (data.get("iccid"),)).fetchone()
        found.append(News(row["seq"], row["type"], data, sim["sim_id"] if sim else None))
    return found


def was_told(cur: sqlite3.Cursor, ref: str, since_ms: int) -> bool:
    """True when an alert with this reference was made since then."""
    row = cur.execute(
        "SELECT 1 FROM messages WHERE ref = ? AND created_ms >= ? AND direction = 'outbound' LIMIT 1", (ref, since_ms)
    ).fetchone()
    return row is not None


def available_sim(cur: sqlite3.Cursor, *, without: int | None) -> str | None:
    """A SIM (ICCID) that can send now and is not the one in trouble; None leaves the choice to the queue."""
    row = cur.execute(
        "SELECT iccid FROM sims WHERE available = 1 AND iccid IS NOT NULL AND sim_id IS NOT ? "
        "ORDER BY urgent_only, sim_id LIMIT 1",
        (without,),
    ).fetchone()
    return row["iccid"] if row else None


def oldest_ready_before(cur: sqlite3.Cursor, before_ms: int) -> int | None:
    """A message that could go and was accepted before then, if there is one; alerts themselves don't count."""
    for where in ("sim_id IS NULL", "sim_id IS NOT NULL"):
        row = cur.execute(
            f"SELECT seq FROM messages WHERE ready = 1 AND {where} AND created_ms < ? "
            "AND (ref IS NULL OR ref NOT LIKE 'alert:%') LIMIT 1",
            (before_ms,),
        ).fetchone()
        if row is not None:
            return int(row["seq"])
    return None
