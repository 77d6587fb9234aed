"""What is done from time to time while a modem serves: look at the radio, sweep, and see whether it is still set up.

Modems restart, forget their settings or fall off the network without a word. So registration and signal are polled, the
stores are swept, and format, routing, storage and echo are read back; whatever is not as start-up left it counts as a
restart. Without a network for long, or when one message after the other fails, the ladder of remedies is climbed.
"""

import asyncio
import contextlib
from collections.abc import Collection

from modemgw.at import answers, commands
from modemgw.at.errors import UnexpectedReply
from modemgw.modem import queries, repair, routing
from modemgw.modem.errors import Restarted, Unresponsive
from modemgw.modem.ladder import Cause, Step
from modemgw.modem.modem import Modem
from modemgw.modem.pin import BUSY, READY
from modemgw.modem.session import Session
from modemgw.modem.states import Registration


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Until the event is set, or so many seconds are over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


class Watch:
    """Runs for one stretch of serving."""

    def __init__(self, session: Session, modem: Modem) -> None:
        self._session = session
        self._calls = modem.calls
        self._inbox = modem.inbox
        self._recovery = modem.recovery
        self._timing = session.profile.timing
        now = self._now()
        self._poll_at = now + self._timing.search_poll_s
        self._verify_at = now + self._timing.verify_s
        self._glance_at = now + self._timing.glance_s
        self._sweep_at = now + self._timing.sweep_s

    async def run(self) -> None:
        """Never returns. Raises Restarted, Unresponsive, PortLost."""
        attention = self._session.dialogue.attention
        while True:
            next_at = min(self._poll_at, self._verify_at, self._glance_at, self._sweep_at)
            await wait_for(attention, max(next_at - self._now(), 0.0))
            attention.clear()
            self._raise_what_happened()
            if self._calls.to_hang_up(self._now()):
                await self._hang_up()
            await self._repair()
            if self._session.check_due or self._now() >= self._verify_at:
                await self._verify()
            if self._now() >= self._glance_at:
                self._glance_at = self._now() + self._timing.glance_s
                self._inbox.glance()
            if self._now() >= self._sweep_at:
                self._sweep_at = self._now() + self._timing.sweep_s
                self._inbox.sweep_soon()
            if self._now() >= self._poll_at:
                await self._poll()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _raise_what_happened(self) -> None:
        dialogue = self._session.dialogue
        if dialogue.restarted is not None:
            raise Restarted(dialogue.restarted)
        if dialogue.dead:
            raise Unresponsive("nothing on this port answers AT")

    # -- radio ---------------------------------------------------------------------------------------------------------
    async def _poll(self) -> None:
        session = self._session
        async with session.dialogue.turn():
            await session.radio.read(session.dialogue)
            session.registration_seen()
            session.publish()
            await self._help_to_a_network()
        registered = session.radio.network.registered
        self._poll_at = self._now() + (self._timing.poll_s if registered else self._timing.search_poll_s)

    async def _help_to_a_network(self) -> None:
        session, recovery = self._session, self._recovery
        if session.radio.network.registered:
            recovery.over(Cause.NO_NETWORK)
            return
        state = await session.locksmith.state()
        if state not in READY and state != BUSY:
            session.dialogue.restart_seen(f"the SIM's state became {state}")
            self._raise_what_happened()
        waited = recovery.trouble(Cause.NO_NETWORK)
        if waited >= self._timing.reset_s:
            await self._climb(Cause.NO_NETWORK)
        elif waited >= self._timing.reattach_s:
            await self._climb(Cause.NO_NETWORK, (Step.REATTACH, Step.RADIO))

    # -- repair --------------------------------------------------------------------------------------------------------
    async def _climb(self, cause: Cause, only: Collection[Step] = tuple(Step)) -> None:
        """The rung that is due, if any. Within a turn."""
        session = self._session
        denied = session.radio.network.registration is Registration.DENIED
        step = self._recovery.next(cause, repair.possible(session.settings, denied=denied))
        if step is None or step not in only:
            return
        self._recovery.took(step, cause)
        try:
            await repair.perform(session, step, cause)
        except repair.RepairFailed as error:
            self._recovery.failed(step, cause, error.text)
        self._raise_what_happened()

    async def _repair(self) -> None:
        for cause in self._recovery.take_urgent():
            async with self._session.dialogue.turn():
                await self._climb(cause)

    # -- settings ------------------------------------------------------------------------------------------------------
    async def _verify(self) -> None:
        session = self._session
        session.check_due = False
        self._verify_at = self._now() + self._timing.verify_s
        async with session.dialogue.turn():
            lost = await self._lost_setting()
        if lost is not None:
            session.dialogue.restart_seen(lost)
        self._raise_what_happened()
        if session.doubtful and session.radio.network.registered:
            session.doubtful = False
            session.publish()

    async def _lost_setting(self) -> str | None:
        """The first setting that is no longer as start-up left it; what can't be read is taken to be right."""
        session = self._session
        imsi = await session.dialogue.attempt(commands.IMSI)
        with contextlib.suppress(UnexpectedReply):
            if imsi and session.sim and session.sim.imsi not in (None, answers.digits(imsi)):
                return "another SIM is in it"
        reply = await session.dialogue.attempt(commands.MESSAGE_FORMAT)
        with contextlib.suppress(UnexpectedReply):
            if reply and answers.message_format(reply) != 0:
                return "it is no longer in PDU mode"
        kept = await routing.read(session.dialogue)
        if session.routing is not None and kept is not None and kept != session.routing:
            return "it forgot where to send messages (+CNMI)"
        if not await session.stores.still_as_chosen():
            return "it forgot where to store messages (+CPMS)"
        return None

    # -- calls ---------------------------------------------------------------------------------------------------------
    async def _hang_up(self) -> None:
        session = self._session
        async with session.dialogue.turn():
            if not self._calls.to_hang_up(self._now()):
                return  # it ended while a message was being sent
            for text in session.profile.hang_up:
                if await session.dialogue.attempt(queries.plain(text, timeout=10.0)) is not None:
                    break
            self._calls.ended()


async def restart(session: Session, why: str) -> None:
    """Restart the modem by its own command; it may or may not answer. To be called within a turn."""
    await session.dialogue.attempt(queries.plain(session.profile.reset, timeout=20.0))
    session.dialogue.restart_seen(why)
