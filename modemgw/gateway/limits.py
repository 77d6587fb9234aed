"""What a SIM may still send: the daily fuse over all SIMs, and the limits of its own plan. Counted in segments.

The counts are rows that are written with each intent, so that neither a crash nor a restart resets them.
"""

import sqlite3

from modemgw.domain.sim import SimSettings
from modemgw.gateway.context import Context
from modemgw.store import attempts, sims
from modemgw.store.attempts import HOUR_MS


def blocked(cur: sqlite3.Cursor, context: Context, sim_id: int) -> str | None:
    """``daily_cap`` or ``sim_limit`` when the SIM may not send now, else None."""
    now_ms = context.clock.wall_ms()
    day_ms = context.start_of_day_ms()
    if attempts.used_since(cur, day_ms) >= context.settings.daily_cap:
        return "daily_cap"
    plan = settings_of(cur, context, sim_id)
    if plan is None:
        return None
    windows = (
        (plan.per_hour, now_ms // HOUR_MS * HOUR_MS),
        (plan.per_day, day_ms),
        (plan.per_month, context.start_of_month_ms()),
    )
    if any(cap is not None and attempts.used_since(cur, since_ms, sim_id) >= cap for cap, since_ms in windows):
        return "sim_limit"
    people = plan.recipients_per_month
    if people is not None and attempts.recipients_since(cur, sim_id, context.start_of_month_ms()) >= people:
        return "sim_limit"
    return None


def show(cur: sqlite3.Cursor, sim_id: int, reason: str | None) -> None:
    """Notes why a SIM is held back, for ``waiting_for``."""
    sims.set_available(cur, sim_id, available=reason is None, blocked=reason)


def settings_of(cur: sqlite3.Cursor, context: Context, sim_id: int) -> SimSettings | None:
    """The ``[[sim]]`` of a SIM, if it has one."""
    iccid = sims.iccid(cur, sim_id)
    return context.settings.sims.get(iccid) if iccid else None


def left(cur: sqlite3.Cursor, context: Context, sim_id: int) -> dict[str, dict[str, int]]:
    """For each limit of a SIM: ``{"limit", "used", "left"}``."""
    plan = settings_of(cur, context, sim_id)
    if plan is None:
        return {}
    now_ms = context.clock.wall_ms()
    month_ms = context.start_of_month_ms()
    counts = (
        ("per_hour", plan.per_hour, attempts.used_since(cur, now_ms // HOUR_MS * HOUR_MS, sim_id)),
        ("per_day", plan.per_day, attempts.used_since(cur, context.start_of_day_ms(), sim_id)),
        ("per_month", plan.per_month, attempts.used_since(cur, month_ms, sim_id)),
        ("recipients_per_month", plan.recipients_per_month, attempts.recipients_since(cur, sim_id, month_ms)),
    )
    return {
        name: {"limit": limit, "used": used, "left": max(0, limit - used)}
        for name, limit, used in counts
        if limit is not None
    }
