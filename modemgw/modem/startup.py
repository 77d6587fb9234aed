"""Start-up: runs the steps of the profile in order. The steps themselves are data.

A step that only sends tries its alternatives until one gets OK. Any failure is retried as long as the step says; then
it is passed over, or start-up ends with the step's own sentence. `Blocked`, a lost port, a modem that restarts or no
longer answers end start-up at once.
"""

import asyncio
import logging

from modemgw.at.errors import CommandFailed, UnexpectedReply
from modemgw.modem import queries
from modemgw.modem.errors import Blocked
from modemgw.modem.network import Radio
from modemgw.modem.profile import ProfileError, Step
from modemgw.modem.session import Session
from modemgw.modem.states import ModemState, status
from modemgw.modem.stores import StoreUnavailable
from modemgw.modem.strategies import STRATEGIES
from modemgw.port.errors import CommandTimeout

log = logging.getLogger(__name__)
_FAILURES = (CommandFailed, CommandTimeout, UnexpectedReply, StoreUnavailable)
_MAX_RETURNS = 3


async def start(session: Session) -> None:
    """Make the modem ready for messages. Raises Blocked, Restarted, Unresponsive, PortLost."""
    session.dialogue.begin()
    session.radio = Radio()
    session.check_due = False
    position = returns = 0
    while position < len(session.profile.step):
        step = session.profile.step[position]
        back_to = await _perform(session, step)
        # The step may have chosen another profile, in which it stands elsewhere.
        names = [known.name for known in session.profile.step]
        position = names.index(step.name) + 1
        if back_to is not None and returns < _MAX_RETURNS:
            returns += 1
            position = names.index(back_to)


async def _perform(session: Session, step: Step) -> str | None:
    """One step with its retries."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + step.retry_for_s
    while True:
        try:
            return await _once(session, step)
        except _FAILURES as error:
            if loop.time() + step.retry_s > deadline:
                _pass_over(session, step, error)
                return None
        await asyncio.sleep(step.retry_s)


def _pass_over(session: Session, step: Step, error: Exception) -> None:
    if step.on_error == "fail":
        detail = step.detail or f"preparing the modem failed at '{step.name}': {error}"
        raise Blocked(status(ModemState.FAILED, why=detail)) from error
    log.debug("%s: step %s passed over: %s", session.settings.name, step.name, error)


async def _once(session: Session, step: Step) -> str | None:
    if step.do is not None:
        try:
            strategy = STRATEGIES[step.do]
        except KeyError:
            raise ProfileError(f"{session.profile.name}: step '{step.name}' wants '{step.do}', unknown") from None
        return await strategy(session)
    for last, text in enumerate(step.send, start=1 - len(step.send)):
        try:
            reply = await session.dialogue.ask(queries.plain(text, step.timeout))
        except (CommandFailed, CommandTimeout):
            if last == 0:
                raise
        else:
            # The last setting's echo shows whether this modem can be silenced at all.
            session.dialogue.echo = reply.echoed
            break
    return None
