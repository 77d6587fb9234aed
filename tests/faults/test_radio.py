"""What happens between a modem and its network: messages wait, nothing is counted against them, nothing is doubled."""

import asyncio
from pathlib import Path

from support.virtually import virtual
from support.world import World

from modemgw.emulator.faults import Byte, Command, Drop, Fault, Unplug

OUTSIDE = "+4915559000001"
SEARCHING, DENIED, ROAMING, HOME = 2, 3, 5, 1


async def _state(world: World, name: str, *wanted: str, within: float = 300.0) -> None:
    line = world.gateway.fleet.lines[name]
    await world.until(lambda: str(line.modem.state) in wanted and line.sender is None, within)


@virtual
async def test_a_search_for_the_network_is_waited_for_and_counts_against_nobody(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        world.device("a").radio.set(SEARCHING)
        await _state(world, "a", "searching")
        message = await world.send(OUTSIDE)
        before = world.device("a").submits_seen
        for _ in range(10):
            assert (await world.message(message))["waiting_for"] == "modem"
            await asyncio.sleep(60)
        world.device("a").radio.set(HOME)
        body = await world.until_status(message, "delivered")
        assert (body["segments"][0]["attempts"], world.device("a").submits_seen - before) == (1, 1)


@virtual
async def test_a_sim_whose_registration_is_denied_is_left_out_and_the_others_do_its_work(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=2) as world:
        await world.registered()
        world.device("a").radio.set(DENIED)
        await _state(world, "a", "denied")
        ids = [await world.send(f"+49155590{number:05d}") for number in range(4)]
        for message in ids:
            assert (await world.until_status(message, "delivered"))["modem"] == "b"
        assert "modem.state" in [each["type"] for each in world.sink.got]


@virtual
async def test_abroad_nothing_is_sent_unless_the_owner_allows_it(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        line = world.gateway.fleet.lines["a"]
        line.simulated = False  # a simulated SIM may roam: it costs nothing
        world.device("a").radio.set(ROAMING)
        await world.until(lambda: line.modem.network.roaming and line.sender is None, 300)
        message = await world.send(OUTSIDE)
        await asyncio.sleep(600)
        assert (await world.message(message))["waiting_for"] == "modem"
        assert world.device("a").submits_seen == 0
        told = [each["data"] for each in world.sink.got if each["type"] == "modem.state"]
        await world.until(lambda: "roaming" in str(told) or "roaming" in str(line.modem.reason) + line.modem.detail, 60)
        world.device("a").radio.set(HOME)
        await world.until_status(message, "delivered")


@virtual
async def test_a_network_that_comes_and_goes_costs_no_message_and_no_copy(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        device = world.device("a")
        for place in range(20):
            world.lab.network.at(world.lab.now + 40.0 * place, lambda: device.radio.lose(15.0))
        ids = [await world.send(f"+49155590{number:05d}", ttl_s=86_400) for number in range(12)]
        for message in ids:
            await world.until_status(message, "delivered", within=7200)
        assert len(world.lab.network.ledger) == len(ids)


@virtual
async def test_another_sim_in_the_modem_has_its_own_counters_and_the_old_one_keeps_its_doubts(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        device, old = world.device("a"), world.number("a")
        device.faults.add(Fault(Command("AT+CMGS"), Drop("answer")))
        doubtful = await world.send(OUTSIDE, report=False, class_="bulk")
        await world.until_status(doubtful, "uncertain", within=300)
        device.unplug()
        device.sim = world.lab.new_sim(number="+4915551777777")
        device.plug()
        device.radio.search()
        await world.until(lambda: world.gateway.fleet.lines["a"].modem.sim is not None, 300)
        await world.registered()
        fresh = await world.send("+4915559000002", report=False)
        await world.until_status(fresh, "sent", within=300)
        rows = await world.query(
            "SELECT s.number, a.state FROM attempts AS a JOIN sims AS s USING (sim_id) ORDER BY attempt_id"
        )
        assert [number for number, _ in rows] == [old, "+4915551777777"]
        used = await world.query("SELECT s.number, u.segments FROM usage AS u JOIN sims AS s USING (sim_id) ORDER BY 1")
        assert dict(used) == {old: 1, "+4915551777777": 1}
        await world.until_status(doubtful, "unknown", within=600)


@virtual
async def test_pulled_at_any_byte_before_ctrl_z_the_message_goes_out_once(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=1.0) as world:
        await world.registered()
        device = world.device("a")
        for count in (1, 5, 10, 11, 12, 13, 20, 40):
            # Counted from the first byte behind AT+CMGS=nn. PDU and Ctrl-Z are one write, so we can't know: it is
            # uncertain, looked after, and sent once more, which makes one copy in all.
            device.on_command = lambda line, count=count: _arm(device, line, count)  # type: ignore[misc]
            number = f"+49155591{count:05d}"
            message = await world.send(number, report=False, ttl_s=86_400)
            await world.until_status(message, "sent", within=900)
            assert world.copies(number) == 1


def _arm(device: object, line: str, count: int) -> None:
    """At the first AT+CMGS, once: the stick is pulled so many bytes further on."""
    if line.startswith("AT+CMGS="):
        device.on_command = None  # type: ignore[attr-defined]
        device.faults.add(Fault(Byte(count), Unplug(back=5.0)))  # type: ignore[attr-defined]


@virtual
async def test_five_days_without_any_modem(tmp_path: Path) -> None:
    """What is still worth sending goes out when they are back, the urgent first, and the rest has expired."""
    async with World.of(tmp_path / "w.db", modems=2, latency=2.0) as world:
        await world.registered()
        for name in "ab":
            await world.gateway.disable(name)
        await world.until(lambda: all(line.sender is None for line in world.gateway.fleet.lines.values()), 60)
        short = [await world.send(f"+49155590{n:05d}", class_="bulk") for n in range(5)]
        long = [await world.send(f"+49155591{n:05d}", class_="bulk", ttl_s=10 * 86_400) for n in range(5)]
        for message in short:
            await world.until_status(message, "expired", within=2 * 86_400)
        await world.until(lambda: world.lab.now > 5 * 86_400, within=6 * 86_400)
        urgent = await world.send("+4915559200001", class_="otp")
        for name in "ab":
            await world.gateway.enable(name)
        for message in (urgent, *long):
            await world.until_status(message, "delivered", within=3600)
        order = [entry.number for entry in world.lab.network.ledger]
        assert "+4915559200001" in order[:2]
        assert len(order) == 6
