"""What arrives at a SIM is on disk before it leaves the SIM, once, and announced."""

from pathlib import Path

from support.virtually import virtual
from support.world import World

from modemgw.emulator.faults import Command, Drop, Fault, Urc
from modemgw.emulator.storage import Slot
from modemgw.pdu import segment, udh
from modemgw.pdu.address import Address
from modemgw.pdu.dcs import Dcs
from modemgw.pdu.envelope import wrap
from modemgw.pdu.tpdu import Deliver
from modemgw.pdu.userdata import UserData
from modemgw.store import views

SENDER = "+4915559000001"
LONG = "Zażółć gęślą jaźń 👩‍👩‍👧 " * 12


@virtual
async def test_received_announced_and_gone_from_the_sim(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        world.lab.network.deliver_from_outside(SENDER, world.device("a"), "hello there")
        (body,) = await world.until(world.inbox)
        assert (body["from"], body["to"], body["text"]) == (SENDER, world.number("a"), "hello there")
        await world.until(lambda: world.sink.types(body["id"]))
        assert world.sink.types(body["id"]) == ["message.received"]
        await world.until(lambda: _acknowledged(world), within=10)


async def _acknowledged(world: World) -> bool:
    return not (await world.query("SELECT 1 FROM received WHERE acknowledged_ms IS NULL"))


@virtual
async def test_an_indication_that_never_came_is_made_up_for_by_the_sweep(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        world.device("a").faults.add(Fault(Urc("+CMTI"), Drop()))
        world.lab.network.deliver_from_outside(SENDER, world.device("a"), "quiet")
        (body,) = await world.until(world.inbox, within=90)
        assert body["text"] == "quiet"


@virtual
async def test_long_messages_come_together_over_a_crash(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        world.lab.network.deliver_from_outside(SENDER, world.device("a"), LONG)
        await world.until(lambda: world.query("SELECT 1 FROM assembly_parts"))
        await world.crash()
        await world.start()
        (body,) = await world.until(world.inbox)
        assert (body["text"], body["complete"]) == (LONG, True)
        assert body["parts"] > 1


@virtual
async def test_a_crash_before_the_delete_is_no_second_message(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        sim = world.device("a").sim
        assert sim is not None
        world.device("a").faults.add(Fault(Command("AT+CMGD"), Drop("answer")))
        world.lab.network.deliver_from_outside(SENDER, world.device("a"), pdu=_pdu("only once"))
        await world.until(world.inbox)
        await world.crash()
        if not sim.storage.items():
            sim.storage.put(Slot(0, _pdu("only once"), len(_pdu("only once")) // 2 - 1))
        await world.start()
        await world.registered()
        await world.until(lambda: _acknowledged(world), within=300)
        assert len(await world.inbox()) == 1
        assert sum(each["type"] == "message.received" for each in world.sink.got) == 1


@virtual
async def test_the_same_message_twice_by_the_network_is_kept_and_flagged(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        network = world.lab.network
        pdu = _pdu("hello")
        for count in (1, 2):
            network.deliver_from_outside(SENDER, world.device("a"), pdu=pdu)
            await world.until(lambda c=count: _has(world, c), within=120)
            await world.until(lambda: _acknowledged(world), within=60)
        first, second = await world.inbox()
        assert (first["flags"], second["flags"]) == ([], ["possible_duplicate"])


async def _has(world: World, count: int) -> bool:
    return len(await world.inbox()) == count


@virtual
async def test_what_can_not_be_decoded_is_kept_shown_and_does_not_come_again(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, start=False) as world:
        sim = world.device("a").sim
        assert sim is not None
        cut = _pdu("hello there")[:-4]
        sim.storage.put(Slot(0, cut, len(cut) // 2 - 1))
        await world.start()
        (body,) = await world.until(world.inbox, within=120)
        assert body["flags"] == ["undecodable"]
        assert body["text"] is None
        await world.until(lambda: _acknowledged(world), within=60)
        await world.crash()
        await world.start()
        await world.registered()
        assert len(await world.inbox()) == 1


@virtual
async def test_a_missing_part_is_released_after_a_day_and_joins_late(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        network, device = world.lab.network, world.device("a")
        parts = ["050003070301", "050003070303", "050003070302"]
        texts = ["one ", "three", "two "]
        for header, text in list(zip(parts, texts, strict=True))[:2]:
            network.deliver_from_outside(SENDER, device, pdu=_pdu(text, header=header))
        await world.until(lambda: world.query("SELECT 1 FROM assembly_parts WHERE seq = 3"), within=120)
        assert await world.inbox() == []
        (body,) = await world.until(world.inbox, within=26 * 3600)
        assert (body["complete"], body["flags"]) == (False, ["incomplete"])
        assert body["text"] == "one  […] three"
        network.deliver_from_outside(SENDER, device, pdu=_pdu(texts[2], header=parts[2]))
        updated = await world.until(lambda: _complete(world), within=120)
        assert (updated["id"], updated["text"], updated["flags"]) == (body["id"], "one two three", [])
        await world.until(lambda: any(each["type"] == "message.updated" for each in world.sink.got))


async def _complete(world: World) -> object:
    (body,) = await world.inbox()
    return body if body["complete"] else None


def _pdu(text: str, *, header: str = "") -> str:
    """A DELIVER as a modem shows it; ``header`` is a whole user data header."""
    plan = segment.plan(text, encoding="ucs2")
    elements = udh.parse(bytes.fromhex(header[2:]), 0) if header else ()
    deliver = Deliver(
        originator=Address.parse(SENDER),
        user_data=UserData.of(text, plan.encoding, elements),
        dcs=Dcs.build(plan.encoding, None),
        scts_raw=bytes.fromhex("62112290210040"),
    )
    return wrap(deliver.encode()).hex


@virtual
async def test_marking_as_read(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        world.lab.network.deliver_from_outside(SENDER, world.device("a"), "x")
        (body,) = await world.until(world.inbox)
        assert (await world.gateway.mark_read(body["id"]))["read"] is True
        unread = await world.gateway.db.read(lambda cur: views.inbox(cur, limit=10, unread=True))
        assert unread["items"] == []
