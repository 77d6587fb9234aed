"""The queue: which message may go next, and what waits for a time.

A message is ready when its next queued segment may go now, and no earlier one of its class to the same number is on
its way. Only then is it in the queue's indexes, so that choosing the next one costs the same whatever the backlog.
What a SIM may take or not is the same for a whole line (same API key, same rule, same country, same SIM that the
recipients know), so that a SIM steps over a hundred thousand messages that are not for it in one step.
Nothing is written when a sender takes a message: the lease is in memory, and the first durable step is the intent
(attempts.py).
"""

import sqlite3
from collections.abc import Callable, Collection
from typing import NamedTuple

from modemgw.store import events
from modemgw.store.events import Stamp
from modemgw.store.outbox import settle


class Line(NamedTuple):
    """What waiting messages have in common.

    ``prefix``: of their routing rule. ``sim_id``: the SIM that their recipients know. ``avoid_id``: the SIM that has
    just refused them.
    """

    line_id: int
    key_id: str
    prefix: str
    country: str
    sim_id: int | None
    avoid_id: int | None = None


class Head(NamedTuple):
    """The first message of a line. ``bound``: it already belongs to the SIM that asks; ``begun``: it sent a part."""

    seq: int
    lane: int
    priority: int
    bound: bool
    begun: bool
    line: Line


class Outgoing(NamedTuple):
    """The next segment of a message, with all that its SUBMIT needs."""

    message_seq: int
    message_id: str
    segment_id: int
    seq: int
    parts: int
    peer: str
    lane: int
    priority: int
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


May = Callable[[str, bool], bool]  # (number, was a part of the message sent)
Takes = Callable[[Line, int, bool], May | None]
_LOOK_AHEAD = 20
_MAX_RANK = 1 << 20


def anybody(_: str, __: bool) -> bool:
    """Every number."""
    return True


def begun(_: str, begun: bool) -> bool:
    """Only what is left of a message that was begun."""
    return begun


def everything(_line: Line, _lane: int, _bound: bool) -> May | None:
    """Every line."""
    return anybody


def heads(cur: sqlite3.Cursor, sim_id: int, leased: Collection[int], takes: Takes = everything) -> list[Head]:
    """The first message of each line that ``sim_id`` may take, of the first rank in which there are any.

    ``leased``: row numbers of messages that are being sent. ``takes`` says for a line, a lane and whether the message
    is bound to this SIM which messages of it may go now; None: nothing of it.
    """
    rank = -_MAX_RANK
    while True:
        free, bound = _next_ranks(cur, sim_id, rank)
        rank = min(free, bound)
        if rank == _MAX_RANK:
            return []
        found = _heads_at(cur, _BOUND, [sim_id, rank], leased, takes, bound=True) if bound == rank else []
        found += _heads_at(cur, _FREE, [rank], leased, takes, bound=False) if free == rank else []
        if found:
            return found


_BOUND = "ready = 1 AND sim_id IS NOT NULL AND sim_id = ? AND rank = ?"
_FREE = "ready = 1 AND sim_id IS NULL AND rank = ?"


def _next_ranks(cur: sqlite3.Cursor, sim_id: int, after: int) -> tuple[int, int]:
    """The next rank with ready messages that are free, and that with some that are bound to this SIM; or _MAX_RANK."""
    row = cur.execute(
        "SELECT (SELECT min(rank) FROM messages WHERE ready = 1 AND sim_id IS NULL AND rank > ?1) AS free, "
        "(SELECT min(rank) FROM messages WHERE ready = 1 AND sim_id IS NOT NULL AND sim_id = ?2 AND rank > ?1) "
        "AS bound",
        (after, sim_id),
    ).fetchone()
    free, bound = (_MAX_RANK if each is None else each for each in row)
    return free, bound


def _heads_at(
    cur: sqlite3.Cursor, where: str, values: list[int], leased: Collection[int], takes: Takes, *, bound: bool
) -> list[Head]:
    found: list[Head] = []
    line_id = -1
    while True:
        first = cur.execute(
            f"SELECT line_id, lane FROM messages WHERE {where} AND line_id > ? ORDER BY line_id, seq LIMIT 1",
            [*values, line_id],
        ).fetchone()
        if first is None:
            return found
        line_id = first["line_id"]
        line = _line(cur, line_id)
        may = takes(line, first["lane"], bound)
        if may is not None:
            rows = cur.execute(
                f"SELECT seq, lane, priority, peer, status FROM messages WHERE {where} AND line_id = ? "
                "ORDER BY seq LIMIT ?",
                [*values, line_id, len(leased) + (1 if may is anybody else _LOOK_AHEAD)],
            )
            for row in rows:
                sent_a_part = row["status"] == "sending"
                if row["seq"] not in leased and may(row["peer"], sent_a_part):
                    found.append(Head(row["seq"], row["lane"], row["priority"], bound, sent_a_part, line))
                    break


