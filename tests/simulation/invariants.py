"""What must be true at any time of any day, whatever went wrong. The ledger of the simulated network is the truth.

Named as the promise has them: nothing accepted is lost (I1), nothing goes out twice behind anybody's back (I2), nothing
is called sent that was not (I3), what arrived is in the inbox once and was announced (I6), final states stay (I7),
limits hold (I8), answers are credited to what they answer (I9), nothing unknown is said to a modem (I10), nothing
expires early (I11), nothing waits without a reason (I12). Ctrl-Z (I4), order (I5) and patience (I11) are watched in
watch.py.
"""

import asyncio
import functools
import re
from collections import Counter
from typing import TYPE_CHECKING

from support.world import World

from modemgw.domain.states import FINAL_STATUSES
from modemgw.emulator.lines import COMMANDS
from modemgw.emulator.persona import load
from simulation.plan import PERSONAS
from simulation.watch import Watch, part_of

if TYPE_CHECKING:
    from simulation.day import Day

_COMMAND = re.compile(r"AT([+^#%*$_][A-Z0-9]+)", re.IGNORECASE)
_SENT = ("sent", "delivered", "undelivered")
_STUCK_S = 3600.0
_LATE_S = 1200.0


async def check_now(world: World, day: "Day", watch: Watch) -> None:
    """What holds at every moment. Raises AssertionError with everything that is wrong."""
    world.raise_death()
    _raise([
        *await _copies(world, running=True),
        *await _expiry(world, day),
        *await _stuck(world, watch),
        *await _limits(world, day, watch),
        *await _credited(world),
        *_commands(world),
        *_webhook_ids(world),
    ])  # fmt: skip


async def check_at_the_end(world: World, day: "Day") -> None:
    """What holds once everything has come to rest. Raises AssertionError with everything that is wrong."""
    _raise([
        *await _accepted_end(world, day),
        *await _copies(world, running=False),
        *await _received(world, day),
        *await _announced(world),
        *await _final_states(world),
    ])  # fmt: skip


def _raise(wrong: list[str]) -> None:
    assert not wrong, "; ".join(wrong[:5])


async def _accepted_end(world: World, day: "Day") -> list[str]:
    """I1: every accepted message exists and has ended (or is sent, and only its report is missing)."""
    rows = dict(await world.query("SELECT id, status FROM messages WHERE direction = 'outbound'"))
    lost = [each for each in day.accepted if each not in rows]
    extra = [each for each in rows if each not in day.accepted]
    open_ = [
        f"{each} is {rows[each]}" for each in day.accepted if rows.get(each) not in (*FINAL_STATUSES, "sent", None)
    ]
    revived = [each for each in day.accepted if each in day.cancelled and rows.get(each) != "cancelled"]
    return [
        *[f"lost: {lost}"] * bool(lost),
        *[f"nobody's: {extra}"] * bool(extra),
        *[f"never ended: {open_}"] * bool(open_),
        *[f"cancelled and not: {revived}"] * bool(revived),
    ]


async def _copies(world: World, *, running: bool) -> list[str]:
    """I2, I3: copies are those that were recorded, never-classes have one at most, `sent` has one at least."""
    rows = await world.query(
        "SELECT m.peer, CASE WHEN EXISTS (SELECT 1 FROM segments AS s WHERE s.message_seq = m.seq AND s.seq > 1) "
        "THEN m.concat_ref END, g.text, m.status, m.on_uncertain, g.seq, g.state, g.resends, "
        "(SELECT count(*) FROM attempts AS a WHERE a.segment_id = g.segment_id "
        "AND a.state NOT IN ('not_sent', 'refused')) "
        "FROM segments AS g JOIN messages AS m ON m.seq = g.message_seq"
    )
    ledger = Counter(map(part_of, world.lab.network.ledger))
    wrong = []
    for peer, ref, text, status, on_uncertain, seq, state, resends, attempts in rows:
        copies = ledger.pop((peer, ref, seq, text), 0)
        what = f"{peer} segment {seq} ({state}, message {status})"
        if copies > 1 + resends or copies > attempts:
            wrong.append(f"I2: {copies} copies of {what}, {attempts} attempts, {resends} resends recorded")
        if on_uncertain == "never" and copies > 1:
            wrong.append(f"I2: {copies} copies of {what}, whose class is never resent")
        if state in ("submitted", "delivered", "undelivered") and copies == 0:
            wrong.append(f"I3: {what} was never sent")
        if copies > resends and (state in ("cancelled", "expired", "failed") or (state == "queued" and not running)):
            wrong.append(f"I2: {copies} copies of {what}")
    return wrong + [f"I2: in the ledger and in no record: {dict(ledger)}"] * bool(ledger)


