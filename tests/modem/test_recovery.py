"""What breaks, and how the modem comes back by itself."""

import asyncio
import itertools
import logging

import pytest
from modem.rig import MakeRig, Rig, persona

from modemgw.emulator.faults import At, Byte, Command, Dribble, Drop, Error, Fault, Reboot, Stray, Unplug
from modemgw.emulator.transport import connect_port
from modemgw.modem.errors import NotReady, SubmitFailed, SubmitFailure
from modemgw.port.errors import PortUnavailable


async def test_an_unplugged_modem_is_absent_at_once_and_back_by_itself(rig: Rig) -> None:
    await rig.ready()

    rig.device.unplug()
    assert await rig.until_state("absent", 2) < 2
    assert "emulator:a does not exist: plug the modem in or correct [[modem]].port" in rig.modem.detail

    await asyncio.sleep(3 * 3600)
    rig.device.plug()

    assert await rig.until_state("registered", 60) < 20
    rig.arrive("hello again")
    await rig.until(lambda: rig.gateway.texts == ["hello again"], 5)


@pytest.mark.parametrize("count", [1, 5, 20, 40, 80, 120, 200, 300, 400])
async def test_unplugged_at_any_byte_of_the_start(rig: Rig, count: int) -> None:
    rig.device.faults.add(Fault(Byte(count), Unplug(back=4.0)))
    rig.start()

    await rig.until_state("absent", 10)
    await rig.until_state("registered", 60)

    assert await rig.submit() is not None


async def test_a_port_that_never_was_there_is_told_in_plain_words(make_rig: MakeRig) -> None:
    rig = make_rig(settings={"port": "emulator:nowhere"})
    rig.start()
    await asyncio.sleep(60)

    assert (rig.modem.state, rig.modem.reason) == ("absent", None)
    assert "nowhere" in rig.modem.detail
    assert "'front'" in rig.modem.detail


async def test_a_port_in_use_says_so_and_is_taken_when_it_is_free(rig: Rig) -> None:
    class Other(asyncio.Protocol):
        pass

    other = await connect_port(rig.lab, "a", Other())
    rig.start()
    await rig.until_state("failed", 10)
    assert rig.modem.reason == "port_busy"

    other.close()
    await rig.until_state("registered", 70)


async def test_the_program_that_holds_the_port_is_named(rig: Rig) -> None:
    text = (
        "/dev/ttyUSB0 is in use by ModemManager (process 412). Stop that program, or tell it to leave this port alone."
    )

    async def connect(path: str, protocol: asyncio.Protocol) -> asyncio.Transport:
        raise PortUnavailable("busy", text)

    rig.start(connect)
    await rig.until_state("failed", 10)

    assert (rig.modem.reason, rig.modem.detail) == ("port_busy", text)


