"""What the owner says about a SIM."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SimSettings:
    """One ``[[sim]]``. Limits are segments; None: no limit. The PIN is the driver's business."""

    iccid: str
    name: str | None = None
    number: str | None = None
    roaming: bool = False
    tags: tuple[str, ...] = ()
    per_hour: int | None = None
    per_day: int | None = None
    per_month: int | None = None
    recipients_per_month: int | None = None
