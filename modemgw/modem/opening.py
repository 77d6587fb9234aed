"""Opens a modem's port, and says in the modem's words why that can't be done."""

import errno

from modemgw.modem import states
from modemgw.modem.states import ModemState, Reason, Status
from modemgw.port.errors import PortUnavailable
from modemgw.port.opener import Connect, open_port
from modemgw.port.port import Port


async def open_modem(path: str, name: str, connect: Connect | None) -> Port:
    """A connected port. Raises PortUnavailable, PortLost."""
    try:
        return await open_port(path, Port(name), connect=connect)
    except PortUnavailable:
        raise
    except OSError as error:  # of an injected connector
        reasons = {errno.ENOENT: "missing", errno.EBUSY: "busy"}
        reason = reasons.get(error.errno or 0, "failed")
        raise PortUnavailable(reason, f"port {path} can't be opened: {error.strerror}") from error


def unavailable(error: PortUnavailable, name: str, path: str) -> Status:
    """What to show."""
    if error.reason == "missing":
        return states.status(ModemState.ABSENT, name=name, port=path)
    reason = Reason.PORT_BUSY if error.reason == "busy" else None
    return states.status(ModemState.FAILED, reason, why=error.text)
