"""Calls that ring (V.250 RING, 27.007 clause 7.6 CLIP, 6.4 CVHU, 6.5 CHUP) and USSD dialogues (clause 7.15)."""

from typing import TYPE_CHECKING

from modemgw.emulator.agenda import Entry
from modemgw.emulator.lines import Ask, Failure, Reply, reply_to
from modemgw.emulator.ussd import UNKNOWN, Menu, from_line, to_line

if TYPE_CHECKING:
    from modemgw.emulator.device import Device


class Calls:
    """The call that rings at one modem, and its USSD dialogue."""

    def __init__(self, device: "Device") -> None:
        self._device = device
        self._caller: str | None = None
        self._planned: list[Entry] = []
        self.menu: Menu | None = None
        self.own_coding = ""

    @property
    def ringing(self) -> bool:
        """Whether somebody calls right now."""
        return self._caller is not None

    def ring(self, caller: str, seconds: float = 20.0) -> None:
        """Somebody calls for so long; an empty `caller` withholds the number."""
        self.hang_up()
        self._caller = caller
        self._planned = [self._device.agenda.after(seconds, self._caller_gives_up)]
        self._ring_once()

    def _ring_once(self) -> None:
        if self._caller is None:
            return
        device = self._device
        device.urc("+CRING: VOICE" if device.settings.crc else "RING")
        if device.settings.clip:
            number = f'"{self._caller}",145,,,,0' if self._caller else '"",128,,,,2'
            device.urc(f"+CLIP: {number}")
        self._planned[1:] = [device.agenda.after(device.persona.service.ring_seconds, self._ring_once)]

    def _caller_gives_up(self) -> None:
        self.hang_up()
        for line in self._device.persona.service.call_missed.split("|"):
            self._device.urc(line)

    def hang_up(self) -> None:
        """End the call."""
        self._caller = None
        for entry in self._planned:
            entry.cancel()
        self._planned = []

    def power_off(self) -> None:
        """Calls and dialogues do not outlive a restart."""
        self.hang_up()
        self.menu = None
        self.own_coding = ""

    def dial_ussd(self, text: str) -> None:
        """Ask the network, or answer the open dialogue."""
        device = self._device
        if self.menu is not None:
            menu = self.menu.choices.get(text, UNKNOWN)
        else:
            menu = device.network.menus.get(text, UNKNOWN)
        self.menu = None
        if menu.answers:
            device.agenda.after(device.persona.service.ussd_seconds, lambda: self._show(menu))

    def _show(self, menu: Menu) -> None:
        device = self._device
        self.menu = menu if menu.choices else None
        mode = menu.mode if menu.mode is not None else int(bool(menu.choices))
        if menu.raw:
            device.urc(f"+CUSD: {menu.raw}")
        elif menu.text:
            credit = device.sim.credit if device.sim is not None else 0
            text = menu.text.replace("{credit}", f"{credit // 100}.{credit % 100:02}")
            text, dcs = to_line(text, self.coding())
            device.urc(f'+CUSD: {mode},"{text}",{dcs}')
        else:
            device.urc(f"+CUSD: {mode}")

    def coding(self) -> str:
        """How strings are coded now: the persona's way, or UCS-2 when that character set is chosen."""
        coding = self.own_coding or self._device.persona.service.ussd
        return "ucs2" if coding == "plain" and self._device.settings.cscs == "UCS2" else coding


@reply_to("+CUSD")
def cusd(device: "Device", ask: Ask) -> Reply:
    """`=1,"*100#",15` asks, `=2` ends the dialogue; the answer comes unsolicited, after OK."""
    if ask.kind == "test":
        return ["+CUSD: (0-2)"]
    if ask.kind == "read":
        return ["+CUSD: 1"]
    if ask.number(0, 0) == 2:
        device.calls.menu = None
    elif ask.text(1):
        device.card.check()
        if not device.radio.attached:
            raise Failure("CME", 30)
        if device.settings.cscs == "UCS2" and not device.persona.service.ussd_in_ucs2:
            device.agenda.after(device.persona.service.ussd_seconds, lambda: device.urc("+CUSD: 4"))
            return []
        try:
            text = from_line(ask.text(1), device.calls.coding())
        except ValueError:
            raise Failure("CME", 50) from None
        device.calls.dial_ussd(text)
    return []


@reply_to("H")
def hook(device: "Device", ask: Ask) -> Reply:  # noqa: ARG001
    """Hang up; with CVHU=1 it leaves a voice call alone."""
    if device.settings.cvhu != 1:
        device.calls.hang_up()
    return []


@reply_to("+CHUP")
def chup(device: "Device", ask: Ask) -> Reply:
    """Hang up a voice call."""
    if ask.kind != "test":
        device.calls.hang_up()
    return []


@reply_to("A")
def answer(device: "Device", ask: Ask) -> Reply:  # noqa: ARG001
    """Answer the call that rings; without one there is no carrier."""
    if not device.calls.ringing:
        raise Failure(text="NO CARRIER")
    device.calls.hang_up()
    return []


@reply_to("D")
def dial(device: "Device", ask: Ask) -> Reply:  # noqa: ARG001
    """Nobody can be called in this network."""
    raise Failure(text="NO CARRIER")


@reply_to("+CLIP")
def clip(device: "Device", ask: Ask) -> Reply:
    """Show who calls."""
    if ask.kind == "test":
        return ["+CLIP: (0,1)"]
    if ask.kind == "read":
        return [f"+CLIP: {device.settings.clip},1"]
    device.settings.clip = min(ask.number(0, 0), 1)
    return []


@reply_to("+CRC")
def crc(device: "Device", ask: Ask) -> Reply:
    """`+CRING: VOICE` in place of RING."""
    if ask.kind == "read":
        return [f"+CRC: {device.settings.crc}"]
    device.settings.crc = min(ask.number(0, 0), 1) if ask.kind == "set" else 0
    return []


@reply_to("+CVHU")
def cvhu(device: "Device", ask: Ask) -> Reply:
    """What ATH means for a voice call."""
    if ask.kind == "test":
        return ["+CVHU: (0-2)"]
    if ask.kind == "read":
        return [f"+CVHU: {device.settings.cvhu}"]
    device.settings.cvhu = ask.number(0, 0)
    return []
