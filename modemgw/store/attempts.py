"""Every hand-over of a segment to a modem: the intent (C2), the outcome (C3), and proof that comes later.

The intent is committed before Ctrl-Z is written. An attempt found as ``submitting`` at start is one that a crash cut
off: the modem may have sent it, so it becomes uncertain and is never simply repeated.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from modemgw.domain.states import SEGMENT_TRANSITIONS
from modemgw.store import events, outbox
from modemgw.store.errors import StaleState
from modemgw.store.events import Stamp

HOUR_MS = 3_600_000
Error = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be written to a modem. ``port``: the tty's stable path, where a late answer would come."""

    token: str
    message_seq: int
    segment_id: int
    sim_id: int
    modem: str
    port: str
    boot_id: str
    peer: str
    resend: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """One stored attempt with what decisions about it need."""

    attempt_id: int
    token: str
    segment_id: int
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
    "SELECT a.*, g.message_seq, g.resends, m.id AS message_id, m.class, m.on_uncertain, m.expires_ms, "
    "a.attempt_id = (SELECT max(attempt_id) FROM attempts WHERE segment_id = a.segment_id) AS newest "
    "FROM attempts AS a JOIN segments AS g ON g.segment_id = a.segment_id JOIN messages AS m ON m.seq = g.message_seq "
)


