"""The PIN: entered when that is safe, and never so often that a SIM could be blocked."""

import asyncio

import pytest
from modem.rig import MakeRig, Rig, persona

from modemgw.emulator.faults import Command, Drop, Error, Fault, Reboot, Stray
from modemgw.modem.errors import NotReady, UnlockFailed

RIGHT = {"pin": "1234"}
WRONG = {"pin": "9999"}


def attempts(rig: Rig) -> list[str]:
    return rig.commands("AT+CPIN=")


async def power_cut(rig: Rig) -> None:
    rig.device.unplug(back=5.0)
    await rig.until_state("absent", 2)


async def test_the_configured_pin_opens_the_sim(make_rig: MakeRig) -> None:
    rig = make_rig(pin="1234", settings=RIGHT)

    await rig.ready()

    assert attempts(rig) == ['AT+CPIN="1234"']
    assert await rig.submit() is not None


async def test_the_pin_of_the_sim_table_goes_before_that_of_the_modem(make_rig: MakeRig) -> None:
    rig = make_rig(pin="1234", settings={"pin": "9999", "pins": {"8949980000000000012": "1234"}})

    await rig.ready()

    assert attempts(rig) == ['AT+CPIN="1234"']


async def test_a_try_is_on_record_before_the_modem_sees_it(make_rig: MakeRig) -> None:
    rig = make_rig(pin="1234", settings=RIGHT)
    recorded_at_the_time: list[int] = []

    def look(line: str) -> None:
        if line.startswith("AT+CPIN="):
            recorded_at_the_time.append(len(rig.memory.tried))

    rig.device.on_command = look
    await rig.ready()

    assert recorded_at_the_time == [1]


async def test_the_right_pin_works_again_after_every_power_cut(make_rig: MakeRig) -> None:
    rig = make_rig(pin="1234", settings=RIGHT)
    await rig.ready()

    for _ in range(3):
        await power_cut(rig)
        await rig.until_state("registered")

    assert len(attempts(rig)) == 4
    assert rig.device.sim is not None
    assert rig.device.sim.pin_tries == 3


async def test_the_right_pin_works_again_though_a_late_boot_message_cut_in(make_rig: MakeRig) -> None:
    rig = make_rig(persona("ublox-sara"), pin="1234", settings=RIGHT)
    rig.device.faults.add(Fault(Command("AT+CPIN="), Stray("+PBREADY", "end")))
    await rig.ready()

    await power_cut(rig)
    await rig.until_state("registered")

    assert len(attempts(rig)) == 2


async def test_the_right_pin_works_again_though_the_process_died_at_its_ok(make_rig: MakeRig) -> None:
    rig = make_rig(pin="1234", settings=RIGHT)
    rig.start()
    await rig.until(lambda: bool(attempts(rig)))
    await asyncio.sleep(0.5)  # long after OK, long before the SIM is looked at again
    await rig.stop()
    assert rig.memory.tried

    await rig.ready()
    await power_cut(rig)
    await rig.until_state("registered")

    assert len(attempts(rig)) == 2


async def test_a_pin_that_was_refused_stays_so_though_somebody_else_opens_the_sim(make_rig: MakeRig) -> None:
    rig = make_rig(pin="1234", settings=WRONG)
    rig.start()
    await rig.until_state("locked")
    assert rig.device.sim is not None
    rig.device.receive(b'AT+CPIN="1234"\r', rig.lab.now)
    await rig.until_state("registered")

    await power_cut(rig)
    await rig.until_state("locked")

    assert attempts(rig) == ['AT+CPIN="9999"', 'AT+CPIN="1234"']


async def test_a_wrong_pin_is_tried_once_and_never_again(make_rig: MakeRig) -> None:
    rig = make_rig(pin="1234", settings=WRONG)
    rig.start()
    await rig.until_state("locked")

    assert rig.modem.reason == "pin_refused"
    assert "tries left: 2" in rig.modem.detail
    assert "modemgw unlock front" in rig.modem.detail
    assert "9999" not in rig.modem.detail

    await asyncio.sleep(24 * 3600)
    await power_cut(rig)
    await rig.until_state("locked")
    await rig.stop()
    rig.start()  # a new process with the same memory
    await rig.until_state("locked")

    assert attempts(rig) == ['AT+CPIN="9999"']
    assert rig.modem.reason == "pin_refused"