async def test_failures_are_retried_ever_more_slowly_up_to_a_minute(rig: Rig) -> None:
    tries: list[float] = []

    async def connect(path: str, protocol: asyncio.Protocol) -> asyncio.Transport:
        tries.append(asyncio.get_running_loop().time())
        raise PortUnavailable("failed", "broken")

    rig.start(connect)
    await asyncio.sleep(300)

    pauses = [round(later - earlier) for earlier, later in itertools.pairwise(tries)]
    assert pauses[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert max(pauses) == 60


async def test_a_modem_that_restarts_is_set_up_again_before_anything_is_sent(rig: Rig) -> None:
    await rig.ready()

    rig.device.reboot()
    await rig.until_state("initializing", 10)
    with pytest.raises(SubmitFailed) as caught:
        await rig.submit()
    assert caught.value.kind is SubmitFailure.NOT_SENT

    await rig.until_state("registered", 60)
    assert rig.device.settings.cnmi == (2, 1, 0, 1, 0)
    assert not rig.device.settings.echo
    assert rig.modem.restarts == 1
    assert await rig.submit("after") is not None
    assert rig.sent == ["after"]


async def test_a_restart_without_a_word_is_noticed_by_reading_back(make_rig: MakeRig) -> None:
    rig = make_rig(persona(boot={"urcs": (), "seconds": 1.0}))
    await rig.ready()

    rig.device.reboot()
    await rig.until(lambda: rig.modem.restarts == 1, 300)
    await rig.until_state("registered", 60)

    assert rig.device.settings.cnmi == (2, 1, 0, 1, 0)


@pytest.mark.parametrize("setting", ["echo", "cmgf", "cnmi", "cpms"])
async def test_a_setting_that_changes_behind_our_back_is_put_right(rig: Rig, setting: str) -> None:
    await rig.ready()
    before = getattr(rig.device.settings, setting)
    changed = {"echo": True, "cmgf": 1, "cnmi": (2, 0, 0, 0, 0), "cpms": ["SM", "SM", "SM"]}

    setattr(rig.device.settings, setting, changed[setting])

    await rig.until(lambda: getattr(rig.device.settings, setting) == before, 300)
    await rig.until_state("registered", 30)


async def test_readiness_lines_after_a_start_cause_no_second_start(rig: Rig) -> None:
    await rig.ready()

    for line in ("Call Ready", "SMS Ready", "+CPIN: READY", "+CFUN: 1", "PB DONE"):
        rig.device.urc(line)
    await asyncio.sleep(30)

    assert rig.modem.restarts == 0
    assert rig.modem.state == "registered"


async def test_a_modem_that_keeps_restarting_is_started_ever_more_slowly(rig: Rig) -> None:
    await rig.ready()
    for n in range(40):
        rig.device.faults.add(Fault(At(asyncio.get_running_loop().time() + 10.0 + 7 * n), Reboot()))

    await asyncio.sleep(300)
    assert 2 <= rig.modem.restarts < 15

    await rig.until_state("registered", 120)


async def test_a_hanging_modem_is_given_up_and_found_again(rig: Rig) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT", every=True), Drop()))

    await rig.until_state("failed", 200)
    assert rig.modem.reason == "no_answer"

    rig.device.faults.clear()
    await rig.until_state("registered", 200)


async def test_one_lost_answer_is_no_reason_to_start_again(rig: Rig) -> None:
    await rig.ready()
    for prefix in ("AT+CSQ", "AT+CREG?", "AT+COPS?", "AT+CPMS"):
        rig.device.faults.add(Fault(Command(prefix), Drop()))

    await asyncio.sleep(600)

    assert rig.gateway.state_words == ["initializing", "registered"]


async def test_a_slow_line_works(rig: Rig) -> None:
    rig.device.suffer(Dribble(0.002))

    await rig.ready()

    assert await rig.submit() is not None


async def test_garbage_on_the_line_does_no_harm(rig: Rig) -> None:
    await rig.ready()
    for prefix in ("AT+CSQ", "AT+CPMS", "AT+CREG?"):
        rig.device.faults.add(Fault(Command(prefix), Stray("\x00\xff\xfe" + "x" * 6000, "info")))

    await asyncio.sleep(300)

    assert await rig.submit() is not None


async def test_after_a_crash_the_port_is_listened_to_before_anything_is_written(make_rig: MakeRig) -> None:
    rig = make_rig(latency=15.0)
    await rig.ready()
    sending = asyncio.ensure_future(rig.submit(token="before the crash"))
    await rig.until(lambda: rig.device.submits_seen == 1, 5)
    heard_before = len(rig.device.heard)
    await rig.stop()  # the process is gone, the modem goes on
    sending.cancel()

    rig.pending = 0.0
    rig.start()
    await rig.until(lambda: bool(rig.gateway.late), 30)

    assert rig.gateway.late == [(None, 0)]
    assert len(rig.device.heard) == heard_before, "nothing was written while the answer could still come"
    await rig.until_state("registered", 30)
    assert rig.sent == ["hello"]


async def test_a_result_that_comes_before_it_is_listened_for_is_credited_and_not_called_nobodys(
    make_rig: MakeRig, caplog: pytest.LogCaptureFixture
) -> None:
    rig = make_rig(latency=5.0)
    await rig.ready()
    sending = asyncio.ensure_future(rig.submit(token="before the crash"))
    await rig.until(lambda: rig.device.submits_seen == 1, 5)
    await rig.stop()
    sending.cancel()

    async def slow_to_say() -> float:
        await asyncio.sleep(5.2)  # the result comes while the store is asked whether one is due
        return 0.0

    rig.start(pending=slow_to_say)
    await rig.until_state("registered", 30)
    await asyncio.sleep(5)
    assert rig.gateway.late == [(None, 0)]
    assert "belongs to no submit" not in caplog.text


async def test_listening_ends_after_twenty_seconds(rig: Rig) -> None:
    rig.pending = 0.0
    rig.start()

    assert 20 <= await rig.until_state("registered", 60) < 25


async def test_a_service_that_dies_again_and_again_does_not_only_listen(make_rig: MakeRig) -> None:
    rig = make_rig(latency=90.0)
    await rig.ready()
    sending = asyncio.ensure_future(rig.submit(token="before the crash"))
    await rig.until(lambda: rig.device.submits_seen == 1, 5)
    await rig.stop()
    sending.cancel()
    await asyncio.sleep(70)

    written: list[bytes] = []
    rig.device.on_traffic = lambda _, arrow, data: written.append(data) if arrow == "<" else None
    rig.pending = 70.0
    rig.start()
    await rig.until(lambda: bool(written), 2)
    await rig.until(lambda: bool(rig.gateway.late), 30)

    assert rig.gateway.late == [(None, 0)], "an answer that comes after that is heard all the same"
    await rig.until_state("registered", 60)
    assert rig.sent == ["hello"]


async def test_other_ports_start_at_once(rig: Rig) -> None:
    rig.start()

    assert await rig.until_state("registered", 60) < 5


async def test_an_operator_disables_and_enables(rig: Rig) -> None:
    await rig.ready()

    await rig.supervisor.disable()
    assert rig.modem.state == "disabled"
    await asyncio.sleep(1)
    other = await connect_port(rig.lab, "a", asyncio.Protocol())  # the port is free for somebody else
    other.close()
    await asyncio.sleep(3600)
    assert rig.modem.state == "disabled"

    await rig.supervisor.enable()
    await rig.until_state("registered", 30)


async def test_disabling_waits_for_the_message_that_is_being_sent(make_rig: MakeRig) -> None:
    rig = make_rig(latency=60.0)
    await rig.ready()
    sending = asyncio.ensure_future(rig.submit())
    await rig.until(lambda: rig.device.submits_seen == 1, 5)

    await rig.supervisor.disable()

    assert rig.modem.state == "disabled"
    assert await sending == 0


async def test_a_modem_that_is_configured_off_stays_off(make_rig: MakeRig) -> None:
    rig = make_rig(settings={"enabled": False})
    rig.start()
    await asyncio.sleep(60)

    assert rig.modem.state == "disabled"
    assert rig.commands() == []


async def test_an_operator_resets(rig: Rig) -> None:
    await rig.ready()

    await rig.supervisor.reset()

    await rig.until_state("initializing", 10)
    await rig.until_state("registered", 60)
    assert "AT+CFUN=1,1" in rig.commands()
    assert rig.device.settings.cnmi == (2, 1, 0, 1, 0)


async def test_a_reset_that_drops_the_port(make_rig: MakeRig) -> None:
    rig = make_rig(persona(boot={"drops_port": True, "reset_answers": False}))
    await rig.ready()

    await rig.supervisor.reset()

    await rig.until_state("absent", 10)
    await rig.until_state("registered", 60)


async def test_nothing_to_reset_while_absent(rig: Rig) -> None:
    rig.device.unplug()
    rig.start()
    await asyncio.sleep(1)

    with pytest.raises(NotReady):
        await rig.supervisor.reset()


async def test_registration_lost_and_found_is_shown(rig: Rig) -> None:
    await rig.ready()

    rig.device.radio.lose(40.0)
    assert await rig.until_state("searching", 5) < 1
    assert await rig.until_state("registered", 60) < 45


async def test_a_modem_that_tells_no_change_is_asked(rig: Rig) -> None:
    for domain in ("AT+CREG=", "AT+CEREG=", "AT+CGREG="):
        rig.device.faults.add(Fault(Command(domain, every=True), Error("ERROR")))
    await rig.ready()

    rig.device.radio.set(3)
    assert await rig.until_state("denied", 60) < 50
    rig.device.radio.set(1)
    assert await rig.until_state("registered", 60) < 15


async def test_roaming_is_a_reason_of_its_own(rig: Rig) -> None:
    rig.device.radio.set(5)

    await rig.ready()

    assert (rig.modem.state, rig.modem.reason, rig.modem.network.roaming) == ("registered", "roaming", True)


async def test_an_lte_only_modem_counts_as_registered(make_rig: MakeRig) -> None:
    rig = make_rig(persona(radio={"domains": "4g"}))

    await rig.ready()


async def test_a_modem_of_the_second_generation_counts_as_registered(make_rig: MakeRig) -> None:
    rig = make_rig(persona(radio={"domains": "2g"}))

    await rig.ready()

    assert await rig.submit() is not None


async def test_a_weak_signal_says_what_to_do(rig: Rig) -> None:
    rig.device.radio.rssi = 6
    await rig.ready()

    assert (rig.modem.network.dbm, rig.modem.network.verdict) == (-101, "weak: move the antenna")
    assert "move the antenna" in rig.modem.detail
    rig.device.radio.rssi = 99
    await rig.until(lambda: rig.modem.network.dbm is None, 60)


async def test_without_a_network_for_long_the_modem_is_helped(rig: Rig) -> None:
    await rig.ready()
    rig.device.radio.home_stat = 2
    rig.device.radio.set(2)

    await rig.until(lambda: "AT+COPS=0" in rig.commands(), 700)
    assert "AT+CFUN=1,1" not in rig.commands()
    await rig.until(lambda: "AT+CFUN=1,1" in rig.commands(), 1300)
    await asyncio.sleep(3600)

    assert 2 <= rig.commands().count("AT+CFUN=1,1") <= 4


async def test_a_fault_in_the_driver_does_not_end_it(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)

    calls = 0

    async def pending() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ZeroDivisionError

    rig.start(pending=pending)
    await rig.until_state("failed", 5)
    await rig.until_state("registered", 10)


async def test_stopping_lets_go_of_the_port(rig: Rig) -> None:
    await rig.ready()

    await rig.stop()
    await asyncio.sleep(0)

    other = await connect_port(rig.lab, "a", asyncio.Protocol())
    other.close()
