"""What the owner says about a SIM: who it is, and what its plan allows."""

import re
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class BalanceSettings:
    """How a prepaid SIM is asked what is left on it: by USSD, or by a message whose answer comes from ``sms_from``.

    ``every_s``: between two questions. ``low``: below it the rest is for urgent messages; None: never. ``pattern``: the
    owner's own, with a group ``amount``.
    """

    ussd: str | None = None
    sms_to: str | None = None
    sms_text: str = ""
    sms_from: str | None = None
    every_s: float = 86_400.0
    low: Decimal | None = None
    pattern: re.Pattern[str] | None = None


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
    balance: BalanceSettings | None = None  # None: it is not asked
