"""USSD in the family's coding, calls, and a day of the lines that a family writes unasked."""

import asyncio
from dataclasses import replace

from conformance.bench import Case, accepted, left, serving, ussd

from modemgw.emulator.persona import load


async def test_ussd(case: Case) -> None:
    rig = case.make()
    await serving(rig)

    assert await ussd(rig, "*100#") == (0, "Your balance is 12.34 EUR.")
    _, two_lines = await ussd(rig, "*102#")
    assert two_lines.splitlines() == ["Balance: 12.34 EUR", "Valid until 31.12."]
    assert await rig.submit("and messages go on") is not None


async def test_ussd_dialogue(case: Case) -> None:
    rig = case.make()
    await serving(rig)

    assert await ussd(rig, "*101#", keep_open=True) == (1, "1 Balance\n2 Data")
    assert await ussd(rig, "2") == (0, "500 MB left")
    assert await ussd(rig, "*101#") == (1, "1 Balance\n2 Data")
    assert rig.device.calls.menu is None, "what nobody goes on with is closed"


async def test_call(case: Case) -> None:
    rig = case.make()
    await serving(rig)

    rig.device.calls.ring("+4915559000009", 60.0)
    await rig.until(lambda: bool(rig.gateway.events), 15)
    await rig.until(lambda: not rig.device.calls.ringing, 15)
    await asyncio.sleep(30)
    rig.device.calls.ring("+4915559000008", 3.0)  # gives up by itself
    await asyncio.sleep(30)

    assert [each for each in rig.gateway.events if each[0] == "call.received"] == [
        ("call.received", {"number": "+4915559000009"}),
        ("call.received", {"number": "+4915559000008"}),
    ]
    assert rig.modem.state == "registered"
    assert await rig.submit() is not None


async def test_noise(case: Case) -> None:
    """As many lines as a talkative day has, in forty minutes, and in the middle of whatever goes on."""
    kind = load(case.persona)
    lines = kind.noise.lines or ("^RSSI:{rssi}", "+CIEV: 2,4", "+CTZV: +4,0")
    loud = replace(kind, noise=replace(kind.noise, lines=lines, seconds=(kind.noise.seconds or 60.0) / 36))
    rig = case.make(loud, latency=4.0)
    await serving(rig)
    says = [state for _, state, _ in rig.gateway.states]

    for n in range(8):
        assert await rig.submit(f"out {n}") is not None
        rig.arrive(f"in {n}")
        await asyncio.sleep(300)
    await rig.until(lambda: len(set(rig.gateway.texts)) == 8 and left(rig) == 0, 300)

    assert [entry.text for entry in accepted(rig)] == [f"out {n}" for n in range(8)]
    assert rig.modem.restarts == 0, "noise is no restart"
    assert [state for _, state, _ in rig.gateway.states] == says
