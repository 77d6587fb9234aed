"""What the driver asks of the layer above: a listener for what happens, and a memory for PIN attempts.

The driver keeps nothing on disk. Both are passed in, so that it imports no store and no gateway.
"""

from typing import Protocol, TypeVar

from modemgw.modem.facts import Received

# The modem itself, which stands above this file.
M_contra = TypeVar("M_contra", contravariant=True)


class ModemListener(Protocol[M_contra]):
    """Implemented by the gateway."""

    async def received(self, modem: M_contra, pdu: Received) -> None:
        """A message or status report. Returns once it is durable; raising leaves it on the SIM, offered again.

        Raises NotTaken for what passes by itself; anything else is a fault, and logged as one.

        Called for one message at a time, in order. Afterwards (or before returning)
        ``modem.acknowledge(pdu.receipt)`` removes it from the modem.
        """

    async def late_submit(self, modem: M_contra, token: str | None, mr: int | None) -> None:
        """``+CMGS: <mr>`` for a submit that had already been given up as uncertain.

        ``token`` is that submit's; None when it was heard while only listening after a start.
        """

    def changed(self, modem: M_contra) -> None:
        """State, reason, identity, SIM, signal or operator is another than before."""

    async def event(self, modem: M_contra, kind: str, detail: dict[str, str]) -> None:
        """Something worth telling: ``call.received`` {number}, ``modem.storage_full`` {storage}."""


class PinGuard(Protocol):
    """The durable memory of PIN attempts, so that a SIM never loses its last try to a loop or a restart.

    An attempt that is recorded counts as used up until it is ``accepted``, or the SIM is ``found_open`` later.
    ``sim_key`` is ``iccid:…``, else ``imei:…`` of the modem while the ICCID can't be read.
    """

    async def may_try(self, sim_key: str, pin: str) -> bool:
        """False once this PIN was recorded for this SIM without having been accepted."""

    async def clean(self, sim_key: str) -> bool:
        """True if no PIN at all is recorded for this SIM without having been accepted."""

    async def record(self, sim_key: str, pin: str) -> None:
        """Durable when it returns; only then is the PIN written to the modem."""

    async def accepted(self, sim_key: str, pin: str) -> None:
        """The SIM took this PIN: the attempt was none that counts, and the next power-up may use it again."""

    async def refused(self, sim_key: str, pin: str) -> None:
        """The SIM said that this PIN is wrong."""

    async def found_open(self, sim_key: str, pin: str) -> None:
        """The SIM is open without our doing: as ``accepted``, unless it refused this PIN earlier."""
