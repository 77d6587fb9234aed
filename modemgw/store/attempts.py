"""Every hand-over of a segment to a modem: the intent (C2), and the questions that are asked about attempts.

The intent is committed before Ctrl-Z is written. An attempt found as ``submitting`` at start is one that a crash cut
off: the modem may have sent it, so it becomes uncertain and is never simply repeated.
"""

import sqlite3
from typing import NamedTuple

from modemgw.store import events, outbox
from modemgw.store.errors import StaleState
from modemgw.store.events import Stamp

HOUR_MS = 3_600_000


class Intent(NamedTuple):
    """What is about to be written to a modem. ``port``: the tty's stable path, where a late answer would come."""

    token: str
    message_seq: int
    segment_id: int
    seq: int
    sim_id: int
    modem: str
    port: str
    boot_id: str
    peer: str
    resend: bool
    route: str | None = None  # JSON: why this SIM; None where it was said before


class Attempt(NamedTuple):
    """One stored attempt with what decisions about it need."""

    attempt_id: int
    token: str
    segment_id: int
    seq: int  # the segment's number in its message
    message_seq: int
    message_id: str
    sim_id: int
    modem: str
    port: str
    peer: str
    state: str
    mr: int | None
    started_ms: int
    decide_ms: int | None
    class_: str
    on_uncertain: str
    expires_ms: int
    resends: int
    newest: bool


_SELECT = (
    "SELECT a.*, g.message_seq, g.seq, g.resends, m.id AS message_id, m.class, m.on_uncertain, m.expires_ms, "
    "a.attempt_id = (SELECT max(attempt_id) FROM attempts WHERE segment_id = a.segment_id) AS newest "
    "FROM attempts AS a JOIN segments AS g ON g.segment_id = a.segment_id JOIN messages AS m ON m.seq = g.message_seq "
)