def intend(cur: sqlite3.Cursor, stamp: Stamp, intent: Intent) -> None:
    """C2: compare-and-set queued -> submitting, the attempt's row, the SIM's debit. StaleState when it may not go."""
    cur.execute(
        "UPDATE segments SET state = 'submitting', attempts = attempts + 1 WHERE segment_id = ? AND state = 'queued' "
        "AND EXISTS (SELECT 1 FROM messages WHERE seq = ? AND ready = 1 AND expires_ms > ?)",
        (intent.segment_id, intent.message_seq, stamp.now_ms),
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
    cur.execute(
        "UPDATE messages SET sim_id = ?, modem = ?, error = NULL WHERE seq = ?",
        (intent.sim_id, intent.modem, intent.message_seq),
    )
    events.note(cur, stamp, intent.message_seq, "submitting", segment=intent.segment_id, modem=intent.modem,
                resend=intent.resend or None)  # fmt: skip
    outbox.settle(cur, stamp, intent.message_seq)


def accepted(cur: sqlite3.Cursor, stamp: Stamp, token: str, mr: int | None, evidence: str) -> Attempt | None:
    """C3: the network took it. Also for an answer that came late; returns the attempt, None for an unknown token."""
    attempt = find(cur, token)
    if attempt is None:
        return None
    if attempt.state not in ("submitted", "delivered", "undelivered"):
        cur.execute(
            "UPDATE attempts SET state = 'submitted', mr = coalesce(?, mr), ended_ms = ?, decide_ms = NULL, "
            "evidence = ?, error = NULL WHERE attempt_id = ?",
            (mr, stamp.now_ms, evidence, attempt.attempt_id),
        )
    elif attempt.mr is None:
        cur.execute("UPDATE attempts SET mr = ? WHERE attempt_id = ?", (mr, attempt.attempt_id))
    _prove(cur, stamp, attempt, "accepted", evidence=evidence, mr=mr)
    return attempt


def reported(cur: sqlite3.Cursor, stamp: Stamp, attempt: Attempt, mr: int, outcome: str, tp_status: int) -> None:
    """C4: a status report proves what became of an attempt; ``outcome`` is delivered, undelivered or submitted."""
    if attempt.state in ("delivered", "undelivered"):
        return
    cur.execute(
        "UPDATE attempts SET state = ?, mr = coalesce(mr, ?), tp_status = ?, decide_ms = NULL, "
        "evidence = coalesce(evidence, 'report'), ended_ms = coalesce(ended_ms, ?) WHERE attempt_id = ?",
        (outcome, mr, tp_status, stamp.now_ms, attempt.attempt_id),
    )
    event = "accepted" if outcome == "submitted" else f"report_{outcome}"
    _prove(cur, stamp, attempt, event, evidence="report", mr=mr, tp_status=tp_status)


def _prove(cur: sqlite3.Cursor, stamp: Stamp, attempt: Attempt, event: str, *, evidence: str, mr: int | None,
           tp_status: int | None = None) -> None:  # fmt: skip
    """Proof for any attempt settles its segment, and takes back a resend that no modem has yet."""
    state = cur.execute("SELECT state FROM segments WHERE segment_id = ?", (attempt.segment_id,)).fetchone()["state"]
    if event not in SEGMENT_TRANSITIONS[state]:
        return  # final states are sticky
    columns: dict[str, object] = {} if tp_status is None else {"tp_status": tp_status}
    row = cur.execute("SELECT submitted_ms FROM segments WHERE segment_id = ?", (attempt.segment_id,)).fetchone()
    if row["submitted_ms"] is None:
        columns["submitted_ms"] = stamp.now_ms
    outbox.move_segment(cur, stamp, attempt.segment_id, event, error=None, **columns)
    if attempt.state in ("uncertain", "unknown", "refused"):
        events.note(
            cur,
            stamp,
            attempt.message_seq,
            "proof_found",
            evidence=evidence,
            mr=mr,
            segment=attempt.segment_id,
        )
    elif tp_status is not None:
        events.note(cur, stamp, attempt.message_seq, "report", tp_status=tp_status, segment=attempt.segment_id)
    cur.execute("UPDATE messages SET error = NULL WHERE seq = ? AND status IN ('uncertain', 'unknown', 'sending')",
                (attempt.message_seq,))  # fmt: skip
    outbox.settle(cur, stamp, attempt.message_seq)


def not_sent(cur: sqlite3.Cursor, stamp: Stamp, token: str, reason: str, due_ms: int | None) -> None:
    """C3: certainly nothing left the modem, although the intent was written; the segment is queued again."""
    attempt = find(cur, token)
    if attempt is None or attempt.state != "submitting":
        return
    _close(cur, stamp, attempt, "not_sent", reason, None)
    cur.execute(
        "UPDATE usage SET segments = segments - 1 WHERE sim_id = ? AND hour_ms = ?",
        (attempt.sim_id, attempt.started_ms // HOUR_MS * HOUR_MS),
    )
    events.note(cur, stamp, attempt.message_seq, "not_sent", reason=reason)
    outbox.move_segment(cur, stamp, attempt.segment_id, "not_sent")
    outbox.settle(cur, stamp, attempt.message_seq, due_ms=due_ms)


def refused(
    cur: sqlite3.Cursor, stamp: Stamp, token: str, error: Error, *, retry_ms: int | None, unbind: bool
) -> Attempt | None:
    """C3: definitely refused. Queued again for ``retry_ms``, or failed for good (None), and with it the message."""
    attempt = find(cur, token)
    if attempt is None or attempt.state != "submitting":
        return attempt
    _close(cur, stamp, attempt, "refused", str(error["text"]), error)
    events.note(cur, stamp, attempt.message_seq, "refused", code=error["code"], cms=error["cms"], text=error["text"])
    outbox.set_error(cur, attempt.message_seq, dict(error))
    columns = {"cms": error["cms"], "error": error["code"]}
    if retry_ms is None:
        outbox.move_segment(cur, stamp, attempt.segment_id, "give_up", **columns)
        # No more money for a message that can't be whole any more.
        outbox.end_queued(cur, stamp, attempt.message_seq, "cancel")
    else:
        cur.execute("UPDATE segments SET failures = failures + 1 WHERE segment_id = ?", (attempt.segment_id,))
        outbox.move_segment(cur, stamp, attempt.segment_id, "retry", **columns)
        if unbind:
            cur.execute("UPDATE messages SET sim_id = NULL WHERE seq = ? AND sim_pinned = 0", (attempt.message_seq,))
    outbox.settle(cur, stamp, attempt.message_seq, due_ms=retry_ms)
    return attempt


def uncertain(cur: sqlite3.Cursor, stamp: Stamp, token: str, error: Error, decide_ms: int) -> None:
    """C3: Ctrl-Z was written and no answer tells what became of it; proof is looked for until ``decide_ms``."""
    attempt = find(cur, token)
    if attempt is None or attempt.state != "submitting":
        return
    _close(cur, stamp, attempt, "uncertain", str(error["text"]), error)
    cur.execute("UPDATE attempts SET decide_ms = ? WHERE attempt_id = ?", (decide_ms, attempt.attempt_id))
    state = cur.execute("SELECT state FROM segments WHERE segment_id = ?", (attempt.segment_id,)).fetchone()["state"]
    if state != "submitting":
        return  # an earlier attempt was proven meanwhile
    outbox.set_error(cur, attempt.message_seq, dict(error))
    outbox.move_segment(cur, stamp, attempt.segment_id, "lost", cms=error["cms"], error=error["code"])
    outbox.settle(cur, stamp, attempt.message_seq, reason=error["text"])


def resend(cur: sqlite3.Cursor, stamp: Stamp, attempt: Attempt) -> None:
    """The window is over without proof, and the class allows one more copy."""
    _decided(cur, stamp, attempt)
    if not _is_uncertain(cur, attempt):
        return
    cur.execute("UPDATE segments SET resends = resends + 1 WHERE segment_id = ?", (attempt.segment_id,))
    events.note(cur, stamp, attempt.message_seq, "resend", segment=attempt.segment_id,
                text="No proof was found that the network took this segment: one more copy is sent.")  # fmt: skip
    outbox.move_segment(cur, stamp, attempt.segment_id, "retry")
    outbox.settle(cur, stamp, attempt.message_seq)


def give_up_proof(cur: sqlite3.Cursor, stamp: Stamp, attempt: Attempt) -> None:
    """The window is over without proof, and no further copy is allowed: unknown."""
    _decided(cur, stamp, attempt)
    if not _is_uncertain(cur, attempt):
        return
    outbox.set_error(cur, attempt.message_seq, {
        "code": "outcome_unknown", "retryable": False, "cms": None, "tp_status": None,
        "text": "The modem never said whether the network took this message, and no proof was found.",
    })  # fmt: skip
    outbox.move_segment(cur, stamp, attempt.segment_id, "no_proof")
    outbox.settle(cur, stamp, attempt.message_seq)


def undecided(cur: sqlite3.Cursor, now_ms: int) -> list[Attempt]:
    """Uncertain attempts whose window is over."""
    rows = cur.execute(
        f"{_SELECT} WHERE a.state = 'uncertain' AND a.decide_ms <= ? ORDER BY a.attempt_id LIMIT 100",
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
        f"{_SELECT} WHERE a.port = ? AND a.state IN ('submitting', 'uncertain', 'unknown') "
        "AND NOT EXISTS (SELECT 1 FROM attempts AS b WHERE b.attempt_id > a.attempt_id AND b.port = a.port) "
        "ORDER BY a.attempt_id DESC LIMIT 1",
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


def candidates(cur: sqlite3.Cursor, sim_id: int, mr: int) -> list[Attempt]:
    """Attempts of a SIM with this MR, newest first."""
    rows = cur.execute(f"{_SELECT} WHERE a.sim_id = ? AND a.mr = ? ORDER BY a.attempt_id DESC LIMIT 16", (sim_id, mr))
    return [_attempt(row) for row in rows.fetchall()]


def without_mr(cur: sqlite3.Cursor, sim_id: int) -> list[Attempt]:
    """Uncertain and unknown attempts of a SIM whose MR was never learnt, and accepted ones without MR; newest first."""
    rows = cur.execute(
        f"{_SELECT} WHERE a.sim_id = ? AND a.mr IS NULL AND a.state IN ('uncertain', 'unknown', 'submitted') "
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


def _close(cur: sqlite3.Cursor, stamp: Stamp, attempt: Attempt, state: str, reason: str, error: Error | None) -> None:
    cur.execute(
        "UPDATE attempts SET state = ?, ended_ms = ?, error = ?, cms = ? WHERE attempt_id = ?",
        (state, stamp.now_ms, reason, error["cms"] if error else None, attempt.attempt_id),
    )


def _decided(cur: sqlite3.Cursor, stamp: Stamp, attempt: Attempt) -> None:
    cur.execute(
        "UPDATE attempts SET state = 'unknown', decide_ms = NULL, ended_ms = ? "
        "WHERE attempt_id = ? AND state = 'uncertain'",
        (stamp.now_ms, attempt.attempt_id),
    )


def _is_uncertain(cur: sqlite3.Cursor, attempt: Attempt) -> bool:
    row = cur.execute("SELECT state FROM segments WHERE segment_id = ?", (attempt.segment_id,)).fetchone()
    return bool(row["state"] == "uncertain")


def _attempt(row: sqlite3.Row) -> Attempt:
    return Attempt(
        attempt_id=row["attempt_id"], token=row["token"], segment_id=row["segment_id"],
        message_seq=row["message_seq"], message_id=row["message_id"], sim_id=row["sim_id"], modem=row["modem"],
        port=row["port"], peer=row["peer"], state=row["state"], mr=row["mr"], started_ms=row["started_ms"],
        decide_ms=row["decide_ms"], class_=row["class"], on_uncertain=row["on_uncertain"],
        expires_ms=row["expires_ms"], resends=row["resends"], newest=bool(row["newest"]),
    )  # fmt: skip
