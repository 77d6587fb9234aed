"""Status reports: which attempt does a report prove, and those that prove none yet.

A report is matched by SIM, MR and the tail of the recipient's number among all attempts, the newest first; MR alone
is not enough, it wraps at 256. Failing that, it is proof for the one segment to that recipient whose MR was never
learnt, provided that none of the SIM's last 256 attempts owns this MR, and that nothing to that recipient is being
sent right now: then the report may speak of that, and is kept until its answer is known.
"""

import sqlite3

from modemgw.store import attempts
from modemgw.store.attempts import Attempt

# Networks report a number in another form than it was sent to: national or international, with a trunk prefix of up
# to two digits. What is left is compared whole.
_TRUNK = 2
_SHORTEST_TAIL = 6


def same_recipient(one: str, other: str) -> bool:
    """True when two forms of a number end in the same digits; an empty one matches anything."""
    a, b = ("".join(c for c in each if c.isdigit()) for each in (one, other))
    shorter = min(len(a), len(b))
    if shorter < _SHORTEST_TAIL:
        return shorter == 0 or a == b
    tail = max(shorter - _TRUNK, _SHORTEST_TAIL)
    return a[-tail:] == b[-tail:]


def match(cur: sqlite3.Cursor, sim_id: int, mr: int, recipient: str) -> Attempt | None:
    """The attempt that a report speaks of; None when it can't be told."""
    for attempt in attempts.candidates(cur, sim_id, mr):
        if same_recipient(attempt.peer, recipient):
            return attempt
    if attempts.mr_is_taken(cur, sim_id, mr):
        return None
    possible = [each for each in attempts.without_mr(cur, sim_id) if same_recipient(each.peer, recipient)]
    if any(each.state == "submitting" for each in possible):
        return None
    return possible[0] if len({each.segment_id for each in possible}) == 1 else None


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


def possible_orphans(cur: sqlite3.Cursor, attempt: Attempt) -> list[tuple[int, int, str, int]]:
    """Kept reports that may speak of an attempt whose MR stays unknown: (row number, MR, recipient, TP-ST)."""
    rows = cur.execute(
        "SELECT * FROM orphan_reports WHERE sim_id = ? AND received_ms >= ? ORDER BY report_id",
        (attempt.sim_id, attempt.started_ms),
    ).fetchall()
    return [
        (row["report_id"], row["mr"], row["recipient"], row["tp_status"])
        for row in rows
        if same_recipient(attempt.peer, row["recipient"])
    ]


def forget_orphan(cur: sqlite3.Cursor, report_id: int) -> None:
    """A kept report was booked."""
    cur.execute("DELETE FROM orphan_reports WHERE report_id = ?", (report_id,))
