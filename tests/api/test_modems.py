"""Modems and SIMs over HTTP."""

from decimal import Decimal

import pytest
from support.virtually import virtual

from modemgw.domain.sim import BalanceSettings, SimSettings
from modemgw.emulator.sim import iccid_of


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
async def test_the_network_is_asked_for_the_balance(open_api) -> None:
    async with open_api(modems=1) as api:
        answer = await api.post("/v1/modems/a/ussd", {"code": "*100#"})
        assert (answer.status, answer.json) == (
            200,
            {"modem": "a", "text": "Your balance is 12.34 EUR.", "status": "done"},
        )


@virtual
async def test_a_menu_is_gone_through_step_by_step_or_closed(open_api) -> None:
    async with open_api(modems=1) as api:
        menu = await api.post("/v1/modems/a/ussd", {"code": "*101#", "keep_open": True})
        assert (menu.json["status"], menu.json["text"].splitlines()) == ("open", ["1 Balance", "2 Data"])
        chosen = await api.post("/v1/modems/a/ussd", {"code": "2"})
        assert (chosen.json["status"], chosen.json["text"]) == ("done", "500 MB left")
        assert (await api.post("/v1/modems/a/ussd", {"code": "*101#"})).json["status"] == "closed"


@virtual
async def test_a_network_that_does_not_answer_or_knows_no_ussd(open_api) -> None:
    async with open_api(modems=1) as api:
        assert (await api.post("/v1/modems/a/ussd", {"code": "*103#"})).json["status"] == "not_supported"
        silent = await api.post("/v1/modems/a/ussd", {"code": "*104#"})
        assert (silent.status, silent.json["type"]) == (409, "urn:modemgw:ussd_failed")
        assert (await api.post("/v1/modems/nope/ussd", {"code": "*100#"})).status == 404


@pytest.mark.parametrize("code", ["", "hello", '*100#"', "*100#\r", "1" * 161, "**04*1234*4321*4321#", "*100#;+CFUN=0"])
@virtual
async def test_what_is_no_ussd_code_never_reaches_the_modem(open_api, code: str) -> None:
    async with open_api(modems=1) as api:
        answer = await api.post("/v1/modems/a/ussd", {"code": code})
        assert answer.status == 422
        assert not [heard for heard in api.world.device("a").heard if "CUSD" in heard.line]


@virtual
async def test_sims_show_what_is_left_on_them_where_that_is_asked(open_api) -> None:
    iccid = iccid_of(1)
    asked = SimSettings(iccid, name="shop", balance=BalanceSettings(ussd="*100#", low=Decimal("20.5")))
    async with open_api(modems=2, sims={iccid: asked}) as api:

        async def look():
            items = (await api.get("/v1/sims")).json["items"]
            sim, other = sorted(items, key=lambda each: each["modem"])
            assert other["balance"] is None
            assert sim["balance"]["low_below"] == "20.5"
            return sim if sim["balance"]["amount"] else None

        sim = await api.world.until(look)
        times = [sim["balance"].pop(key) for key in ("asked_at", "read_at", "next_at")]
        assert times == sorted(times)
        assert sim["balance"] == {
            "state": "low", "amount": "12.34", "currency": "EUR", "low_below": "20.5",
            "text": "Your balance is 12.34 EUR.", "error": None,
        }  # fmt: skip
        await api.world.sleep(1)
        sent = await api.post("/v1/messages", {"to": "+4915559000001", "text": "hello", "sim": "shop"})
        message = (await api.get(f"/v1/messages/{sent.json['id']}")).json
        assert (message["status"], message["waiting_for"]) == ("queued", "low_credit")
        free = await api.post("/v1/messages?wait=60", {"to": "+4915559000001", "text": "hello", "class": "bulk"})
        assert free.json["modem"] == "b"


@virtual
async def test_sims_show_what_they_sent_today(open_api) -> None:
    async with open_api(modems=1) as api:
        await api.post("/v1/messages?wait=60", {"to": "+4915559000001", "text": "hello"})
        (sim,) = (await api.get("/v1/sims")).json["items"]
        assert (sim["modem"], sim["sent_today"], sim["simulated"], sim["available"]) == ("a", 1, True, True)
