"""The composition root: the only wiring. ``run`` is what ``modemgw run`` runs; ``without_api`` serves commands.

serve     starts everything in order, and stops it in order; also without the API, for a command
state     the state directory: lock, database, first key
settings  the configuration as the gateway takes it
modems    configured, plugged in, simulated
reload    what SIGHUP changes
memory    keeps the process small
"""

from modemgw.app.serve import run, without_api
from modemgw.app.state import AlreadyRunning, CannotStart, lock_state_dir

__all__ = ["AlreadyRunning", "CannotStart", "lock_state_dir", "run", "without_api"]
