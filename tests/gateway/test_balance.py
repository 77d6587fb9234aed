"""The money on a SIM: asked for when it is due, understood or shown as it is, told when it is low, and kept for
urgent messages then."""

import contextlib
import dataclasses
import itertools
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.virtually import virtual
from support.world import World

from modemgw.domain.sim import BalanceSettings, SimSettings
from modemgw.emulator.faults import Command, Error, Fault, NoCredit
from modemgw.emulator.ussd import Menu
from modemgw.gateway.context import AlertSettings

OWNER, SHOP = "+4915559000007", "4443"
HOUR = 3600.0
LOW = {"ussd": "*100#", "low": Decimal(5), "every_s": HOUR}
ASKS = {"sms_to": SHOP, "sms_text": "BAL", "every_s": 6 * HOUR}


@contextlib.asynccontextmanager
async def running(path: Path, modems: int = 1, latency: float = 0.5) -> AsyncIterator[World]:
    """A gateway whose SIMs are named as their modems."""
    async with World.of(path / "w.db", modems=modems, latency=latency, start=False) as world:
        for name in world.lab.ports:
            ask(world, name)
        await world.start()
        await world.registered()
        yield world


def ask(world: World, name: str = "a", **how: Any) -> None:
    """The owner wants the SIM in this modem to be asked like this from now on; nothing: no longer."""
    sim = world.device(name).sim
    assert sim is not None
    balance = BalanceSettings(**how) if how else None
    settings = world.settings
    sims = dict(settings.sims) | {sim.iccid: SimSettings(sim.iccid, name=name, balance=balance)}
    world.settings = dataclasses.replace(settings, sims=sims)
    if hasattr(world, "gateway"):
        world.gateway.context.settings = world.settings


def credit(world: World, cents: int, name: str = "a", price: int = 0) -> None:
    """What the operator knows of the SIM in this modem."""
    sim = world.device(name).sim
    assert sim is not None
    sim.credit, sim.price = cents, price


async def balance(world: World, name: str = "a") -> Any:
    """As GET /v1/sims shows it."""
    iccid = world.device(name).sim.iccid  # type: ignore[union-attr]
    return next(each["balance"] for each in await world.gateway.sims() if each["iccid"] == iccid)


async def until(world: World, name: str = "a", within: float = 900.0, **wanted: object) -> Any:
    """The balance once it shows all this."""

    async def look() -> Any:
        found = await balance(world, name)
        return found if found and all(found[key] == value for key, value in wanted.items()) else None

    return await world.until(look, within)


def questions(world: World, name: str = "a") -> list[float]:
    """When the network was asked by USSD."""
    return [each.at for each in world.device(name).heard if each.line.startswith("AT+CUSD=1,")]


async def told(world: World) -> list[tuple[str, str]]:
    """What was announced: state and amount."""
    return await world.query(
        "SELECT data ->> 'state', data ->> 'amount' FROM events WHERE type = 'sim.credit' ORDER BY seq"
    )  # type: ignore[return-value]


@virtual
async def test_it_is_asked_in_its_rhythm_and_not_at_every_start(tmp_path: Path) -> None:
    async with running(tmp_path, modems=2) as world:
        ask(world, ussd="*100#", every_s=HOUR)
        found = await until(world, amount="12.34")
        assert (found["currency"], found["state"], found["error"]) == ("EUR", "fine", None)
        assert found["text"] == "Your balance is 12.34 EUR."
        assert found["read_at"] >= found["asked_at"]
        assert await balance(world, "b") is None
        for _ in range(3):
            await world.restart()
            await world.registered()
            await world.sleep(600)
        assert len(questions(world)) == 1
        credit(world, 1000)
        await until(world, amount="10.00", within=1.1 * HOUR)
        first, second = questions(world)
        assert HOUR <= second - first <= 1.06 * HOUR
        assert questions(world, "b") == []
        assert await told(world) == [], "that all is well is no news"


