"""What is known from opening a port to losing it. A new connection begins with a new session."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from modemgw.at import answers, commands
from modemgw.at.errors import UnexpectedReply
from modemgw.at.urc import UrcTable
from modemgw.modem.dialogue import Dialogue
from modemgw.modem.errors import ModemError, SubmitFailed, SubmitFailure
from modemgw.modem.facts import Identity, SimCard, Store
from modemgw.modem.listener import PinGuard
from modemgw.modem.network import Radio
from modemgw.modem.pin import Locksmith
from modemgw.modem.profile import Profile, Profiles
from modemgw.modem.settings import ModemSettings
from modemgw.modem.stores import Stores
from modemgw.port.errors import PortError

_SIM_SEEN_S = 30.0


@dataclass(slots=True)
class Session:
    """What start-up finds and serving uses.

    ``doubtful``: the network was away, so the SIM may be another one now: nothing is sent before it was asked again.
    ``check_due`` asks the watch to read the settings back; ``serving``: start-up is done, and nothing ended it.
    """

    dialogue: Dialogue
    settings: ModemSettings
    profiles: Profiles
    profile: Profile
    guard: PinGuard
    publish: Callable[[], None]
    radio: Radio = field(default_factory=Radio)
    identity: Identity | None = None
    sim: SimCard | None = None
    hangs: set[str] = field(default_factory=set)  # message stores that may not be listed
    no_link: set[str] = field(default_factory=set)  # IMEIs of modems that do not keep the radio link
    service: int = 0  # +CSMS: 1 = direct messages wait for our +CNMA
    routing: tuple[int, ...] | None = None  # +CNMI as it was read back, None if the modem does not tell
    check_due: bool = False
    doubtful: bool = False
    restarted_for_sim: bool = False
    serving: bool = False
    sim_seen_at: float = 0.0  # the loop's time
    stores: Stores = field(init=False)

    def __post_init__(self) -> None:
        self.use(self.profile)

    def use(self, profile: Profile) -> None:
        """From now on the modem is treated as this family."""
        self.profile = profile
        port = self.dialogue.port
        port.guard = profile.timing.guard_ms / 1000
        lines = profile.lines
        port.chat.urcs = UrcTable(boot=lines.boot, full=lines.full, direct=lines.direct, ignored=lines.ignored)
        self.stores = Stores(self.dialogue, profile.storage, self.hangs)

    @property
    def locksmith(self) -> Locksmith:
        return Locksmith(
            self.dialogue, self.profile, self.settings, self.guard, self.identity.imei if self.identity else None
        )

    async def ask_sim(self) -> None:
        """Before a SUBMIT and after USSD: is it still the SIM that start-up found? Not all modems say so of themselves.

        Asked again when the last answer is half a minute old. Raises SubmitFailed.
        """
        now = asyncio.get_running_loop().time()
        if self.sim is None or self.sim.imsi is None or now - self.sim_seen_at < _SIM_SEEN_S:
            return
        try:
            reply = await self.dialogue.attempt(commands.IMSI)
        except (ModemError, PortError) as error:
            raise SubmitFailed(SubmitFailure.NOT_SENT, str(error), policy="N") from error
        found = None
        with contextlib.suppress(UnexpectedReply):
            found = answers.digits(reply) if reply else None
        if found is None:
            return  # some don't tell it while they are busy; what can't be asked is taken to be right
        if found != self.sim.imsi:
            self.dialogue.restart_seen("another SIM is in it")
            raise SubmitFailed(SubmitFailure.NOT_SENT, "another SIM is in the modem", policy="N")
        self.sim_seen_at = now

    def counted(self) -> tuple[Store, ...]:
        """The message stores as last counted."""
        return tuple(self.stores.known(name) for name in self.stores.names)

    def registration_seen(self) -> None:
        """The radio has news."""
        if not self.radio.network.registered:
            self.doubtful = True
        elif self.doubtful:
            self.check_soon()

    def check_soon(self) -> None:
        """Something makes the settings doubtful."""
        self.check_due = True
        self.dialogue.attention.set()
