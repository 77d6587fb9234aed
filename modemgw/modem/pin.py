"""The SIM's PIN, so that no SIM ever loses its last try to a program.

The rules, each of which keeps a SIM from being blocked:
- The PIN is written only while the modem says literally ``SIM PIN``. A PUK is never written. ``SIM PIN2`` and
  ``SIM PUK2`` do not matter for messages. Locks of the device (``PH-...``) are never answered with the SIM's PIN.
- By itself the gateway tries a PIN once per SIM, ever; the try is recorded before it is written, and only the SIM's
  being open strikes it out again: then, or when it is looked at next, for a crash or a late boot message may come in
  between. A SIM that was heard to refuse the PIN, or asks for it still, leaves it used up.
- It does so only with three tries left, or, where the modem can't count, only if no try on this SIM ever went wrong.
- An operator may try what they like, except after the state changed: it is their SIM.
Sources: 3GPP TS 27.007, 8.3 (``+CPIN``), 8.65 (``+CPINR``); TS 31.101, 11.1.9.
"""

import asyncio
import re
from dataclasses import dataclass

from modemgw.at import answers, commands
from modemgw.at.commands import Command
from modemgw.at.errors import CommandFailed, UnexpectedReply, UnsafeText
from modemgw.at.results import Result
from modemgw.modem import queries
from modemgw.modem.dialogue import Dialogue
from modemgw.modem.errors import Blocked, UnlockFailed
from modemgw.modem.identity import read_iccid
from modemgw.modem.listener import PinGuard
from modemgw.modem.profile import Profile
from modemgw.modem.settings import ModemSettings
from modemgw.modem.states import ModemState, Reason, Status, status
from modemgw.port.errors import CommandTimeout

READY = frozenset({"READY", "SIM PIN2", "SIM PUK2"})
NO_SIM = "NO SIM"
BUSY = "BUSY"
_NO_SIM_CODES = frozenset({("cme", 10), ("cms", 310)})
_NO_SIM_WORDS = frozenset({"NOT INSERTED", "SIM NOT INSERTED", "NO SIM", "SIM REMOVED", "NOT READY"})
_SAFE_TRIES = 3
_PATIENCE_AT_START = 10.0  # seconds: after power-up some modems say "no SIM" until they have looked


