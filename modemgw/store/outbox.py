"""Outbound messages and their segments: what ends them, and the fold of segments into a status.

A segment moves along the table of domain/states.py; ``settle`` folds the segments into the message's status, and
announces it. Every function here is called in the transaction of the change that it belongs to.
"""

import json
import sqlite3
from collections.abc import Mapping

from modemgw.domain.message import Order
from modemgw.domain.states import FINAL_STATUSES, MessageFacts, advance, rollup
from modemgw.store import events, retention
from modemgw.store.errors import StaleState
from modemgw.store.events import Stamp

KEEP = -1  # of settle: no time was given
# As the indexes have it: messages that are on their way, and those that may still be too late.
_ON_ITS_WAY = "(status = 'queued' OR status = 'sending' OR status = 'uncertain')"
_MAY_EXPIRE = "(status = 'scheduled' OR status = 'queued' OR status = 'sending')"
OPEN = ("queued", "sending", "uncertain")  # on its way: a later message to the same number waits


def move_segment(cur: sqlite3.Cursor, stamp: Stamp, segment_id: int, event: str, **columns: object) -> None:
    """Advances a segment by ``event`` and sets ``columns`` with it; IllegalTransition where the table has no entry."""
    row = cur.execute("SELECT state FROM segments WHERE segment_id = ?", (segment_id,)).fetchone()
    state = advance(row["state"], event)
    if state in ("delivered", "undelivered", "failed", "expired", "cancelled", "unknown"):
        columns.setdefault("finished_ms", stamp.now_ms)
    names = "".join(f", {name} = ?" for name in columns)
    cur.execute(
        f"UPDATE segments SET state = ?{names} WHERE segment_id = ? AND state = ?",
        [state, *columns.values(), segment_id, row["state"]],
    )


def settle(
    cur: sqlite3.Cursor,
    stamp: Stamp,
    message_seq: int,
    *,
    due_ms: int | None = KEEP,
    columns: Mapping[str, object] | None = None,
    proven: bool = False,
    **detail: object,
) -> str:
    """Folds the segments into the message's status, and announces the status where it changed.

    ``due_ms``: the next queued segment waits until then, or no longer (None); without it a wait that was set goes on.
    ``columns`` of the message are set with it. ``proven``: what was wrong with a message under way is so no more.
    ``detail`` goes to the timeline. Returns the status.
    """
    row = cur.execute(
        "SELECT status, held, ended, due_ms, send_at_ms, sent_ms, finished_ms, ready, peer, rank, "
        "(SELECT group_concat(state) FROM segments WHERE message_seq = messages.seq) AS states FROM messages "
        "WHERE seq = ?",
        (message_seq,),
    ).fetchone()
    states = row["states"].split(",")
    if due_ms == KEEP:
        due_ms = row["due_ms"] if "queued" in states else None
    scheduled = due_ms is not None and row["send_at_ms"] == due_ms
    status = rollup(states, MessageFacts(held=bool(row["held"]), scheduled=scheduled, ended=row["ended"]))
    waits = {"submitting", "uncertain"} & set(states)
    ready = "queued" in states and not waits and not row["held"] and due_ms is None
    if ready and status == "queued" and not row["ready"]:
        ready = not _is_behind(cur, message_seq, row["peer"], row["rank"])
    sent_ms = row["sent_ms"] or (stamp.now_ms if status in ("sent", "delivered", "undelivered") else None)
    finished_ms = stamp.now_ms if status in FINAL_STATUSES and status != row["status"] else row["finished_ms"]
    columns = {
        "status": status, "ready": int(ready), "due_ms": due_ms, "sent_ms": sent_ms,
        "finished_ms": finished_ms if status in FINAL_STATUSES else None, **(columns or {}),
    }  # fmt: skip
    if proven and row["status"] in ("uncertain", "unknown", "sending"):
        columns["error"] = None
    names = ", ".join(f"{name} = ?" for name in columns)
    cur.execute(f"UPDATE messages SET {names} WHERE seq = ?", [*columns.values(), message_seq])
    if due_ms is not None:
        stamp.news.freed = True  # a time was set that may be nearer than any other
    if status != row["status"]:
        events.note(cur, stamp, message_seq, status, **detail)
        if status != "scheduled":
            events.announce_message(cur, stamp, message_seq, f"message.{status}")
        if row["status"] in OPEN and status not in OPEN:
            release_next(cur, stamp, row["peer"], row["rank"])
    return status


