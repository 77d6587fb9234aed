"""C1: what was accepted becomes rows - messages, segments, timeline, announcement - all of a request or nothing.

A short request is one transaction. A long one is a batch of several, so that nobody's intent or outcome waits behind
it: its messages are stored first, then the batch is accepted (that commit is the promise), then they join the queue.
What a crash leaves of a batch that was not accepted is deleted at start; an accepted one is finished.

Everything that the recipients of one request share is said once in its Draft, and all rows of a kind go down in one
statement: acceptance is where the numbers are large.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from modemgw.store import events, outbox, queue, views
from modemgw.store.events import Stamp

_COLUMNS = (
    "seq", "id", "direction", "peer", "text", "data", "encoding", "created_ms", "sim_id", "class", "lane", "priority",
    "status", "ready", "due_ms", "sim_pinned", "on_uncertain", "report", "flash", "port", "concat_ref", "ref", "key_id",
    "resend_of", "send_at_ms", "expires_ms", "line_id", "batch_id",
)  # fmt: skip
_INSERT = f"INSERT INTO messages ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
# One question for all numbers: the SIM that each knows (that it was last written to from, or wrote to), and whether an
# earlier message of this rank to it is still under way.
_KNOWN = (
    "SELECT j.value AS peer, (SELECT sim_id FROM messages WHERE peer = j.value AND sim_id IS NOT NULL "
    "ORDER BY seq DESC LIMIT 1) AS sim_id, EXISTS (SELECT 1 FROM messages WHERE peer = j.value AND rank = ? "
    "AND (status = 'queued' OR status = 'sending' OR status = 'uncertain')) AS behind FROM json_each(?) AS j"
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What the messages of one request have in common. ``segments``: text or octets of each, in order."""

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
    ref: str | None
    key_id: str
    resend_of: str | None
    send_at_ms: int | None
    expires_ms: int

    @property
    def rank(self) -> int:
        """Where it stands in the queue: lower goes first."""
        return self.lane * 100 - self.priority


class Recipient(NamedTuple):
    """One message of a request. ``prefix``: of the routing rule that the number matches."""

    id: str
    peer: str
    concat_ref: int = 0
    prefix: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """Accepted messages: row numbers, and the shape of the API as text and as objects."""

    seqs: range
    texts: list[str]
    bodies: list[views.Json]


def enqueue(
    cur: sqlite3.Cursor,
    stamp: Stamp,
    draft: Draft,
    recipients: Sequence[Recipient],
    sim_id: int | None = None,
    batch_id: int | None = None,
) -> Stored:
    """Stores and announces; with a batch it only stores. ``sim_id``: the SIM that was asked for."""
    scheduled = draft.send_at_ms is not None and draft.send_at_ms > stamp.now_ms
    status = "scheduled" if scheduled else "queued"
    due_ms = draft.send_at_ms if scheduled and batch_id is None else None
    first = _next_number(cur, "messages")
    sticky, behind = _known(cur, draft, recipients)
    lines: dict[tuple[str, str, int], int] = {}
    rows = []
    readies = []
    for number, (id_, peer, concat_ref, prefix, country) in enumerate(recipients, first):
        line = (prefix, country, 0 if sim_id is not None else sticky.get(peer, 0))
        if line not in lines:
            lines[line] = queue.intern(cur, draft.key_id, *line)
        ready = not scheduled and peer not in behind
        behind.add(peer)
        readies.append(ready)
        rows.append((
            number, id_, "outbound", peer, draft.text, draft.data, draft.encoding, stamp.now_ms, sim_id, draft.class_,
            draft.lane, draft.priority, status, int(ready and batch_id is None), due_ms, int(sim_id is not None),
            draft.on_uncertain, int(draft.report), int(draft.flash), draft.port, concat_ref, draft.ref, draft.key_id,
            draft.resend_of, draft.send_at_ms, draft.expires_ms, lines[line], batch_id,
        ))  # fmt: skip
    cur.executemany(_INSERT, rows)
    seqs = range(first, first + len(rows))
    _details(cur, stamp, draft, seqs)
    bodies = _bodies(cur, draft, rows[0], recipients, readies)
    stored = Stored(seqs, _texts(bodies), bodies)
    if batch_id is None and not scheduled:
        events.announce_messages(cur, stamp, "message.queued", seqs, stored.texts)
    return stored


def _details(cur: sqlite3.Cursor, stamp: Stamp, draft: Draft, seqs: range) -> None:
    parts = [
        (number, part if isinstance(part, str) else None, part if isinstance(part, bytes) else None)
        for number, part in enumerate(draft.segments, 1)
    ]
    cur.executemany(
        "INSERT INTO segments (message_seq, seq, text, data) VALUES (?, ?, ?, ?)",
        [(seq, *part) for seq in seqs for part in parts],
    )
    events.note_all(cur, stamp, seqs, "accepted", segments=len(parts), resend_of=draft.resend_of)


