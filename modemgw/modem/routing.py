"""How messages reach us: ``+CSMS`` and ``+CNMI``, set by a ladder and believed only when read back.

Modems list values that they refuse, accept values that they do not store, and fall back to nothing without a word. So:
rungs outside the list are skipped, a rung counts only if the modem reads it back, and `still_as_set` asks again later.
The last rungs have no direct reports, the very last nothing but the sweep. Sources: 3GPP TS 27.005, 3.2.1 and 3.4.1.
"""

from modemgw.at import answers, commands
from modemgw.at.errors import UnexpectedReply
from modemgw.modem.dialogue import Dialogue

_MODE, _MT, _DS = 0, 1, 3


async def choose_service(dialogue: Dialogue, wanted: int) -> int:
    """Set ``+CSMS`` and return what the modem reads back: 1 means that direct messages wait for ``+CNMA``."""
    await dialogue.attempt(commands.service(wanted))
    reply = await dialogue.attempt(commands.SERVICE)
    try:
        # Some firmware answers numbers beyond the standard, and means 0.
        return 1 if reply and answers.service(reply) == 1 else 0
    except UnexpectedReply:
        return 0


async def climb_down(dialogue: Dialogue, rungs: tuple[str, ...]) -> tuple[int, ...] | None:
    """Set the best routing that the modem really keeps; what it reads back, None if it can't be read."""
    reply = await dialogue.attempt(commands.ROUTING_SUPPORTED)
    allowed = answers.routing_supported(reply) if reply and reply.lines else ()
    for rung in rungs:
        wanted = tuple(int(value) for value in rung.split(","))
        if not _listed(wanted, allowed):
            continue
        if await dialogue.attempt(commands.routing(*wanted)) is None:
            continue
        kept = await read(dialogue)
        if kept is None or _same(kept, wanted):
            return kept
    return await read(dialogue)


async def read(dialogue: Dialogue) -> tuple[int, ...] | None:
    """The routing as the modem has it now."""
    reply = await dialogue.attempt(commands.ROUTING)
    try:
        return (answers.routing(reply) or None) if reply else None
    except UnexpectedReply:
        return None


def _listed(wanted: tuple[int, ...], allowed: tuple[tuple[int, ...], ...]) -> bool:
    """False if the modem says that it knows no such value; a list that is missing or empty says nothing."""
    return all(not values or value in values for value, values in zip(wanted, allowed, strict=False))


def _same(kept: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Mode, messages and reports are what decides; bm and bfr may read back as the modem likes."""
    pairs = [(kept[place], wanted[place]) for place in (_MODE, _MT, _DS) if place < min(len(kept), len(wanted))]
    return all(have == want for have, want in pairs)
