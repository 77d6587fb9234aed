"""Start-up against the simulated modem: what a user gets to see, and what the modem was told."""

import asyncio

import pytest
from modem.rig import MakeRig, Rig, persona

from modemgw.emulator.faults import Command, Drop, Error, Fault, Stray


async def test_a_modem_by_the_book_is_ready_at_once_and_shows_who_it_is(rig: Rig) -> None:
    rig.start()

    assert await rig.until_state("registered") < 5
    modem, device = rig.modem, rig.device
    assert modem.identity is not None
    assert (modem.identity.imei, modem.identity.manufacturer, modem.identity.model) == (
        device.imei,
        "Simulated",
        "Generic",
    )
    assert device.sim is not None
    assert modem.sim is not None
    assert (modem.sim.iccid, modem.sim.imsi, modem.sim.number) == (
        device.sim.iccid,
        device.sim.imsi,
        device.sim.number,
    )
    assert modem.sim.smsc
    assert (modem.network.registered, modem.network.roaming) == (True, False)
    assert (modem.network.operator, modem.network.dbm, modem.network.verdict) == ("Simulated Mobile", -73, "very good")
    assert modem.detail == "ready"
    assert rig.gateway.state_words == ["initializing", "registered"]


async def test_the_modem_is_left_in_the_settings_that_messages_need(rig: Rig) -> None:
    await rig.ready()

    settings = rig.device.settings
    assert (settings.echo, settings.cmgf, settings.csms, settings.cmee) == (False, 0, 0, 1)
    assert settings.cnmi == (2, 1, 0, 1, 0)
    assert settings.cpms == ["ME", "ME", "ME"], "the larger store receives"
    assert not rig.device.unknown, "a modem by the book knows everything that it is asked"


async def test_a_prompt_left_open_by_another_program_is_left_without_sending(rig: Rig) -> None:
    rig.device.receive(b"AT+CMGS=23\r", 0.0)
    rig.device.receive(b"0001000B915155100021F30000", 0.0)

    await rig.ready()

    assert rig.sent == []
    assert rig.device.submits_seen == 0
    assert await rig.submit("now ours") == 0


async def test_a_prompt_that_only_escape_leaves_is_left(make_rig: MakeRig) -> None:
    rig = make_rig(persona(line={"escape": "", "busy": "swallow"}))
    rig.device.receive(b"AT+CMGS=23\r", 0.0)

    await rig.ready()

    assert rig.sent == []


async def test_a_modem_that_never_stops_echoing_still_works(rig: Rig) -> None:
    rig.device.faults.add(Fault(Command("ATE0", every=True), Error("ERROR")))

    await rig.ready()
    rig.arrive("in")
    await rig.until(lambda: rig.gateway.texts == ["in"])

    assert rig.device.settings.echo
    assert await rig.submit("out") is not None
    await asyncio.sleep(600)
    assert rig.modem.restarts == 0


async def test_a_modem_that_speaks_in_digits_is_taught_words(rig: Rig) -> None:
    rig.device.settings.verbose = False

    await rig.ready()

    assert rig.device.settings.verbose


async def test_results_that_were_switched_off_are_switched_on(rig: Rig) -> None:
    rig.device.settings.quiet = True

    await rig.ready()

    assert not rig.device.settings.quiet


async def test_a_modem_that_misses_the_first_calls_is_called_again(rig: Rig) -> None:
    for nth in range(1, 4):
        rig.device.faults.add(Fault(Command("AT", nth=nth), Drop()))

    await rig.ready()


async def test_a_port_where_nobody_answers_says_so_and_is_tried_again(rig: Rig) -> None:
    rig.device.faults.add(Fault(Command("AT", every=True), Drop()))
    rig.start()

    assert await rig.until_state("failed") < 60
    assert rig.modem.reason == "no_answer"
    assert "nothing on this port answers AT" in rig.modem.detail
    assert "emulator:a" in rig.modem.detail

    rig.device.faults.clear()
    assert await rig.until_state("registered") < 60


async def test_sms_that_become_ready_late_are_waited_for(make_rig: MakeRig) -> None:
    rig = make_rig(persona(boot={"sms_ready": 25.0}))
    rig.device.reboot()

    rig.start()

    took = await rig.until_state("registered")
    assert 25 < took < 40
    assert rig.device.settings.cmgf == 0
    assert rig.device.settings.cnmi == (2, 1, 0, 1, 0)


