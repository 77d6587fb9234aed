"""Calls and USSD: told, ended, and never in the way of a message."""

import asyncio

import pytest
from modem.rig import MakeRig, Rig

from modemgw.emulator.faults import Command, Delay, Drop, Fault
from modemgw.modem.errors import ModemError, NotReady, UssdFailed


async def test_a_call_is_told_once_with_its_number_and_hung_up_after_the_second_ring(rig: Rig) -> None:
    await rig.ready()

    rig.device.calls.ring("+4915559000009", 60.0)
    await rig.until(lambda: bool(rig.gateway.events), 2)
    await asyncio.sleep(1)
    assert rig.device.calls.ringing, "one ring is not enough"
    await rig.until(lambda: not rig.device.calls.ringing, 10)
    await asyncio.sleep(60)

    assert rig.gateway.events == [("call.received", {"number": "+4915559000009"})]
    assert len(rig.commands("AT+CHUP")) == 1


async def test_a_second_call_is_told_again(rig: Rig) -> None:
    await rig.ready()

    for number in ("+4915559000001", "+4915559000002"):
        rig.device.calls.ring(number, 60.0)
        await rig.until(lambda: not rig.device.calls.ringing, 20)
        await asyncio.sleep(30)

    assert [detail["number"] for _, detail in rig.gateway.events] == ["+4915559000001", "+4915559000002"]


async def test_a_withheld_number_is_told_as_empty(rig: Rig) -> None:
    await rig.ready()
    rig.device.calls.ring("", 8.0)

    await rig.until(lambda: bool(rig.gateway.events), 10)

    assert rig.gateway.events == [("call.received", {"number": ""})]


async def test_a_call_that_gives_up_after_one_ring_is_not_hung_up(rig: Rig) -> None:
    await rig.ready()

    rig.device.calls.ring("+4915559000009", 3.0)
    await asyncio.sleep(60)

    assert len(rig.gateway.events) == 1
    assert not rig.commands("AT+CHUP")


async def test_a_call_during_a_message_waits_until_the_message_is_out(make_rig: MakeRig) -> None:
    rig = make_rig(latency=30.0)
    await rig.ready()
    sending = asyncio.ensure_future(rig.submit())
    await rig.until(lambda: rig.device.submits_seen == 1, 5)
    commands = len(rig.commands())

    rig.device.calls.ring("+4915559000009", 120.0)
    await asyncio.sleep(25)

    assert len(rig.commands()) == commands, "not a word while the message is on its way"
    assert await sending == 0
    await rig.until(lambda: not rig.device.calls.ringing, 20)


async def test_ussd_returns_what_the_network_says_undecoded(rig: Rig) -> None:
    await rig.ready()
    assert rig.device.sim is not None
    rig.device.sim.credit = 705

    reply = await rig.modem.ussd("*100#")

    assert (reply.more, reply.raw, reply.dcs) == (0, "Your balance is 7.05 EUR.", 15)


async def test_a_ussd_menu_that_nobody_answers_is_closed(rig: Rig) -> None:
    await rig.ready()
    code = next(code for code, menu in rig.lab.network.menus.items() if menu.choices)

    reply = await rig.modem.ussd(code)

    assert reply.more == 1
    assert rig.device.calls.menu is None


async def test_a_ussd_menu_can_be_answered(rig: Rig) -> None:
    await rig.ready()
    code, menu = next((code, menu) for code, menu in rig.lab.network.menus.items() if menu.choices)
    choice, below = next(iter(menu.choices.items()))

    await rig.modem.ussd(code, keep_open=True)
    reply = await rig.modem.ussd(choice)

    assert reply.raw == below.text


async def test_ussd_without_answer_fails_after_a_minute_and_messages_go_on(rig: Rig) -> None:
    await rig.ready()
    rig.lab.network.menus.clear()
    rig.device.faults.add(Fault(Command("AT+CUSD=1"), Drop("final")))

    with pytest.raises(UssdFailed):
        await rig.modem.ussd("*100#")

    assert await rig.submit() is not None


async def test_ussd_takes_no_other_characters(rig: Rig) -> None:
    await rig.ready()

    with pytest.raises(UssdFailed):
        await rig.modem.ussd('*100#"\r\nAT+CFUN=0')

    assert not rig.commands("AT+CFUN=0")


async def test_ussd_needs_a_ready_modem(rig: Rig) -> None:
    rig.start()

    with pytest.raises(NotReady):
        await rig.modem.ussd("*100#")


async def test_a_message_waits_for_a_ussd_dialogue_to_end(rig: Rig) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CUSD=1"), Delay(5.0)))
    code = next(iter(rig.lab.network.menus))

    asking = asyncio.ensure_future(rig.modem.ussd(code))
    await asyncio.sleep(1)
    sending = asyncio.ensure_future(rig.submit())
    await asyncio.sleep(1)
    assert not rig.commands("AT+CMGS")

    await asking
    assert await sending is not None


async def test_a_modem_pulled_during_ussd_is_an_error_in_words(rig: Rig) -> None:
    await rig.ready()
    asking = asyncio.ensure_future(rig.modem.ussd("*100#"))
    await asyncio.sleep(0.5)

    rig.device.unplug(back=5.0)

    with pytest.raises(ModemError):
        await asking
    await rig.until_state("registered", 60)
