"""Carries out the rungs of the ladder (`ladder` decides, `recovery` keeps account).

Rules:
- With the port open everything happens within a turn, so never between a SUBMIT and its answer; afterwards the modem
  counts as restarted: its settings are made anew before anything is sent.
- The radio is switched off by 4 (flight mode), by 0 where that is refused, and on by 1: TS 27.007, 8.2 ``+CFUN``.
- A modem that does not answer is restarted by its own command without waiting for an answer, and only on a port on
  which it was identified: nothing is ever commanded to a device that may be something else.
- The power switch is a command of the owner's: an argument list that no shell sees. If it fails or hangs, that is said,
  and the ladder goes on.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from modemgw.at import commands
from modemgw.modem import queries
from modemgw.modem.errors import ModemError
from modemgw.modem.ladder import Cause, Step
from modemgw.modem.session import Session
from modemgw.modem.settings import ModemSettings
from modemgw.port.errors import PortError
from modemgw.port.opener import may_reset_usb, reset_usb
from modemgw.port.port import Port

_OFF_S = 3.0  # the radio, so that the network forgets it
_SHOUTED_S = 2.0  # until a command that nobody answers has taken effect
_POWER_LIMIT_S = 30.0
_SAID = 200  # characters of what a failed command said


class RepairFailed(ModemError):
    """A remedy could not be applied."""


def possible(settings: ModemSettings, *, identified: bool = True, denied: bool = False) -> frozenset[Step]:
    """The rungs that are to be had. ``identified``: it is certain which modem is on the port; ``denied``: the network
    says no, which no restart changes."""
    can = {Step.REOPEN, Step.REATTACH, Step.RADIO}
    if identified and not denied:
        can.add(Step.RESET)
        if may_reset_usb(settings.port):
            can.add(Step.USB_RESET)
        if settings.power_command:
            can.add(Step.POWER)
    return frozenset(can)


async def perform(session: Session, step: Step, cause: Cause) -> None:
    """One rung, on a modem that answers. To be called within a turn. Raises RepairFailed, and what commands raise."""
    why = f"{step} because of {cause}"
    if step is Step.REATTACH:
        await session.dialogue.attempt(commands.OPERATOR_AUTOMATIC)
    elif step is Step.RADIO:
        await _radio(session)
        session.dialogue.restart_seen(why)
    elif step is Step.RESET:
        await session.dialogue.attempt(queries.plain(session.profile.reset, timeout=20.0))
        session.dialogue.restart_seen(why)
    elif step in (Step.USB_RESET, Step.POWER):
        await from_outside(session.settings, step)
        session.dialogue.restart_seen(why)


async def _radio(session: Session) -> None:
    for mode in (4, 0):
        if await session.dialogue.attempt(commands.functionality(mode)) is not None:
            break
    await asyncio.sleep(_OFF_S)
    await session.dialogue.attempt(commands.functionality(1))


async def shout(port: Port, command: str) -> None:
    """A command to a modem that does not answer; the port is closed. Raises PortLost."""
    try:
        port.shout(command)
        await asyncio.sleep(_SHOUTED_S)
    finally:
        port.abort()


async def from_outside(settings: ModemSettings, step: Step) -> None:
    """What needs no answer of the modem: USB reset or power. Raises RepairFailed."""
    if step is Step.POWER:
        await _switch(settings.power_command)
    if step is not Step.USB_RESET:
        return
    try:
        await reset_usb(settings.port)
    except (OSError, PortError) as error:
        raise RepairFailed(f"the USB reset failed: {error}") from error


async def _switch(argv: Sequence[str]) -> None:
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
    except (OSError, ValueError) as error:
        raise RepairFailed(f"power_command can't be run: {error}") from error
    try:
        async with asyncio.timeout(_POWER_LIMIT_S):
            _, said = await process.communicate()
    except TimeoutError:
        raise RepairFailed(f"power_command did not end within {_POWER_LIMIT_S:g} s and was killed") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        words = said.decode("utf-8", "replace").strip()[-_SAID:]
        raise RepairFailed(f"power_command ended with {process.returncode}: {words or 'it said nothing'}")
