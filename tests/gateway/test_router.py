"""Which SIM takes a message, why, and what happens when one SIM is no good."""

import dataclasses
import sqlite3
from functools import partial
from pathlib import Path

import pytest
from support.virtually import virtual
from support.world import World

from modemgw.domain.errors import Rejected
from modemgw.domain.route import Route, route_for
from modemgw.domain.sim import SimSettings
from modemgw.emulator.faults import Command, Error, Fault
from modemgw.gateway.breaker import FAILURES, FIRST_PAUSE_S, Breaker
from modemgw.gateway.limits import Window, judge
from modemgw.gateway.router import LOW_CREDIT, Ask, SimState, decide, preference

BULK, OTP = 4, 0


def sim(number: int, **fields: object) -> SimState:
    return SimState(number, f"sim{number}", (f"sim{number}", str(number), None), **fields)  # type: ignore[arg-type]


def test_the_longest_prefix_decides_alone() -> None:
    routes = (Route("+49", sims=("a",)), Route("+4915", sims=("b",)), Route("", sims=("c",)))
    assert route_for("+4915551", routes).sims == ("b",)
    assert route_for("+4930", routes).sims == ("a",)
    assert route_for("+43664", routes).sims == ("c",)
    assert route_for("+43664", routes[:2]).allows(("anything",), ())


@pytest.mark.parametrize(
    ("route", "names", "tags", "allowed"),
    [
        (Route("+49"), ("x",), (), True),
        (Route("+49", sims=("x",)), ("x", "8949"), (), True),
        (Route("+49", sims=("8949",)), ("x", "8949"), (), True),
        (Route("+49", sims=("y",)), ("x",), (), False),
        (Route("+49", tags=("de",)), ("x",), ("de",), True),
        (Route("+49", sims=("y",), tags=("de",)), ("x",), ("de",), True),
        (Route("+49", sims=()), ("x",), ("de",), False),
    ],
)
def test_a_rule_names_sims_or_tags(route: Route, names: tuple[str], tags: tuple[str, ...], allowed: bool) -> None:
    assert route.allows(names, tags) is allowed


def test_quiet_hours_may_go_over_midnight_and_hold_back_what_is_not_urgent() -> None:
    route = Route("+49", quiet=(22 * 60, 7 * 60))
    assert [route.is_quiet(minute) for minute in (21 * 60 + 59, 22 * 60, 0, 6 * 60 + 59, 7 * 60)] == [
        False, True, True, True, False,
    ]  # fmt: skip
    assert not decide(Ask(BULK), sim(1), [], route, minute=0).take
    assert decide(Ask(OTP), sim(1), [], route, minute=0).take


def test_recipients_keep_their_sim_as_long_as_it_can_send() -> None:
    ask = Ask(BULK, knows=2)
    assert not decide(ask, sim(1), [sim(2)]).take
    assert not decide(ask, sim(1), [sim(2, busy=True)]).take
    assert decide(ask, sim(2), [sim(1)]).code == "known"
    for trouble in ({"blocked": "sim_limit"}, {"out": True}, {"full": True}):
        assert decide(ask, sim(1), [sim(2, **trouble)]).take
    assert decide(ask, sim(1), []).take, "the SIM is in no modem"


def test_urgent_messages_do_not_wait_for_a_sim_that_is_busy() -> None:
    assert decide(Ask(OTP, knows=2), sim(1), [sim(2, busy=True)]).take
    assert not decide(Ask(OTP, knows=2), sim(1), [sim(2)]).take


def test_a_sim_of_the_country_comes_first() -> None:
    ask = Ask(BULK, country="AT")
    assert not decide(ask, sim(1, country="DE"), [sim(2, country="AT")]).take
    assert decide(ask, sim(2, country="AT"), [sim(1, country="DE")]).code == "country"
    assert decide(ask, sim(1, country="DE"), [sim(2, country="AT", out=True)]).take


def test_what_a_sim_refused_is_for_the_others_if_there_are_any() -> None:
    assert not decide(Ask(BULK, avoid=1), sim(1), [sim(2)]).take
    assert decide(Ask(BULK, avoid=1), sim(1), [sim(2, out=True)]).take
    assert decide(Ask(BULK, knows=1, avoid=1), sim(2), [sim(1)]).take


def test_a_decision_says_why_in_words() -> None:
    route = Route("+49", sims=("sim1", "sim2", "sim3"))
    decision = decide(
        Ask(BULK), sim(1), [sim(2, out=True), sim(3, blocked="sim_limit"), sim(4)], route, explain=True
    )  # fmt: skip
    assert decision.take
    assert decision.reason == "No other allowed SIM could take it."
    assert dict(decision.considered) == {
        "sim2": "It is taking a rest: its last messages to different numbers were not accepted.",
        "sim3": "It is at a limit of its plan.",
        "sim4": "The rule for +49 does not name it.",
    }


def test_idle_sims_are_asked_healthy_first_then_by_what_is_left_then_in_turn() -> None:
    sims = [sim(1, failures=2), sim(2, headroom=0.2), sim(3, served=9), sim(4, served=3), sim(5, probing=True)]
    asked = sorted(sims, key=preference)
    assert [each.sim_id for each in asked] == [5, 4, 3, 2, 1]


