"""What a modem loses without power, and what it does when it starts."""

from typing import TYPE_CHECKING

from modemgw.emulator.intake import Mode
from modemgw.emulator.lines import Failure
from modemgw.emulator.settings import fresh

if TYPE_CHECKING:
    from modemgw.emulator.device import Device


def off(device: "Device") -> None:
    """Everything that is not on the card or in a storage is gone."""
    device.agenda.clear()
    device.settings = fresh(device.persona)
    for tty in device.ttys.values():
        tty.power_off()
    device.urcs_on = device.persona.ports.urcs
    device.deaf_lines = 0
    for part in (device.radio, device.inbox, device.calls, device.card):
        part.power_off()


def boot(device: "Device") -> None:
    """Listen, and say so; with an automatic bit rate nothing before the computer has spoken."""
    persona = device.persona.boot
    for channel in device.channels():
        channel.intake.mode = Mode.COMMAND
        channel.write(bytes.fromhex(persona.garbage))
    device.deaf_lines = persona.autobaud_lines
    device.inbox.booted()
    device.noise.start()
    if not device.deaf_lines:
        say_hello(device)
    device.card.booted()


def say_hello(device: "Device") -> None:
    """The lines of a start, one after the other."""
    for place, text in enumerate(device.persona.boot.urcs):
        device.agenda.after(place * device.persona.boot.urc_seconds, lambda text=text: _say(device, text))  # type: ignore[misc]


def _say(device: "Device", text: str) -> None:
    if text.startswith("+CPIN:"):
        try:
            text = f"+CPIN: {device.card.state()}"
        except Failure:
            text = "+CPIN: NOT READY"
    device.urc(text)
