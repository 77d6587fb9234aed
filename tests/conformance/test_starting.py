"""Every family is made ready for messages, from whatever state it is found in, and comes back from every mishap."""

import asyncio

import pytest
from conformance.bench import Case, accepted, send, serving, usable
from modem.rig import Rig, submit_pdu

from modemgw.emulator.faults import At, Command, Fault, RegisterLoss, Unplug
from modemgw.modem.errors import SubmitFailed, SubmitFailure
from modemgw.modem.states import ModemState
from modemgw.pdu.address import Address
from modemgw.pdu.segment import plan


async def one_message(rig: Rig, text: str) -> None:
    """Goes out, once."""
    before = len(accepted(rig))
    assert await rig.submit(text) is not None
    assert rig.sent[before:] == [text]


async def test_power_on(case: Case) -> None:
    rig = case.make()
    rig.device.unplug()
    rig.start()
    await asyncio.sleep(2)
    rig.device.plug()

    await usable(rig)

    assert rig.modem.profile is not None
    assert rig.modem.profile.name == case.profile_name
    assert ",".join(map(str, rig.device.settings.cnmi)) == case.routing
    assert not rig.device.settings.echo
    assert rig.modem.identity is not None
    assert rig.modem.sim is not None
    assert rig.device.sim is not None
    assert rig.modem.identity.imei == rig.device.imei
    assert (rig.modem.sim.iccid, rig.modem.sim.imsi) == (rig.device.sim.iccid, rig.device.sim.imsi)
    await one_message(rig, "hello")


async def test_start_beside_power_on(case: Case) -> None:
    """The program is started in the middle of the modem's own start."""
    rig = case.make()
    await serving(rig)
    await rig.stop()
    rig.device.reboot()
    await asyncio.sleep(rig.device.persona.boot.seconds + 0.2)

    await serving(rig)

    await one_message(rig, "hello")
    assert ",".join(map(str, rig.device.settings.cnmi)) == case.routing


async def test_stuck_prompt(case: Case) -> None:
    rig = case.make()
    parked = submit_pdu("never meant to go", "+4915559000002")
    now = asyncio.get_running_loop().time()
    rig.device.receive(f"AT+CMGS={parked.tpdu_length}\r".encode(), now)
    rig.device.tick(now + 1)
    rig.device.receive(parked.hex[:-2].encode(), now + 1)
    await asyncio.sleep(2)

    await serving(rig)

    assert rig.device.submits_seen == 0
    await one_message(rig, "hello")


async def test_echo_comes_back(case: Case) -> None:
    rig = case.make()
    await serving(rig)

    rig.device.settings.echo = True
    await one_message(rig, "with echo")
    rig.arrive("and back")
    await rig.until(lambda: rig.gateway.texts == ["and back"], 120)
    await rig.until(lambda: not rig.device.settings.echo, 600)

    await usable(rig)
    await one_message(rig, "without")


async def test_pin(case: Case) -> None:
    rig = case.make(pin="1234", settings={"pin": "1234"})
    await serving(rig)

    assert rig.device.sim is not None
    assert rig.device.sim.attempts == ["1234"]
    await one_message(rig, "hello")


async def test_wrong_pin(case: Case) -> None:
    rig = case.make(pin="1234", settings={"pin": "9999"})
    rig.start()
    await rig.until_state(ModemState.LOCKED, 180)
    await asyncio.sleep(3600)
    rig.device.unplug(back=5.0)
    await rig.until_state(ModemState.ABSENT, 5)
    await rig.until_state(ModemState.LOCKED, 180)

    assert rig.device.sim is not None
    assert rig.device.sim.attempts == ["9999"]
    assert "tries left: 2" in rig.modem.detail


async def test_pin_after_a_wrong_one_elsewhere(case: Case) -> None:
    """With fewer than three tries left only a person may go on; a modem that tells is believed."""
    rig = case.make(pin="1234", settings={"pin": "1234"})
    assert rig.device.sim is not None
    rig.device.sim.pin_tries = 2
    rig.start()

    await rig.until_state(ModemState.LOCKED, 180)

    assert rig.device.sim.attempts == []


async def test_soft_reset(case: Case) -> None:
    rig = case.make()
    await serving(rig)

    await rig.supervisor.reset()

    await rig.until(lambda: rig.modem.state is not ModemState.REGISTERED, 10)
    await usable(rig)
    assert ",".join(map(str, rig.device.settings.cnmi)) == case.routing
    await one_message(rig, "hello")


async def test_restart_by_itself(case: Case) -> None:
    """A dip of the voltage: settings are gone, echo is on. It may take a few minutes to be noticed."""
    rig = case.make()
    await serving(rig)

    rig.device.reboot()
    await rig.until(lambda: rig.device.settings.cnmi != tuple(map(int, case.routing.split(","))), 5)
    await rig.until(lambda: ",".join(map(str, rig.device.settings.cnmi)) == case.routing, 400)

    await usable(rig)
    rig.arrive("still there?")
    await rig.until(lambda: rig.gateway.texts == ["still there?"], 120)
    await one_message(rig, "yes")


async def test_unplugged_before_ctrl_z(case: Case) -> None:
    rig = case.make()
    await serving(rig)
    rig.device.faults.add(Fault(Command("AT+CMGS"), Unplug("prompt", back=6.0)))

    with pytest.raises(SubmitFailed) as caught:
        await rig.submit("lost")

    assert caught.value.kind is SubmitFailure.NOT_SENT
    await rig.until_state(ModemState.ABSENT, 5)
    await usable(rig)
    await one_message(rig, "again")
    assert rig.sent == ["again"]


@pytest.mark.parametrize("taken", [True, False], ids=["taken", "lost"])
async def test_unplugged_after_ctrl_z(case: Case, taken: bool) -> None:
    rig = case.make()
    await serving(rig)
    rig.device.faults.add(Fault(Command("AT+CMGS"), Unplug("submitted", accepted=taken, back=6.0)))

    with pytest.raises(SubmitFailed) as caught:
        await rig.submit("maybe")

    assert caught.value.kind is SubmitFailure.UNCERTAIN
    await rig.until_state(ModemState.ABSENT, 5)
    await usable(rig)
    assert rig.sent == ["maybe"] * taken
    await one_message(rig, "next")


async def test_renumbered_port(case: Case) -> None:
    rig = case.make()
    await serving(rig)

    rig.device.unplug(back=6.0, port="b")
    await rig.until_state(ModemState.ABSENT, 5)
    await asyncio.sleep(10)
    rig.supervisor.move("emulator:b")

    await usable(rig)
    assert rig.modem.port_path == "emulator:b"
    await one_message(rig, "hello")


async def test_registration_lost_and_back(case: Case) -> None:
    rig = case.make()
    await serving(rig)

    now = asyncio.get_running_loop().time()
    rig.device.faults.add(Fault(At(now + 1), RegisterLoss(90.0)))
    await rig.until(lambda: rig.modem.state is not ModemState.REGISTERED, 70)
    with pytest.raises(SubmitFailed) as caught:
        await rig.submit("no network")
    assert caught.value.kind is SubmitFailure.NOT_SENT
    await rig.until_state(ModemState.REGISTERED, 120)

    [mr] = await send(rig, plan("hello").submits(Address.parse("+4915559000003"), ref=1))
    assert mr is not None
    assert rig.sent == ["hello"]