@dataclass(frozen=True, slots=True)
class Locksmith:
    """What unlocking needs. ``imei`` stands in for the SIM's name while the ICCID can't be read."""

    dialogue: Dialogue
    profile: Profile
    settings: ModemSettings
    guard: PinGuard
    imei: str | None

    async def make_ready(self) -> None:
        """Returns when the SIM is usable. Raises Blocked with what keeps it from being so."""
        tried = False
        while True:
            state = await self.settled_state()
            if state in READY:
                await self._found_open()
                return
            if state != "SIM PIN":
                raise Blocked(self._status(state))
            if tried:
                raise Blocked(self._locked(Reason.PIN_REFUSED, "the SIM still asks for it"))
            await self._try_once()
            tried = True

    async def unlock(self, pin: str) -> None:
        """An operator's PIN. Raises UnlockFailed, with the tries that are left."""
        state = await self.settled_state()
        if state in READY:
            return
        if state != "SIM PIN":
            raise UnlockFailed(f"the SIM does not ask for its PIN: {self._status(state).detail}")
        try:
            command = commands.enter_pin(pin)
        except UnsafeText as error:
            raise UnlockFailed("a PIN has 4 to 8 digits") from error
        key = self._key(await read_iccid(self.dialogue, self.profile.sim))
        await self.guard.record(key, pin)
        refusal, state = await self._write(command, key, pin)
        if state not in READY:
            # Some modems count the tries of whatever code is asked for now: the PUK's are not the PIN's.
            left = 0 if state == "SIM PUK" else await self.tries_left()
            raise UnlockFailed(refusal or "the SIM did not take the PIN", left)
        await self.guard.accepted(key, pin)

    # -- state ---------------------------------------------------------------------------------------------------------
    async def state(self) -> str:
        """What ``AT+CPIN?`` says, upper case; BUSY or NO_SIM for errors that mean these, else the error itself."""
        try:
            state = answers.pin_state(await self.dialogue.ask(commands.PIN_STATE))
        except CommandFailed as error:
            return _state_of_error(error.result)
        except (CommandTimeout, UnexpectedReply):
            return BUSY
        return NO_SIM if state in _NO_SIM_WORDS else state

    async def settled_state(self, *, also_passing: str = BUSY) -> str:
        """The state once it is none that passes by itself: busy, or at first anything unclear."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        while True:
            state = await self.state()
            waited = loop.time() - start
            unclear = state not in READY and not state.startswith(("SIM P", "PH-"))
            passing = state in (BUSY, also_passing) or (unclear and waited < _PATIENCE_AT_START)
            if not passing or waited >= self.profile.timing.sim_busy_s:
                return state
            await asyncio.sleep(1.0)

    async def tries_left(self) -> int | None:
        """How many wrong PINs the SIM still takes; None if this modem does not tell."""
        for counter in self.profile.sim.pin_counter:
            reply = await self.dialogue.attempt(queries.lines(counter.send))
            for line in reply.lines if reply else ():
                found = re.search(counter.tries, line)
                if found:
                    return int(found[1])
        return None

    # -- the one try ---------------------------------------------------------------------------------------------------
    async def _try_once(self) -> None:
        iccid = await read_iccid(self.dialogue, self.profile.sim)
        pin = self.settings.pin_for(iccid)
        if pin is None:
            raise Blocked(self._locked(Reason.PIN_REQUIRED, "none is configured for it"))
        try:
            command = commands.enter_pin(pin)
        except UnsafeText as error:
            raise Blocked(self._locked(Reason.PIN_REQUIRED, "the configured one has not 4 to 8 digits")) from error
        key = self._key(iccid)
        await self._may_try(key, pin)
        await self.guard.record(key, pin)
        refusal, state = await self._write(command, key, pin)
        if refusal is not None and state == "SIM PIN":
            raise Blocked(self._locked(Reason.PIN_REFUSED, await self._left()))

    async def _may_try(self, key: str, pin: str) -> None:
        # While the ICCID could not be read, a try went under the modem's name: it counts for the SIM as well.
        if not (await self.guard.may_try(key, pin) and await self.guard.may_try(self._key(None), pin)):
            raise Blocked(self._locked(Reason.PIN_REFUSED, await self._left()))
        left = await self.tries_left()
        if left is None and not await self.guard.clean(key):
            raise Blocked(
                self._locked(Reason.PIN_REQUIRED, "another PIN failed before, and this modem can't tell how often")
            )
        if left is not None and left < _SAFE_TRIES:
            raise Blocked(self._locked(Reason.PIN_REQUIRED, f"only {left} tries are left"))

    async def _found_open(self) -> None:
        """The SIM is ready: its PIN was right, if one was tried and not refused."""
        if self.settings.pin is None and not self.settings.pins:
            return
        iccid = await read_iccid(self.dialogue, self.profile.sim)
        pin = self.settings.pin_for(iccid)
        if pin is not None:
            await self.guard.found_open(self._key(iccid), pin)
            await self.guard.found_open(self._key(None), pin)

    async def _write(self, command: Command, key: str, pin: str) -> tuple[str | None, str]:
        """The modem's refusal in words, or None; and the state that follows."""
        refusal, answered = None, True
        try:
            await self.dialogue.ask(command)
        except CommandFailed as error:
            refusal = error.result.meaning
        except CommandTimeout:
            refusal, answered = "the modem did not say what became of the PIN", False
        await asyncio.sleep(self.profile.timing.pin_settle_s)
        # After a PIN that was taken, some modems go on asking for it for a while.
        state = await self.settled_state(also_passing=BUSY if refusal else "SIM PIN")
        if refusal is not None and answered and state not in READY:
            await self.guard.refused(key, pin)
        return refusal, state

    # -- words ---------------------------------------------------------------------------------------------------------
    def _key(self, iccid: str | None) -> str:
        return f"iccid:{iccid}" if iccid else f"imei:{self.imei or self.settings.name}"

    async def _left(self) -> str:
        left = await self.tries_left()
        return "the modem does not say how many tries are left" if left is None else f"tries left: {left}"

    def _locked(self, reason: Reason, why: str) -> Status:
        return status(ModemState.LOCKED, reason, name=self.settings.name, why=why)

    def _status(self, state: str) -> Status:
        if state == NO_SIM:
            return status(ModemState.FAILED, Reason.NO_SIM)
        if state == "SIM PUK":
            return status(ModemState.LOCKED, Reason.PUK_REQUIRED)
        if state.startswith("PH-") or state.endswith(("PIN", "PUK")):
            return status(ModemState.LOCKED, Reason.DEVICE_LOCKED, why=state)
        return status(ModemState.FAILED, why=f"the SIM can't be used ({state}): take it out, clean it and put it back")


def _state_of_error(result: Result) -> str:
    if ("cme", result.cme) in _NO_SIM_CODES or ("cms", result.cms) in _NO_SIM_CODES:
        return NO_SIM
    if result.cme == 12:
        return "SIM PUK"
    if result.cme in (13, 15):
        return result.meaning
    # Busy, still starting, or no code at all: all of it passes, or turns into a clear answer.
    return BUSY
