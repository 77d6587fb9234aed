"""What must be true after any day, whatever went wrong. The ledger of the simulated network is the truth.

Named as the promise has them: nothing accepted is lost, nothing goes out twice behind anybody's back, nothing is
called sent that was not, what arrived is in the inbox once and was announced, final states stay.
"""

from collections import Counter

from support.world import World

from modemgw.domain.states import FINAL_STATUSES
from simulation.day import Day

_SENT = ("sent", "delivered", "undelivered")


async def check_all(world: World, day: Day) -> None:
    """Raises AssertionError with the seed and everything that is wrong."""
    wrong = [
        *await _accepted_end(world, day),
        *await _copies(world, day),
        *await _received(world, day),
        *_order_of_webhooks(world),
        *await _final_states(world),
        *_commands(world),
    ]
    assert not wrong, f"seed {day.plan.seed}: " + "; ".join(wrong)


async def _accepted_end(world: World, day: Day) -> list[str]:
    """I1: every accepted message exists and has ended (or is sent, and only its report is missing)."""
    rows = dict(await world.query("SELECT id, status FROM messages WHERE direction = 'outbound'"))
    lost = [each for each in day.accepted if each not in rows]
    open_ = [
        f"{each} is {rows[each]}" for each in day.accepted if rows.get(each) not in (*FINAL_STATUSES, "sent", None)
    ]
    return [f"lost: {lost}"] * bool(lost) + [f"never ended: {open_}"] * bool(open_)


async def _copies(world: World, day: Day) -> list[str]:
    """I2, I3: copies are those that were recorded, never-classes have one at most, `sent` has one at least."""
    rows = await world.query(
        "SELECT m.peer, m.status, m.on_uncertain, g.seq, g.state, g.resends, g.text, "
        "(SELECT count(*) FROM attempts AS a WHERE a.segment_id = g.segment_id "
        "AND a.state NOT IN ('not_sent', 'refused')) "
        "FROM segments AS g JOIN messages AS m ON m.seq = g.message_seq"
    )
    ledger = Counter((each.number, each.concat.seq if each.concat else 1) for each in world.lab.network.ledger)
    wrong = []
    for peer, status, on_uncertain, seq, state, resends, _, attempts in rows:
        copies = ledger.pop((peer, seq), 0)
        what = f"{peer} segment {seq} ({state}, message {status})"
        if copies > 1 + resends or copies > attempts:
            wrong.append(f"{copies} copies of {what}, {attempts} attempts, {resends} resends recorded")
        if on_uncertain == "never" and copies > 1:
            wrong.append(f"{copies} copies of {what}, whose class is never resent")
        if state in ("submitted", "delivered", "undelivered") and copies == 0:
            wrong.append(f"{what} was never sent")
        if state in ("queued", "cancelled", "expired", "failed") and copies:
            wrong.append(f"{copies} copies of {what}")
    return wrong + [f"in the ledger and in no record: {dict(ledger)}"] * bool(ledger)


async def _received(world: World, day: Day) -> list[str]:
    """I6: every message that the network has handed over is in the inbox once, and was announced."""
    rows = await world.query("SELECT id, text FROM messages WHERE direction = 'inbound'")
    texts = Counter(text for _, text in rows)
    expected = Counter(day.arrived)
    announced = {each["data"]["id"] for each in world.sink.got if each["type"] == "message.received"}
    wrong = []
    if texts != expected:
        wrong.append(f"inbox: missing {expected - texts}, too many {texts - expected}")
    silent = [id_ for id_, _ in rows if id_ not in announced]
    return wrong + [f"never announced: {silent}"] * bool(silent)


def _order_of_webhooks(world: World) -> list[str]:
    """Events of one message arrive in the order in which they happened; the same event keeps its id."""
    by_id: dict[str, str] = {}
    wrong = []
    for id_, got in zip(world.sink.ids, world.sink.got, strict=True):
        if by_id.setdefault(id_, got["type"]) != got["type"]:
            wrong.append(f"webhook id {id_} is used twice")
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
            wrong.append(f"message {seq} went from {before} to {event}")
        last[seq] = event
    return wrong


def _commands(world: World) -> list[str]:
    """I10: no command that a modem of this kind does not know."""
    unknown = {name: dict(device.unknown) for name, device in world.lab.ports.items() if device.unknown}
    return [f"unknown commands: {unknown}"] * bool(unknown)
