"""Status reports: which attempt does a report prove, and those that prove none yet.

A report is matched by SIM, MR and the tail of the recipient's number among all attempts, the newest first; MR alone
is not enough, it wraps at 256. Failing that, it is proof for the one attempt to that recipient whose MR was never
learnt, provided that none of the SIM's last 256 attempts owns this MR.
"""

import sqlite3

from modemgw.store import attempts
from modemgw.store.attempts import Attempt

# Networks report a number in another form than it was sent to (national, international, with a trunk zero).
_TAIL = 6


def same_recipient(one: str, other: str) -> bool:
    """True when two forms of a number end in the same digits; an empty one matches anything."""
    a, b = ("".join(c for c in each if c.isdigit()) for each in (one, other))
    length = min(len(a), len(b), _TAIL) if min(len(a), len(b)) else 0
    return length == 0 or (a[-length:] == b[-length:] and (length == _TAIL or len(a) == len(b)))


def match(cur: sqlite3.Cursor, sim_id: int, mr: int, recipient: str) -> Attempt | None:
    """The attempt that a report speaks of; None when it can't be told."""
    for attempt in attempts.candidates(cur, sim_id, mr):
        if same_recipient(attempt.peer, recipient):
            return attempt
    if attempts.mr_is_taken(cur, sim_id, mr):
        return None
    possible = [each for each in attempts.without_mr(cur, sim_id) if same_recipient(each.peer, recipient)]
    return possible[0] if len(possible) == 1 else None


def save_orphan(cur: sqlite3.Cursor, *, sim_id: int, mr: int, recipient: str, tp_status: int, now_ms: int) -> None:
    """Keeps a report that nothing claims: it may have outrun the answer to its SUBMIT."""
    cur.execute(
        "INSERT INTO orphan_reports (sim_id, mr, recipient, tp_status, received_ms) VALUES (?, ?, ?, ?, ?)",
        (sim_id, mr, recipient, tp_status, now_ms),
    )


def take_orphans(cur: sqlite3.Cursor, attempt: Attempt, mr: int) -> list[int]:
    """TP-ST of the kept reports that belong to an attempt whose MR is known now, in order; they are kept no longer."""
    rows = cur.execute(
        "SELECT * FROM orphan_reports WHERE sim_id = ? AND mr = ? AND received_ms >= ? ORDER BY report_id",
        (attempt.sim_id, mr, attempt.started_ms),
    ).fetchall()
    mine = [row for row in rows if same_recipient(attempt.peer, row["recipient"])]
    cur.executemany("DELETE FROM orphan_reports WHERE report_id = ?", [(row["report_id"],) for row in mine])
    return [row["tp_status"] for row in mine]


def forget_orphans(cur: sqlite3.Cursor, before_ms: int) -> int:
    """Deletes kept reports older than ``before_ms``; returns how many."""
    cur.execute("DELETE FROM orphan_reports WHERE received_ms < ?", (before_ms,))
    return cur.rowcount