@virtual
async def test_a_sim_that_is_low_keeps_the_rest_for_urgent_messages_until_it_is_topped_up(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        credit(world, 499)
        ask(world, **LOW)
        found = await until(world, state="low")
        assert (found["amount"], found["low_below"]) == ("4.99", "5")
        classes = ("transactional", "bulk", "command")
        waiting = [await world.send("+4915559000001", class_=each, ttl_s=86_400) for each in classes]
        pinned = await world.send("+4915559000002", sim="a")
        await world.until_status(await world.send("+4915559000003", class_="otp"), "sent", "delivered", within=20)
        await world.until_status(await world.send("+4915559000003", class_="alert"), "sent", "delivered", within=20)
        await world.sleep(600)
        for each in (*waiting, pinned):
            body = await world.message(each)
            assert (body["status"], body["waiting_for"]) == ("queued", "low_credit")
        route = (await world.message(waiting[0]))["route"]
        assert route["reason"] == "Its credit is low: what is left is for urgent messages, until it is topped up."
        assert len(world.lab.network.ledger) == 2

        await world.restart()
        await world.registered()
        await world.sleep(60)
        assert len(world.lab.network.ledger) == 2, "a start forgets nothing"

        credit(world, 500)
        await until(world, state="fine", within=1.1 * HOUR)
        for each in (*waiting, pinned):
            await world.until_status(each, "sent", "delivered", within=15)
        assert await told(world) == [("low", "4.99"), ("fine", "5.00")]


@virtual
async def test_another_sim_takes_over_and_the_reason_is_said(tmp_path: Path) -> None:
    async with running(tmp_path, modems=2) as world:
        world.settings = dataclasses.replace(world.settings, alerts=AlertSettings(OWNER, ("sim.credit",)))
        known = await world.send("+4915559000001", class_="transactional")
        body = await world.until_status(known, "sent", "delivered")
        low, other = body["modem"], "ab".replace(body["modem"], "")
        credit(world, 120, low)
        ask(world, low, **LOW)
        await until(world, low, state="low")
        next_one = await world.until_status(await world.send("+4915559000001"), "sent", "delivered")
        assert next_one["modem"] == other, "although the recipient knows the other one"
        (considered,) = (await world.message(next_one["id"]))["route"]["considered"]
        assert considered["reason"].startswith("Its credit is low")

        await world.until(lambda: world.copies(OWNER), within=120)
        (entry,) = [each for each in world.lab.network.ledger if each.number == OWNER]
        assert entry.device == other
        assert entry.text == (
            f"modemgw: SIM {low} has 1.20 EUR left, less than 5: top it up. "
            "Until then only urgent messages go out by it."
        )
        await world.sleep(6.5 * HOUR)
        assert world.copies(OWNER) == 1
        await world.until(lambda: [each for each in world.sink.got if each["type"] == "sim.credit"])
        (hook,) = [each["data"] for each in world.sink.got if each["type"] == "sim.credit"]
        assert (hook["sim"], hook["state"], hook["amount"], hook["currency"]) == (low, "low", "1.20", "EUR")
        credit(world, 5000, low)
        await until(world, low, state="fine", within=1.1 * HOUR)
        await world.sleep(120)
        assert await told(world) == [("low", "1.20"), ("fine", "50.00")]
        assert world.copies(OWNER) == 1, "that all is well again needs nobody"


@virtual
async def test_a_message_is_never_cut_in_two(tmp_path: Path) -> None:
    async with running(tmp_path, latency=20.0) as world:
        long = [await world.send(f"+491555900000{n}", "x" * 900, report=False) for n in range(2)]
        credit(world, 100)
        ask(world, **LOW)
        await until(world, state="low")
        lines = [each.line for each in world.device("a").heard if re.match(r"AT\+(CMGS|CUSD=1)", each.line)]
        place = lines.index('AT+CUSD=1,"*100#",15')
        assert place == 6, "between the two messages, each of six segments"
        assert (await world.message(long[0]))["status"] == "sent"
        await world.sleep(600)
        assert (await world.message(long[1]))["waiting_for"] == "low_credit"
        assert len(world.lab.network.ledger) == 6


@virtual
async def test_nor_by_the_message_that_asks(tmp_path: Path) -> None:
    async with running(tmp_path, latency=20.0) as world:
        for n in range(2):
            await world.send(f"+491555900000{n}", "x" * 900, report=False)
        ask(world, **ASKS)
        await world.until(lambda: len(world.lab.network.ledger) == 13)
        assert [entry.number == SHOP for entry in world.lab.network.ledger].index(True) == 6


@virtual
async def test_what_was_begun_is_finished_by_a_sim_that_is_low(tmp_path: Path) -> None:
    async with running(tmp_path, latency=5.0) as world:
        credit(world, 100)
        ask(world, **LOW)
        begun = await world.send("+4915559000001", "x" * 900, report=False)
        await world.until(lambda: len(world.lab.network.ledger) == 2)
        await world.restart()
        await world.gateway.db.write(
            lambda cur: cur.execute(
                "INSERT OR REPLACE INTO balances (sim_id, state, minor, digits, read_ms, due_ms) "
                "VALUES (1, 'low', 100, 2, 1, ?)",
                (world.clock.wall_ms() + 3_600_000,),
            )
        )
        later = await world.send("+4915559000002", report=False)
        await world.until_status(begun, "sent")
        assert (await world.message(later))["waiting_for"] == "low_credit"


@pytest.mark.parametrize(
    ("menu", "error"),
    [
        (Menu("Welcome to our network!"), "could not find an amount in: Welcome to our network!"),
        (Menu(raw=f'0,"{"Тариф 5".encode("utf-16-be").hex()}",72'), "could not find an amount in: Тариф 5"),
        (Menu(mode=2), "the network answered without a word"),
        (Menu(mode=4), "the network or the modem does not support this USSD code"),
        (Menu(answers=False), "the network did not answer"),
        (Menu("1 Balance\r\n2 Data", {"1": Menu("5 EUR")}), "the answer is a menu that tells no balance"),
    ],
    ids=["words", "ucs2", "empty", "unsupported", "silent", "menu"],
)  # fmt: skip
@virtual
async def test_an_answer_that_tells_no_amount_is_shown_and_changes_nothing(
    tmp_path: Path, menu: Menu, error: str
) -> None:
    async with running(tmp_path) as world:
        ask(world, **LOW)
        await until(world, amount="12.34")
        world.lab.network.menus["*100#"] = menu
        found = await world.until(lambda: has_error(world), within=1.1 * HOUR)
        assert found["error"].startswith(error)
        assert (found["amount"], found["state"]) == ("12.34", "fine")
        assert world.device("a").calls.menu is None
        await world.until_status(await world.send("+4915559000001"), "sent", "delivered", within=60)
        await world.sleep(1.9 * HOUR)
        first, second, third = (b - a for a, b in itertools.pairwise(questions(world)[1:5]))
        assert 300 <= first < 400 < second <= 1900 < third, "ever more rarely"
        assert await told(world) == []


async def has_error(world: World) -> Any:
    found = await balance(world)
    return found if found and found["error"] else None


@virtual
async def test_a_modem_without_ussd_and_a_crash_while_it_is_asked(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.lab.network.menus["*100#"] = Menu(answers=False)
        ask(world, **LOW)
        await world.until(lambda: questions(world))
        await world.restart()
        await world.registered()
        await world.sleep(240)
        assert len(questions(world)) == 1, "a crash in the middle does not ask again at each start"
        world.device("a").faults.add(Fault(Command("AT+CUSD=1"), Error("+CME ERROR: 4")))
        found = await world.until(lambda: has_error(world))
        assert len(questions(world)) == 2
        assert found["error"][-1] == "."
        assert (found["text"], found["amount"], found["state"]) == (None, None, "unknown")
        await world.until_status(await world.send("+4915559000001"), "sent", "delivered", within=60)


@virtual
async def test_a_huge_answer_is_cut(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.lab.network.menus["*100#"] = Menu("blah " * 400)
        ask(world, **LOW)
        found = await world.until(lambda: has_error(world))
        assert len(found["text"]) <= 480
        assert len(found["error"]) < 300


@virtual
async def test_a_reading_belongs_to_the_sim_that_was_asked(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        device = world.device("a")
        first = device.sim
        assert first is not None
        world.lab.network.menus["*100#"] = Menu(answers=False)
        ask(world, **LOW)
        await world.until(lambda: questions(world))
        device.sim = other = world.lab.new_sim()
        await world.sleep(31)
        device.urc('+CUSD: 0,"Your balance is 1.00 EUR.",15')
        await world.sleep(300)
        shown = {each["iccid"]: each["balance"] for each in await world.gateway.sims()}
        assert shown[first.iccid]["amount"] is None
        assert "another SIM" in shown[first.iccid]["error"]
        assert shown[other.iccid] is None, "the owner does not have it asked"


@virtual
async def test_by_message_it_goes_through_the_same_doors_and_its_answer_stays_in_the_inbox(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        ask(world, **ASKS, sms_from="Operator", low=Decimal(5))
        await world.until(lambda: world.copies(SHOP))
        (question,) = await world.gateway.db.read(lambda cur: list(cur.execute("SELECT id FROM messages")))
        body = await world.message(question["id"])
        assert (body["to"], body["text"], body["class"]) == (SHOP, "BAL", "alert")
        assert [each["event"] for each in body["timeline"]][:2] == ["accepted", "submitting"]
        assert (await world.gateway.sims())[0]["sent_today"] == 1

        network, device = world.lab.network, world.device("a")
        network.deliver_from_outside("+4915559000001", device, "Your balance is 99 EUR")
        await world.until(world.inbox)
        await world.restart()
        await world.registered()
        network.deliver_from_outside("Operator", device, "Thank you! Our offer of the day: more of everything.")
        await world.until(lambda: has_error(world))
        network.deliver_from_outside("Operator", device, "Balance: 4,00 EUR. " + "Thank you for your trust. " * 8)
        found = await until(world, amount="4.00")
        assert (found["state"], found["error"]) == ("low", None)
        answer = (await world.inbox())[-1]
        assert len(await world.inbox()) == 3
        assert found["text"] == answer["text"]
        await world.gateway.erase(answer["id"])
        found = await balance(world)
        assert (found["amount"], found["text"]) == ("4.00", None), "what is erased is nowhere"
        network.deliver_from_outside("Operator", device, "Balance: 50,00 EUR")
        await world.until(lambda: inbox_has(world, 3))
        assert (await balance(world))["amount"] == "4.00", "nobody asked"
        await world.sleep(0.9 * 6 * HOUR)
        assert world.copies(SHOP) == 1

        network.on_accepted.append(
            lambda entry: (
                network.deliver_from_outside("Operator", device, "Balance: 50,00 EUR") if entry.number == SHOP else None
            )
        )
        await until(world, amount="50.00", within=0.2 * 6 * HOUR)
        assert await told(world) == [("low", "4.00"), ("fine", "50.00")], "a SIM that is low can still be asked"


async def inbox_has(world: World, count: int) -> bool:
    return len(await world.inbox()) == count


@virtual
async def test_a_message_that_nobody_answers_or_that_can_not_go_is_asked_again_later(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        ask(world, **ASKS)
        found = await world.until(lambda: has_error(world), within=1500)
        assert found["error"] == "no answer came within 20 minutes"
        await world.until(lambda: world.copies(SHOP) == 2, within=600)
        world.gateway.context.settings = dataclasses.replace(world.gateway.context.settings, daily_cap=2)
        await world.until(lambda: has_error(world), within=HOUR)
        await until(world, error=None, within=HOUR)  # it is asked for the third time
        found = await world.until(lambda: has_error(world), within=HOUR)
        assert found["error"] == "the message that asks was not sent (expired): The message was not sent in time."
        assert len(world.lab.network.ledger) == 2


@virtual
async def test_refusals_make_it_ask_early_and_a_reading_that_is_fine_ends_the_rest(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        ask(world, ussd="*100#", low=Decimal(5))
        await until(world, amount="12.34")
        await world.sleep(HOUR)
        start = world.clock.monotonic()
        world.device("a").suffer(NoCredit())
        for n in range(10, 30):
            await world.send(f"+49155590000{n}", class_="bulk")
        await until(world, state="gone", within=300)
        await until(world, state="fine", within=60)
        await world.sleep(0.8 * HOUR)
        assert [at - start < 60 for at in questions(world)[1:]] == [True], "at once, and not for each refusal"
        assert await told(world) == [("gone", "12.34"), ("fine", "12.34")], "the operator should know"
        breaker = world.gateway.fleet.pool.members[1].breaker
        await world.until(lambda: (breaker.out_until or 0) > world.clock.monotonic() + 300)
        credit(world, 2000)
        world.device("a").suffer(NoCredit("paid"))
        await world.gateway.db.write(lambda cur: cur.execute("UPDATE balances SET due_ms = 0"))
        await until(world, amount="20.00", within=15)
        await world.until(lambda: world.lab.network.ledger, within=15)


@virtual
async def test_an_empty_card_is_told_once_also_where_nothing_is_asked_and_when_it_is_back(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        credit(world, 20, price=9)
        for n in range(2, 20):
            await world.send(f"+49155590000{n:02}", class_="bulk", ttl_s=int(3 * HOUR))
        await until(world, state="gone", within=300)
        assert len(world.lab.network.ledger) == 2
        await world.sleep(HOUR)
        assert await told(world) == [("gone", None)]
        credit(world, 1000, price=9)
        await world.send("+4915559000099", class_="alert", ttl_s=int(3 * HOUR))
        await until(world, state="unknown", within=2 * HOUR)
        assert await told(world) == [("gone", None), ("fine", None)]


@virtual
async def test_another_bound_counts_at_once_and_none_sets_it_free(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        ask(world, **LOW)
        await until(world, state="fine")
        ask(world, ussd="*100#", low=Decimal(20))
        await until(world, state="low", within=10)
        waiting = await world.send("+4915559000001")
        await world.sleep(60)
        assert (await world.message(waiting))["waiting_for"] == "low_credit"
        ask(world)
        await world.until_status(waiting, "sent", "delivered", within=90)
        assert len(questions(world)) == 1


@virtual
async def test_the_clock_may_jump_and_a_stop_does_not_wait_for_the_network(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        ask(world, ussd="*100#", every_s=HOUR)
        await until(world, amount="12.34")
        world.clock.offset_ms -= int(400 * 24 * HOUR * 1000)
        world.lab.network.menus["*100#"] = Menu(answers=False)
        await world.until(lambda: len(questions(world)) == 2, within=1.2 * HOUR)
        began = world.clock.monotonic()
        await world.stop()
        assert world.clock.monotonic() - began < 15
        assert "AT+CUSD=2" in [each.line for each in world.device("a").heard][-5:]
