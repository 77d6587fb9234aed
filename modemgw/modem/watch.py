"""What is done from time to time while a modem serves: look at the radio, sweep, and see whether it is still set up.

Modems restart, forget their settings or fall off the network without a word. So registration and signal are polled, the
stores are swept, and format, routing, storage and echo are read back; whatever is not as start-up left it counts as a
restart. Without a network for long, the modem is told to choose one anew, and later to restart.
"""

import asyncio
import contextlib

from modemgw.at import answers, commands
from modemgw.at.errors import UnexpectedReply
from modemgw.modem import queries, routing
from modemgw.modem.calls import Calls
from modemgw.modem.errors import Restarted, Unresponsive
from modemgw.modem.inbox import Inbox
from modemgw.modem.pin import BUSY, READY
from modemgw.modem.session import Session


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Until the event is set, or so many seconds are over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


class Watch:
    """Runs for one stretch of serving."""

    def __init__(self, session: Session, calls: Calls, inbox: Inbox) -> None:
        self._session = session
        self._calls = calls
        self._inbox = inbox
        self._timing = session.profile.timing
        now = self._now()
        self._poll_at = now + self._timing.search_poll_s
        self._verify_at = now + self._timing.verify_s
        self._glance_at = now + self._timing.glance_s
        self._sweep_at = now + self._timing.sweep_s
        self._without_network_since: float | None = None
        self._reattached = False

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
        session, now = self._session, self._now()
        if session.radio.network.registered:
            self._without_network_since = None
            self._reattached = False
            return
        state = await session.locksmith.state()
        if state not in READY and state != BUSY:
            session.dialogue.restart_seen(f"the SIM's state became {state}")
            self._raise_what_happened()
        if self._without_network_since is None:
            self._without_network_since = now
        waited = now - self._without_network_since
        if waited >= self._timing.reset_s:
            self._without_network_since = None
            await restart(session, "it found no network for too long")
            self._raise_what_happened()
        elif waited >= self._timing.reattach_s and not self._reattached:
            self._reattached = True
            await session.dialogue.attempt(commands.OPERATOR_AUTOMATIC)

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
