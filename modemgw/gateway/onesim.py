"""A modem as the sender of one SIM sees it: nothing goes out while another SIM is in it.

A sender counts, limits and books for one SIM. The modem may get another one, or be another stick on the same port,
between the choice of a message and the prompt; so the SIM is compared when the SUBMIT begins and again at the prompt,
before the intent is written down. Until then everything can be taken back.
"""

from typing import Protocol

from modemgw.gateway import ussd
from modemgw.modem.errors import SubmitFailed, SubmitFailure
from modemgw.modem.facts import SimCard
from modemgw.modem.modem import Modem
from modemgw.store.views import Json


class BeforePayload(Protocol):
    """Called at the prompt."""

    async def __call__(self) -> None: ...


class OneSim:
    """What a sender needs of a modem, for the SIM that is in it now."""

    def __init__(self, modem: Modem, sim: SimCard) -> None:
        self.name = modem.name
        self.port_path = modem.port_path
        self._modem = modem
        self._sim = sim

    @property
    def present(self) -> bool:
        """Whether this SIM is still the one in the modem, as far as the modem has said."""
        return same_card(self._sim, self._modem.sim)

    def _check(self) -> None:
        if not self.present:
            raise SubmitFailed(SubmitFailure.NOT_SENT, "another SIM is in the modem than the one chosen", policy="N")

    async def submit(self, pdu_hex: str, tpdu_length: int, *, token: str, before_payload: BeforePayload) -> int | None:
        """As ``Modem.submit``. Raises SubmitFailed, NOT_SENT where the SIM is another one."""
        self._check()

        async def at_prompt() -> None:
            self._check()
            await before_payload()

        return await self._modem.submit(pdu_hex, tpdu_length, token=token, before_payload=at_prompt)

    async def ussd(self, code: str) -> Json:
        """One USSD request and its answer, which is for this SIM. Raises ModemError, also where it is another one."""
        self._check()
        answer = await ussd.ask(self._modem, code, keep_open=False)
        self._check()
        return answer


def same_card(one: SimCard, other: SimCard | None) -> bool:
    """True for the same SIM; what either does not tell is no difference, but something must agree."""
    if other is None:
        return False
    pairs = [(one.iccid, other.iccid), (one.imsi, other.imsi)]
    told = [(a, b) for a, b in pairs if a is not None and b is not None]
    return bool(told) and all(a == b for a, b in told)
