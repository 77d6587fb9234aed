"""Unsolicited lines: framed, held back while a command runs if the persona says so, and hit by faults."""

import random
from typing import TYPE_CHECKING

from modemgw.emulator.faults import MODEM_WIDE, Delay, Drop, Duplicate, Garble, Reboot, Reword, Stray, Unplug, Urc, pick
from modemgw.emulator.suffering import suffer

if TYPE_CHECKING:
    from modemgw.emulator.device import Device


class Announcer:
    """What one modem says unasked."""

    def __init__(self, device: "Device") -> None:
        self._device = device

    def frame(self, text: str) -> bytes:
        """An unsolicited line as it goes over the wire; `hex:…` are bytes as they are, without a frame."""
        if text.startswith("hex:"):
            return bytes.fromhex(text[4:])
        return f"\r\n{text}{self._device.persona.line.urc_end}".encode("latin-1", "replace")

    def say(self, text: str, pdu: str = "", *, at_once: bool = False) -> None:
        """Say a line, with a PDU line behind it for `+CMT` and `+CDS`. `at_once`: even inside a command."""
        device = self._device
        effects = device.faults.on_line(Urc, text)
        if pick(effects, Drop):
            return
        reworded = pick(effects, Reword)
        if reworded is not None:
            fields = [field.strip(' "') for field in text.partition(":")[2].split(",")]
            text = reworded.text.format(*fields)
        data = self.frame(text)
        data += b"".join(self.frame(do.text) for do in effects if isinstance(do, Stray) and do.where == "pdu")
        if pdu:
            data += f"{pdu}{device.persona.line.urc_end}".encode("latin-1", "replace")
        garble, late = pick(effects, Garble), pick(effects, Delay)
        if garble is not None:
            data = garbled(data, garble.count, device.rng)
        if pick(effects, Duplicate):
            data += data
        if late is not None:
            device.agenda.after(late.seconds, lambda: self._put(data, at_once=True))
        else:
            self._put(data, at_once=at_once)
        for do in effects:
            if isinstance(do, (Unplug, Reboot, *MODEM_WIDE)):
                suffer(device, do)

    def _put(self, data: bytes, *, at_once: bool) -> None:
        for channel in self._device.talkers():
            channel.say(data, at_once=at_once)


def garbled(data: bytes, count: int, rng: random.Random) -> bytes:
    """The data with `count` bytes changed."""
    changed = bytearray(data)
    for _ in range(count if data else 0):
        changed[rng.randrange(len(changed))] ^= rng.randrange(1, 256)
    return bytes(changed)
