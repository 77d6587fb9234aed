"""tools/record-transcript and tools/new-profile: every persona on a pseudo terminal is asked; the drafts are good."""

import asyncio
import random
from pathlib import Path

import pytest
from at.test_transcripts import Player, expected, steps, whole
from modem.rig import make
from support.transcript import transcript
from support.virtual import run_virtual

from modemgw.cli import draft
from modemgw.cli.survey import Asked, redact, survey
from modemgw.emulator.device import Device
from modemgw.emulator.lab import Lab
from modemgw.emulator.persona import load, names
from modemgw.emulator.pty import PtyLab
from modemgw.modem.profile import DIRECTORY, Profiles
from modemgw.seams import SystemClock


@pytest.fixture(scope="module")
def surveys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Device, list[Asked]]]:
    directory = tmp_path_factory.mktemp("lab")

    async def ask_all() -> dict[str, tuple[Device, list[Asked]]]:
        lab = Lab(SystemClock(), random.Random(1))
        devices = {name: lab.add(name, name) for name in names()}
        async with PtyLab(lab, directory):
            found = await asyncio.gather(*(survey(str(directory / name), listen_s=0.5) for name in devices))
        return {name: (devices[name], asked) for name, asked in zip(devices, found, strict=True)}

    return asyncio.run(ask_all())


@pytest.mark.parametrize("name", names())
def test_a_transcript_is_what_the_tests_want_and_gives_nobody_away(
    name: str, surveys: dict[str, tuple[Device, list[Asked]]], tmp_path: Path
) -> None:
    device, found = surveys[name]
    path = tmp_path / "recorded.txt"
    path.write_text(transcript(found, "recorded"), encoding="utf-8")

    script = steps(path)
    assert list(Player().play(script, whole)) == expected(script)
    assert sum(word == "expect" for word, _ in script) >= 20
    assert device.sim is not None
    text = path.read_text(encoding="utf-8")
    swapped = "".join(device.sim.iccid[at + 1 : at + 2] + device.sim.iccid[at] for at in range(0, 18, 2))
    for secret in (device.imei, device.sim.imsi, device.sim.iccid, swapped, device.sim.number.lstrip("+")):
        assert secret[2:] not in text
        assert secret[-8:] not in text


@pytest.mark.parametrize("name", names())
def test_the_drafts_load_and_know_their_modem_again(
    name: str, surveys: dict[str, tuple[Device, list[Asked]]], tmp_path: Path
) -> None:
    device, found = surveys[name]
    identity = device.persona.identity
    for kind, drafted in (("profile", draft.profile), ("persona", draft.persona)):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "draft.toml").write_text(drafted(found), encoding="utf-8")
    (tmp_path / "profile" / "generic.toml").write_bytes((DIRECTORY / "generic.toml").read_bytes())

    profiles = Profiles.load(tmp_path / "profile")
    persona = load(str(tmp_path / "persona" / "draft.toml"))

    assert profiles.choose(identity.manufacturer.strip(), identity.model.strip()).name == "draft"
    assert profiles["draft"].sim.pin_counter, "each of them tells how many tries of the PIN are left"
    assert profiles["draft"].sim.pin_counter[0].send.startswith(f"AT{device.persona.card.retry_command}")
    assert (persona.identity.model, persona.identity.tac) == (identity.model.strip(), identity.tac)
    assert persona.line.unknown == device.persona.line.unknown
    assert (persona.storage.read, persona.routing.ds) == (device.persona.storage.read, device.persona.routing.ds) or (
        "CPMS=?" in str(device.persona.answers)
    )


@pytest.mark.parametrize("name", names())
def test_a_draft_carries_its_modem_as_it_is(
    name: str, surveys: dict[str, tuple[Device, list[Asked]]], tmp_path: Path
) -> None:
    _, found = surveys[name]
    (tmp_path / "draft.toml").write_text(draft.profile(found), encoding="utf-8")
    (tmp_path / "generic.toml").write_bytes((DIRECTORY / "generic.toml").read_bytes())

    async def messages() -> None:
        rig = make(name)
        rig.profiles = Profiles.load(tmp_path)
        await rig.ready()
        assert rig.modem.profile is not None
        assert rig.modem.profile.name == "draft"
        assert await rig.submit("out") is not None
        rig.arrive("in")
        await rig.until(lambda: rig.gateway.texts == ["in"], 120)
        await rig.stop()

    run_virtual(messages)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ('+CSCA: "+491710760000",145', '+CSCA: "+555010012355",145'),
        ("^ICCID: 98940110000000123456", "^ICCID: 98555010012355501001"),
        ("+QCCID: 8949980000000000012F", "+QCCID: 8955501001235550100F"),
        ("+CGSN: 35-209900-176148-1", "+CGSN: 35-555010-012355-5"),
        ('+CREG: 2,1,"1A2B","01C3D4E5",7', '+CREG: 2,1,"00A1","0000C350",7'),
        ("+CPMS: 3,23,3,23,3,23", "+CPMS: 3,23,3,23,3,23"),
        ("Revision:1418B05SIM800L24", "Revision:1418B05SIM800L24"),
        ("002B0034003900310037", "55501001235550100123"),
    ],
)
def test_long_numbers_and_places_are_made_up_and_nothing_else(line: str, wanted: str) -> None:
    assert redact(line) == wanted


def test_a_port_that_is_not_there_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert draft.main([str(tmp_path / "ttyUSB9")]) == 1

    assert "ttyUSB9" in capsys.readouterr().err