def _is_behind(cur: sqlite3.Cursor, message_seq: int, peer: str, rank: int) -> bool:
    """True while an earlier message of this class to this number is on its way: they must not overtake each other."""
    return cur.execute(
        "SELECT 1 FROM messages WHERE peer = ? AND rank = ? AND seq < ? "
        f"AND {_ON_ITS_WAY} LIMIT 1",
        (peer, rank, message_seq),
    ).fetchone() is not None  # fmt: skip


def release_next(cur: sqlite3.Cursor, stamp: Stamp, peer: str, rank: int) -> None:
    """An earlier message to this number has ended its way: the next one may go."""
    cur.execute(
        "UPDATE messages SET ready = 1 WHERE seq = (SELECT min(seq) FROM messages WHERE peer = ? AND rank = ? "
        f"AND {_ON_ITS_WAY}) "
        "AND status = 'queued' AND ready = 0 AND due_ms IS NULL AND held = 0 AND batch_id IS NULL",
        (peer, rank),
    )
    if cur.rowcount:
        stamp.news.freed = True


def set_error(cur: sqlite3.Cursor, message_seq: int, error: dict[str, object]) -> None:
    """What went wrong, in the shape of the API's ``error``; shown while it is the last word."""
    cur.execute("UPDATE messages SET error = ? WHERE seq = ?", (json.dumps(error), message_seq))


def end_queued(cur: sqlite3.Cursor, stamp: Stamp, message_seq: int, event: str) -> int:
    """Moves every queued segment by ``event`` (cancel, expire); returns how many there were."""
    rows = cur.execute(
        "SELECT segment_id, resends FROM segments WHERE message_seq = ? AND state = 'queued'", (message_seq,)
    ).fetchall()
    for row in rows:
        # A segment that waits for its resend may have gone out before: nobody knows.
        move_segment(cur, stamp, row["segment_id"], "no_proof" if row["resends"] else event)
    return len(rows)


def cancel(cur: sqlite3.Cursor, stamp: Stamp, message_id: str) -> None:
    """Cancels a message of which no modem has taken anything; StaleState (with the status) when it is too late."""
    row = _row(cur, message_id)
    touched = cur.execute(
        "SELECT 1 FROM segments WHERE message_seq = ? AND (state != 'queued' OR resends > 0) LIMIT 1",
        (row["seq"],),
    ).fetchone()
    if touched or row["status"] not in ("scheduled", "queued", "held"):
        raise StaleState(row["status"])
    cur.execute("UPDATE messages SET ended = 'cancelled', held = 0 WHERE seq = ?", (row["seq"],))
    end_queued(cur, stamp, row["seq"], "cancel")
    settle(cur, stamp, row["seq"])


def release(cur: sqlite3.Cursor, stamp: Stamp, message_id: str) -> None:
    """Frees a held message; StaleState when it is not held."""
    row = _row(cur, message_id)
    if not row["held"]:
        raise StaleState(row["status"])
    cur.execute("UPDATE messages SET held = 0, crashes = 0 WHERE seq = ?", (row["seq"],))
    settle(cur, stamp, row["seq"])


def resolve(cur: sqlite3.Cursor, stamp: Stamp, message_id: str, outcome: str) -> None:
    """Closes an unknown message as ``sent`` or ``failed`` on an operator's word; StaleState when it is not unknown."""
    row = _row(cur, message_id)
    if row["status"] != "unknown":
        raise StaleState(row["status"])
    if outcome == "failed":
        set_error(cur, row["seq"], {"code": "resolved_failed", "text": "An operator closed this message as not sent.",
                                    "retryable": True, "cms": None, "tp_status": None})  # fmt: skip
    for segment in cur.execute(
        "SELECT segment_id FROM segments WHERE message_seq = ? AND state = 'unknown'", (row["seq"],)
    ).fetchall():
        move_segment(cur, stamp, segment["segment_id"], f"resolve_{outcome}")
    settle(cur, stamp, row["seq"], by="operator")


