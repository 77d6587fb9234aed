"""Hours, days and billing months in the owner's time zone, as milliseconds since 1970.

All of them begin with a minute, so that the days and minutes that are asked for with every message are worked out once
a minute.
"""

import functools
from calendar import monthrange
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

HOUR_MS = 3_600_000
_MINUTE_MS = 60_000


def day(now_ms: int, zone: ZoneInfo) -> tuple[int, int]:
    """Where today begins and ends."""
    return _day(now_ms // _MINUTE_MS, zone)


@functools.lru_cache(maxsize=16)
def _day(minute: int, zone: ZoneInfo) -> tuple[int, int]:
    now = datetime.fromtimestamp(minute * 60, zone)
    start = datetime(now.year, now.month, now.day, tzinfo=zone)
    return _ms(start), _ms(start + timedelta(days=1))  # wall-clock arithmetic: a day may have 23 or 25 hours


def month(now_ms: int, zone: ZoneInfo, first_day: int = 1) -> tuple[int, int]:
    """Where the month that begins on ``first_day`` begins and ends; a short month begins on its last day."""
    now = datetime.fromtimestamp(now_ms / 1000, zone)
    start = _first(now.year, now.month, first_day, zone)
    if start > now:
        start = _first(now.year - (now.month == 1), (now.month - 2) % 12 + 1, first_day, zone)
    return _ms(start), _ms(_first(start.year + (start.month == 12), start.month % 12 + 1, first_day, zone))


def hour(now_ms: int) -> tuple[int, int]:
    """Where the clock hour (UTC) begins and ends."""
    start = now_ms // HOUR_MS * HOUR_MS
    return start, start + HOUR_MS


def minute_of_day(now_ms: int, zone: ZoneInfo) -> int:
    """0 to 1439, local time."""
    return _minute_of_day(now_ms // _MINUTE_MS, zone)


@functools.lru_cache(maxsize=16)
def _minute_of_day(minute: int, zone: ZoneInfo) -> int:
    now = datetime.fromtimestamp(minute * 60, zone)
    return now.hour * 60 + now.minute


def _first(year: int, number: int, first_day: int, zone: ZoneInfo) -> datetime:
    return datetime(year, number, min(first_day, monthrange(year, number)[1]), tzinfo=zone)


def _ms(when: datetime) -> int:
    return int(when.timestamp() * 1000)
