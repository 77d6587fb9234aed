"""What the owner says about a SIM: who it is, and what its plan allows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SimSettings:
    """One ``[[sim]]``. Limits are segments; None: no limit. The PIN is the driver's business.

    ``month_starts_on``: the day on which the plan's month begins. ``reserve``: percent of each limit that only urgent
    classes may use. ``min_gap_s``, ``jitter_s``: seconds between two segments, the second drawn anew each time.
    """

    iccid: str
    name: str | None = None
    number: str | None = None
    roaming: bool = False
    tags: tuple[str, ...] = ()
    per_hour: int | None = None
    per_day: int | None = None
    per_month: int | None = None
    recipients_per_month: int | None = None
    month_starts_on: int = 1
    reserve: int = 0
    min_gap_s: float = 0.0
    jitter_s: float = 0.0
