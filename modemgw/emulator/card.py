"""The SIM card in a modem: PIN dialogue and identity commands (TS 27.007 clauses 5.6, 7.1, 8.3, 8.65).

Which codes were tried is in `Sim.attempts`: a gateway that burns the third try has locked its owner out.
"""

from typing import TYPE_CHECKING

from modemgw.emulator.lines import Ask, Failure, Reply, reply_to
from modemgw.emulator.sim import Sim

if TYPE_CHECKING:
    from modemgw.emulator.device import Device


class Card:
    """What one modem knows of its card. `forced` stands in for a state such as `PH-NET PIN` or `SIM PIN2`."""

    def __init__(self, device: "Device") -> None:
        self._device = device
        self._unlocked = False
        self._busy = False
        self.forced = ""

    @property
    def usable(self) -> bool:
        """Unlocked and settled, so that the modem may register."""
        sim = self._device.sim
        locked = sim is not None and sim.pin is not None and not self._unlocked
        return sim is not None and not locked and not self._busy and self.forced in ("", "SIM PIN2", "SIM PUK2")

    def state(self) -> str:
        """The state as `+CPIN?` words it; Failure without a card or while it is busy."""
        sim = self._sim()
        if self._busy:
            raise Failure("CME", 14)
        if self.forced:
            return self.forced
        if sim.pin_tries == 0:
            return "SIM PUK"
        return "SIM PIN" if sim.pin is not None and not self._unlocked else "READY"

    def _sim(self) -> Sim:
        sim = self._device.sim
        if sim is None:
            raise Failure("CME", 10)
        if sim.puk_tries == 0:
            raise Failure("CME", 13)
        return sim

    def check(self) -> Sim:
        """The card, unlocked; Failure otherwise."""
        state = self.state()
        if state == "SIM PIN":
            raise Failure("CME", 11)
        if state == "SIM PUK":
            raise Failure("CME", 12)
        return self._sim()

    def check_for_sms(self) -> None:
        """The same with the codes of SMS commands."""
        try:
            self.check()
        except Failure as failure:
            codes = {10: 310, 11: 311, 12: 316, 13: 313, 14: 314}
            raise Failure("CMS", codes[failure.code]) from None

    def enter(self, pin: str) -> None:
        """`+CPIN="pin"`."""
        sim = self._sim()
        if self.state() != "SIM PIN":
            raise Failure("CME", 3)
        if not sim.try_pin(pin):
            raise Failure("CME", 16 if sim.pin_tries else 12)
        self._unlock()

    def unblock(self, puk: str, pin: str) -> None:
        """`+CPIN="puk","new pin"`."""
        sim = self._sim()
        if self.state() != "SIM PUK":
            raise Failure("CME", 3)
        if not sim.try_puk(puk, pin):
            raise Failure("CME", 16)
        self._unlock()

    def _unlock(self) -> None:
        self._unlocked = True
        self._busy = True
        self._device.agenda.after(self._device.persona.card.busy_seconds, self._settled)

    def _settled(self) -> None:
        self._busy = False
        self._device.radio.search()

    def power_off(self) -> None:
        """Without power the PIN is asked for again."""
        self._unlocked = False
        self._busy = False

    def booted(self) -> None:
        """After a start a card without PIN lets the modem register."""
        if self.usable:
            self._device.radio.search()

    def swap(self, sim: Sim | None) -> None:
        """Take the card out (None) or put another one in, while the modem runs."""
        self._device.sim = sim
        self.power_off()
        self._device.radio.power_off()
        if self.usable:
            self._device.radio.search()

    def take_out(self, seconds: float | None) -> None:
        """The card loses contact, for good or for so long."""
        sim = self._device.sim
        self.swap(None)
        if seconds is not None:
            network = self._device.network
            network.at(network.now.value + seconds, lambda: self.swap(sim))


@reply_to("+CPIN")
def cpin(device: "Device", ask: Ask) -> Reply:
    """State of the card, PIN entry, PUK entry."""
    if ask.kind == "read":
        if not device.persona.card.pin_state_ends_with_ok and device.exchange is not None:
            device.exchange.without_ok()
        return [f"+CPIN: {device.card.state()}"]
    if ask.kind == "set" and ask.text(1):
        device.card.unblock(ask.text(0), ask.text(1))
    elif ask.kind == "set":
        device.card.enter(ask.text(0))
    return []


def tries_left(device: "Device", ask: Ask) -> Reply:  # noqa: ARG001
    """The persona's own command for the tries that are left."""
    sim = device.sim
    if sim is None:
        raise Failure("CME", 10)
    text = device.persona.card.retry_answer.format(
        pin=sim.pin_tries, puk=sim.puk_tries, needed=sim.pin_tries or sim.puk_tries, state=device.card.state()
    )
    return text.split("|")


@reply_to("+CLCK")
def clck(device: "Device", ask: Ask) -> Reply:
    """Facility lock: only whether the card asks for its PIN (`="SC",2`) can be queried."""
    sim = device.sim
    if ask.text(0) != "SC" or ask.text(1) != "2" or sim is None:
        raise Failure("CME", 4)
    return [f"+CLCK: {int(sim.pin is not None)}"]


@reply_to("+CIMI")
def cimi(device: "Device", ask: Ask) -> Reply:
    """IMSI; not before the card is unlocked."""
    return [] if ask.kind == "test" else [device.card.check().imsi]


@reply_to("+CNUM")
def cnum(device: "Device", ask: Ask) -> Reply:
    """The card's own number."""
    return [] if ask.kind == "test" else [f'+CNUM: "","{device.card.check().number}",145']
