"""Parts of long messages that make no sense: nothing is lost, nothing crashes, nothing grows without end."""

from pathlib import Path

from support.virtually import virtual
from support.world import World

from modemgw.gateway import incoming
from modemgw.pdu import udh
from modemgw.pdu.address import Address
from modemgw.pdu.dcs import Dcs, Encoding
from modemgw.pdu.envelope import wrap
from modemgw.pdu.tpdu import Deliver
from modemgw.pdu.userdata import UserData

ANNA, BERT = "+4915559000001", "+4915559000002"


def _part(text: str, ref: int, parts: int, seq: int, sender: str = ANNA) -> str:
    element = udh.Element(0x00, bytes([ref, parts, seq]))
    deliver = Deliver(
        originator=Address.parse(sender),
        user_data=UserData.of(text, Encoding.GSM7, (element,)),
        dcs=Dcs.build(Encoding.GSM7, None),
        scts_raw=bytes.fromhex("62112206000040"),
    )
    return wrap(deliver.encode()).hex


class _Door:
    """Where what was received comes in, without a modem."""

    def __init__(self, world: World) -> None:
        self.world = world
        sim_id = world.gateway.fleet.lines["a"].sim_id
        assert sim_id is not None
        self.sim_id = sim_id

    async def take(self, pdu: str) -> None:
        context = self.world.gateway.context
        received = await incoming.handle(context, sim_id=self.sim_id, modem="a", pdu=pdu)
        await incoming.acknowledged(context, received)

    async def texts(self) -> list[str]:
        return [str(each["text"]) for each in await self.world.inbox()]


@virtual
async def test_numbers_that_make_no_sense_are_messages_of_their_own(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        door = _Door(world)
        for text, parts, seq in (("no parts", 0, 1), ("beyond", 2, 3), ("number none", 2, 0), ("alone", 1, 1)):
            await door.take(_part(text, 9, parts, seq))
        assert sorted(await door.texts()) == ["alone", "beyond", "no parts", "number none"]
        assert await world.query("SELECT count(*) FROM assemblies") == [(0,)]


@virtual
async def test_a_part_that_comes_twice_is_there_once(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        door = _Door(world)
        for text, seq in (("one ", 1), ("one ", 1), ("two", 2)):
            await door.take(_part(text, 9, 2, seq))
        assert await door.texts() == ["one two"]


@virtual
async def test_references_that_are_used_again_and_senders_that_share_one_are_told_apart(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        door = _Door(world)
        await door.take(_part("Anna 1 ", 9, 2, 1))
        await door.take(_part("Bert 1 ", 9, 2, 1, BERT))
        await door.take(_part("Anna's next 1 ", 9, 2, 1))  # the same reference, before the first was whole
        await door.take(_part("three ", 9, 3, 1))  # another count is another message
        await door.take(_part("Bert 2", 9, 2, 2, BERT))
        await door.take(_part("Anna 2", 9, 2, 2))
        texts = await door.texts()
        assert "Bert 1 Bert 2" in texts
        assert len(texts) == 2
        assert sum(text.startswith("Anna") and text.endswith("Anna 2") for text in texts) == 1


@virtual
async def test_two_hundred_and_fifty_five_parts_in_any_order(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        door = _Door(world)
        order = sorted(range(1, 256), key=lambda seq: (seq * 37) % 256)
        for seq in order:
            assert await door.texts() == []
            await door.take(_part(f"{seq:03d} ", 9, 255, seq))
        assert await door.texts() == ["".join(f"{seq:03d} " for seq in range(1, 256))]


@virtual
async def test_single_parts_without_end_take_room_on_disk_alone_and_are_shown_after_a_day(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        door = _Door(world)
        for ref in range(120):
            await door.take(_part(f"lonely {ref} ", ref, 255, 1 + ref % 255, BERT))
        assert await door.texts() == []
        await world.gateway.disable("a")
        shown = await world.until(lambda: _count(world, 120), within=26 * 3600)
        assert shown
        assert all(each["complete"] is False for each in await world.inbox())


async def _count(world: World, count: int) -> bool:
    return len(await world.inbox()) == count
