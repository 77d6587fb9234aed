"""The timeline of a message, and the announcements that webhooks fan out from.

Both are written in the transaction of the change that they speak of: what is not committed was never announced.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pydantic_core

from modemgw.store import deliveries, views


def to_json(value: Mapping[str, object]) -> str:
    """JSON that says every character as it is; pydantic's is several times as quick as json.dumps."""
    return pydantic_core.to_json(value).decode()


@dataclass(slots=True)
class News:
    """What follows from a unit of work once it is on disk.

    ``told``: the outbox has something for a webhook. ``freed``: a message may go that waited for another one, or now
    waits for a time.
    """

    told: bool = False
    freed: bool = False


@dataclass(slots=True)
class Stamp:
    """When a unit of work happens, and a fresh id from which its announcements take theirs."""

    now_ms: int
    id: str
    news: News = field(default_factory=News)
    _count: int = field(default=0)

    def next_id(self) -> str:
        self._count += 1
        return f"evt_{self.id}_{self._count}"


def note(cur: sqlite3.Cursor, stamp: Stamp, message_seq: int, event: str, **detail: object) -> None:
    """Adds a line to the message's timeline; ``detail`` must be JSON and hold no message text."""
    known = {key: value for key, value in detail.items() if value is not None}
    cur.execute(
        "INSERT INTO timeline (message_seq, at_ms, event, detail) VALUES (?, ?, ?, ?)",
        (message_seq, stamp.now_ms, event, to_json(known)),
    )


def note_all(cur: sqlite3.Cursor, stamp: Stamp, seqs: Sequence[int], event: str, **detail: object) -> None:
    """The same line for many messages."""
    known = to_json({key: value for key, value in detail.items() if value is not None})
    cur.executemany(
        "INSERT INTO timeline (message_seq, at_ms, event, detail) VALUES (?, ?, ?, ?)",
        [(seq, stamp.now_ms, event, known) for seq in seqs],
    )


def announce_messages(cur: sqlite3.Cursor, stamp: Stamp, type_: str, seqs: Sequence[int], texts: Sequence[str]) -> None:
    """Announces many messages, whose JSON is written already."""
    row = cur.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    first = (row["seq"] if row else 0) + 1
    cur.executemany(
        "INSERT INTO events (seq, id, type, at_ms, message_seq, data) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (number, stamp.next_id(), type_, stamp.now_ms, seq, text)
            for number, (seq, text) in enumerate(zip(seqs, texts, strict=True), first)
        ],
    )
    for target_id in _targets(cur, type_):
        deliveries.add(cur, target_id, enumerate(seqs, first), stamp.now_ms)
        stamp.news.told = True


def announce_message(cur: sqlite3.Cursor, stamp: Stamp, message_seq: int, type_: str) -> None:
    """Announces ``type_`` with the message as it is now."""
    body = views.message_by_seq(cur, message_seq)
    _insert(cur, stamp, type_, body, message_seq)


def announce(cur: sqlite3.Cursor, stamp: Stamp, type_: str, data: Mapping[str, object]) -> None:
    """Announces something that is not about one message."""
    _insert(cur, stamp, type_, data, None)


def _insert(cur: sqlite3.Cursor, stamp: Stamp, type_: str, data: Mapping[str, object], message_seq: int | None) -> None:
    cur.execute(
        "INSERT INTO events (id, type, at_ms, message_seq, data) VALUES (?, ?, ?, ?, ?)",
        (stamp.next_id(), type_, stamp.now_ms, message_seq, to_json(data)),
    )
    event_seq = cur.lastrowid
    assert event_seq is not None
    for target_id in _targets(cur, type_):
        deliveries.add(cur, target_id, [(event_seq, message_seq)], stamp.now_ms)
        stamp.news.told = True


def _targets(cur: sqlite3.Cursor, type_: str) -> list[str]:
    """Who wants to hear of this."""
    rows = cur.execute("SELECT target_id, events FROM webhook_targets WHERE enabled = 1").fetchall()
    return [row["target_id"] for row in rows if any(_matches(each, type_) for each in json.loads(row["events"]))]


def _matches(pattern: str, type_: str) -> bool:
    """``message.*`` covers every type of that family, ``*`` all."""
    return pattern in ("*", type_) or (pattern.endswith(".*") and type_.startswith(pattern[:-1]))
