"""Pure: what to do with a segment that a modem did not take. The classes are those of the +CMS ERROR table.

R this recipient or message, P our PDU: final. S this SIM: another one may do better. T temporary, N no service yet,
M the modem needs repair: again later, longer each time, a few times. Certainly not sent: soon again, without end -
the time to live ends it.
"""

from dataclasses import dataclass

# Seconds before the next try, by how often it was refused so far.
_BACK_OFF: dict[str, tuple[int, ...]] = {
    "T": (30, 120, 600, 1800, 3600),
    "N": (10, 30, 60, 120, 300, 600, 600, 600, 600, 600),
    "M": (10, 60, 300, 900, 1800),
    "S": (5, 60, 600, 3600),
}
# 38 is a catch-all that often means a number that does not exist: it must not be tried for long.
_SHORT = {38: (60, 600, 2400), 21: (60,), 81: (60,)}
# Refused for the validity period: once more without it.
_VALIDITY = (198, 199)
_NOT_SENT_LONGEST_S = 60


@dataclass(frozen=True, slots=True)
class Decision:
    """``after_s`` None: give up. ``unbind``: another SIM may take it, as long as no segment was submitted."""

    after_s: float | None
    unbind: bool = False


def after_refusal(policy: str, cms: int | None, failures: int) -> Decision:
    """What follows a definite refusal; ``failures`` counts the refusals of this segment before this one."""
    if cms in _VALIDITY:
        return Decision(0.0 if failures == 0 else None)
    steps = _SHORT.get(cms or 0) or _BACK_OFF.get(policy, ())
    if failures >= len(steps):
        return Decision(None)
    return Decision(float(steps[failures]), unbind=policy in ("S", "N", "M"))


def after_not_sent(attempts: int) -> Decision:
    """What follows when certainly nothing was sent; ``attempts`` counts the hand-overs so far."""
    return Decision(float(min(2 ** min(attempts, 10), _NOT_SENT_LONGEST_S)), unbind=True)


def drop_validity(last_cms: int | None) -> bool:
    """True when the last refusal was about the validity period."""
    return last_cms in _VALIDITY
