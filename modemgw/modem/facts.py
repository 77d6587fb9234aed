"""What is known about a modem, its SIM and its network, and what it hands up.

All of it is frozen and crosses to the gateway; nothing here knows a command.
"""

from dataclasses import dataclass
from typing import Literal

from modemgw.modem.states import Registration


@dataclass(frozen=True, slots=True)
class Identity:
    """The hardware. Each may be unknown; ``imei`` is 14-16 digits and what a configuration binds to."""

    imei: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class SimCard:
    """The SIM. Counters, message references and PIN attempts bind to ``iccid``, else to ``imsi``.

    ``number``: what the SIM says its number is (``+`` and digits, or national), often nothing or out of date.
    ``smsc``: the service centre stored in the SIM.
    """

    iccid: str | None = None
    imsi: str | None = None
    number: str | None = None
    smsc: str | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """The radio. ``rssi`` as ``+CSQ`` counts it (0-31, None unknown), ``dbm`` = -113 + 2 * rssi."""

    registration: Registration = Registration.NONE
    operator: str | None = None
    rssi: int | None = None
    dbm: int | None = None
    verdict: str = "unknown"

    @property
    def registered(self) -> bool:
        """Whether messages can be sent and received."""
        return self.registration in (Registration.HOME, Registration.ROAMING)

    @property
    def roaming(self) -> bool:
        return self.registration is Registration.ROAMING


@dataclass(frozen=True, slots=True)
class Store:
    """One message store of the modem (``SM``, ``ME``, ``SR`` ...), with its slots where the modem says them."""

    name: str
    used: int | None = None
    total: int | None = None

    @property
    def nearly_full(self) -> bool:
        """At four fifths it is time to say so: a full store makes the modem deaf."""
        if self.used is None or not self.total:
            return False
        return self.used * 5 >= self.total * 4


@dataclass(frozen=True, slots=True)
class Receipt:
    """How a message that was handed up is acknowledged to the modem; opaque to the gateway.

    ``stored``: it lies in slot ``index`` of ``storage`` and is deleted there if that slot still holds ``pdu``.
    ``direct``: it came as ``+CMT``/``+CDS``; ``confirm`` says that the modem waits for ``+CNMA``.
    """

    kind: Literal["stored", "direct"]
    pdu: str
    storage: str | None = None
    index: int = -1
    confirm: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """A PDU as the modem showed it: upper-case hex with the SMSC field; ``tpdu_length`` in octets, if said."""

    pdu: str
    tpdu_length: int | None
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class UssdReply:
    """``+CUSD: <more>[,<raw>,<dcs>]`` as it came; decoding it by ``dcs`` is the gateway's."""

    more: int
    raw: str
    dcs: int | None


@dataclass(frozen=True, slots=True)
class Handed:
    """One SUBMIT in seconds of the loop's clock: ``at`` is that of its Ctrl-Z, None if it did not come to that."""

    at: float | None
    ended: float
    accepted: bool


# Bounds in dBm from which a verdict holds: common practice for GSM; below -105 messages start to fail.
_VERDICTS = ((-75, "very good"), (-89, "good"), (-95, "fair"), (-105, "weak: move the antenna"))


def signal(rssi: int | None) -> tuple[int | None, int | None, str]:
    """``+CSQ`` <rssi> -> (rssi or None, dBm or None, verdict). TS 27.007, 8.5; 99 means "not known"."""
    if rssi is None or not 0 <= rssi <= 31:
        return None, None, "unknown"
    dbm = -113 + 2 * rssi
    for bound, verdict in _VERDICTS:
        if dbm >= bound:
            return rssi, dbm, verdict
    return rssi, dbm, "very weak: move the antenna or the modem"
