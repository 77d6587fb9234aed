"""Receiving: a message leaves the modem only once it was taken, and none is missed, whatever the modem says of it."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from modem.rig import MakeRig, Rig, persona

from modemgw.emulator.faults import Command, Delay, Drop, Duplicate, Error, Fault, Stray, Urc
from modemgw.emulator.storage import Slot
from modemgw.modem.errors import NotTaken
from modemgw.modem.facts import Received
from modemgw.modem.profile import Profiles
from modemgw.pdu.decode import decode
from modemgw.pdu.tpdu import StatusReport


def in_modem(rig: Rig) -> int:
    """Messages that still lie anywhere in the modem or on its SIM."""
    return sum(rig.device.inbox.storage(name).used for name in ("SM", "ME", "SR") if name in rig.device.inbox.names())


async def test_a_message_is_handed_over_and_then_leaves_the_modem(rig: Rig) -> None:
    await rig.ready()

    rig.arrive("hello")

    assert await rig.until(lambda: rig.gateway.texts == ["hello"]) < 2
    await rig.until(lambda: in_modem(rig) == 0, 5)


async def test_a_message_is_in_the_modem_until_it_was_taken(rig: Rig) -> None:
    await rig.ready()
    still_there: list[int] = []
    rig.gateway.on_received = lambda _: still_there.append(in_modem(rig))

    for text in ("one", "two", "three"):
        rig.arrive(text)
        await asyncio.sleep(5)

    assert rig.gateway.texts == ["one", "two", "three"]
    assert still_there == [1, 1, 1]
    assert in_modem(rig) == 0


async def test_what_waited_while_we_were_away_is_found_at_start_in_every_store(rig: Rig) -> None:
    rig.device.settings.cnmi = (2, 1, 0, 2, 0)
    rig.device.settings.cpms = ["SM", "SM", "SM"]
    rig.arrive("on the SIM")
    rig.device.settings.cpms = ["ME", "ME", "ME"]
    rig.arrive("in the modem")
    assert in_modem(rig) == 2

    await rig.ready()

    assert sorted(str(text) for text in rig.gateway.texts) == ["in the modem", "on the SIM"]
    assert in_modem(rig) == 0


async def test_reports_whose_indication_was_thrown_away_come_with_the_next(make_rig: MakeRig) -> None:
    """While a command runs mode 1 says nothing, and the next glance is not at the store for reports."""
    rig = make_rig(persona(routing={"mode": (0, 1), "ds": (0, 2)}))
    await rig.ready()
    assert rig.device.settings.cnmi == (1, 1, 0, 2, 0)

    for n in range(3):
        await rig.submit(f"number {n}")

    await rig.until(lambda: len(rig.gateway.taken) == 3, 10)
    await rig.until(lambda: in_modem(rig) == 0, 10)


async def test_a_flash_message_under_the_makers_own_header_is_taken(make_rig: MakeRig) -> None:
    rig = make_rig(persona(routing={"class0": "show", "class0_header": "+CLASS0: ,{length}"}))
    await rig.ready()

    rig.lab.network.deliver_from_outside("+4915559000009", rig.device, "Fire alarm", message_class=0)

    await rig.until(lambda: rig.gateway.texts == ["Fire alarm"], 5)


async def test_slots_that_are_numbered_beyond_their_count_are_read(make_rig: MakeRig, tmp_path: Path) -> None:
    """A store for reports that can't be listed, with its first slot numbered 50."""
    generic = (Path(__file__).parents[2] / "modemgw/modem/profiles/generic.toml").read_text()
    (tmp_path / "generic.toml").write_text(generic.replace("[routing]", "[storage]\nlast_index = 99\n\n[routing]", 1))
    rig = make_rig(persona(storage={"sr_base": 50}))
    rig.profiles = Profiles.load(tmp_path)
    report = "07915155109099F9062A0B915155100021F3628040900300806280409003708000"
    assert rig.device.inbox.plant(report, 25, storage="SR") == 50

    await rig.ready()

    await rig.until(lambda: [pdu.pdu for pdu in rig.gateway.taken] == [report], 30)


