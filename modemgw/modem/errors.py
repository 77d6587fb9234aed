"""What can go wrong in one modem, in the words the layers above decide by.

The one that matters is `SubmitFailed`: its ``kind`` says whether money may have been spent. Everything
between writing 0x1A and a clear answer is UNCERTAIN; nothing here turns UNCERTAIN into a silent retry.
"""

from enum import StrEnum

from modemgw.modem.states import Status


class SubmitFailure(StrEnum):
    """What is known about a submit that gave no ``+CMGS``."""

    NOT_SENT = "not_sent"  # certainly nothing left the modem: free to try again
    REFUSED = "refused"  # the network or the service centre said no: definite
    UNCERTAIN = "uncertain"  # the message may have been sent


class ModemError(Exception):
    """Root of this package's errors; ``text`` is one plain sentence."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class SubmitFailed(ModemError):
    """A submit without ``+CMGS``.

    ``cms``/``cme``: the code of ``+CMS ERROR``/``+CME ERROR``, if there was one.
    ``policy``: how such a fault is best treated: R this recipient or message, S this SIM or subscription,
    T temporary, N network or SIM not ready, M the modem needs repair, P our PDU or parameter is at fault.
    """

    def __init__(
        self,
        kind: SubmitFailure,
        text: str,
        *,
        policy: str = "T",
        cms: int | None = None,
        cme: int | None = None,
    ) -> None:
        super().__init__(text)
        self.kind = kind
        self.policy = policy
        self.cms = cms
        self.cme = cme

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


class NotReady(ModemError):
    """The modem can't do this now: it is absent, starting, locked, or its port was just lost."""


class AcknowledgeFailed(ModemError):
    """The message could not be removed from the modem; it stays there and will be handed over again later."""


class NotTaken(ModemError):
    """The listener can't take a message just now, and says why; it is offered again."""


class UnlockFailed(ModemError):
    """The SIM was not unlocked; ``tries_left`` as the modem counts them, None if it does not say."""

    def __init__(self, text: str, tries_left: int | None = None) -> None:
        super().__init__(text)
        self.tries_left = tries_left


class UssdFailed(ModemError):
    """The network did not answer a USSD request, or the modem does not take it."""


class Blocked(ModemError):
    """Start-up can't go on until something outside changes; ``status`` is what to show meanwhile."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.detail)
        self.status = status


class Restarted(ModemError):
    """The modem has restarted by itself: its settings are gone, and start-up must run again."""


class Unresponsive(ModemError):
    """Nothing on the port answers any more, not even after synchronising anew."""
