"""What a SIM may still send: the daily fuse over all SIMs, and the limits of its own plan. Counted in segments.

The counts are rows that are written with each intent, in its transaction, so that neither a crash nor a restart resets
them and no cap is ever overrun. They are kept by the hour (UTC): where a day begins within one, the hour counts whole.
The settings are read anew each time: what the owner changes holds from the next segment on.
"""

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from modemgw.domain import period
from modemgw.domain.message import URGENT_LANES
from modemgw.domain.sim import SimSettings
from modemgw.gateway.context import Context
from modemgw.gateway.router import LOW_CREDIT
from modemgw.store import attempts, events, sims, views
from modemgw.store.attempts import HOUR_MS
from modemgw.store.errors import StaleState

ALL_SIMS = 0
_WARN_PERCENT = 80
_WORDS = {
    "daily_cap": "the daily cap over all SIMs",
    "per_hour": "the hourly limit",
    "per_day": "the daily limit",
    "per_month": "the monthly limit",
    "recipients_per_month": "the month's limit of different recipients",
}


@dataclass(frozen=True, slots=True)
class Window:
    """One limit in the window that it holds for: ``used`` of ``limit`` from ``since_ms`` to ``until_ms``."""

    name: str
    limit: int
    used: int
    since_ms: int
    until_ms: int
    reserve: int = 0  # percent for urgent classes

    def left(self, lane: int = 0) -> int:
        """What a message of this lane may still use."""
        share = self.reserve if lane >= URGENT_LANES else 0
        return max(0, self.limit * (100 - share) // 100 - self.used)

    @property
    def word(self) -> str:
        """As ``waiting_for`` says it."""
        return "daily_cap" if self.name == "daily_cap" else "sim_limit"


@dataclass(frozen=True, slots=True)
class Hold:
    """What holds a SIM back: ``daily_cap``, ``sim_limit``, ``low_credit`` or ``not_accepted``.

    ``urgent_only``: urgent classes may go; ``full``: no number that is new to it.
    """

    blocked: str | None = None
    urgent_only: bool = False
    full: bool = False
    headroom: float = 1.0


def judge(windows: Sequence[Window], *, low: bool = False) -> Hold:
    """Pure: what follows from the counts, and from credit that is ``low``."""
    headroom = min((1.0 - each.used / each.limit if each.limit else 0.0 for each in windows), default=1.0)
    counted = [each for each in windows if each.name != "recipients_per_month"]
    full = any(each.left(URGENT_LANES) == 0 for each in windows if each.name == "recipients_per_month")
    shut = [each for each in counted if each.left() == 0]
    if shut:
        return Hold(shut[0].word, headroom=headroom)
    reserved = [each for each in counted if each.left(URGENT_LANES) == 0]
    if reserved:
        return Hold(reserved[0].word, True, full, headroom)
    if low:
        return Hold(LOW_CREDIT, True, full, headroom)
    return Hold("sim_limit" if full else None, False, full, headroom)


def windows(
    cur: sqlite3.Cursor, context: Context, sim_id: int, plan: SimSettings | None, recipients: int | None = None
) -> list[Window]:
    """Every limit that holds for a SIM, with its counts. ``recipients``: how many it wrote to, where that is known."""
    now_ms = context.clock.wall_ms()
    zone = context.settings.timezone
    day = period.day(now_ms, zone)
    found = [_window(cur, "daily_cap", context.settings.daily_cap, day, None, 0)]
    if plan is None:
        return found
    month = period.month(now_ms, zone, plan.month_starts_on)
    for name, limit, span in (
        ("per_hour", plan.per_hour, period.hour(now_ms)),
        ("per_day", plan.per_day, day),
        ("per_month", plan.per_month, month),
    ):
        if limit is not None:
            found.append(_window(cur, name, limit, span, sim_id, plan.reserve))
    if plan.recipients_per_month is not None:
        if recipients is None:
            recipients = len(attempts.recipients_since(cur, sim_id, month[0]))
        found.append(Window("recipients_per_month", plan.recipients_per_month, recipients, *month, plan.reserve))
    return found


def _window(
    cur: sqlite3.Cursor, name: str, limit: int, span: tuple[int, int], sim_id: int | None, reserve: int
) -> Window:
    used = attempts.used_since(cur, span[0] // HOUR_MS * HOUR_MS, sim_id)
    return Window(name, limit, used, *span, reserve)


def settings_of(cur: sqlite3.Cursor, context: Context, sim_id: int) -> SimSettings | None:
    """The ``[[sim]]`` of a SIM, if it has one."""
    if not context.settings.sims:
        return None
    iccid = sims.iccid(cur, sim_id)
    return context.settings.sims.get(iccid) if iccid else None


def debit(
    cur: sqlite3.Cursor, context: Context, sim_id: int, lane: int, peer: str, people: Collection[str] | None
) -> None:
    """Called after the intent's own debit, in its transaction: StaleState where that was one too many.

    Announces each limit once for its window when it is reached, and before that at 80 percent. ``people``: the numbers
    that the SIM wrote to this month, where they are counted.
    """
    plan = settings_of(cur, context, sim_id)
    recipients = None if people is None else len(people) + (peer not in people)
    for window in windows(cur, context, sim_id, plan, recipients):
        share = window.reserve if lane >= URGENT_LANES else 0
        new = window.name != "recipients_per_month" or (people is not None and peer not in people)
        if new and window.used > window.limit * (100 - share) // 100:
            raise StaleState(f"{_WORDS[window.name]} is reached")
        if new and window.used * 100 >= window.limit * _WARN_PERCENT:
            _announce(cur, context, ALL_SIMS if window.name == "daily_cap" else sim_id, window)


def _announce(cur: sqlite3.Cursor, context: Context, sim_id: int, window: Window) -> None:
    percent = 100 if window.used >= window.limit else _WARN_PERCENT
    if not sims.note_limit(cur, sim_id, window.name, window.since_ms, percent):
        return
    words = _WORDS[window.name]
    until = _moment(window.until_ms, context.settings.timezone)
    text = (
        f"{words[:1].upper()}{words[1:]} of {window.limit:,} is reached; it begins anew {until}."
        if percent == 100
        else f"{window.used:,} of {window.limit:,} are used: {words} begins anew {until}."
    )
    names = sims.names(cur, sim_id)
    events.announce(cur, context.stamp(), "sim.limit", {
        **names, "limit": window.name, "percent": percent, "used": window.used, "allowed": window.limit,
        "until": views.rfc3339(window.until_ms), "text": text,
    })  # fmt: skip


def show(cur: sqlite3.Cursor, sim_id: int, hold: Hold) -> None:
    """Notes what holds a SIM back, for ``waiting_for``."""
    sims.set_available(
        cur, sim_id, available=hold.blocked is None or hold.urgent_only, blocked=hold.blocked,
        urgent_only=hold.urgent_only,
    )  # fmt: skip


def left(cur: sqlite3.Cursor, context: Context, sim_id: int) -> dict[str, views.Json]:
    """For each limit of a SIM: ``{"limit", "used", "left", "until", "forecast"}``."""
    now_ms = context.clock.wall_ms()
    return {
        each.name: {
            "limit": each.limit,
            "used": each.used,
            "left": each.left(),
            "until": views.rfc3339(each.until_ms),
            "forecast": forecast(each, now_ms, context.settings.timezone),
        }
        for each in windows(cur, context, sim_id, settings_of(cur, context, sim_id))
        if each.name != "daily_cap"
    }


def forecast(window: Window, now_ms: int, zone: ZoneInfo) -> str:
    """Pure: when the limit will be reached if things go on as they went in this window."""
    words = _WORDS[window.name]
    passed_ms = now_ms - window.since_ms
    if window.left() == 0:
        return f"{words[:1].upper()}{words[1:]} is reached; it begins anew {_moment(window.until_ms, zone)}."
    if window.used == 0 or passed_ms <= 0:
        return "Nothing has been used yet."
    reached_ms = now_ms + passed_ms * window.left() // window.used
    if reached_ms < window.until_ms:
        return f"At this rate {words} of {window.limit:,} is reached {_moment(reached_ms, zone)}."
    total = window.used * (window.until_ms - window.since_ms) // passed_ms
    return f"At this rate {min(total, window.limit):,} of {window.limit:,} will be used."


def _moment(ms: int, zone: ZoneInfo) -> str:
    """``on the 19th at 14:00``, in the owner's time zone."""
    when = datetime.fromtimestamp(ms / 1000, zone)
    ending = "th" if 10 <= when.day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(when.day % 10, "th")
    return f"on the {when.day}{ending} at {when.hour:02}:{when.minute:02}"