async def test_many_messages_come_in_order_and_once(rig: Rig) -> None:
    await rig.ready()

    for n in range(30):
        rig.arrive(f"{n}")
    await rig.until(lambda: len(rig.gateway.taken) >= 30)
    await asyncio.sleep(300)

    assert rig.gateway.texts == [f"{n}" for n in range(30)]
    assert in_modem(rig) == 0


async def test_messages_and_submits_at_the_same_time(rig: Rig) -> None:
    await rig.ready()

    sending = [asyncio.ensure_future(rig.submit(f"out {n}")) for n in range(5)]
    for n in range(5):
        rig.arrive(f"in {n}")
        await asyncio.sleep(1.3)
    await asyncio.gather(*sending)
    await rig.until(lambda: len(rig.gateway.texts) == 5)
    await rig.until(lambda: in_modem(rig) == 0, 10)

    assert rig.gateway.texts == [f"in {n}" for n in range(5)]
    assert rig.sent == [f"out {n}" for n in range(5)]


async def test_an_indication_that_was_lost_is_made_up_for_by_the_sweep(rig: Rig) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Urc("+CMTI"), Drop()))

    rig.arrive("silent")

    assert await rig.until(lambda: rig.gateway.texts == ["silent"]) <= 61


async def test_an_indication_that_comes_twice_is_one_message(rig: Rig) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Urc("+CMTI"), Duplicate()))

    rig.arrive("once")
    await asyncio.sleep(200)

    assert rig.gateway.texts == ["once"]


@pytest.mark.parametrize("line", ['+CMTI: "SM",-1', "+CMTI: ,-1", '+CMTI: "SM",17', '+CMTI: "XY",1', "+CMTI: 1"])
async def test_an_odd_indication_leads_to_a_look_everywhere(rig: Rig, line: str) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Urc("+CMTI"), Drop()))
    rig.arrive("somewhere else")
    assert rig.gateway.texts == []

    rig.device.urc(line)

    assert await rig.until(lambda: rig.gateway.texts == ["somewhere else"]) < 10


async def test_the_store_that_the_indication_names_is_the_one_that_is_read(rig: Rig) -> None:
    await rig.ready()
    rig.device.settings.cpms[2] = "SM"  # what firmware does on its own

    rig.arrive("on the SIM")

    assert await rig.until(lambda: rig.gateway.texts == ["on the SIM"]) < 2
    assert rig.device.settings.cpms[0] == "ME", "the store of our choice is selected again"


async def test_a_wrong_store_in_the_indication_does_no_harm(make_rig: MakeRig) -> None:
    rig = make_rig(persona(routing={"cmt_storage": "SM"}))
    await rig.ready()

    rig.arrive("in ME")

    assert await rig.until(lambda: rig.gateway.texts == ["in ME"]) < 10
    await rig.until(lambda: in_modem(rig) == 0, 5)


