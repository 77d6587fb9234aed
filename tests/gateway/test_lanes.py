"""Who goes first: urgent classes overtake any backlog, API keys take turns, one recipient's messages stay in order."""

import dataclasses
from pathlib import Path

from support.virtually import virtual
from support.world import World

from modemgw.domain.message import Order
from modemgw.domain.route import Route
from modemgw.domain.sim import SimSettings
from modemgw.gateway.batch import CHUNK
from modemgw.gateway.scheduler import pick
from modemgw.store import acceptance
from modemgw.store.queue import Head, Line


def head(seq: int, lane: int = 4, priority: int = 0, key: str = "k", *, begun: bool = False) -> Head:
    return Head(seq, lane, priority, begun, begun, Line(seq, key, "", "", None))


def test_lane_then_priority_then_what_was_begun_then_turns_then_age() -> None:
    assert pick([head(1), head(2, lane=0)], {}) == head(2, lane=0)
    assert pick([head(1), head(2, priority=3)], {}) == head(2, priority=3)
    assert pick([head(1), head(2, begun=True)], {}) == head(2, begun=True)
    assert pick([head(1, key="a"), head(2, key="b")], {("a", 4): 7, ("b", 4): 3}) == head(2, key="b")
    assert pick([head(2), head(1)], {}) == head(1)
    assert pick([], {}) is None


@virtual
async def test_urgent_messages_overtake_a_backlog_at_the_next_segment(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=3.0) as world:
        await world.registered()
        long = "a text of several segments, which does not let go of the modem before its end otherwise " * 4
        await submit(world, [f"+4915554{n:06d}" for n in range(600)], text=long, class_="bulk")
        await world.until(lambda: len(world.lab.network.ledger) >= 1)
        for class_ in ("alert", "otp"):
            before = len(world.lab.network.ledger)
            message = await world.send("+4915559000001", class_=class_)
            await world.until_status(message, "sent", "delivered", within=60)
            assert len(world.lab.network.ledger) - before <= 2, "only what was under way went before it"


@virtual
async def test_keys_take_turns_within_a_lane(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=2, latency=1.0) as world:
        await world.registered()
        await submit(world, [f"+4915551{n:06d}" for n in range(200)], key="big", class_="bulk")
        await submit(world, [f"+4915552{n:06d}" for n in range(10)], key="small", class_="bulk")
        await submit(world, [f"+4915553{n:06d}" for n in range(10)], key="third", class_="bulk")
        await world.until(lambda: len(world.lab.network.ledger) >= 40)
        first = [entry.number[:8] for entry in world.lab.network.ledger[:40]]
        assert first.count("+4915552") >= 9
        assert first.count("+4915553") >= 9


@virtual
async def test_two_messages_to_one_number_never_overtake_each_other(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=3, latency=(0.5, 9.0)) as world:
        await world.registered()
        numbers = [f"+4915551{n:06d}" for n in range(4)]
        for turn in range(8):
            for number in numbers:
                await world.send(number, f"#{turn} " + "x" * (200 * (turn % 2)), report=False)
        await world.until(lambda: done(world), within=3600)
        for number in numbers:
            texts = [entry.text for entry in world.lab.network.ledger if entry.number == number]
            turns = [int(text[1]) for text in texts if text and text.startswith("#")]
            assert turns == list(range(8))
        devices = {entry.device for entry in world.lab.network.ledger}
        assert len(devices) == 3


@virtual
async def test_a_later_message_waits_while_the_first_is_tried_again_and_says_so(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=2, latency=1.0) as world:
        await world.registered()
        number = "+4915559099038"  # refused for a while each time
        first = await world.send(number)
        second = await world.send(number)
        other = await world.send(number, class_="alert")
        await world.until(lambda: waits(world, first, "retry"))
        assert (await world.message(second))["waiting_for"] == "earlier_message"
        assert (await world.message(other))["waiting_for"] != "earlier_message", "another class is another order"
        await world.gateway.cancel(second)
        third = await world.send(number)
        await world.until_status(first, "failed", within=7200)
        await world.until(lambda: waits(world, third, "retry"), within=60)


