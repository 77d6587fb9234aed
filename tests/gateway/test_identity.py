"""A modem is its IMEI and a line its SIM: found wherever they are, and never written to in another's name."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from support.virtually import virtual
from support.world import World

from modemgw.emulator.faults import Command, Fault, SwapSim
from modemgw.gateway.finder import Finder
from modemgw.gateway.onesim import OneSim, same_card
from modemgw.modem.errors import SubmitFailed, SubmitFailure
from modemgw.modem.facts import SimCard
from modemgw.modem.settings import ModemSettings
from modemgw.port.discovery import Place

OUTSIDE = "+4915559000001"


class Town:
    """A gateway that looks for its modems: those of the lab, on USB places named as their ports."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.changed = asyncio.Event()
        self.template: ModemSettings | None = None
        self.task: asyncio.Task[None]
        # Nothing is configured by its port, in any life.
        world._add = lambda name: None  # type: ignore[method-assign]

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, path: Path, configured: Mapping[str, str] | None = None) -> AsyncIterator["Town"]:
        """``configured``: name -> IMEI; None: every modem is used."""
        async with World.of(path, modems=0) as world:
            town = cls(world)
            for name, imei in (configured or {}).items():
                world.gateway.fleet.add(ModemSettings(name, port="", imei=imei), connect=world._connect)
            town.template = None if configured else ModemSettings(name="found", port="")
            town.look()
            try:
                yield town
            finally:
                await town.stop_looking()

    def look(self) -> None:
        world = self.world
        finder = Finder(world.gateway.fleet, self, self.places, template=self.template, connect=world._connect)
        self.task = asyncio.create_task(finder.run())

    async def stop_looking(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def places(self) -> list[Place]:
        there = {port: device for port, device in self.world.lab.ports.items() if device.present}
        return [Place(f"1-{port}", "", (f"emulator:{port}",)) for port in sorted(there)]

    async def wait(self, seconds: float | None = None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0 if seconds is None else min(seconds, 1.0)):
                await self.changed.wait()
        self.changed.clear()

    async def ports(self, wanted: Mapping[str, str]) -> None:
        """Waits until exactly these modems (name -> port) may send."""

        def look() -> bool:
            lines = self.world.gateway.fleet.lines
            return {name: line.modem.port_path for name, line in lines.items() if line.sender} == {
                name: f"emulator:{port}" for name, port in wanted.items()
            }

        await self.world.until(look, 180.0)

    async def events(self, kind: str) -> list[str]:
        rows = await self.world.query("SELECT data FROM events WHERE type = ? ORDER BY seq", kind)
        return [str(row[0]) for row in rows]


@virtual
async def test_without_configuration_modems_are_named_by_the_end_of_their_imei(tmp_path: Path) -> None:
    async with Town.of(tmp_path / "w.db") as town:
        device = town.world.lab.add("p1")
        await town.ports({f"modem-{device.imei[-6:]}": "p1"})

        other = town.world.lab.add("p2")
        town.changed.set()
        await town.ports({f"modem-{device.imei[-6:]}": "p1", f"modem-{other.imei[-6:]}": "p2"})


@virtual
async def test_configured_modems_are_found_and_others_are_not_used(tmp_path: Path) -> None:
    async with World.of(tmp_path / "imei.db", modems=2, start=False) as world:
        known = [world.device(name).imei for name in "ab"]
    async with Town.of(tmp_path / "w.db", {"front": known[0], "back": known[1]}) as town:
        for port in ("p1", "p2", "p3"):
            town.world.lab.add(port)
        await town.ports({"front": "p1", "back": "p2"})
        await asyncio.sleep(60)
        assert len(town.world.gateway.fleet.lines) == 2


@virtual
async def test_renumbered_ports_are_followed(tmp_path: Path) -> None:
    async with Town.of(tmp_path / "w.db") as town:
        one, two = town.world.lab.add("p1"), town.world.lab.add("p2")
        first, second = f"modem-{one.imei[-6:]}", f"modem-{two.imei[-6:]}"
        await town.ports({first: "p1", second: "p2"})
        for device in (one, two):
            device.unplug()
        town.world.lab.replug(one, "p3")
        town.world.lab.replug(two, "p1")
        await town.ports({first: "p3", second: "p1"})


@virtual
async def test_two_sticks_that_change_places_between_two_looks_are_told_apart(tmp_path: Path) -> None:
    async with Town.of(tmp_path / "w.db") as town:
        one, two = town.world.lab.add("p1"), town.world.lab.add("p2")
        first, second = f"modem-{one.imei[-6:]}", f"modem-{two.imei[-6:]}"
        await town.ports({first: "p1", second: "p2"})
        one.unplug()
        two.unplug()
        ports = town.world.lab.ports
        ports["p1"], ports["p2"] = two, one
        one.plug()
        two.plug()
        await town.ports({first: "p2", second: "p1"})
        sent = await town.world.send(OUTSIDE)
        await town.world.until_status(sent, "sent", "delivered")
        await _booked_for_the_sim_that_sent(town.world)


@virtual
async def test_a_port_that_its_modem_left_for_another_is_asked_again(tmp_path: Path) -> None:
    """The modem is found elsewhere before anybody has looked who sits on its old port now."""
    async with Town.of(tmp_path / "w.db") as town:
        one, two = town.world.lab.add("p2"), town.world.lab.add("p1")
        first, second = f"modem-{one.imei[-6:]}", f"modem-{two.imei[-6:]}"
        await town.ports({first: "p2", second: "p1"})
        one.unplug()
        two.unplug()
        town.world.lab.replug(one, "p0")
        town.world.lab.replug(two, "p2")
        two.hang(60.0)
        await town.ports({first: "p0", second: "p2"})


@virtual
async def test_two_modems_with_one_imei_are_both_used_and_it_is_said(tmp_path: Path) -> None:
    async with Town.of(tmp_path / "w.db") as town:
        one = town.world.lab.add("p1")
        name = f"modem-{one.imei[-6:]}"
        await town.ports({name: "p1"})
        two = town.world.lab.add("p2")
        two.imei = one.imei
        await town.ports({name: "p1", f"{name}-1-p2": "p2"})
        assert len(await town.events("modem.duplicate")) == 1

        for device in (one, two):
            device.unplug()
        await town.ports({})
        two.plug()
        one.plug()
        await town.ports({name: "p1", f"{name}-1-p2": "p2"})


@virtual
async def test_a_copy_of_a_configured_modem_is_refused_and_it_is_said(tmp_path: Path) -> None:
    async with World.of(tmp_path / "imei.db", modems=1, start=False) as world:
        imei = world.device("a").imei
    async with Town.of(tmp_path / "w.db", {"front": imei}) as town:
        town.world.lab.add("p1")
        await town.ports({"front": "p1"})
        town.world.lab.add("p2").imei = imei
        await town.world.until(lambda: town.events("modem.duplicate"), 60.0)
        assert "not used" in (await town.events("modem.duplicate"))[0]
        await town.ports({"front": "p1"})


@virtual
async def test_modems_without_an_imei_are_known_by_their_place(tmp_path: Path) -> None:
    async with Town.of(tmp_path / "w.db") as town:
        for port in ("p1", "p2"):
            town.world.lab.add(port).imei = "0" * 15
        await town.ports({"modem-1-p1": "p1", "modem-1-p2": "p2"})
        device = town.world.device("p1")
        device.unplug()
        await town.ports({"modem-1-p2": "p2"})
        device.plug()
        await town.ports({"modem-1-p1": "p1", "modem-1-p2": "p2"})


@virtual
async def test_a_modem_that_takes_its_time_after_plugging_is_found(tmp_path: Path) -> None:
    async with Town.of(tmp_path / "w.db") as town:
        device = town.world.lab.add("p1")
        device.hang(40.0)
        await town.ports({f"modem-{device.imei[-6:]}": "p1"})


@virtual
async def test_a_modem_that_was_switched_off_stays_off_when_it_is_found_again(tmp_path: Path) -> None:
    async with Town.of(tmp_path / "w.db") as town:
        device = town.world.lab.add("p1")
        name = f"modem-{device.imei[-6:]}"
        await town.ports({name: "p1"})
        await town.world.gateway.disable(name)
        await town.ports({})
        device.unplug()
        await asyncio.sleep(5)
        device.plug()
        await asyncio.sleep(60)
        assert town.world.gateway.fleet.lines[name].modem.state == "disabled"


@virtual
async def test_after_a_crash_the_answer_that_may_still_come_is_listened_for(tmp_path: Path) -> None:
    """Asking the tty who is there would be in its way."""
    async with Town.of(tmp_path / "w.db") as town:
        world = town.world
        device = world.lab.add("p1")
        name = f"modem-{device.imei[-6:]}"
        await town.ports({name: "p1"})
        message = await world.send(OUTSIDE, report=False)
        await world.until(lambda: device.submits_seen == 1)
        await town.stop_looking()
        await world.restart()
        town.look()

        body = await world.until_status(message, "sent", within=20.0)
        assert body["modem"] == name
        assert world.copies(OUTSIDE) == 1
        assert body["segments"][0]["mr"] is not None
        await town.ports({name: "p1"})


# -- SIMs --------------------------------------------------------------------------------------------------------------
async def _booked_for_the_sim_that_sent(world: World) -> None:
    """Every message that the network took stands in the books of the SIM that it came from."""
    booked = await world.query(
        "SELECT peer, iccid FROM attempts JOIN sims USING (sim_id) WHERE attempts.state IN ('submitted', 'delivered')"
    )
    truth = [(entry.number, entry.iccid) for entry in world.lab.network.ledger]
    assert sorted(map(tuple, booked)) == sorted(truth)


@virtual
async def test_a_sim_that_is_swapped_without_a_word_is_noticed_before_anything_is_sent(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        device = world.device("a")
        assert device.sim is not None
        old = device.sim.iccid
        first = await world.send(OUTSIDE, sim=old)
        await world.until_status(first, "delivered")
        await asyncio.sleep(60)
        device.sim = world.lab.new_sim()

        for_old = await world.send("+4915559000002", sim=old)
        for_any = await world.send("+4915559000003")
        await world.until_status(for_any, "sent", "delivered")

        assert (await world.message(for_old))["status"] == "queued", "it waits for its own SIM"
        assert world.copies("+4915559000002") == 0
        await _booked_for_the_sim_that_sent(world)
        sims = {sim["iccid"]: sim for sim in await world.gateway.sims()}
        assert (sims[old]["sent_today"], sims[device.sim.iccid]["sent_today"]) == (1, 1)


@virtual
async def test_a_sim_that_loses_contact_while_the_modem_is_asked_to_send(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        world.device("a").faults.add(Fault(Command("AT+CMGS"), SwapSim(20.0)))
        message = await world.send(OUTSIDE)
        await world.until_status(message, "sent", "delivered", "unknown", within=1200.0)
        assert world.copies(OUTSIDE) == 1
        await _booked_for_the_sim_that_sent(world)


@virtual
async def test_a_sim_moved_to_another_stick_takes_its_counters_along(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=2) as world:
        await world.registered()
        a, b = world.device("a"), world.device("b")
        assert a.sim is not None
        moved = a.sim.iccid
        await world.until_status(await world.send(OUTSIDE, sim=moved), "delivered")
        a.unplug()
        b.unplug()
        card = a.sim
        a.card.swap(None)
        b.card.swap(card)
        b.plug()
        await world.registered("b")
        message = await world.send("+4915559000002", sim=moved)
        assert (await world.until_status(message, "sent", "delivered"))["modem"] == "b"
        sims = {sim["iccid"]: sim for sim in await world.gateway.sims()}
        assert (sims[moved]["sent_today"], sims[moved]["modem"]) == (2, "b")
        mrs = [mr for (mr,) in await world.query("SELECT mr FROM attempts WHERE mr IS NOT NULL")]
        assert len(set(mrs)) == len(mrs)


CARD = SimCard(iccid="8949000000000000001", imsi="262011234567890")


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (CARD, True),
        (replace(CARD, number="+4915559000001", smsc="+49171"), True),
        (replace(CARD, iccid=None), True),
        (replace(CARD, imsi="262019999999999"), False),
        (replace(CARD, iccid="8949000000000000002"), False),
        (SimCard(), False),
        (None, False),
    ],
)
def test_what_is_the_same_sim(other: SimCard | None, same: bool) -> None:
    assert same_card(CARD, other) is same


@virtual
async def test_a_sender_writes_nothing_once_the_modem_has_told_of_another_sim(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        modem = world.gateway.fleet.lines["a"].modem
        assert modem.sim is not None
        port = OneSim(modem, modem.sim)

        async def swap_at_the_prompt() -> None:
            raise AssertionError("the intent was written down for the wrong SIM")

        kept, modem.sim = modem.sim, replace(modem.sim, iccid="8949000000000000099")
        with pytest.raises(SubmitFailed) as caught:
            await port.submit("00", 1, token="t", before_payload=swap_at_the_prompt)
        assert caught.value.kind is SubmitFailure.NOT_SENT
        modem.sim = kept
        assert world.lab.network.ledger == []