async def test_a_message_that_cannot_be_taken_stays_and_is_offered_again(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    await rig.ready()
    rig.gateway.taking = False

    rig.arrive("keep me")
    await asyncio.sleep(600)
    assert rig.gateway.refused > 3
    assert in_modem(rig) == 1

    rig.gateway.taking = True
    await rig.until(lambda: rig.gateway.texts == ["keep me"], 61)
    await rig.until(lambda: in_modem(rig) == 0, 5)


async def test_a_message_that_has_to_wait_is_no_fault_and_logged_as_none(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await rig.ready()
    rig.gateway.taking = False
    rig.gateway.refusal = NotTaken("which SIM it came to is not known yet")
    rig.arrive("keep me")
    await rig.until(lambda: rig.gateway.refused > 0, 61)
    rig.gateway.taking = True
    await rig.until(lambda: rig.gateway.texts == ["keep me"], 61)

    said = [each for each in caplog.records if "received message" in each.getMessage()]
    assert [each.levelno for each in said] == [logging.INFO] * rig.gateway.refused
    assert all(each.exc_info is None for each in said)
    assert said[0].getMessage().endswith("stays in the modem for a moment: which SIM it came to is not known yet")


async def test_one_message_that_cannot_be_taken_does_not_hold_up_the_others(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    await rig.ready()

    def refuse(pdu: Received) -> None:
        if decode(pdu.pdu).tpdu.text == "poison":
            raise ValueError("what is this?")

    rig.gateway.on_received = refuse
    for text in ("poison", "one", "two"):
        rig.arrive(text)

    await rig.until(lambda: rig.gateway.texts == ["one", "two"], 10)
    assert in_modem(rig) == 1


async def test_a_message_that_cannot_be_deleted_is_offered_ever_more_seldom(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGD", every=True), Error("+CMS ERROR: 302")))

    rig.arrive("sticky")
    await asyncio.sleep(8 * 3600)

    assert 10 < len(rig.gateway.taken) < 18, "about once an hour in the end"
    assert in_modem(rig) == 1
    rig.arrive("another")
    await rig.until(lambda: "another" in rig.gateway.texts, 5)

    rig.device.faults.clear()
    await rig.until(lambda: in_modem(rig) == 0, 3700)


async def test_a_deletion_that_did_not_happen_is_noticed(rig: Rig) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGD"), Error("OK")))

    rig.arrive("still there")
    await rig.until(lambda: len(rig.gateway.taken) == 1, 5)
    assert in_modem(rig) == 1

    await rig.until(lambda: in_modem(rig) == 0, 130)


async def test_a_slow_deletion_is_waited_for(make_rig: MakeRig) -> None:
    rig = make_rig(persona(storage={"delete_seconds": 20.0}))
    await rig.ready()

    rig.arrive("one")
    rig.arrive("two")

    await rig.until(lambda: in_modem(rig) == 0, 60)
    assert rig.gateway.texts == ["one", "two"]


async def test_another_message_in_the_same_slot_is_not_deleted(rig: Rig) -> None:
    await rig.ready()
    rig.gateway.acknowledging = False
    rig.arrive("first")
    await rig.until(lambda: len(rig.gateway.taken) == 1, 5)
    [first] = rig.gateway.taken
    assert first.receipt.storage == "ME"
    storage = rig.device.inbox.storage("ME")
    second = first.pdu[:-2] + "00"
    storage.delete(first.receipt.index)
    assert storage.put(Slot(0, second, first.tpdu_length or 0)) == first.receipt.index

    await rig.modem.acknowledge(first.receipt)

    assert [slot.pdu for _, slot in storage.items()] == [second]


async def test_shifting_indexes_delete_the_right_messages(make_rig: MakeRig) -> None:
    rig = make_rig(persona(storage={"compacts": True}))
    rig.device.settings.cnmi = (2, 1, 0, 2, 0)
    for n in range(8):
        rig.arrive(f"{n}")

    await rig.ready()
    await asyncio.sleep(300)

    assert sorted(str(text) for text in rig.gateway.texts) == [f"{n}" for n in range(8)]
    assert in_modem(rig) == 0


@pytest.mark.parametrize("listing", ["303", "empty"])
async def test_a_modem_that_cannot_list_is_walked_through(make_rig: MakeRig, listing: str) -> None:
    rig = make_rig(persona(storage={"list_answer": listing, "empty_read": "321"}))
    rig.device.settings.cnmi = (2, 1, 0, 2, 0)
    for n in range(3):
        rig.arrive(f"{n}")

    rig.start()

    await rig.until(lambda: len(rig.gateway.taken) == 3, 300)
    await rig.until(lambda: in_modem(rig) == 0, 120)


async def test_a_modem_that_dies_of_listing_is_not_asked_to_list_again(make_rig: MakeRig) -> None:
    rig = make_rig(persona(storage={"list_answer": "hang", "me": 0}))
    rig.device.settings.cnmi = (2, 1, 0, 2, 0)
    rig.arrive("patience")
    rig.start()
    await rig.until_state("failed", 200)
    assert rig.modem.reason == "no_answer"

    rig.device.reboot()  # as only a person can make it
    await rig.until(lambda: rig.gateway.texts == ["patience"], 200)
    await asyncio.sleep(600)

    assert len(rig.commands("AT+CMGL")) == 1
    assert rig.modem.state == "registered"


@pytest.mark.parametrize("empty_read", ["OK", "0,,0", "321"])
@pytest.mark.parametrize("empty_delete", ["OK", "321"])
@pytest.mark.parametrize("alpha", [True, False])
async def test_every_dialect_of_the_stores(make_rig: MakeRig, empty_read: str, empty_delete: str, alpha: bool) -> None:
    rig = make_rig(persona(storage={"empty_read": empty_read, "empty_delete": empty_delete, "alpha": alpha}))
    await rig.ready()

    rig.arrive("one")
    await rig.until(lambda: in_modem(rig) == 0 and rig.gateway.texts == ["one"], 10)
    rig.device.urc('+CMTI: "ME",1')  # for a slot that is empty by now
    await asyncio.sleep(130)

    assert rig.gateway.texts == ["one"]


async def test_submits_that_somebody_stored_are_left_alone(rig: Rig) -> None:
    storage = rig.device.inbox.storage("ME")
    storage.put(Slot(3, "0031000B915155100021F30000A705E8329BFD06", 19))
    storage.put(Slot(2, "0031000B915155100021F30000A705E8329BFD06", 19))

    await rig.ready()
    await asyncio.sleep(200)

    assert rig.gateway.taken == []
    assert storage.used == 2


async def test_what_nobody_can_decode_goes_up_as_it_is(rig: Rig) -> None:
    garbage = "07915155109099F9FF" + "AB" * 20
    rig.device.inbox.storage("SM").put(Slot(0, garbage, 21))

    await rig.ready()

    assert [message.pdu for message in rig.gateway.taken] == [garbage]


async def test_a_garbled_read_is_repeated(rig: Rig) -> None:
    rig.gateway.acknowledging = False
    await rig.ready()
    whole = "07915155109099F9040B915155100021F300006280409003008005E8329BFD06"
    index = rig.device.inbox.storage("ME").put(Slot(0, whole, 24))
    rig.device.faults.add(Fault(Command("AT+CMGR"), Error(f"+CMGR: 0,,24\r\n{whole[:-8]}\r\n\r\nOK")))

    rig.device.urc(f'+CMTI: "ME",{index}')
    await rig.until(lambda: bool(rig.gateway.taken), 5)

    assert [message.pdu for message in rig.gateway.taken] == [whole]


async def test_a_full_sim_is_emptied_and_what_waited_in_the_network_comes(make_rig: MakeRig) -> None:
    rig = make_rig(persona(storage={"me": 0, "full_urc": '^SMMEMFULL: "{storage}"'}), slots=5)
    for n in range(12):
        rig.arrive(f"{n}")
    assert in_modem(rig) == 5

    await rig.ready()
    await rig.until(lambda: len(rig.gateway.taken) == 12, 600)

    assert in_modem(rig) == 0


async def test_a_full_store_while_serving_is_told_and_emptied(
    make_rig: MakeRig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    rig = make_rig(persona(storage={"me": 3, "full_urc": '^SMMEMFULL: "{storage}"'}), slots=2)
    await rig.ready()
    rig.gateway.taking = False
    for n in range(6):
        rig.arrive(f"{n}")
    await rig.until(lambda: bool(rig.gateway.events), 200)
    assert rig.gateway.events[0] == ("modem.storage_full", {"storage": "ME"})
    await rig.until(lambda: "nearly full" in rig.modem.detail, 200)

    rig.gateway.taking = True
    await rig.until(lambda: len(rig.gateway.taken) == 6, 600)
    await rig.until(lambda: rig.modem.detail == "ready", 120)


async def test_reports_come_directly_and_need_no_deletion(rig: Rig) -> None:
    await rig.ready()

    await rig.submit()
    await rig.until(lambda: bool(rig.gateway.taken), 10)

    [report] = rig.gateway.taken
    assert isinstance(decode(report.pdu).tpdu, StatusReport)
    assert report.receipt.kind == "direct"
    assert report.tpdu_length == decode(report.pdu).tpdu_length


async def test_a_report_that_cannot_be_taken_at_once_waits_in_memory(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    await rig.ready()
    rig.gateway.taking = False
    await rig.submit()
    await asyncio.sleep(30)
    assert rig.gateway.refused

    rig.gateway.taking = True
    await rig.until(lambda: len(rig.gateway.taken) == 1, 61)


@pytest.mark.parametrize(("storage", "said"), [("SR", "SR"), ("SM", "SM"), ("SR", "SM")])
async def test_reports_in_a_store_are_found_wherever_the_modem_says_they_are(
    make_rig: MakeRig, storage: str, said: str
) -> None:
    rig = make_rig(persona(routing={"ds": (0, 2), "report_storage": storage, "report_indication": said}))
    await rig.ready()

    await rig.submit()

    assert await rig.until(lambda: bool(rig.gateway.taken), 70) < 65
    assert isinstance(decode(rig.gateway.taken[0].pdu).tpdu, StatusReport)
    await rig.until(lambda: in_modem(rig) == 0, 5)
    assert rig.device.settings.cpms == ["ME", "ME", "ME"]


async def test_a_report_header_without_its_pdu_does_not_swallow_the_next_message(rig: Rig) -> None:
    await rig.ready()
    rig.device.urc("+CDS: 25")
    rig.arrive("after it")

    assert await rig.until(lambda: rig.gateway.texts == ["after it"]) < 10


def direct_profiles() -> Profiles:
    generic = Profiles.load().generic
    return Profiles({"generic": replace(generic, routing=replace(generic.routing, service=1, rungs=("2,2,0,1,0",)))})


async def test_direct_messages_are_confirmed_once_they_are_taken(rig: Rig) -> None:
    rig.profiles = direct_profiles()
    await rig.ready()
    unconfirmed: list[int] = []
    rig.gateway.on_received = lambda _: unconfirmed.append(len(rig.commands("AT+CNMA")))

    for n in range(4):
        rig.arrive(f"{n}")
    await rig.until(lambda: len(rig.gateway.taken) == 4, 30)

    assert rig.gateway.texts == ["0", "1", "2", "3"]
    assert unconfirmed == [0, 1, 2, 3], "each is confirmed after it was taken and before the next"
    assert len(rig.commands("AT+CNMA")) == 4


async def test_a_confirmation_that_came_too_late_does_not_leave_the_modem_deaf(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    rig.profiles = direct_profiles()
    await rig.ready()
    rig.gateway.taking = False
    rig.arrive("patience")
    await asyncio.sleep(40)
    assert rig.device.settings.cnmi[1] == 0, "the modem has given up on us"

    rig.gateway.taking = True
    await rig.until(lambda: rig.device.settings.cnmi[1] == 2, 300)
    rig.arrive("next")

    await rig.until(lambda: "next" in rig.gateway.texts, 120)
    assert "patience" in rig.gateway.texts


async def test_a_message_during_a_slow_list_is_not_missed(make_rig: MakeRig) -> None:
    rig = make_rig(persona(storage={"list_seconds": 15.0}, line={"hold_urcs": False}))
    rig.device.settings.cnmi = (2, 1, 0, 2, 0)
    rig.arrive("before")
    rig.start()
    await rig.until(lambda: bool(rig.commands("AT+CMGL")))

    rig.arrive("during")

    await rig.until(lambda: sorted(map(str, rig.gateway.texts)) == ["before", "during"], 200)


async def test_an_indication_in_the_middle_of_a_list_is_heard(rig: Rig) -> None:
    rig.device.settings.cnmi = (2, 1, 0, 2, 0)
    rig.arrive("one")
    rig.device.faults.add(Fault(Command("AT+CMGL"), Stray('+CMTI: "SM",9', "info")))

    await rig.ready()

    await rig.until(lambda: rig.gateway.texts == ["one"], 70)


async def test_a_lagging_counter_hides_nothing_for_long(make_rig: MakeRig) -> None:
    rig = make_rig(persona(storage={"counter_lag": 0.5}))
    await rig.ready()

    rig.arrive("counted late")

    assert await rig.until(lambda: rig.gateway.texts == ["counted late"]) < 2


async def test_a_read_that_is_never_answered_costs_no_message(rig: Rig) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGR"), Drop()))
    rig.device.faults.add(Fault(Command("AT+CMGD"), Drop()))
    rig.device.faults.add(Fault(Command("AT+CMGR", nth=3), Delay(12.0)))

    rig.arrive("stubborn")
    await rig.until(lambda: in_modem(rig) == 0, 400)

    assert "stubborn" in rig.gateway.texts
