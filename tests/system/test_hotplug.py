"""Pulling and plugging modems of a real service on real ttys: how fast work moves, and how fast a modem is back.

The figures are printed (``pytest -rP``); the limits are what the service promises.
"""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from system.harness import Service, config_text, until

pytestmark = pytest.mark.system

OUTSIDE = "+4915559000001"
MOVES_S = 2.0
BACK_S = 3.0
ANSWERS_AGAIN_S = 5.0
# 20 for the figure; a shorter silence is as good a test.
SILENT_S = float(os.environ.get("MODEMGW_SILENT_SECONDS", "4"))
SILENT_BEFORE_S = max(SILENT_S, 12.0)  # longer than a prompt is waited for


def figure(text: str) -> None:
    """For whoever runs it with ``-rP``."""
    sys.stdout.write(text + "\n")


# A modem that answers as soon as it has power, so that what is measured is the gateway and not the modem's start.
PERSONA = """
inherit = "generic"
summary = "no time to start"
[boot]
seconds = 0.0
urcs = []
sms_ready = 0.0
radio = 0.1
"""


@pytest.fixture
def quick(make_lab: Any, tmp_path: Path) -> Any:
    """As ``make_lab``, with modems that start at once."""
    persona = tmp_path / "quick.toml"
    persona.write_text(PERSONA)
    return lambda names, **options: make_lab([{"name": n, "persona": str(persona)} for n in names], **options)


def configured_by_imei(lab: Any, modems: Mapping[str, str]) -> None:
    """Modems (name -> IMEI) that are to be found wherever they are; none: use what there is."""
    search = f'search = ["{lab.folder}/tty/*"]\n'
    text = config_text(lab.folder / "state", {}).replace("[http]", search + "[http]")
    lab.config.write_text(text + "".join(f'[[modem]]\nname = "{n}"\nimei = "{i}"\n' for n, i in modems.items()))
    lab.config.chmod(0o600)


async def imeis(lab: Any) -> dict[str, str]:
    return {name: modem["imei"] for name, modem in (await lab.bank.ask("modems")).items()}


async def works(service: Service, modem: dict[str, Any]) -> None:
    """It sends for its own SIM."""
    message = await service.send(OUTSIDE, "are you there?", sim=modem["sim"]["iccid"])
    assert (await service.message(message, "sent", "delivered"))["modem"] == modem["name"]


async def settled(service: Service, name: str) -> dict[str, Any]:
    """The modem, once it may send."""

    async def look() -> dict[str, Any] | None:
        found: dict[str, Any] = await service.get(f"/v1/modems/{name}")
        return found if found["sending"] else None

    found = await until(look)
    assert found is not None
    return found


async def test_a_pulled_modem_leaves_its_work_to_others_and_is_back_in_seconds(quick: Any) -> None:
    async with quick(["a", "b"], latency=0.3) as lab, lab.running() as service:
        a, b = await settled(service, "a"), await settled(service, "b")
        waiting = [await service.send(f"+49155591{n:05d}", "waits") for n in range(12)]
        await until(lambda: lab.bank.ask("ledger"))
        pulled = time.monotonic()
        await lab.bank.ask("unplug", modem="a")
        await service.modem("a", "absent", within=MOVES_S)
        noticed = time.monotonic() - pulled
        fresh = await service.send(OUTSIDE, "who takes it?")
        figure(f"pulled: noticed after {noticed:.2f} s")
        await service.message(fresh, "sent", "delivered")
        assert (await service.get(f"/v1/messages/{fresh}"))["modem"] == "b"
        for message in waiting:
            await service.message(message, "sent", "delivered", "uncertain")

        plugged = time.monotonic()
        await lab.bank.ask("plug", modem="a", port="a")
        await settled(service, "a")
        back = time.monotonic() - plugged
        figure(f"back under the same name after {back:.2f} s")
        await works(service, a)
        await works(service, b)
        assert back <= BACK_S


async def test_what_a_pulled_modem_had_not_begun_is_with_another_within_two_seconds(quick: Any) -> None:
    async with quick(["a", "b"]) as lab, lab.running() as service:
        a = await settled(service, "a")
        await settled(service, "b")
        await lab.bank.ask("hang", modem="a", seconds=60.0)
        message = await service.send(OUTSIDE, "stuck before the prompt", sim=None)
        rest = [await service.send(f"+49155592{n:05d}", "both are wanted") for n in range(4)]
        await asyncio.sleep(0.5)
        pulled = time.monotonic()
        await lab.bank.ask("unplug", modem="a")
        for each in (message, *rest):
            await service.message(each, "sent", "delivered")
        moved = time.monotonic() - pulled
        figure(f"pulled while it was asked for the prompt: its message is with the other modem after {moved:.2f} s")
        assert {each["modem"] for each in await lab.bank.ask("ledger")} == {"b"}
        assert len(await lab.bank.ask("ledger")) == 5
        assert moved <= MOVES_S
        assert a["name"] == "a"


async def test_a_modem_known_by_its_imei_is_found_under_any_name(quick: Any) -> None:
    async with quick(["tty0", "tty1"]) as lab:
        known = await imeis(lab)
        configured_by_imei(lab, {"front": known["tty0"], "back": known["tty1"]})
        async with lab.running() as service:
            front, back = await settled(service, "front"), await settled(service, "back")
            assert [each["port"][-4:] for each in (front, back)] == ["tty0", "tty1"]

            await lab.bank.ask("unplug", modem="tty0")
            await service.modem("front", "absent", within=MOVES_S)
            await until(lambda: _says(service, "front", known["tty0"]))
            plugged = time.monotonic()
            await lab.bank.ask("plug", modem="tty0", port="tty7")
            front = await settled(service, "front")
            took = time.monotonic() - plugged
            figure(f"back under another name after {took:.2f} s")
            assert front["port"].endswith("tty7")
            assert took <= BACK_S
            await works(service, front)


