"""Which remedy comes next for a modem in trouble: a pure function of what was tried and when.

The ladder, the mildest first: prove the order of answers anew (the port does that by itself) - open the port again -
let it choose a network anew - radio off and on - restart it by its own command - reset it on the USB - cut its power -
give up and say so. A rung that can't be had (no USB, no power switch, not permitted) is passed over.

Rules:
- Each rung gets time to help before the next, heavier one.
- Whatever interrupts the radio (from ``radio`` upwards) is the rarer the more often it was done in the last six hours:
  a minute apart, then two, four ... up to an hour. So nothing resets fast in a loop, whatever the cause.
- A trouble that comes back soon after a remedy goes on where the last one stopped: that remedy was not enough.
- After giving up nothing heavy happens for ten minutes, then twenty ... up to six hours; then the ladder begins anew.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """The rungs, in the order of their weight."""

    RESYNC = "resync"
    REOPEN = "reopen"
    REATTACH = "reattach"
    RADIO = "radio"
    RESET = "reset"
    USB_RESET = "usb_reset"
    POWER = "power"
    GIVE_UP = "give_up"


class Cause(StrEnum):
    """What is wrong with a modem."""

    NO_ANSWER = "no_answer"  # it does not answer commands
    NO_NETWORK = "no_network"  # it finds none, and has not for long
    SENDS_FAIL = "sends_fail"  # one message after the other fails for a reason of the modem's
    DEAF = "deaf"  # a message that was sent to it did not arrive


@dataclass(frozen=True, slots=True)
class Taken:
    """A remedy that was tried; ``at`` in seconds of the same clock as ``now``."""

    step: Step
    cause: Cause
    at: float


HEAVY = frozenset({Step.RADIO, Step.RESET, Step.USB_RESET, Step.POWER})
_UPPER = (Step.RESET, Step.USB_RESET, Step.POWER)
LADDERS: Mapping[Cause, tuple[Step, ...]] = {
    # Twice, because the first time may have come while the modem was starting. Its radio can't be commanded.
    Cause.NO_ANSWER: (Step.REOPEN, Step.REOPEN, *_UPPER),
    Cause.NO_NETWORK: (Step.REATTACH, Step.RADIO, *_UPPER),
    Cause.SENDS_FAIL: (Step.RADIO, *_UPPER),
    Cause.DEAF: (Step.RADIO, *_UPPER),
}
# Seconds until it is known that a rung did not help. A network takes minutes to be found.
_SETTLE: Mapping[Step, float] = {Step.RESET: 60.0, Step.USB_RESET: 60.0, Step.POWER: 120.0}
_SETTLE_NETWORK: Mapping[Step, float] = {Step.REATTACH: 300.0, Step.RADIO: 900.0}
_SETTLE_NETWORK_UPPER = 600.0
_SAME_TROUBLE_S = 3600.0  # between two remedies that belong to one trouble
_COUNTED_S = 6 * 3600.0
_GAP_S, _GAP_MAX_S = 30.0, 3600.0
_REST_S, _REST_MAX_S = 600.0, 6 * 3600.0


def next_step(history: Sequence[Taken], now: float, cause: Cause, can: Collection[Step]) -> Step | None:
    """The remedy to try now; None while the last one may still help, or it is too early for the next.

    ``history``: oldest first, of all causes. ``can``: the rungs that are to be had.
    """
    own = [each for each in history if each.cause is cause]
    rests = _rests(own)
    if own and own[-1].step is Step.GIVE_UP and now - own[-1].at < min(_REST_S * 2.0 ** (rests - 1), _REST_MAX_S):
        return None
    round_ = _this_round(own, now)
    if round_ and now - round_[-1].at < _patience(round_[-1].step, cause):
        return None
    rungs = [step for step in LADDERS[cause] if step in can]
    position = _position(round_, rungs)
    if position >= len(rungs):
        return Step.GIVE_UP
    step = rungs[position]
    return None if step in HEAVY and now < _heavy_allowed_at(history, now) else step


def _this_round(own: Sequence[Taken], now: float) -> list[Taken]:
    """What was tried for this trouble so far, oldest first."""
    found: list[Taken] = []
    later = now
    for each in reversed(own):
        if each.step is Step.GIVE_UP or later - each.at > _SAME_TROUBLE_S:
            break
        found.append(each)
        later = each.at
    return found[::-1]


def _position(round_: Sequence[Taken], rungs: Sequence[Step]) -> int:
    """The rung after those that were climbed; one that was to be had then and no longer is counts as climbed."""
    order = list(Step)
    position = 0
    for each in round_:
        weight = order.index(each.step)
        if position < len(rungs) and rungs[position] is each.step:
            position += 1
        while position < len(rungs) and order.index(rungs[position]) < weight:
            position += 1
        if position < len(rungs) and rungs[position] is each.step and each.step in HEAVY:
            position += 1
    return position


def _patience(step: Step, cause: Cause) -> float:
    if cause is Cause.NO_NETWORK:
        return _SETTLE_NETWORK.get(step, _SETTLE_NETWORK_UPPER)
    return _SETTLE.get(step, 0.0)


def _heavy_allowed_at(history: Sequence[Taken], now: float) -> float:
    heavy = [each.at for each in history if each.step in HEAVY and now - each.at < _COUNTED_S]
    return heavy[-1] + min(_GAP_S * 2.0 ** len(heavy), _GAP_MAX_S) if heavy else now


def _rests(own: Sequence[Taken]) -> int:
    """How often it was given up in the last day."""
    return sum(each.step is Step.GIVE_UP and own[-1].at - each.at < 24 * 3600.0 for each in own)