async def test_a_try_without_answer_counts_as_used_up(make_rig: MakeRig) -> None:
    rig = make_rig(pin="1234", settings=RIGHT)
    rig.device.faults.add(Fault(Command("AT+CPIN="), Reboot()))
    rig.start()

    await rig.until_state("locked")
    await asyncio.sleep(3600)

    assert len(attempts(rig)) == 1


async def test_a_process_that_died_during_the_try_does_not_repeat_it(make_rig: MakeRig) -> None:
    rig = make_rig(pin="1234", settings=RIGHT)
    rig.device.faults.add(Fault(Command("AT+CPIN="), Drop()))
    rig.start()
    await rig.until(lambda: bool(attempts(rig)))
    await rig.stop()
    rig.device.reboot()

    rig.start()
    await rig.until_state("locked")

    assert rig.modem.reason == "pin_refused"
    assert len(attempts(rig)) == 1


async def test_with_two_tries_left_the_last_but_one_belongs_to_a_person(make_rig: MakeRig) -> None:
    rig = make_rig(pin="1234", settings=RIGHT)
    assert rig.device.sim is not None
    rig.device.sim.pin_tries = 2
    rig.start()

    await rig.until_state("locked")

    assert rig.modem.reason == "pin_required"
    assert "only 2 tries are left" in rig.modem.detail
    assert not attempts(rig)


async def test_a_modem_that_cannot_count_gets_one_try_as_long_as_none_failed(make_rig: MakeRig) -> None:
    rig = make_rig(persona(card={"retry_command": ""}), pin="1234", settings=RIGHT)

    await rig.ready()

    assert len(attempts(rig)) == 1


async def test_a_modem_that_cannot_count_gets_none_after_another_pin_failed(make_rig: MakeRig) -> None:
    rig = make_rig(persona(card={"retry_command": ""}), pin="1234", settings=RIGHT)
    assert rig.device.sim is not None
    rig.memory.tried.append((f"iccid:{rig.device.sim.iccid}", "9999"))
    rig.start()

    await rig.until_state("locked")

    assert rig.modem.reason == "pin_required"
    assert not attempts(rig)


async def test_a_try_under_the_modems_name_counts_for_the_sim(make_rig: MakeRig) -> None:
    rig = make_rig(pin="1234", settings=RIGHT)
    rig.memory.tried.append((f"imei:{rig.device.imei}", "1234"))
    rig.start()

    await rig.until_state("locked")

    assert not attempts(rig)


async def test_without_a_pin_the_user_is_told_what_to_do(make_rig: MakeRig) -> None:
    rig = make_rig(pin="1234")
    rig.start()

    await rig.until_state("locked")

    assert rig.modem.reason == "pin_required"
    assert "pin_file" in rig.modem.detail
    assert "modemgw unlock front" in rig.modem.detail
    assert not attempts(rig)


async def test_a_blocked_sim_is_never_given_anything(make_rig: MakeRig) -> None:
    rig = make_rig(pin="1234", settings=RIGHT)
    assert rig.device.sim is not None
    rig.device.sim.pin_tries = 0
    rig.start()

    await rig.until_state("locked")
    await asyncio.sleep(24 * 3600)

    assert rig.modem.reason == "puk_required"
    assert not attempts(rig)
    with pytest.raises(UnlockFailed):
        await rig.modem.unlock("1234")
    assert not attempts(rig)


@pytest.mark.parametrize("state", ["SIM PIN2", "SIM PUK2"])
async def test_a_second_pin_does_not_matter_for_messages(make_rig: MakeRig, state: str) -> None:
    rig = make_rig(settings=RIGHT)
    rig.device.card.forced = state

    await rig.ready()

    assert not attempts(rig)


@pytest.mark.parametrize("state", ["PH-SIM PIN", "PH-NET PIN", "PH-NET PUK", "PH-CORP PIN"])
async def test_a_lock_of_the_device_is_never_answered_with_the_pin(make_rig: MakeRig, state: str) -> None:
    rig = make_rig(settings=RIGHT)
    rig.device.card.forced = state
    rig.start()

    await rig.until_state("locked")

    assert rig.modem.reason == "device_locked"
    assert state in rig.modem.detail
    assert not attempts(rig)


