"""The radio link that SUBMITs go over, and `AT+CMMS`: more messages to send (TS 27.005 clause 3.5.6).

Every SUBMIT needs a link, and setting one up takes the network's `link_setup`. With <n> 1 or 2 the modem keeps it
behind an answer for the persona's `link_seconds`, in which the next SUBMIT finds it open. If none comes it is let go
of, and 1 becomes 0; 2 stays.
"""

from typing import TYPE_CHECKING

from modemgw.emulator.lines import Ask, Failure, Reply, reply_to

if TYPE_CHECKING:
    from modemgw.emulator.device import Device


class Link:
    """The link of one modem; the times are the lab's."""

    def __init__(self, device: "Device") -> None:
        self._device = device
        self._open = False
        self._until = 0.0

    @property
    def mode(self) -> int:
        """<n> as it stands now."""
        settings = self._device.settings
        if settings.cmms == 1 and self._over:
            settings.cmms = 0
        return settings.cmms

    @property
    def _over(self) -> bool:
        return self._device.network.now.value > self._until

    def set(self, mode: int) -> None:
        """`AT+CMMS=`; 1 waits for the next message no longer than behind an answer."""
        self._device.settings.cmms = mode
        self._wait()

    def take(self) -> float:
        """A SUBMIT begins: the seconds until there is a link for it."""
        network = self._device.network
        kept = self._open and self.mode > 0 and not self._over
        self._open = True
        return 0.0 if kept else network.draw(network.link_setup)

    def answered(self) -> None:
        """The SUBMIT on it is over."""
        self._wait()

    def close(self) -> None:
        """The network is gone, or refused."""
        self._open = False

    def _wait(self) -> None:
        self._until = self._device.network.now.value + self._device.persona.sending.link_seconds


@reply_to("+CMMS")
def cmms(device: "Device", ask: Ask) -> Reply:
    """More messages to send."""
    if ask.kind == "test":
        return ["+CMMS: (0-2)"]
    if ask.kind == "read":
        return [f"+CMMS: {device.radio.link.mode}"]
    mode = ask.number(0, 0)
    if mode > 2:
        raise Failure("CMS", 302)
    device.radio.link.set(mode)
    return []
