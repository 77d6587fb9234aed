"""The table of families is complete and speaks of what there is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conformance.conftest import FAMILIES

from modemgw.emulator.persona import load, names
from modemgw.modem.profile import Profiles

HERE = Path(__file__).parent


def scenarios() -> Iterator[str]:
    for path in HERE.glob("test_*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("async def test_"):
                yield line.removeprefix("async def test_").partition("(")[0]


def test_every_persona_is_in_the_table() -> None:
    assert sorted(FAMILIES["routing"]) == names()


@pytest.mark.parametrize("entry", FAMILIES["cannot"], ids=lambda entry: entry["scenario"])
def test_an_exception_is_about_something_and_has_a_reason(entry: dict[str, str]) -> None:
    assert entry["scenario"] in set(scenarios())
    assert set(entry["personas"]) <= set(names())
    assert entry["profile"] in ("own", "generic")
    assert len(entry["why"]) > 20


@pytest.mark.parametrize("name", names())
def test_a_modem_is_given_the_profile_of_its_family(name: str) -> None:
    identity = load(name).identity

    chosen = Profiles.load().choose(identity.manufacturer.strip(), identity.model.strip())

    assert chosen.name == name