def expire(cur: sqlite3.Cursor, stamp: Stamp, limit: int = 500) -> list[int]:
    """Ends what is still queued after its time; returns the row numbers of those messages.

    A segment that some modem has, or may have, keeps its own course.
    """
    seqs = [row["seq"] for row in cur.execute(
        # Left to itself SQLite goes by status, through the whole backlog.
        f"SELECT seq FROM messages INDEXED BY messages_expiry WHERE {_MAY_EXPIRE} "
        "AND expires_ms <= ? AND (status != 'sending' OR ready = 1 OR due_ms IS NOT NULL) LIMIT ?",
        (stamp.now_ms, limit),
    ).fetchall()]  # fmt: skip
    for seq in seqs:
        expire_message(cur, stamp, seq)
    return seqs


def next_expiry_ms(cur: sqlite3.Cursor) -> int | None:
    """When the next message that waits runs out of time; None when none waits."""
    row = cur.execute(
        f"SELECT expires_ms FROM messages INDEXED BY messages_expiry WHERE {_MAY_EXPIRE} "
        "AND (status != 'sending' OR ready = 1 OR due_ms IS NOT NULL) ORDER BY expires_ms LIMIT 1"
    ).fetchone()
    return row["expires_ms"] if row else None


def expire_message(cur: sqlite3.Cursor, stamp: Stamp, seq: int) -> None:
    """Ends the queued segments of one message because its time to live is over."""
    cur.execute("UPDATE messages SET ended = 'expired' WHERE seq = ?", (seq,))
    end_queued(cur, stamp, seq, "expire")
    states = {row["state"] for row in cur.execute("SELECT state FROM segments WHERE message_seq = ?", (seq,))}
    code, text = "expired", "The message was not sent in time."
    if states - {"expired", "failed", "cancelled"}:
        code, text = "partly_sent", "The time to live was over when only a part of the message had been sent."
    set_error(cur, seq, {"code": code, "text": text, "retryable": True, "cms": None, "tp_status": None})
    settle(cur, stamp, seq)


def set_no_receipt(cur: sqlite3.Cursor, message_seq: int) -> None:
    """The network said that it can't say whether the message arrived."""
    cur.execute("UPDATE messages SET no_receipt = 1 WHERE seq = ?", (message_seq,))


def erase(cur: sqlite3.Cursor, message_id: str) -> None:
    """Deletes a message that has ended, with all that hangs on it; StaleState while it is still under way."""
    row = _row(cur, message_id)
    if row["direction"] == "outbound" and row["status"] not in (*FINAL_STATUSES, "sent"):
        raise StaleState(row["status"])
    retention.forget_raw(cur, row["seq"])
    cur.execute("DELETE FROM orphan_reports WHERE recipient = ?", (row["peer"],))
    cur.execute("DELETE FROM messages WHERE seq = ?", (row["seq"],))


def _row(cur: sqlite3.Cursor, message_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = cur.execute("SELECT * FROM messages WHERE id = ?", (message_id,)).fetchone()
    if row is None:
        raise KeyError(message_id)
    return row


def count_crash(cur: sqlite3.Cursor, stamp: Stamp, message_seq: int, limit: int) -> None:
    """The service died while this message was being sent; at ``limit`` it is held for a person."""
    cur.execute("UPDATE messages SET crashes = crashes + 1 WHERE seq = ?", (message_seq,))
    row = cur.execute("SELECT crashes FROM messages WHERE seq = ?", (message_seq,)).fetchone()
    if row["crashes"] >= limit:
        cur.execute("UPDATE messages SET held = 1 WHERE seq = ?", (message_seq,))
        settle(cur, stamp, message_seq, reason="The service died while sending this message.")


def order_of(cur: sqlite3.Cursor, message_id: str) -> Order | None:
    """What would send an outbound message once more; None when there is no such message."""
    row = cur.execute("SELECT * FROM messages WHERE id = ? AND direction = 'outbound'", (message_id,)).fetchone()
    if row is None:
        return None
    return Order(
        to=(row["peer"],),
        text=row["text"],
        data=row["data"],
        port=row["port"],
        class_=row["class"],
        priority=row["priority"],
        report=bool(row["report"]),
        flash=bool(row["flash"]),
        encoding="ucs2" if row["encoding"] == "ucs2" else "auto",
        ref=row["ref"],
        on_uncertain=row["on_uncertain"],
    )
