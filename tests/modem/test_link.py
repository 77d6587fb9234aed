"""The radio link between two messages: kept where the modem can, and never by a command on the way of a message."""

import asyncio
from dataclasses import replace

import pytest
from modem.rig import MakeRig, Rig, persona

from modemgw.emulator.faults import Command, Drop, Error, Fault
from modemgw.modem.states import ModemState

SETUP, SEGMENT = 1.5, 0.5  # seconds of the network: for a link, and for a message on it


def slow_links(rig: Rig) -> Rig:
    rig.lab.network.link_setup = SETUP
    return rig


async def burst(rig: Rig, count: int = 5) -> float:
    """Messages one behind the other; the seconds that they took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(count):
        assert await rig.submit(f"number {number}") is not None
    return loop.time() - began


async def test_only_the_first_of_a_burst_pays_for_the_link(make_rig: MakeRig) -> None:
    rig = slow_links(make_rig(latency=SEGMENT))
    await rig.ready()

    assert await burst(rig) == pytest.approx(SETUP + 5 * SEGMENT, abs=0.2)
    await asyncio.sleep(10)  # the modem has let go of it
    assert await burst(rig) == pytest.approx(SETUP + 5 * SEGMENT, abs=0.2)


async def test_without_it_every_message_pays(make_rig: MakeRig) -> None:
    rig = slow_links(make_rig(persona(line={"lacks": ("+CMMS",)}), latency=SEGMENT))
    await rig.ready()

    assert await burst(rig) == pytest.approx(5 * (SETUP + SEGMENT), abs=0.2)


async def test_nothing_is_asked_between_a_result_and_the_next_message(make_rig: MakeRig) -> None:
    rig = slow_links(make_rig(latency=SEGMENT))
    await rig.ready()
    before = len(rig.device.heard)

    await burst(rig)

    assert [heard.line.partition("=")[0] for heard in list(rig.device.heard)[before:]] == ["AT+CMGS"] * 5


async def test_it_is_set_again_after_a_restart(rig: Rig) -> None:
    await rig.ready()
    assert rig.device.radio.link.mode == 2

    rig.device.reboot()
    await rig.until(lambda: rig.modem.restarts == 1)
    await rig.until_state(ModemState.REGISTERED)

    assert rig.device.radio.link.mode == 2
    assert len(rig.commands("AT+CMMS=2")) == 2


@pytest.mark.parametrize("answers", [{"+CMMS=2": ("+CMS ERROR: 500",)}, {"+CMMS=2": ()}], ids=["refused", "forgotten"])
async def test_a_modem_that_will_not_is_asked_once(make_rig: MakeRig, answers: dict[str, tuple[str, ...]]) -> None:
    rig = make_rig(replace(persona(), answers=answers), latency=SEGMENT)
    await rig.ready()

    rig.device.reboot()
    await rig.until(lambda: rig.modem.restarts == 1)
    await rig.until_state(ModemState.REGISTERED)
    rig.device.unplug(back=1.0)
    await rig.until_state(ModemState.ABSENT)
    await rig.until_state(ModemState.REGISTERED)

    assert await rig.submit() is not None
    assert rig.commands("AT+CMMS=") == ["AT+CMMS=2"]


async def test_silence_is_no_refusal(rig: Rig) -> None:
    rig.device.faults.add(Fault(Command("AT+CMMS"), Drop()))
    await rig.ready()

    rig.device.reboot()
    await rig.until(lambda: rig.modem.restarts == 1)
    await rig.until_state(ModemState.REGISTERED)

    assert rig.device.radio.link.mode == 2


async def test_another_modem_on_the_same_port_is_asked_for_itself(rig: Rig) -> None:
    rig.device.faults.add(Fault(Command("AT+CMMS"), Error("+CMS ERROR: 500")))
    await rig.ready()
    assert rig.device.radio.link.mode == 0

    rig.device.unplug()
    rig.device.imei = "359099000000999"
    rig.device.plug()
    await rig.until(lambda: rig.device.radio.link.mode == 2)
