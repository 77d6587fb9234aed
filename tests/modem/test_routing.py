"""Where messages are told to go, on modems that list, accept and keep different things; and the stores' dialects."""

import pytest
from modem.rig import MakeRig, Rig, persona

from modemgw.emulator.faults import Command, Error, Fault


async def works(rig: Rig) -> None:
    """A message comes in and a report comes back, at once or by the sweep."""
    rig.arrive("in")
    await rig.until(lambda: rig.gateway.texts == ["in"], 130)
    await rig.submit()
    await rig.until(lambda: len(rig.gateway.taken) == 2, 130)


@pytest.mark.parametrize(
    ("routing", "expected"),
    [
        ({}, (2, 1, 0, 1, 0)),
        # Lists mode 2 and refuses it.
        ({"refuses": ("2,*,*,*,*",)}, (1, 1, 0, 1, 0)),
        # Knows stored reports only, and clears its buffer only.
        ({"mode": (0, 1, 2, 3), "mt": (0, 1), "ds": (0, 2), "bfr": (1,)}, (2, 1, 0, 2, 1)),
        # Lists direct reports and refuses them.
        ({"refuses": ("*,*,*,1,*",)}, (2, 1, 0, 2, 0)),
        # Only mode 3.
        ({"mode": (0, 3), "ds": (0, 1)}, (3, 1, 0, 1, 0)),
    ],
)
async def test_the_best_routing_that_the_modem_takes(
    make_rig: MakeRig, routing: dict[str, object], expected: tuple[int, ...]
) -> None:
    rig = make_rig(persona(routing=routing))

    await rig.ready()

    assert rig.device.settings.cnmi == expected
    await works(rig)


async def test_what_the_modem_does_not_list_is_not_even_tried(make_rig: MakeRig) -> None:
    rig = make_rig(persona(routing={"ds": (0, 2)}))

    await rig.ready()

    assert "AT+CNMI=2,1,0,1,0" not in rig.commands()


async def test_an_ok_that_is_not_kept_counts_as_a_refusal(rig: Rig) -> None:
    rig.device.faults.add(Fault(Command("AT+CNMI=2,1,0,1,0", every=True), Error("OK")))
    rig.device.faults.add(Fault(Command("AT+CNMI=1,1,0,1,0", every=True), Error("OK")))

    await rig.ready()

    assert rig.device.settings.cnmi == (2, 1, 0, 1, 1)
    await works(rig)


async def test_a_routing_that_cannot_be_read_back_is_believed(rig: Rig) -> None:
    rig.device.faults.add(Fault(Command("AT+CNMI?", every=True), Error("ERROR")))

    await rig.ready()

    assert rig.device.settings.cnmi == (2, 1, 0, 1, 0)
    await rig.until(lambda: rig.commands().count("AT+CNMI?") >= 2, 600)
    assert rig.modem.restarts == 0


async def test_a_modem_that_takes_no_routing_at_all_is_swept(rig: Rig) -> None:
    rig.device.faults.add(Fault(Command("AT+CNMI=", every=True), Error("+CMS ERROR: 303")))

    await rig.ready()
    rig.arrive("in")

    assert await rig.until(lambda: rig.gateway.texts == ["in"]) <= 61


async def test_a_service_left_at_one_is_set_back(rig: Rig) -> None:
    rig.device.settings.csms = 1

    await rig.ready()

    assert rig.device.settings.csms == 0
    await works(rig)


async def test_a_service_that_stays_at_one_is_served(make_rig: MakeRig) -> None:
    rig = make_rig(persona(boot={"csms": 1}))
    rig.device.settings.csms = 1
    rig.device.faults.add(Fault(Command("AT+CSMS=0", every=True), Error("ERROR")))
    await rig.ready()

    for n in range(3):
        await rig.submit(f"{n}")
    await rig.until(lambda: len(rig.gateway.taken) == 3, 60)

    assert len(rig.commands("AT+CNMA")) == 3
    assert rig.device.settings.cnmi == (2, 1, 0, 1, 0)


@pytest.mark.parametrize("forms", [(3,), (2,), (1,), (1, 2), (1, 2, 3)])
@pytest.mark.parametrize("bare_ok", [False, True])
async def test_every_form_of_choosing_the_store(make_rig: MakeRig, forms: tuple[int, ...], bare_ok: bool) -> None:
    rig = make_rig(persona(storage={"forms": forms, "bare_ok": bare_ok}))

    await rig.ready()

    assert rig.device.settings.cpms[0] == "ME"
    await works(rig)
    assert rig.device.settings.cpms[0] == "ME"


async def test_a_store_that_refuses_at_first_is_waited_for(make_rig: MakeRig) -> None:
    rig = make_rig(persona(storage={"not_ready_times": 12}))
    rig.device.reboot()

    await rig.ready()

    assert rig.device.settings.cpms[0] == "ME"
    await works(rig)


async def test_a_modem_with_nothing_but_the_sim(make_rig: MakeRig) -> None:
    rig = make_rig(persona(storage={"me": 0, "sr": 0}))

    await rig.ready()

    assert rig.device.settings.cpms == ["SM", "SM", "SM"]
    await works(rig)


async def test_the_larger_store_receives(make_rig: MakeRig) -> None:
    rig = make_rig(persona(storage={"me": 23}), slots=50)

    await rig.ready()

    assert rig.device.settings.cpms == ["SM", "SM", "SM"]


async def test_a_modem_without_choice_of_stores_still_receives(rig: Rig) -> None:
    rig.device.faults.add(Fault(Command("AT+CPMS", every=True), Error("+CMS ERROR: 303")))
    rig.start()
    await rig.until_state("registered", 200)

    rig.arrive("in")

    await rig.until(lambda: rig.gateway.texts == ["in"], 130)


async def test_a_list_of_stores_that_got_lost_hides_no_store(make_rig: MakeRig) -> None:
    rig = make_rig(persona(routing={"ds": (0, 2), "report_storage": "SR", "report_indication": "SM"}))
    rig.device.faults.add(Fault(Command("AT+CPMS=?"), Error("ERROR")))
    await rig.ready()

    await rig.submit()

    assert await rig.until(lambda: bool(rig.gateway.taken), 70) < 10
