"""Who the modem and its SIM are: each fact has several commands, and no single one is known everywhere.

Sources: 3GPP TS 27.007, 5.1-5.4 (``+CGMI``, ``+CGMM``, ``+CGMR``, ``+CGSN``), 5.6 (``+CIMI``), 7.1 (``+CNUM``); V.250
6.1 (``I``, ``+GMI`` ...); the ICCID has no standard command. Answers come bare, quoted or behind their command's name.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace

from modemgw.at import answers, commands
from modemgw.at.commands import Command
from modemgw.at.errors import CommandFailed, UnexpectedReply
from modemgw.at.events import Reply
from modemgw.modem import queries
from modemgw.modem.dialogue import Dialogue
from modemgw.modem.facts import Identity, SimCard
from modemgw.modem.profile import IdentityCommands, SimCommands

_COMPARED = 14  # digits: type and serial number; check digit and software version come and go


def same_imei(one: str, other: str) -> bool:
    """True for the same piece of hardware, whether its IMEI is written with check digit or software version."""
    return one[:_COMPARED] == other[:_COMPARED]


async def read_identity(dialogue: Dialogue, how: IdentityCommands) -> Identity:
    """Whatever the modem says about itself; nothing of it is certain to be there."""
    found = Identity(
        imei=await _first(dialogue, map(queries.imei, how.imei), answers.digits),
        manufacturer=await _first(dialogue, map(queries.words, how.manufacturer), answers.text),
        model=await _first(dialogue, map(queries.words, how.model), answers.text),
        revision=await _first(dialogue, map(queries.words, how.revision), answers.text),
    )
    if how.all and not (found.imei and found.manufacturer and found.model):
        reply = await dialogue.attempt(queries.words(how.all))
        found = _complete(found, reply.lines) if reply else found
    return found


def _complete(found: Identity, lines: tuple[str, ...]) -> Identity:
    """Fill gaps from ``ATI``: ``Manufacturer: x`` and its like, else manufacturer and model in the first two lines."""
    named = {}
    bare = []
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            named[name.strip().lower()] = value.strip().strip('"')
        else:
            bare.append(line.strip())
    serial = re.search(r"\d{14,17}", named.get("imei", ""))
    return replace(
        found,
        imei=found.imei or (serial[0] if serial else None),
        manufacturer=found.manufacturer or named.get("manufacturer") or (bare[0] if bare else None),
        model=found.model or named.get("model") or (bare[1] if len(bare) > 1 else None),
        revision=found.revision or named.get("revision"),
    )


async def read_iccid(dialogue: Dialogue, how: SimCommands) -> str | None:
    """The SIM's serial number, 18-20 digits; some modems tell it even while the SIM is locked."""
    return await _first(dialogue, map(queries.card, how.iccid), _decimal_iccid)


def _decimal_iccid(reply: Reply) -> str:
    found = answers.iccid(reply)
    if not re.fullmatch(r"\d{16,20}", found):
        raise UnexpectedReply(reply.command.name, reply.lines)
    return found


async def read_sim(dialogue: Dialogue, how: SimCommands, *, patience: float) -> SimCard:
    """ICCID and IMSI; a SIM that was just unlocked may take ``patience`` seconds until it tells them."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while True:
        imsi = await _first(dialogue, [commands.IMSI], answers.digits)
        if imsi or loop.time() >= deadline:
            break
        await asyncio.sleep(1.0)
    return SimCard(iccid=await read_iccid(dialogue, how), imsi=imsi)


async def read_number(dialogue: Dialogue) -> str | None:
    """The number that the SIM believes to have; most SIMs do not know."""
    reply = await dialogue.attempt(commands.NUMBER)
    known = answers.numbers(reply) if reply else ()
    return known[0] if known else None


async def _first(
    dialogue: Dialogue, candidates: "map[Command] | list[Command]", parse: Callable[[Reply], str]
) -> str | None:
    """The first usable answer."""
    for command in candidates:
        reply = await dialogue.attempt(command)
        if reply is None:
            continue
        try:
            found = parse(reply).strip()
        except (UnexpectedReply, CommandFailed):
            continue
        if found:
            return found
    return None
