"""At start: what a crash cut off. The attempt's row is the whole record of it.

An attempt that is still ``submitting`` may have been sent: it becomes uncertain, and is never simply repeated. A
message that was being sent when the service died three times is held for a person: it may be what kills us.
"""

import sqlite3

from modemgw.domain.message import CLASSES
from modemgw.gateway import reports
from modemgw.gateway.context import Context
from modemgw.gateway.errors import error
from modemgw.store import attempts, outbox, sims

CRASHES_BEFORE_HOLD = 3
_LISTEN_FOR_MS = 10 * 60_000


async def recover(context: Context) -> int:
    """Books every attempt that was cut off as uncertain, in one transaction; returns how many there were."""

    def unit(cur: sqlite3.Cursor) -> int:
        sims.set_available(cur, None, available=False)
        cut_off = attempts.cut_off(cur)
        for attempt in cut_off:
            decide_ms = context.clock.wall_ms() + CLASSES[attempt.class_].window_s * 1000
            text = "The service ended while the modem was sending, before it had answered."
            problem = error("cut_off", text, retryable=False)
            reports.uncertain(cur, context, attempt.token, problem, decide_ms)
        for seq in dict.fromkeys(attempt.message_seq for attempt in cut_off):
            outbox.count_crash(cur, context.stamp(), seq, CRASHES_BEFORE_HOLD)
        return len(cut_off)

    return await context.commit(unit)


async def unanswered_for(context: Context, port: str) -> float | None:
    """How many seconds ago a SUBMIT was written to this tty as the last thing, of which nobody heard the answer.

    None: there is none of which it may still come.
    """
    attempt = await context.db.read(lambda cur: attempts.newest_open_on_port(cur, port))
    if attempt is None:
        return None
    age_ms = context.clock.wall_ms() - attempt.started_ms
    return age_ms / 1000 if age_ms < _LISTEN_FOR_MS else None