async def _received(world: World, day: "Day") -> list[str]:
    """I6: every message that the network has handed over is in the inbox once, and was announced under one id."""
    # Some makes store a message twice now and then, which looks like the network's sending it twice: shown, and marked.
    rows = [
        (id_, text)
        for id_, text, modem, flags in await world.query(
            "SELECT id, text, modem, flags FROM messages WHERE direction = 'inbound'"
        )
        if "possible_duplicate" not in flags or not world.device(modem).persona.storage.twin_every
    ]
    texts = Counter(text for _, text in rows)
    expected = Counter(day.arrived)
    wrong = []
    if texts != expected:
        wrong.append(f"I6: inbox: missing {expected - texts}, too many {texts - expected}")
    for sink in world.sinks[:2]:
        ids: dict[str, set[str]] = {}
        for id_, got in zip(sink.ids, sink.got, strict=True):
            if got["type"] == "message.received":
                ids.setdefault(got["data"]["id"], set()).add(id_)
        silent = [id_ for id_, _ in rows if id_ not in ids]
        twice = [id_ for id_, found in ids.items() if len(found) > 1]
        wrong += [f"I6: never announced: {silent}"] * bool(silent) + [f"I6: announced as two: {twice}"] * bool(twice)
    return wrong


async def _announced(world: World) -> list[str]:
    """What a receiver that works was told of a message ends in what became of it, each step once or more, in order."""
    rows = dict(await world.query("SELECT id, status FROM messages WHERE direction = 'outbound'"))
    expected: dict[str, list[str]] = {}
    for id_, type_ in await world.query(
        "SELECT m.id, e.type FROM events AS e JOIN messages AS m ON m.seq = e.message_seq ORDER BY e.seq"
    ):
        expected.setdefault(id_, []).append(type_)
    wrong = []
    for number, sink in enumerate(world.sinks[:2]):
        told: dict[str, list[str]] = {}
        seen: set[str] = set()
        for id_, got in zip(sink.ids, sink.got, strict=True):
            if id_ not in seen:
                seen.add(id_)
                told.setdefault(got["data"].get("id"), []).append(got["type"])
        for message, types in expected.items():
            if told.get(message) != types:
                wrong.append(f"webhook {number}: {message} ({rows.get(message)}): {told.get(message)}, not {types}")
    return wrong


def _webhook_ids(world: World) -> list[str]:
    """The same event keeps its id, and no other gets it."""
    wrong = []
    for sink in world.sinks[:2]:
        by_id: dict[str, str] = {}
        for id_, got in zip(sink.ids, sink.got, strict=True):
            if by_id.setdefault(id_, got["type"]) != got["type"]:
                wrong.append(f"I6: webhook id {id_} is used twice")
    return wrong


async def _final_states(world: World) -> list[str]:
    """I7: after a final state only late proof may come."""
    rows = await world.query(
        "SELECT message_seq, event FROM timeline WHERE event IN "
        "('sent', 'delivered', 'undelivered', 'failed', 'expired', 'cancelled', 'unknown') ORDER BY timeline_id"
    )
    last: dict[int, str] = {}
    wrong = []
    for seq, event in rows:
        before = last.get(seq)
        allowed = (
            before is None or (before == "unknown") or (before == "sent" and event in ("delivered", "undelivered"))
        )
        if not allowed and not (before == "failed" and event in _SENT):
            wrong.append(f"I7: message {seq} went from {before} to {event}")
        last[seq] = event
    return wrong


async def _limits(world: World, day: "Day", watch: Watch) -> list[str]:
    """I8: the daily fuse, plus one for each other modem that was at its prompt, and the limit of a SIM."""
    # Whoever sets the clock to tomorrow opens tomorrow's budget, also if it is set back later.
    steady = not day.plan.jumps and not day.plan.starts_in_1970
    fuse = day.plan.daily_cap * (1 if steady else 2 + day.plan.jumps)
    wrong = [
        f"I8: {count} on day {date}, the fuse is {day.plan.daily_cap}"
        for date, count in await world.query(
            "SELECT started_ms / 86400000 AS day, count(*) FROM attempts WHERE state != 'not_sent' GROUP BY day"
        )
        if count > fuse + day.plan.modems - 1
    ]
    # Where the clock is set, what was debited moves along by whole hours; that is not counted again here.
    limits = watch.limits if steady else {}
    for iccid, settings in limits.items():
        rows = await world.query(
            "SELECT started_ms / 3600000 AS hour, count(*) FROM attempts JOIN sims USING (sim_id) "
            "WHERE iccid = ? AND state != 'not_sent' GROUP BY hour",
            iccid,
        )
        wrong += [f"I8: {count} in hour {hour}" for hour, count in rows if count > (settings.per_hour or 0)]
    return wrong


