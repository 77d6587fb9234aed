"""What a modem says all the time without being asked: signal, traffic, network time. Lines and period by the persona.

`{rssi}`, `{lac}`, `{cell}` and `{seconds}` (since the lab began) are filled in. It falls silent while there is no
network, and for good when the persona's command for that was given (until the next restart).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modemgw.emulator.device import Device


class Noise:
    """The chatter of one modem."""

    def __init__(self, device: "Device") -> None:
        self._device = device
        self._place = 0
        self.on = True
        self._plan()

    def start(self) -> None:
        """The modem has started."""
        self.on = True
        self._plan()

    def _plan(self) -> None:
        noise = self._device.persona.noise
        if noise.seconds and noise.lines:
            self._device.agenda.after(noise.seconds, self._say)

    def _say(self) -> None:
        device = self._device
        lines = device.persona.noise.lines
        text = lines[self._place % len(lines)]
        self._place += 1
        if self.on and device.radio.attached:
            device.urc(filled(device, text))
        self._plan()


def filled(device: "Device", text: str) -> str:
    """The line with the modem's state in it; `{{` and `}}` are not needed: unknown names stay as they are."""
    sim = device.sim
    known = {
        "rssi": device.radio.rssi,
        "lac": f"{device.radio.lac:04X}",
        "cell": f"{device.radio.cell:08X}",
        "stat": device.radio.stat,
        "seconds": int(device.network.now.value),
        "imei": device.imei,
        "iccid": sim.iccid if sim else "",
        "imsi": sim.imsi if sim else "",
        "number": sim.number if sim else "",
        "pin": sim.pin_tries if sim else 0,
        "puk": sim.puk_tries if sim else 0,
        "operator": device.persona.radio.operator_long,
        "model": device.persona.identity.model,
        "revision": device.persona.identity.revision,
    }
    for name, value in known.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text