async def test_an_operator_opens_the_sim(make_rig: MakeRig) -> None:
    rig = make_rig(pin="1234")
    rig.start()
    await rig.until_state("locked")

    await rig.modem.unlock("1234")

    await rig.until_state("registered", 30)
    assert rig.memory.tried == []


async def test_an_operators_wrong_pin_shows_the_tries_left(make_rig: MakeRig) -> None:
    rig = make_rig(pin="1234")
    rig.start()
    await rig.until_state("locked")

    with pytest.raises(UnlockFailed) as caught:
        await rig.modem.unlock("9999")

    assert caught.value.tries_left == 2
    assert rig.modem.state == "locked"
    await rig.modem.unlock("1234")
    await rig.until_state("registered", 30)


async def test_an_operators_pin_of_letters_is_not_written(make_rig: MakeRig) -> None:
    rig = make_rig(pin="1234")
    rig.start()
    await rig.until_state("locked")

    with pytest.raises(UnlockFailed):
        await rig.modem.unlock('1234"\rAT+CFUN=0')

    assert not attempts(rig)
    assert rig.memory.tried == []


async def test_there_is_nothing_to_unlock_in_a_ready_modem(rig: Rig) -> None:
    await rig.ready()

    with pytest.raises(NotReady):
        await rig.modem.unlock("1234")


async def test_a_pin_entered_by_somebody_else_is_noticed(make_rig: MakeRig) -> None:
    rig = make_rig(pin="1234")
    rig.start()
    await rig.until_state("locked")

    rig.device.card.enter("1234")

    await rig.until_state("registered", 60)


async def test_a_sim_that_stays_busy_after_the_pin_is_waited_for(make_rig: MakeRig) -> None:
    rig = make_rig(persona(card={"busy_seconds": 12.0}), pin="1234", settings=RIGHT)

    await rig.ready()

    assert rig.modem.sim is not None
    assert rig.modem.sim.imsi


async def test_a_modem_that_answers_the_pin_query_without_ok(make_rig: MakeRig) -> None:
    rig = make_rig(persona(card={"pin_state_ends_with_ok": False}), pin="1234", settings=RIGHT)

    await rig.ready()

    assert len(attempts(rig)) == 1


async def test_without_a_sim_the_user_is_told_and_a_sim_put_in_is_found(make_rig: MakeRig) -> None:
    rig = make_rig(with_sim=False)
    rig.start()

    await rig.until_state("failed")
    assert rig.modem.reason == "no_sim"

    rig.device.card.swap(rig.lab.new_sim())
    assert await rig.until_state("registered", 60) < 30


async def test_a_sim_pulled_while_serving_is_noticed_and_another_one_is_that_other(rig: Rig) -> None:
    await rig.ready()
    assert rig.modem.sim is not None
    first = rig.modem.sim.iccid

    rig.device.card.swap(None)
    await rig.until_state("failed", 120)
    assert rig.modem.reason == "no_sim"

    rig.device.card.swap(rig.lab.new_sim())
    await rig.until_state("registered", 60)
    assert rig.modem.sim.iccid not in (None, first)


async def test_a_sim_that_cannot_be_read_is_said_so(rig: Rig) -> None:
    rig.device.faults.add(Fault(Command("AT+CPIN?", every=True), Error("+CME ERROR: 13")))
    rig.start()

    await rig.until_state("failed")

    assert "SIM" in rig.modem.detail


async def test_the_puks_tries_are_not_told_as_the_pins(make_rig: MakeRig) -> None:
    """Some modems count the tries of whatever code is asked for now, and that is the PUK once the PIN is blocked."""
    kind = persona(card={"retry_command": "#PCT", "retry_answer": "#PCT: {needed}"})
    rig = make_rig(kind, pin="1234")
    rig.start()
    await rig.until_state("locked")
    assert rig.device.sim is not None
    rig.device.sim.pin_tries = 1

    with pytest.raises(UnlockFailed) as caught:
        await rig.modem.unlock("9999")

    assert caught.value.tries_left == 0
