"""The steps of start-up that a line of a profile can't express, by the name under which a profile calls them.

A strategy may raise what commands raise: the step's own rule (retry, ignore, fail) then applies. It raises `Blocked`
where only the outside world can help. It returns None, or the name of an earlier step to go on from.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from modemgw.at import answers, commands
from modemgw.at.errors import CommandFailed, UnexpectedReply
from modemgw.modem.errors import Blocked, Unresponsive
from modemgw.modem.identity import read_identity, read_number, read_sim, same_imei
from modemgw.modem.routing import choose_service, climb_down
from modemgw.modem.session import Session
from modemgw.modem.states import ModemState, Reason, status

log = logging.getLogger(__name__)
Strategy = Callable[[Session], Awaitable[str | None]]


async def wake(session: Session) -> None:
    """Leave a stale prompt, wake a sleeping modem, find its bit rate, and prove that answers come in order.

    Never by Ctrl-Z: it would send whatever message is parked at a stale prompt.
    """
    try:
        await session.dialogue.synchronise(session.profile.timing.wake_s)
    except Unresponsive as error:
        why = status(ModemState.FAILED, Reason.NO_ANSWER, port=session.settings.port)
        raise Blocked(why) from error


async def identity(session: Session) -> None:
    """Read who it is, refuse the wrong one, and choose the profile."""
    session.identity = found = await read_identity(session.dialogue, session.profile.identity)
    settings = session.settings
    if settings.imei and found.imei and not same_imei(settings.imei, found.imei):
        why = status(ModemState.FAILED, Reason.WRONG_IDENTITY, name=settings.name, port=settings.port, why=found.imei)
        raise Blocked(why)
    profiles = session.profiles
    chosen = profiles[settings.profile] if settings.profile else profiles.choose(found.manufacturer, found.model)
    if chosen is not session.profile:
        session.use(chosen)
    session.publish()


async def radio(session: Session) -> str | None:
    """Full functionality; after a change some modems restart parts of themselves, so the settings are made again."""
    reply = await session.dialogue.ask(commands.FUNCTIONALITY)
    if answers.functionality(reply) == 1:
        return None
    await session.dialogue.ask(commands.functionality(1))
    loop = asyncio.get_running_loop()
    deadline = loop.time() + session.profile.timing.radio_wait_s
    while loop.time() < deadline:
        await asyncio.sleep(2.0)
        reply_again = await session.dialogue.attempt(commands.FUNCTIONALITY)
        if reply_again and answers.functionality(reply_again) == 1:
            return "echo"
    raise UnexpectedReply("AT+CFUN=1", reply.lines)


async def pin(session: Session) -> None:
    """Wait until the SIM is usable; enter its PIN where that is safe."""
    await session.locksmith.make_ready()


async def sim(session: Session) -> None:
    """Which SIM it is: counters and message references belong to it, not to the modem."""
    session.sim = await read_sim(session.dialogue, session.profile.sim, patience=session.profile.timing.sim_busy_s)
    session.sim_seen_at = asyncio.get_running_loop().time()
    session.publish()


async def service(session: Session) -> None:
    """``+CSMS``; what is read back decides."""
    session.service = await choose_service(session.dialogue, session.profile.routing.service)


async def storage(session: Session) -> None:
    """Where messages arrive, and where else to look."""
    await session.stores.choose()


async def routing(session: Session) -> None:
    """``+CNMI`` by the profile's ladder."""
    session.routing = await climb_down(session.dialogue, session.profile.routing.rungs)


async def smsc(session: Session) -> None:
    """The service centre's number; a SIM without one gets the configured one."""
    found = await _read_smsc(session)
    if found is None and session.settings.smsc:
        await session.dialogue.ask(commands.set_smsc(session.settings.smsc))
        found = await _read_smsc(session)
    if session.sim is not None:
        session.sim = replace(session.sim, smsc=found)
        session.publish()


async def _read_smsc(session: Session) -> str | None:
    reply = await session.dialogue.attempt(commands.SMSC)
    return answers.smsc(reply) if reply and reply.lines else None


async def link(session: Session) -> None:
    """Let the modem keep the radio link for the next message: ``AT+CMMS=2`` (TS 27.005, 3.5.6), once a start.

    The other value, 1, falls back to 0 when nothing was sent for 1 to 5 s, so it would have to be set again before
    every burst, between a message that waits and its Ctrl-Z. With 2 the link stays open for as long behind the last
    message. That costs no money and keeps nothing out: what the network has for the SIM meanwhile, reports first of
    all, comes over the link that is there. A modem that refuses, or says OK and stays at 0, is not asked again; it
    is only slower.
    """
    imei = session.identity.imei if session.identity and session.identity.imei else ""
    if imei in session.no_link:
        return
    try:
        await session.dialogue.ask(commands.KEEP_LINK)
    except CommandFailed as error:
        session.no_link.add(imei)
        log.info("%s sets up a radio link for every message: %s", session.settings.name, error)
        return
    reply = await session.dialogue.attempt(commands.LINK)
    with contextlib.suppress(UnexpectedReply):  # what can't be read back is taken to be right
        if reply and answers.link_mode(reply) != 2:
            session.no_link.add(imei)
            log.info("%s sets up a radio link for every message: it forgets AT+CMMS=2", session.settings.name)


async def network(session: Session) -> None:
    """Registration, signal, operator."""
    await session.radio.read(session.dialogue)
    session.publish()


async def number(session: Session) -> None:
    """The SIM's own number, if it knows it."""
    found = await read_number(session.dialogue)
    if session.sim is not None and found:
        session.sim = replace(session.sim, number=found)
        session.publish()


STRATEGIES: Mapping[str, Strategy] = {
    "wake": wake,
    "identity": identity,
    "radio": radio,
    "pin": pin,
    "sim": sim,
    "service": service,
    "storage": storage,
    "routing": routing,
    "smsc": smsc,
    "link": link,
    "network": network,
    "number": number,
}
