"""STATUS-REPORTs -> the attempt that they prove -> segment -> message (C4). Reports may outrun the modem's answer."""

import sqlite3
from collections.abc import Callable

from modemgw.gateway.context import Context
from modemgw.gateway.errors import error
from modemgw.pdu.status import meaning
from modemgw.pdu.tpdu import StatusReport
from modemgw.store import attempts, outbox, outcomes, reports
from modemgw.store.attempts import Attempt

AnyUnit = Callable[[sqlite3.Cursor], object]
_OUTCOMES = {"delivered": "delivered", "undelivered": "undelivered", "pending": "submitted", "unconfirmed": "submitted"}


def accepted(cur: sqlite3.Cursor, context: Context, token: str, mr: int | None, evidence: str) -> Attempt | None:
    """C3 for an accepted SUBMIT, with the reports that were quicker than the modem's answer."""
    attempt = outcomes.accepted(cur, context.stamp(), token, mr, evidence)
    if attempt is not None and mr is not None:
        for tp_status in reports.take_orphans(cur, attempt, mr):
            _apply(cur, context, attempt, mr, tp_status)
    return attempt


def uncertain(cur: sqlite3.Cursor, context: Context, token: str, problem: outcomes.Error, decide_ms: int) -> None:
    """C3 where no answer came; a report may have come meanwhile."""
    outcomes.uncertain(cur, context.stamp(), token, problem, decide_ms)
    attempt = attempts.find(cur, token)
    if attempt is None:
        return
    for report_id, mr, recipient, tp_status in reports.possible_orphans(cur, attempt):
        found = reports.match(cur, attempt.sim_id, mr, recipient)
        if found is not None:
            reports.forget_orphan(cur, report_id)
            _apply(cur, context, found, mr, tp_status)


def handle(cur: sqlite3.Cursor, context: Context, sim_id: int, report: StatusReport) -> bool:
    """Books a report, or keeps it until its SUBMIT is known; True when it was booked."""
    recipient = report.recipient.number
    attempt = reports.match(cur, sim_id, report.mr, recipient)
    if attempt is None:
        reports.save_orphan(
            cur,
            sim_id=sim_id,
            mr=report.mr,
            recipient=recipient,
            tp_status=report.status,
            now_ms=context.clock.wall_ms(),
        )
        return False
    _apply(cur, context, attempt, report.mr, report.status)
    return True


def _apply(cur: sqlite3.Cursor, context: Context, attempt: Attempt, mr: int, tp_status: int) -> None:
    what = meaning(tp_status)
    if what.outcome == "undelivered":
        problem = error(what.code, what.text, retryable=what.retryable, tp_status=tp_status)
        outbox.set_error(cur, attempt.message_seq, problem)
    outcomes.reported(cur, context.stamp(), attempt, mr, _OUTCOMES[what.outcome], tp_status)
    if what.outcome == "unconfirmed":
        outbox.set_no_receipt(cur, attempt.message_seq)
