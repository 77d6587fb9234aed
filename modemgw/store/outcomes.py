"""What became of an attempt: the outcome (C3), the report (C4), and proof that comes later.

Proof for any attempt settles its segment, whenever it comes; final states are sticky. What is definitely refused or
certainly not sent goes back to the queue; what nobody knows becomes uncertain, and is decided when its window is over.
"""

import sqlite3
from collections.abc import Mapping

from modemgw.domain.states import SEGMENT_TRANSITIONS
from modemgw.store import events, outbox, queue
from modemgw.store.attempts import HOUR_MS, Attempt, find
from modemgw.store.events import Stamp
from modemgw.store.queue import Outgoing

Error = Mapping[str, object]  # the contract's error: code, text, retryable, cms, tp_status


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
    row = cur.execute("SELECT state, submitted_ms FROM segments WHERE segment_id = ?", (attempt.segment_id,)).fetchone()
    if event not in SEGMENT_TRANSITIONS[row["state"]]:
        return  # final states are sticky
    columns: dict[str, object] = {} if tp_status is None else {"tp_status": tp_status}
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
            segment=attempt.seq,
        )
    elif tp_status is not None:
        events.note(cur, stamp, attempt.message_seq, "report", tp_status=tp_status, segment=attempt.seq)
    outbox.settle(cur, stamp, attempt.message_seq, proven=True)


def not_sent(
    cur: sqlite3.Cursor, stamp: Stamp, token: str, reason: str, due_ms: int | None, *, unbind: bool = False
) -> None:
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
    if unbind:
        _unbind(cur, attempt.message_seq, attempt.sim_id)
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
        # This copy was refused, but an earlier one may have gone out: then nobody knows.
        outbox.move_segment(cur, stamp, attempt.segment_id, "no_proof" if attempt.resends else "give_up", **columns)
        # No more money for a message that can't be whole any more.
        outbox.end_queued(cur, stamp, attempt.message_seq, "cancel")
    else:
        cur.execute("UPDATE segments SET failures = failures + 1 WHERE segment_id = ?", (attempt.segment_id,))
        outbox.move_segment(cur, stamp, attempt.segment_id, "retry", **columns)
        if unbind:
            _unbind(cur, attempt.message_seq, attempt.sim_id)
    outbox.settle(cur, stamp, attempt.message_seq, due_ms=_later(stamp, retry_ms))
    return attempt


def refused_early(
    cur: sqlite3.Cursor, stamp: Stamp, outgoing: Outgoing, sim_id: int, error: Error, *, retry_ms: int | None,
    unbind: bool,
) -> None:  # fmt: skip
    """Refused by a SIM before anything was handed over: as ``refused``, without an attempt."""
    row = cur.execute("SELECT state FROM segments WHERE segment_id = ?", (outgoing.segment_id,)).fetchone()
    if row["state"] != "queued":
        return
    if retry_ms is None:
        fail(cur, stamp, outgoing.message_seq, outgoing.segment_id, error)
        return
    cur.execute(
        "UPDATE segments SET failures = failures + 1, cms = ? WHERE segment_id = ?", (error["cms"], outgoing.segment_id)
    )
    events.note(cur, stamp, outgoing.message_seq, "refused", code=error["code"], cms=error["cms"], text=error["text"])
    outbox.set_error(cur, outgoing.message_seq, dict(error))
    if unbind:
        _unbind(cur, outgoing.message_seq, sim_id)
    outbox.settle(cur, stamp, outgoing.message_seq, due_ms=_later(stamp, retry_ms))


def fail(cur: sqlite3.Cursor, stamp: Stamp, message_seq: int, segment_id: int, error: Error) -> None:
    """A queued segment that can never be sent ends its message."""
    row = cur.execute("SELECT state, resends FROM segments WHERE segment_id = ?", (segment_id,)).fetchone()
    if row["state"] != "queued":
        return
    outbox.set_error(cur, message_seq, dict(error))
    event = "no_proof" if row["resends"] else "give_up"
    outbox.move_segment(cur, stamp, segment_id, event, cms=error["cms"], error=error["code"])
    outbox.end_queued(cur, stamp, message_seq, "cancel")
    outbox.settle(cur, stamp, message_seq, code=error["code"], text=error["text"])


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
    events.note(cur, stamp, attempt.message_seq, "resend", segment=attempt.seq,
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


def _unbind(cur: sqlite3.Cursor, message_seq: int, sim_id: int) -> None:
    """Any SIM may have it, this one after the others."""
    cur.execute("UPDATE messages SET sim_id = NULL WHERE seq = ? AND sim_pinned = 0", (message_seq,))
    queue.avoid(cur, message_seq, sim_id)


def _later(stamp: Stamp, due_ms: int | None) -> int | None:
    """None where there is nothing to wait for."""
    return due_ms if due_ms is not None and due_ms > stamp.now_ms else None


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