async def _credited(world: World) -> list[str]:
    """I9: the number that an attempt was given is the one under which the network took that very segment."""
    taken = {
        (each.number, each.concat.seq if each.concat else 1, each.iccid, each.mr) for each in world.lab.network.ledger
    }
    rows = await world.query(
        "SELECT a.attempt_id, a.peer, g.seq, s.iccid, a.mr FROM attempts AS a JOIN segments AS g USING (segment_id) "
        "JOIN sims AS s USING (sim_id) WHERE a.mr IS NOT NULL"
    )
    return [
        f"I9: attempt {attempt} to {peer} part {seq} has the number {mr}, the network knows nothing of it"
        for attempt, peer, seq, iccid, mr in rows
        if (peer, seq, iccid, mr) not in taken
    ]


def _commands(world: World) -> list[str]:
    """I10: no command that no make knows, and to a modem without peculiarities none that it does not know; no Ctrl-Z
    outside a prompt, no PIN in vain."""
    wrong = []
    for name, device in world.lab.ports.items():
        strange = [line for line in device.unknown if device.persona.name == "generic" or not _some_make_knows(line)]
        if strange:
            wrong.append(f"I10: {name} ({device.persona.name}) does not know {strange}")
        if device.intake.stray_submits:
            wrong.append(f"I4: {device.intake.stray_submits} Ctrl-Z outside a prompt on {name}")
        if device.sim is not None and device.sim.pin_tries < 3:
            wrong.append(f"I10: the SIM in {name} has {device.sim.pin_tries} tries left")
    return wrong


def _some_make_knows(line: str) -> bool:
    name = _COMMAND.match(line)
    return name is not None and name[1].upper() in _known_commands()


@functools.cache
def _known_commands() -> frozenset[str]:
    makes = [load(each) for each in PERSONAS]
    return frozenset(COMMANDS) | {each.identity.iccid_command for each in makes} | {
        each.card.retry_command for each in makes
    }  # fmt: skip


async def _expiry(world: World, day: "Day") -> list[str]:
    """I11: nothing expires before its time to live is over, or waits long after it, however the clock was set.

    While the clock can't be right nothing expires at all.
    """
    now = asyncio.get_running_loop().time()
    rows = await world.query(
        "SELECT id, status, ended FROM messages WHERE ended = 'expired' OR status IN ('queued', 'sending')"
    )
    wrong = []
    for id_, status, ended in rows:
        if id_ not in day.accepted:
            continue
        submission, asked_at = day.accepted[id_]
        age, ttl_s = now - asked_at, submission.order.ttl_s or 0
        if ended == "expired" and age < ttl_s - 1:
            wrong.append(f"I11: {id_} expired after {age:.0f} s of {ttl_s}")
        if status == "queued" and age > ttl_s + _LATE_S and now > day.trusted_at + _LATE_S:
            wrong.append(f"I11: {id_} waits {age:.0f} s, its time to live is {ttl_s}")
    return wrong


async def _stuck(world: World, watch: Watch) -> list[str]:
    """I12: what may go does not wait for an hour while a SIM that may send it does nothing."""
    now = asyncio.get_running_loop().time()
    idle = {
        sim_id for (sim_id,) in await world.query("SELECT sim_id FROM sims WHERE available = 1 AND blocked IS NULL")
    }
    rows = await world.query("SELECT seq, sim_id FROM messages WHERE ready = 1")
    waiting = {seq for seq, sim_id in rows if idle and (sim_id is None or sim_id in idle)}
    watch.ready_since = {seq: watch.ready_since.get(seq, now) for seq in sorted(waiting)}
    stuck = [seq for seq, since in watch.ready_since.items() if now - since > _STUCK_S]
    return [f"I12: messages {stuck} could go and don't"] * bool(stuck)