def test_the_breaker_opens_after_different_recipients_and_its_pause_grows() -> None:
    breaker = Breaker()
    assert not any(breaker.not_accepted("+491", 0.0) for _ in range(20)), "one bad number says nothing of the SIM"
    assert [breaker.not_accepted(f"+49{n}", 0.0) for n in range(2, 2 + FAILURES - 1)] == [False, False, False, True]
    assert breaker.is_out(FIRST_PAUSE_S - 1)
    assert not breaker.is_out(FIRST_PAUSE_S), "one is tried"
    assert breaker.not_accepted("+499", FIRST_PAUSE_S)
    assert breaker.is_out(3 * FIRST_PAUSE_S - 1)
    assert breaker.accepted()
    assert not breaker.is_out(0.0)
    assert not breaker.accepted()


def test_low_credit_is_for_urgent_messages_and_begun_ones() -> None:
    low = sim(1, blocked=LOW_CREDIT, urgent_only=True)
    assert decide(Ask(BULK, knows=1), low, []).code == LOW_CREDIT
    assert decide(Ask(OTP, knows=1), low, [sim(2)]).take
    assert decide(Ask(BULK, knows=1), sim(2), [low]).take
    assert judge([], low=True).urgent_only
    shut = Window("per_day", 10, 10, 0, 1)
    assert judge([shut], low=True).blocked == "sim_limit", "a limit holds back urgent messages too"


def test_the_breaker_tells_want_of_credit_from_other_trouble() -> None:
    breaker = Breaker()
    for number in range(FAILURES):
        breaker.not_accepted(f"+49{number}", 0.0, credit=True)
    assert breaker.credit
    assert breaker.try_now(1.0)
    assert not breaker.is_out(1.0)
    breaker.not_accepted("+499", 2.0, credit=False)
    assert not breaker.credit
    assert not breaker.try_now(3.0), "more credit would not help"


@virtual
async def test_a_rule_sends_each_country_through_its_sims_and_the_message_says_so(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=2, latency=1.0) as world:
        await world.registered()
        await named(world)
        set_routes(world, Route("+43", sims=("b",)))
        ids = [await world.send(f"+43664100{n:04d}") for n in range(6)]
        bodies = [await world.until_status(each, "sent", "delivered") for each in ids]
        assert {each["modem"] for each in bodies} == {"b"}
        route = (await world.message(ids[0]))["route"]
        assert (route["sim"], route["reason"]) == ("b", "It is the only SIM that the rule for +43 allows.")
        assert route["considered"] == [{"sim": "a", "reason": "The rule for +43 does not name it."}]


@virtual
async def test_a_rule_that_leaves_no_sim_is_refused_at_once(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        set_routes(world, Route("+43", sims=()))
        with pytest.raises(Rejected) as error:
            await world.send("+436641000000")
        assert [each.code for each in error.value.problems] == ["no_sim_for_number"]
        await world.until_status(await world.send("+4915559000001"), "sent", "delivered")


@virtual
async def test_a_reply_goes_out_on_the_sim_that_was_written_to(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=3, latency=1.0) as world:
        await world.registered()
        customer = "+4915559000077"
        for name in ("c", "b"):
            world.lab.network.deliver_from_outside(customer, world.device(name), f"question to {name}")
            await world.until(lambda name=name: has(world, f"question to {name}"))
            body = await world.until_status(await world.send(customer), "sent", "delivered")
            assert body["modem"] == name
            assert (await world.message(body["id"]))["route"]["reason"].startswith("The recipient knows this SIM")


@virtual
async def test_a_sim_whose_messages_are_not_accepted_rests_and_the_other_takes_over(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=2, latency=1.0) as world:
        await world.registered()
        for nth in range(1, FAILURES + 1):
            world.device("a").faults.add(Fault(Command("AT+CMGS", nth=nth), Error("+CMS ERROR: 8")))
        ids = [await world.send(f"+49155590{n:05d}") for n in range(30)]
        for each in ids:
            body = await world.until_status(each, "sent", "delivered", within=300)
            assert body["modem"] == "b", "what a refused went to b without waiting for a"
        assert await states(world) == ["out"]
        (a,) = [each for each in await world.gateway.sims() if each["modem"] == "a"]
        assert (a["available"], a["blocked"]) == (False, "not_accepted")
        await world.until(lambda: a_works(world), within=3600)
        await world.until(lambda: is_back(world), within=5)


async def a_works(world: World) -> bool:
    body = await world.until_status(
        await world.send(f"+49155591{int(world.clock.monotonic()) % 100_000:05d}"), "sent", "delivered"
    )
    return bool(body["modem"] == "a")


async def is_back(world: World) -> bool:
    return (await states(world))[-1] == "back"


async def states(world: World) -> list[str]:
    rows = await world.query("SELECT data ->> 'state' FROM events WHERE type = 'sim.limit' ORDER BY seq")
    return [state for (state,) in rows]


async def has(world: World, text: str) -> bool:
    return any(each["text"] == text for each in await world.inbox())


async def named(world: World) -> None:
    """Gives the SIMs the names of their modems."""

    sims = {}
    for line in world.gateway.fleet.lines.values():
        assert line.sim is not None
        assert line.sim.iccid is not None
        sims[line.sim.iccid] = SimSettings(line.sim.iccid, name=line.modem.name)
    context = world.gateway.context
    context.settings = dataclasses.replace(context.settings, sims=sims)
    for iccid, plan in sims.items():
        await context.commit(partial(rename, iccid=iccid, name=plan.name))


def rename(cur: sqlite3.Cursor, *, iccid: str, name: str | None) -> None:
    cur.execute("UPDATE sims SET name = ? WHERE iccid = ?", (name, iccid))


def set_routes(world: World, *routes: Route) -> None:

    context = world.gateway.context
    context.settings = dataclasses.replace(context.settings, routes=routes)
