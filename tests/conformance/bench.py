"""One combination of persona and profile, and what the scenarios ask about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modem.rig import Rig

from modemgw.emulator.ledger import Accepted
from modemgw.gateway import ussd as coding
from modemgw.modem.facts import UssdReply
from modemgw.modem.states import ModemState
from modemgw.pdu.decode import decode
from modemgw.pdu.envelope import wrap
from modemgw.pdu.tpdu import StatusReport, Submit

OUTSIDE = "+4915559000001"
Make = Callable[..., Rig]


@dataclass(frozen=True, slots=True)
class Case:
    """``profile`` is "own" or "generic"; ``routing`` is the AT+CNMI that start-up has to settle on.

    ``keeps_link``: whether the family keeps the radio link for the next message.
    """

    persona: str
    profile: str
    routing: str
    make: Make
    keeps_link: bool

    @property
    def profile_name(self) -> str:
        """The profile that the driver has to choose."""
        return "generic" if self.profile == "generic" else self.persona


async def serving(rig: Rig) -> None:
    """Start, and wait until messages go both ways; a persona needs up to a minute and a half for that."""
    rig.start()
    await usable(rig)


async def usable(rig: Rig) -> None:
    """Wait until messages go both ways."""
    await rig.until_state(ModemState.REGISTERED, 180)
    await rig.modem.sweep()


async def send(rig: Rig, submits: Sequence[Submit], before: Callable[[], None] = lambda: None) -> list[int | None]:
    """All segments in order, as a sender does; their references."""

    async def intend() -> None:
        before()

    lines = [wrap(submit.encode()) for submit in submits]
    return [
        await rig.modem.submit(line.hex, line.tpdu_length, token=f"t-{place}", before_payload=intend)
        for place, line in enumerate(lines)
    ]


def accepted(rig: Rig) -> list[Accepted]:
    """What the network took from this modem."""
    return list(rig.lab.network.ledger)


def reports(rig: Rig) -> list[StatusReport]:
    """The status reports that were handed up."""
    found = [decode(pdu.pdu).tpdu for pdu in rig.gateway.taken]
    return [tpdu for tpdu in found if isinstance(tpdu, StatusReport)]


def left(rig: Rig) -> int:
    """Messages that still lie anywhere in the modem or on its SIM."""
    return sum(part.used for part in rig.device.inbox.parts())


async def ussd(rig: Rig, code: str, *, keep_open: bool = False) -> tuple[int, str]:
    """One request in the coding that the profile says; what the network says to it."""
    profile = rig.modem.profile
    assert profile is not None
    packed = profile.ussd_packed
    reply: UssdReply = await rig.modem.ussd(coding.encode(code, packed=packed), keep_open=keep_open)
    return reply.more, coding.decode(reply.raw, reply.dcs, packed=packed)


def all_once(texts: Sequence[str | None], wanted: Sequence[str]) -> bool:
    """Every wanted text came, exactly once, in whatever order."""
    return sorted(map(str, texts)) == sorted(wanted)
