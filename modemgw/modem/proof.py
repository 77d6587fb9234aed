"""Late results: a ``+CMGS`` that comes after its submit was given up proves that the message went out.

Rules:
- The port credits a late result to the oldest submit that still waits for one; its token says which that is. A port
  that was opened since knows nothing of earlier submits: then it is the newest uncertain one of this process.
- After a crash only the gateway's records know. Such a result is passed up without a token, and only as long as nothing
  was sent by this process, so that there is nothing else it could belong to.
- Some firmware says a result twice. The repetition proves nothing.
- A late error proves nothing either, and is only logged. Errors name no submit, other commands have the same ones, and
  some firmware says ERROR for what the network took. Believed wrongly, it would send a message again that had gone out,
  or call it failed; not believed, it costs a window, after which the class of the message decides as for any silence.
- Proof is not given up: it is handed up until it is taken.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from modemgw.at.events import LateFailure, LateSubmit
from modemgw.modem.upcalls import Upcalls, insist
from modemgw.port.port import Port

log = logging.getLogger(__name__)
_ANSWERED_WITHIN = 600.0  # seconds
_FRESH, _LAST_WORDS = 60.0, 1.0  # seconds
_REPEATED_WITHIN = 1.0  # seconds

Prove = Callable[[str | None, int | None], Awaitable[None]]


class Proof:
    """What is known about the submits of one modem that have no result yet. Outlives its ports."""

    def __init__(self, name: str, upcalls: Upcalls, prove: Prove) -> None:
        self._name = name
        self._upcalls = upcalls
        self._prove = prove
        self._answered: tuple[int | None, float] = (None, 0.0)  # the newest MR, and when
        self._uncertain: tuple[str, float] | None = None  # the newest uncertain submit, and since when
        self._of_an_earlier_run = False
        self._listened: LateSubmit | None = None  # what listening has handed up

    # -- what happens to submits ---------------------------------------------------------------------------------------
    def began(self) -> None:
        """A submit is on its way: a result without a name may be anybody's from now on."""
        self._of_an_earlier_run = False

    def answered(self, mr: int | None) -> None:
        """A submit got its result."""
        self._answered = mr, _now()

    def uncertain(self, token: str) -> None:
        """A submit got none."""
        self._uncertain = token, _now()

    @property
    def open_token(self) -> str | None:
        """The newest submit that may still be answered, be it on a port that was opened since."""
        if self._uncertain is None or _now() - self._uncertain[1] > _ANSWERED_WITHIN:
            return None
        return self._uncertain[0]

    # -- late results --------------------------------------------------------------------------------------------------
    def attach(self, port: Port) -> None:
        """Hear what this port has to say."""
        port.on_late_submit = self._heard
        port.on_late_failure = self._failed

    async def listen(self, port: Port, seconds: float, age: float) -> None:
        """Write nothing, and wait for the result of a submit that was written ``age`` seconds ago, by an earlier run.

        After a minute only what waits in the tty is read: a service that dies again and again would do nothing but
        listen. An answer that comes later is heard all the same.
        """
        port.on_late_submit = None
        try:
            late = await port.listen(seconds if age < _FRESH else _LAST_WORDS)
        finally:
            port.on_late_submit = self._heard
        self._of_an_earlier_run = self.open_token is None
        if isinstance(late, LateSubmit):
            self._listened = late
            # Before anything new is sent, so that it can't be taken for the proof of that.
            await insist(self._name, lambda: self._pass_up(self.open_token, late.mr))

    def _heard(self, late: LateSubmit) -> None:
        heard_at = _now()
        token = late.command.token if late.command is not None else self.open_token
        is_ours = token is not None or self._of_an_earlier_run
        self._upcalls.add(lambda: self._weigh(late, token, heard_at, is_ours=is_ours), must_succeed=True)

    async def _weigh(self, late: LateSubmit, token: str | None, heard_at: float, *, is_ours: bool) -> None:
        """Hands a result up unless that was done already, or it only repeats another."""
        await asyncio.sleep(_REPEATED_WITHIN)  # the result that it may repeat is being handed over right now
        last, answered_at = self._answered
        repeats = late.mr is not None and late.mr == last and abs(answered_at - heard_at) <= _REPEATED_WITHIN
        if repeats or late is self._listened:
            return
        if is_ours:
            await self._pass_up(token, late.mr)
        else:
            log.warning("%s: a result that belongs to no submit of ours (MR %s)", self._name, late.mr)

    async def _pass_up(self, token: str | None, mr: int | None) -> None:
        await self._prove(token, mr)
        if token == self.open_token:
            self._uncertain = None

    def _failed(self, late: LateFailure) -> None:
        log.info(
            "%s: late, the modem says %s, perhaps of a message that had been given up; that stays uncertain, "
            "for it proves nothing", self._name, late.result.text,
        )  # fmt: skip


def _now() -> float:
    return asyncio.get_running_loop().time()