async def test_text_mode_left_by_another_program_is_ended(rig: Rig) -> None:
    rig.device.settings.cmgf = 1

    await rig.ready()

    assert rig.device.settings.cmgf == 0


async def test_pdu_mode_refused_for_ever_is_said_in_plain_words(rig: Rig) -> None:
    rig.device.faults.add(Fault(Command("AT+CMGF=0", every=True), Error("ERROR")))
    rig.start()

    await rig.until_state("failed")

    assert "refuses PDU mode" in rig.modem.detail


async def test_a_radio_that_was_off_is_switched_on(rig: Rig) -> None:
    rig.device.radio.turn(0)

    await rig.ready()

    assert rig.device.radio.cfun == 1


@pytest.mark.parametrize(
    "identity",
    [
        {"quoted": True},
        {"prefixed": True},
        {"quoted": True, "prefixed": True},
        {"revision": ""},
        {"iccid_command": "^ICCID", "iccid_answer": "^ICCID: {iccid}"},
        {"iccid_answer": '+CCID: "{iccid}"'},
        {"iccid_answer": "{iccid}"},
        {"iccid_answer": "+CCID: {swapped}"},
    ],
)
async def test_identity_is_read_however_the_modem_words_it(make_rig: MakeRig, identity: dict[str, object]) -> None:
    rig = make_rig(persona(identity=identity))

    await rig.ready()

    assert rig.modem.identity is not None
    assert (rig.modem.identity.imei, rig.modem.identity.model) == (rig.device.imei, "Generic")
    assert rig.modem.sim is not None
    assert rig.device.sim is not None
    assert rig.modem.sim.iccid == rig.device.sim.iccid


async def test_an_indication_inside_an_answer_is_no_part_of_it(rig: Rig) -> None:
    rig.device.faults.add(Fault(Command("AT+CGMM"), Stray('+CMTI: "SM",9', "info")))
    rig.device.faults.add(Fault(Command("AT+CGSN", every=True), Stray("RING", "final")))

    await rig.ready()

    assert rig.modem.identity is not None
    assert (rig.modem.identity.imei, rig.modem.identity.model) == (rig.device.imei, "Generic")


async def test_a_modem_with_another_imei_than_configured_is_not_used(make_rig: MakeRig) -> None:
    rig = make_rig(settings={"imei": "490154203237518"})
    rig.start()

    await rig.until_state("failed")

    assert rig.modem.reason == "wrong_identity"
    assert rig.device.imei in rig.modem.detail
    assert not rig.commands("AT+CPIN"), "a stranger's SIM is not touched"


async def test_an_imei_with_its_software_version_is_the_same_modem(make_rig: MakeRig) -> None:
    rig = make_rig(settings={"imei": "3590990000000199"})  # IMEISV: no check digit, two digits of version

    await rig.ready()


async def test_a_sim_without_service_centre_gets_the_configured_one(make_rig: MakeRig) -> None:
    rig = make_rig(settings={"smsc": "+4917760000000"})
    assert rig.device.sim is not None
    rig.device.sim.smsc = ""

    await rig.ready()

    assert rig.device.sim.smsc == "+4917760000000"
    assert rig.modem.sim is not None
    assert rig.modem.sim.smsc == "+4917760000000"


async def test_a_service_centre_in_the_sim_is_not_overwritten(make_rig: MakeRig) -> None:
    rig = make_rig(settings={"smsc": "+4917760000000"})

    await rig.ready()

    assert not rig.commands("AT+CSCA=")


async def test_without_service_centre_the_user_is_told_what_to_configure(rig: Rig) -> None:
    assert rig.device.sim is not None
    rig.device.sim.smsc = ""

    await rig.ready()

    assert "smsc" in rig.modem.detail


async def test_forbidden_commands_are_never_used(rig: Rig) -> None:
    await rig.ready()
    await asyncio.sleep(3600)

    for command in ("AT+CLAC", "AT&W", "AT&F", "AT+COPS=?", "AT+CMGD=1,4", "ATZ"):
        assert not rig.commands(command)
    assert not [line for line in rig.commands("AT+CMGD") if "," in line]