@virtual
async def test_what_is_not_for_a_sim_does_not_hold_up_what_is(tmp_path: Path) -> None:
    """A backlog that only one SIM may take, and behind it messages for the other."""
    async with World.of(tmp_path / "w.db", modems=2, latency=2.0) as world:
        await world.registered()
        lines = world.gateway.fleet.lines
        sims = {line.sim.iccid: SimSettings(line.sim.iccid, name=name) for name, line in lines.items() if line.sim}
        context = world.gateway.context
        context.settings = dataclasses.replace(
            context.settings, sims=sims, routes=(Route("+43", sims=("a",)), Route("+49", sims=("b",)))
        )
        await submit(world, [f"+43664100{n:04d}" for n in range(500)], class_="alert")
        message = await world.send("+4915559000001", class_="bulk")
        body = await world.until_status(message, "sent", "delivered", within=10)
        assert body["modem"] == "b"


@virtual
async def test_a_long_request_counts_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=2.0) as world:
        await world.registered()
        numbers = [f"+4915551{n:06d}" for n in range(3 * CHUNK + 7)]
        accepted = await submit(world, numbers)
        assert [each["to"] for each in accepted] == numbers
        assert await world.query("SELECT count(*) FROM messages WHERE direction = 'outbound'") == [(len(numbers),)]
        assert await world.query("SELECT count(*) FROM batches") == [(0,)]
        assert await world.query("SELECT count(*) FROM events WHERE type = 'message.queued'") == [(len(numbers),)]


@virtual
async def test_a_crash_in_a_long_request_leaves_nothing_of_it_unless_it_was_promised(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=2.0) as world:
        await world.registered()
        await begin_batch(world, "+4915551", accept=False)
        await begin_batch(world, "+4915552", accept=True)
        page = await world.gateway.db.read(everything)
        assert {each["to"][:8] for each in page} == {"+4915552"}
        await world.restart()
        rows = await world.query("SELECT substr(peer, 1, 8), count(*), sum(ready) FROM messages GROUP BY 1")
        assert rows == [("+4915552", 20, 20)]
        await world.registered()
        await world.until(lambda: len(world.lab.network.ledger) == 20, within=200)


async def begin_batch(world: World, start: str, *, accept: bool) -> None:
    """What a crash in the middle of a long request leaves."""
    context = world.gateway.context
    draft = acceptance.Draft(
        "x", None, "gsm7", ("x",), "bulk", 4, 0, "never", False, False, None, None, "k", None, None,
        context.clock.wall_ms() + 3_600_000,
    )  # fmt: skip
    recipients = [acceptance.Recipient(context.ids.new(), f"{start}{n:06d}") for n in range(20)]

    def unit(cur: object) -> None:
        number = acceptance.open_batch(cur)  # type: ignore[arg-type]
        acceptance.enqueue(cur, context.stamp(), draft, recipients, None, number)  # type: ignore[arg-type]
        if accept:
            acceptance.accept_batch(cur, number)  # type: ignore[arg-type]

    await context.commit(unit)


def everything(cur: object) -> list[dict[str, str]]:
    from modemgw.store import views  # noqa: PLC0415

    return views.messages(cur, limit=500)["items"]  # type: ignore[arg-type, no-any-return]


async def submit(
    world: World, to: list[str], *, key: str = "test", text: str = "hello", **fields: object
) -> list[dict[str, str]]:
    order = Order(to=tuple(to), text=text, many=True, report=False, **fields)  # type: ignore[arg-type]
    return await world.gateway.submit(order, key_id=key)


async def waits(world: World, message: str, word: str) -> bool:
    return bool((await world.message(message))["waiting_for"] == word)


async def done(world: World) -> bool:
    return await world.query("SELECT 1 FROM messages WHERE status IN ('queued', 'sending', 'uncertain') LIMIT 1") == []
