"""Modems and SIMs over HTTP."""

import pytest
from support.virtually import virtual


@virtual
async def test_modems_say_what_they_are_and_that_they_are_simulated(open_api) -> None:
    async with open_api() as api:
        answer = (await api.get("/v1/modems")).json
        assert [(each["name"], each["state"], each["simulated"]) for each in answer["items"]] == [
            ("a", "registered", True),
            ("b", "registered", True),
        ]
        assert all("simulated" in each["detail"] for each in answer["items"])
        one = (await api.get("/v1/modems/a")).json
        assert one == answer["items"][0]
        assert one["imei"]
        assert one["sim"]["iccid"]


@virtual
async def test_a_modem_is_switched_off_and_on_again(open_api) -> None:
    async with open_api() as api:
        assert (await api.post("/v1/modems/a/disable")).status == 200
        await api.world.until(lambda: api.world.gateway.modem("a")["state"] == "disabled")
        assert (await api.get("/v1/modems/a")).json["sending"] is False
        assert (await api.post("/v1/modems/a/enable")).status == 200
        await api.world.until(lambda: api.world.gateway.modem("a")["state"] == "registered")


@virtual
async def test_a_modem_is_reset_and_comes_back(open_api) -> None:
    async with open_api() as api:
        answer = await api.post("/v1/modems/a/reset")
        assert answer.status == 200
        await api.world.until(lambda: api.world.gateway.modem("a")["state"] == "registered")


@virtual
async def test_a_locked_sim_is_opened_with_its_pin(open_api) -> None:
    async with open_api(registered=False, modems=1, pins={"a": "1234"}, forget_pins=True) as api:
        await api.world.until(lambda: api.world.gateway.modem("a")["state"] == "locked")
        wrong = await api.post("/v1/modems/a/unlock", {"pin": "9999"})
        assert wrong.status == 409
        assert "Tries left: 2" in wrong.json["detail"]
        assert (await api.post("/v1/modems/a/unlock", {"pin": "1234"})).status == 200
        await api.world.registered()


@pytest.mark.parametrize("pin", ["", "123", "123456789", "12a4", "1234\r", "１２３４", "+123"])
@virtual
async def test_what_is_no_pin_is_refused_without_repeating_it(open_api, pin: str) -> None:
    async with open_api(modems=1) as api:
        answer = await api.post("/v1/modems/a/unlock", {"pin": pin})
        assert (answer.status, answer.problems) == (422, {("pin", "not_a_pin")})
        assert not pin or pin.encode() not in answer.content


@virtual
async def test_a_modem_that_wants_no_pin_says_so(open_api) -> None:
    async with open_api(modems=1) as api:
        answer = await api.post("/v1/modems/a/unlock", {"pin": "1234"})
        assert answer.status == 409
        assert (await api.post("/v1/modems/nope/unlock", {"pin": "1234"})).status == 404


@virtual
async def test_sims_show_what_they_sent_today(open_api) -> None:
    async with open_api(modems=1) as api:
        await api.post("/v1/messages?wait=60", {"to": "+4915559000001", "text": "hello"})
        (sim,) = (await api.get("/v1/sims")).json["items"]
        assert (sim["modem"], sim["sent_today"], sim["simulated"], sim["available"]) == ("a", 1, True, True)
