"""What one modem suffered and what was done about it: the history that the ladder decides by, and the account of it.

Outlives connections. Every remedy is counted and told (event ``modem.recovery``: cause, step, outcome ``begun``,
``recovered``, ``failed``), and when the trouble is over it is told what helped and how long it took. Nothing is decided
here (`ladder`) and nothing done (`repair`). Times are the event loop's, in seconds.
"""

import logging
from collections import Counter, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass

from modemgw.modem.errors import SubmitFailed, SubmitFailure
from modemgw.modem.ladder import Cause, Step, Taken, next_step

log = logging.getLogger(__name__)
_SENDS = 5  # failures in a row, for a reason of the modem's, that are more than bad luck
_POLICIES = ("T", "M")
_VANISHES_S = 120.0  # after a reset
_WORDS = {
    Step.RESYNC: "proved the order of its answers anew",
    Step.REOPEN: "opened its port again",
    Step.REATTACH: "let it choose a network anew",
    Step.RADIO: "switched its radio off and on",
    Step.RESET: "restarted it by its own command",
    Step.USB_RESET: "reset it on the USB",
    Step.POWER: "cut its power for a moment",
    Step.GIVE_UP: "everything was tried; trying again, but slowly",
}
_WHY = {
    Cause.NO_ANSWER: "it does not answer",
    Cause.NO_NETWORK: "it finds no network",
    Cause.SENDS_FAIL: "one message after the other fails",
    Cause.DEAF: "a message to it did not arrive",
}

Tell = Callable[[str, dict[str, str]], None]


@dataclass(frozen=True, slots=True)
class Recovered:
    """The last trouble that is over. ``seconds`` from its beginning, ``at`` when it ended."""

    cause: Cause
    step: Step
    seconds: float
    at: float


class Recovery:
    """``tell`` gets events; ``now`` is a clock in seconds; ``name`` is the modem's, for the log."""

    def __init__(self, tell: Tell, now: Callable[[], float], name: str = "") -> None:
        self._name = name
        self._tell = tell
        self._now = now
        self._history: deque[Taken] = deque(maxlen=100)
        self._since: dict[Cause, float] = {}
        self._urgent: dict[Cause, None] = {}
        self._failed_sends = 0
        self.counts: Counter[Step] = Counter()
        self.last: Recovered | None = None

    @property
    def given_up(self) -> bool:
        """Everything was tried for a trouble that goes on."""
        last = self._history[-1] if self._history else None
        return last is not None and last.step is Step.GIVE_UP and last.cause in self._since

    def trouble(self, cause: Cause) -> float:
        """There is such a trouble; seconds since it began."""
        return self._now() - self._since.setdefault(cause, self._now())

    def report(self, cause: Cause) -> None:
        """Fresh evidence of a trouble: one rung is due as soon as somebody can climb it. See ``take_urgent``."""
        self.trouble(cause)
        self._urgent[cause] = None

    def take_urgent(self) -> tuple[Cause, ...]:
        """What was reported since; one report is good for one rung at the most."""
        urgent = tuple(self._urgent)
        self._urgent.clear()
        return urgent

    def away(self) -> None:
        """The modem is not there: that it finds no network then is no trouble, unless our own remedy made it vanish."""
        if not self._history or self._now() - self._history[-1].at > _VANISHES_S:
            self._since.pop(Cause.NO_NETWORK, None)

    def next(self, cause: Cause, can: Collection[Step]) -> Step | None:
        """What is to be done now; None: nothing yet. It is not noted before ``took``."""
        self.trouble(cause)
        return next_step(self._history, self._now(), cause, can)

    def took(self, step: Step, cause: Cause) -> None:
        """It is being done."""
        self._history.append(Taken(step, cause, self._now()))
        self.counts[step] += 1
        log.warning("%s: %s: %s", self._name, _WHY[cause], _WORDS[step])
        self._tell("modem.recovery", {"cause": cause, "step": step, "outcome": "begun"})
        if step is Step.GIVE_UP:
            self._tell("modem.failed", {"detail": f"{_WHY[cause]}, and nothing helped: unplug it and plug it in again"})

    def failed(self, step: Step, cause: Cause, why: str) -> None:
        """It could not be done; the ladder goes on all the same."""
        log.warning("%s: %s could not be done: %s", self._name, step, why)
        self._tell("modem.recovery", {"cause": cause, "step": step, "outcome": "failed", "detail": why})

    def over(self, cause: Cause) -> None:
        """The trouble is over, if there was one."""
        since = self._since.pop(cause, None)
        if since is None:
            return
        steps = [each.step for each in self._history if each.cause is cause and each.at >= since]
        tried = [step for step in steps if step is not Step.GIVE_UP]
        if tried:
            self._note(cause, tried[-1], self._now() - since)

    def resynced(self, seconds: float) -> None:
        """The port lost the order of answers and found it again by itself."""
        self.counts[Step.RESYNC] += 1
        self._note(Cause.NO_ANSWER, Step.RESYNC, seconds)

    def _note(self, cause: Cause, step: Step, seconds: float) -> None:
        self.last = Recovered(cause, step, seconds, self._now())
        log.info("%s: recovered by %s after %.1f s", self._name, step, seconds)
        self._tell(
            "modem.recovery", {"cause": cause, "step": step, "outcome": "recovered", "seconds": f"{seconds:.1f}"}
        )

    # -- sending -------------------------------------------------------------------------------------------------------
    def sent(self) -> None:
        """The network took a message."""
        self._failed_sends = 0
        self.over(Cause.SENDS_FAIL)

    def send_failed(self, failure: SubmitFailed) -> bool:
        """A message failed. True when it is time to do something about the modem."""
        ours = failure.kind is SubmitFailure.NOT_SENT and failure.policy == "T" and failure.cms is failure.cme is None
        if failure.policy not in _POLICIES or ours:
            return False
        self._failed_sends += 1
        if self._failed_sends < _SENDS:
            return False
        self._failed_sends = 0
        self.report(Cause.SENDS_FAIL)
        return True