async def test_two_sticks_that_change_places_keep_their_names_and_their_sims(quick: Any) -> None:
    async with quick(["tty0", "tty1"]) as lab:
        known = await imeis(lab)
        configured_by_imei(lab, {"front": known["tty0"], "back": known["tty1"]})
        async with lab.running() as service:
            before = [(await settled(service, name))["sim"]["iccid"] for name in ("front", "back")]
            for modem in ("tty0", "tty1"):
                await lab.bank.ask("unplug", modem=modem)
            await lab.bank.ask("plug", modem="tty0", port="tty2")
            await lab.bank.ask("plug", modem="tty1", port="tty0")
            await until(lambda: _port(service, "front", "tty2"))
            await until(lambda: _port(service, "back", "tty0"))
            after = [await settled(service, name) for name in ("front", "back")]
            assert [each["sim"]["iccid"] for each in after] == before
            for each in after:
                await works(service, each)


async def _port(service: Service, name: str, port: str) -> bool:
    return bool((await service.get(f"/v1/modems/{name}"))["port"].endswith(port))


async def test_without_configuration_every_modem_is_used_and_named_by_its_imei(quick: Any) -> None:
    async with quick(["tty0", "tty1"]) as lab:
        known = await imeis(lab)
        configured_by_imei(lab, {})
        await lab.bank.ask("unplug", modem="tty1")
        async with lab.running() as service:
            await until(lambda: _exists(service, f"modem-{known['tty0'][-6:]}"))
            first = await settled(service, f"modem-{known['tty0'][-6:]}")
            assert not first["simulated"]
            assert len((await service.get("/v1/modems"))["items"]) == 1
            await lab.bank.ask("plug", modem="tty1", port="tty1")
            await until(lambda: _exists(service, f"modem-{known['tty1'][-6:]}"))
            await works(service, await settled(service, f"modem-{known['tty1'][-6:]}"))


async def _says(service: Service, name: str, word: str) -> bool:
    return word in (await service.get(f"/v1/modems/{name}"))["detail"]


async def _exists(service: Service, name: str) -> bool:
    status, _ = await service.call("GET", f"/v1/modems/{name}")
    return bool(status == 200)


async def test_history_and_counters_move_with_the_sim(quick: Any) -> None:
    async with quick(["a", "b"]) as lab, lab.running() as service:
        a, b = await settled(service, "a"), await settled(service, "b")
        await works(service, a)
        for name in ("a", "b"):
            await lab.bank.ask("unplug", modem=name)
            await service.modem(name, "absent")
        await lab.bank.ask("swap_sims", one="a", other="b")
        for name in ("a", "b"):
            await lab.bank.ask("plug", modem=name, port=name)
        now = await settled(service, "b")
        assert now["sim"]["iccid"] == a["sim"]["iccid"]
        await settled(service, "a")
        sims = {sim["iccid"]: sim for sim in (await service.get("/v1/sims"))["items"]}
        assert len(sims) == 2
        assert sims[a["sim"]["iccid"]]["sent_today"] == 1
        assert sims[a["sim"]["iccid"]]["modem"] == "b"
        assert sims[b["sim"]["iccid"]]["modem"] == "a"
        await works(service, now)


async def test_a_modem_that_was_silent_during_a_send_is_in_use_again_at_once(quick: Any) -> None:
    async with quick(["a"], latency=0.2) as lab, lab.running() as service:
        await settled(service, "a")
        ctrl_z = asyncio.create_task(lab.bank.ask("wait_ctrl_z"))
        message = await service.send(OUTSIDE, "silence follows")
        await ctrl_z
        await lab.bank.ask("hang", modem="a", seconds=SILENT_S)
        answers = time.monotonic() + SILENT_S
        await service.message(message, "sent", "delivered")
        after = time.monotonic() - answers
        again = await service.send(OUTSIDE, "and on")
        await service.message(again, "sent", "delivered")
        in_use = time.monotonic() - answers
        figure(f"silent for {SILENT_S:.0f} s after Ctrl-Z: outcome {after:.2f} s, next message {in_use:.2f} s later")
        assert in_use <= ANSWERS_AGAIN_S


async def test_a_modem_that_was_silent_before_a_send_is_in_use_again_at_once(quick: Any) -> None:
    async with quick(["a"], latency=0.2) as lab, lab.running() as service:
        await settled(service, "a")
        await lab.bank.ask("hang", modem="a", seconds=SILENT_BEFORE_S)
        answers = time.monotonic() + SILENT_BEFORE_S
        message = await service.send(OUTSIDE, "nobody asks for it")
        await service.message(message, "sent", "delivered")
        in_use = time.monotonic() - answers
        figure(f"silent for {SILENT_BEFORE_S:.0f} s before the prompt: sent {in_use:.2f} s after it answers")
        ledger = [each for each in await lab.bank.ask("ledger") if each["text"] == "nobody asks for it"]
        assert len(ledger) == 1
        assert in_use <= ANSWERS_AGAIN_S