def _line(cur: sqlite3.Cursor, line_id: int) -> Line:
    row = cur.execute("SELECT * FROM lines WHERE line_id = ?", (line_id,)).fetchone()
    return Line(line_id, row["key_id"], row["prefix"], row["country"], row["sim_id"] or None, row["avoid_id"] or None)


def line_of(cur: sqlite3.Cursor, message_id: str) -> tuple[Line, int] | None:
    """The line and the lane of an outbound message."""
    row = cur.execute(
        "SELECT line_id, lane FROM messages WHERE id = ? AND direction = 'outbound'", (message_id,)
    ).fetchone()
    return (_line(cur, row["line_id"]), row["lane"]) if row else None


def sort_anew(cur: sqlite3.Cursor, prefixes: Collection[str], prefix_of: Callable[[str], str]) -> int:
    """Puts waiting messages into the lines of the rules as they are now; returns how many changed their line."""
    known = {row["prefix"] for row in cur.execute("SELECT prefix FROM line_rules")}
    if known == set(prefixes):
        return 0
    moved = 0
    rows = cur.execute(
        "SELECT m.seq, m.peer, l.key_id, l.prefix, l.country, l.sim_id FROM messages AS m "
        "JOIN lines AS l ON l.line_id = m.line_id WHERE m.status IN ('scheduled', 'queued', 'held')"
    ).fetchall()
    for row in rows:
        prefix = prefix_of(row["peer"])
        if prefix != row["prefix"]:
            line = intern(cur, row["key_id"], prefix, row["country"], row["sim_id"])
            cur.execute("UPDATE messages SET line_id = ? WHERE seq = ?", (line, row["seq"]))
            moved += 1
    cur.execute("DELETE FROM line_rules")
    cur.executemany("INSERT INTO line_rules (prefix) VALUES (?)", [(each,) for each in sorted(prefixes)])
    return moved


def avoid(cur: sqlite3.Cursor, message_seq: int, sim_id: int) -> None:
    """A SIM has refused this message, which is free again: others come first."""
    row = cur.execute("SELECT l.* FROM messages AS m JOIN lines AS l USING (line_id) WHERE m.seq = ? "
                      "AND m.sim_id IS NULL", (message_seq,)).fetchone()  # fmt: skip
    if row is not None:
        line_id = intern(cur, row["key_id"], row["prefix"], row["country"], 0, sim_id)
        cur.execute("UPDATE messages SET line_id = ? WHERE seq = ?", (line_id, message_seq))


def intern(cur: sqlite3.Cursor, key_id: str, prefix: str, country: str, sim_id: int, avoid_id: int = 0) -> int:
    """The number of a line, made where it is new."""
    values = (key_id, prefix, country, sim_id, avoid_id)
    row = cur.execute(
        "SELECT line_id FROM lines WHERE key_id = ? AND prefix = ? AND country = ? AND sim_id = ? AND avoid_id = ?",
        values,
    ).fetchone()
    if row is not None:
        return int(row["line_id"])
    cur.execute("INSERT INTO lines (key_id, prefix, country, sim_id, avoid_id) VALUES (?, ?, ?, ?, ?)", values)
    assert cur.lastrowid is not None
    return cur.lastrowid


def next_segment(cur: sqlite3.Cursor, message_seq: int, *, going_on: bool = False) -> Outgoing | None:
    """The first queued segment of a ready message; None when there is nothing to send any more.

    ``going_on``: the segment before it was accepted, and that is being written down at this moment.
    """
    row = cur.execute(
        "SELECT m.*, g.segment_id, g.seq AS segment_seq, g.text AS segment_text, g.data AS segment_data, g.attempts, "
        "g.failures, g.resends, g.cms AS segment_cms, "
        "(SELECT count(*) FROM segments WHERE message_seq = m.seq) AS total, "
        "NOT EXISTS (SELECT 1 FROM segments WHERE message_seq = m.seq AND "
        "(state NOT IN ('queued', 'cancelled', 'expired', 'failed') OR resends > 0)) AS untouched "
        "FROM messages AS m JOIN segments AS g ON g.message_seq = m.seq "
        "WHERE m.seq = ? AND (m.ready = 1 OR (? AND m.due_ms IS NULL)) AND g.state = 'queued' ORDER BY g.seq LIMIT 1",
        (message_seq, going_on),
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
        lane=row["lane"],
        priority=row["priority"],
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