def intend(cur: sqlite3.Cursor, stamp: Stamp, intent: Intent, *, expire: bool = True) -> None:
    """C2: compare-and-set queued -> submitting, the attempt's row, the SIM's debit. StaleState when it may not go.

    ``expire`` False: the clock can't be right, and nothing is too late by it.
    """
    cur.execute(
        "UPDATE segments SET state = 'submitting', attempts = attempts + 1 WHERE segment_id = ? AND state = 'queued' "
        "AND EXISTS (SELECT 1 FROM messages WHERE seq = ? AND ready = 1 AND expires_ms > ?)",
        (intent.segment_id, intent.message_seq, stamp.now_ms if expire else 0),
    )
    if cur.rowcount != 1:
        raise StaleState("the message was cancelled or has expired")
    cur.execute(
        "INSERT INTO attempts (token, segment_id, sim_id, modem, port, peer, state, boot_id, started_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, 'submitting', ?, ?)",
        (
            intent.token,
            intent.segment_id,
            intent.sim_id,
            intent.modem,
            intent.port,
            intent.peer,
            intent.boot_id,
            stamp.now_ms,
        ),
    )
    cur.execute(
        "INSERT INTO usage (sim_id, hour_ms, segments) VALUES (?, ?, 1) "
        "ON CONFLICT (sim_id, hour_ms) DO UPDATE SET segments = segments + 1",
        (intent.sim_id, stamp.now_ms // HOUR_MS * HOUR_MS),
    )
    events.note(cur, stamp, intent.message_seq, "submitting", segment=intent.seq, modem=intent.modem,
                resend=intent.resend or None)  # fmt: skip
    why = {} if intent.route is None else {"route": intent.route}
    columns = {"sim_id": intent.sim_id, "modem": intent.modem, "error": None, **why}
    outbox.settle(cur, stamp, intent.message_seq, columns=columns)


def undecided(cur: sqlite3.Cursor, now_ms: int) -> list[Attempt]:
    """Uncertain attempts whose window is over."""
    rows = cur.execute(
        f"{_SELECT} WHERE a.state = 'uncertain' AND a.decide_ms <= ? ORDER BY a.decide_ms LIMIT 100",
        (now_ms,),
    )
    return [_attempt(row) for row in rows.fetchall()]


def next_decision_ms(cur: sqlite3.Cursor) -> int | None:
    """When the next window is over; None when nothing is uncertain."""
    value: int | None = cur.execute("SELECT min(decide_ms) FROM attempts WHERE state = 'uncertain'").fetchone()[0]
    return value


def cut_off(cur: sqlite3.Cursor) -> list[Attempt]:
    """Attempts that were under way when the service last ended."""
    return [
        _attempt(row) for row in cur.execute(f"{_SELECT} WHERE a.state = 'submitting' ORDER BY a.attempt_id").fetchall()
    ]


def newest_open_on_port(cur: sqlite3.Cursor, port: str) -> Attempt | None:
    """The last attempt on a tty whose answer was never heard, if it is the last one that was made there."""
    row = cur.execute(
        f"{_SELECT} WHERE a.attempt_id = (SELECT max(attempt_id) FROM attempts WHERE port = ?) "
        "AND a.state IN ('submitting', 'uncertain', 'unknown')",
        (port,),
    ).fetchone()
    return _attempt(row) if row else None


def find(cur: sqlite3.Cursor, token: str) -> Attempt | None:
    """An attempt by its token."""
    row = cur.execute(f"{_SELECT} WHERE a.token = ?", (token,)).fetchone()
    return _attempt(row) if row else None


def used_since(cur: sqlite3.Cursor, since_ms: int, sim_id: int | None = None) -> int:
    """Segments debited from the hour of ``since_ms`` on, of one SIM or of all."""
    if sim_id is None:
        row = cur.execute("SELECT coalesce(sum(segments), 0) FROM usage WHERE hour_ms >= ?", (since_ms,))
    else:
        row = cur.execute(
            "SELECT coalesce(sum(segments), 0) FROM usage WHERE sim_id = ? AND hour_ms >= ?",
            (sim_id, since_ms),
        )
    return int(row.fetchone()[0])


def recipients_since(cur: sqlite3.Cursor, sim_id: int, since_ms: int) -> set[str]:
    """The different numbers that a SIM was asked to write to since ``since_ms``."""
    rows = cur.execute(
        "SELECT DISTINCT peer FROM attempts WHERE sim_id = ? AND started_ms >= ? AND state != 'not_sent'",
        (sim_id, since_ms),
    )
    return {row["peer"] for row in rows}


def candidates(cur: sqlite3.Cursor, sim_id: int, mr: int) -> list[Attempt]:
    """Attempts of a SIM with this MR, newest first."""
    rows = cur.execute(f"{_SELECT} WHERE a.sim_id = ? AND a.mr = ? ORDER BY a.attempt_id DESC LIMIT 16", (sim_id, mr))
    return [_attempt(row) for row in rows.fetchall()]


def without_mr(cur: sqlite3.Cursor, sim_id: int) -> list[Attempt]:
    """Attempts of a SIM that the network took or may have taken and whose MR is not known, or not yet; newest first."""
    rows = cur.execute(
        f"{_SELECT} WHERE a.sim_id = ? AND a.mr IS NULL "
        "AND a.state IN ('submitting', 'uncertain', 'unknown', 'submitted') "
        "ORDER BY a.attempt_id DESC LIMIT 256",
        (sim_id,),
    )
    return [_attempt(row) for row in rows.fetchall()]


def mr_is_taken(cur: sqlite3.Cursor, sim_id: int, mr: int) -> bool:
    """True when one of the SIM's last 256 attempts got this MR."""
    row = cur.execute(
        "SELECT 1 FROM attempts WHERE sim_id = ?1 AND mr = ?2 AND attempt_id >= coalesce("
        "(SELECT attempt_id FROM attempts WHERE sim_id = ?1 ORDER BY attempt_id DESC LIMIT 1 OFFSET 255), 0) LIMIT 1",
        (sim_id, mr),
    ).fetchone()
    return row is not None


def _attempt(row: sqlite3.Row) -> Attempt:
    return Attempt(
        attempt_id=row["attempt_id"], token=row["token"], segment_id=row["segment_id"],
        seq=row["seq"],
        message_seq=row["message_seq"], message_id=row["message_id"], sim_id=row["sim_id"], modem=row["modem"],
        port=row["port"], peer=row["peer"], state=row["state"], mr=row["mr"], started_ms=row["started_ms"],
        decide_ms=row["decide_ms"], class_=row["class"], on_uncertain=row["on_uncertain"],
        expires_ms=row["expires_ms"], resends=row["resends"], newest=bool(row["newest"]),
    )  # fmt: skip
