"""The composition root: the only wiring. ``run`` is what ``modemgw run`` runs.

serve     starts everything in order, and stops it in order
state     the state directory: lock, database, first key
settings  the configuration as the gateway takes it
modems    configured, plugged in, simulated
reload    what SIGHUP changes
memory    keeps the process small
"""

from modemgw.app.serve import run
from modemgw.app.state import CannotStart, lock_state_dir

__all__ = ["CannotStart", "lock_state_dir", "run"]