def _known(cur: sqlite3.Cursor, draft: Draft, recipients: Sequence[Recipient]) -> tuple[dict[str, int], set[str]]:
    """The SIM that each number knows, and the numbers to which an earlier message of this rank is under way."""
    sticky: dict[str, int] = {}
    behind: set[str] = set()
    peers = json.dumps([each.peer for each in recipients])
    for row in cur.execute(_KNOWN, (draft.rank, peers)):
        if row["sim_id"] is not None:
            sticky[row["peer"]] = row["sim_id"]
        if row["behind"]:
            behind.add(row["peer"])
    return sticky, behind


def _bodies(
    cur: sqlite3.Cursor, draft: Draft, row: tuple[object, ...], recipients: Sequence[Recipient], readies: list[bool]
) -> list[views.Json]:
    """The messages as the API shows them: they differ in id and number only, and in what they wait for."""
    template = dict(zip(_COLUMNS, row, strict=True)) | {"due_ms": draft.send_at_ms if row[12] == "scheduled" else None}
    shapes = {
        ready: views.accepted(cur, template | {"ready": ready}, len(draft.segments)) for ready in dict.fromkeys(readies)
    }
    return [
        shapes[ready] | {"id": each.id, "to": each.peer} for each, ready in zip(recipients, readies, strict=True)
    ]  # fmt: skip


def _texts(bodies: list[views.Json]) -> list[str]:
    """The JSON of each, written out once for all that have the same shape."""
    found: list[str] = []
    known: dict[object, tuple[str, str, str]] = {}
    for body in bodies:
        waits = body["waiting_for"]
        if waits not in known:
            text = events.to_json(body | {"id": "\ue000", "to": "\ue001"})
            head, _, rest = text.partition("\ue000")
            middle, _, tail = rest.partition("\ue001")
            known[waits] = (head, middle, tail)
        head, middle, tail = known[waits]
        found.append(f"{head}{body['id']}{middle}{body['to']}{tail}")
    return found


def _next_number(cur: sqlite3.Cursor, table: str) -> int:
    row = cur.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return (row["seq"] if row else 0) + 1


# Batches


def open_batch(cur: sqlite3.Cursor) -> int:
    """A request that is stored in several transactions; nobody sees its messages yet."""
    cur.execute("INSERT INTO batches DEFAULT VALUES")
    assert cur.lastrowid is not None
    return cur.lastrowid


def accept_batch(cur: sqlite3.Cursor, batch_id: int) -> None:
    """All its messages are stored: once this is committed they are promised."""
    cur.execute("UPDATE batches SET accepted = 1 WHERE batch_id = ?", (batch_id,))


def activate(cur: sqlite3.Cursor, stamp: Stamp, batch_id: int, limit: int, texts: dict[int, str]) -> bool:
    """The next messages of an accepted batch join the queue and are announced; False: those were the last.

    ``texts``: what is announced by row number, where that is known.
    """
    rows = cur.execute(
        "SELECT seq, status FROM messages WHERE batch_id = ? ORDER BY seq LIMIT ?", (batch_id, limit + 1)
    ).fetchall()
    more = len(rows) > limit
    rows = rows[:limit]
    if rows:
        cur.execute(
            "UPDATE messages AS m SET batch_id = NULL, due_ms = CASE status WHEN 'scheduled' THEN send_at_ms END, "
            "ready = status = 'queued' AND NOT EXISTS (SELECT 1 FROM messages AS o WHERE o.peer = m.peer "
            "AND o.rank = m.rank AND o.seq < m.seq "
            "AND (o.status = 'queued' OR o.status = 'sending' OR o.status = 'uncertain')) "
            "WHERE batch_id = ? AND seq BETWEEN ? AND ?",
            (batch_id, rows[0]["seq"], rows[-1]["seq"]),
        )
    seqs = [row["seq"] for row in rows if row["status"] == "queued"]
    known = [texts.get(seq) or events.to_json(views.message_by_seq(cur, seq)) for seq in seqs]
    events.announce_messages(cur, stamp, "message.queued", seqs, known)
    if not more:
        cur.execute("DELETE FROM batches WHERE batch_id = ?", (batch_id,))
    return more


def drop_batch(cur: sqlite3.Cursor, stamp: Stamp, batch_id: int, limit: int) -> int:
    """Deletes the next messages of a batch that was not accepted; how many. 0: the batch is gone."""
    rows = cur.execute(
        "SELECT seq, peer, rank FROM messages WHERE batch_id = ? ORDER BY seq LIMIT ?", (batch_id, limit)
    ).fetchall()
    for row in rows:
        cur.execute("DELETE FROM messages WHERE seq = ?", (row["seq"],))
        outbox.release_next(cur, stamp, row["peer"], row["rank"])
    if not rows:
        cur.execute("DELETE FROM batches WHERE batch_id = ?", (batch_id,))
    return len(rows)


def batches(cur: sqlite3.Cursor) -> list[tuple[int, bool]]:
    """(number, accepted) of every batch that is not finished."""
    rows = cur.execute("SELECT batch_id, accepted FROM batches ORDER BY batch_id").fetchall()
    return [(row["batch_id"], bool(row["accepted"])) for row in rows]
