"""The states of a modem, their reasons, and what a person should do about each.

`SENTENCES` is the one table of plain words: a (state, reason) that is not in it cannot be shown, because
`status` is the only way to make a `Status` (and `not_found`, for a modem without a port). While a modem serves, its
state follows from the registration
(3GPP TS 27.007, 7.2 ``+CREG`` <stat>, 10.1.20 ``+CGREG``, 10.1.22 ``+CEREG``): `from_registration`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class ModemState(StrEnum):
    """The words of the API."""

    ABSENT = "absent"
    INITIALIZING = "initializing"
    LOCKED = "locked"
    SEARCHING = "searching"
    REGISTERED = "registered"
    DENIED = "denied"
    FAILED = "failed"
    DISABLED = "disabled"


class Reason(StrEnum):
    """Why a modem is in its state, where the state alone does not say enough."""

    NO_SIM = "no_sim"
    PIN_REQUIRED = "pin_required"
    PIN_REFUSED = "pin_refused"
    PUK_REQUIRED = "puk_required"
    DEVICE_LOCKED = "device_locked"
    ROAMING = "roaming"
    NO_SERVICE = "no_service"
    PORT_BUSY = "port_busy"
    WRONG_IDENTITY = "wrong_identity"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class Status:
    """State, reason, and one plain sentence: what is the matter and what to do."""

    state: ModemState
    reason: Reason | None
    detail: str


SENTENCES: Mapping[tuple[ModemState, Reason | None], str] = {
    (ModemState.ABSENT, None): ("port {port} does not exist: plug the modem in or correct [[modem]].port of '{name}'"),
    (ModemState.INITIALIZING, None): "the modem is being prepared",
    (ModemState.LOCKED, Reason.PIN_REQUIRED): (
        "the SIM wants its PIN ({why}): configure pin_file, or run: modemgw unlock {name}"
    ),
    (ModemState.LOCKED, Reason.PIN_REFUSED): (
        "the SIM refused the configured PIN, and it is not tried again by itself ({why}): run: modemgw unlock {name}"
    ),
    (ModemState.LOCKED, Reason.PUK_REQUIRED): (
        "the SIM is blocked and wants its PUK: put it into a phone, enter the PUK there and bring it back"
    ),
    (ModemState.LOCKED, Reason.DEVICE_LOCKED): (
        "the modem itself is locked ({why}), most likely to another operator: have it unlocked by its seller"
    ),
    (ModemState.SEARCHING, None): "looking for a network",
    (ModemState.SEARCHING, Reason.NO_SERVICE): (
        "no network to be found: check the antenna, the place, and whether the SIM is active"
    ),
    (ModemState.REGISTERED, None): "ready",
    (ModemState.REGISTERED, Reason.ROAMING): (
        "registered in a foreign network, where messages may cost more: nothing is sent unless the SIM allows roaming"
    ),
    (ModemState.DENIED, None): (
        "the network refuses this SIM: ask the operator whether it is active, paid for and allowed in this modem"
    ),
    (ModemState.FAILED, None): "{why}",
    (ModemState.FAILED, Reason.NO_SIM): "there is no SIM in the modem: put one in, contacts first",
    (ModemState.FAILED, Reason.NO_ANSWER): (
        "nothing on this port answers AT: check that {port} is the modem's AT port, then unplug the modem "
        "and plug it in again"
    ),
    (ModemState.FAILED, Reason.PORT_BUSY): "{why}",
    (ModemState.FAILED, Reason.WRONG_IDENTITY): (
        "port {port} has a modem with IMEI {why}, not the one that is configured for '{name}': correct "
        "[[modem]].imei or plug in the right modem"
    ),
    (ModemState.DISABLED, None): "switched off by an operator: POST /v1/modems/{name}/enable brings it back",
}


def status(state: ModemState, reason: Reason | None = None, *, name: str = "", port: str = "", why: str = "") -> Status:
    """A status with its sentence filled in. KeyError for a pair that the table does not know."""
    return Status(state, reason, SENTENCES[state, reason].format(name=name, port=port, why=why))


def not_found(name: str, imei: str | None) -> Status:
    """Of a modem that is known by its IMEI, or was found by itself, and is on no port."""
    which = f"the modem with IMEI {imei}" if imei else "the modem"
    detail = f"{which} is not plugged in, or does not answer: plug it in, or correct [[modem]].imei of '{name}'"
    return Status(ModemState.ABSENT, None, detail)


class Registration(StrEnum):
    """What one or all of the registration queries say, reduced to what matters for SMS."""

    HOME = "home"
    ROAMING = "roaming"
    SEARCHING = "searching"
    DENIED = "denied"
    UNKNOWN = "unknown"
    NONE = "none"


# <stat> of TS 27.007; 6 and 7 are "SMS only", 9 and 10 "CSFB not preferred", 8 is "emergency calls only".
REGISTRATION_BY_STAT: Mapping[int, Registration] = {
    0: Registration.NONE,
    1: Registration.HOME,
    2: Registration.SEARCHING,
    3: Registration.DENIED,
    4: Registration.UNKNOWN,
    5: Registration.ROAMING,
    6: Registration.HOME,
    7: Registration.ROAMING,
    8: Registration.NONE,
    9: Registration.HOME,
    10: Registration.ROAMING,
}
# An LTE-only modem says 0 or 2 to +CREG while +CEREG says 1: the best of the answers is the truth.
_RANK = tuple(Registration)


def best(stats: Mapping[str, int]) -> Registration:
    """The best of what ``+CREG``, ``+CEREG`` and ``+CGREG`` say (command -> stat); NONE for no answer."""
    known = [REGISTRATION_BY_STAT.get(stat, Registration.UNKNOWN) for stat in stats.values()]
    return min(known, key=_RANK.index, default=Registration.NONE)


_BY_REGISTRATION: Mapping[Registration, tuple[ModemState, Reason | None]] = {
    Registration.HOME: (ModemState.REGISTERED, None),
    Registration.ROAMING: (ModemState.REGISTERED, Reason.ROAMING),
    Registration.SEARCHING: (ModemState.SEARCHING, None),
    Registration.DENIED: (ModemState.DENIED, None),
    Registration.UNKNOWN: (ModemState.SEARCHING, Reason.NO_SERVICE),
    Registration.NONE: (ModemState.SEARCHING, Reason.NO_SERVICE),
}


def from_registration(registration: Registration, *remarks: str) -> Status:
    """The status of a modem that serves; ``remarks`` are what else a person should know or do."""
    state, reason = _BY_REGISTRATION[registration]
    shown = status(state, reason)
    return replace(shown, detail="; ".join((shown.detail, *remarks)))
