"""Why a modem's port can't be opened, in the modem's words."""

from modemgw.modem import states
from modemgw.modem.states import ModemState, Reason, Status
from modemgw.port.errors import PortUnavailable


def unavailable(error: PortUnavailable, name: str, path: str) -> Status:
    """What to show."""
    if error.reason == "missing":
        return states.status(ModemState.ABSENT, name=name, port=path)
    reason = Reason.PORT_BUSY if error.reason == "busy" else None
    return states.status(ModemState.FAILED, reason, why=error.text)
