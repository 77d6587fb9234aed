"""What is known of a program with a make of modem: `makes.toml`, read and checked."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from modemgw.emulator.persona import FOLDER

PERSONAS = sorted(path.stem for path in FOLDER.glob("*.toml"))
_TABLE = Path(__file__).with_name("makes.toml")


class KnownFaultError(Exception):
    """The program did what `makes.toml` says that it does wrong with this make."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a test cannot pass with these personas; `shows` are texts that all are part of how it fails then.

    `sometimes`: it is a matter of the moment, and the test passes as well.
    """

    program: str
    personas: list[str]
    tests: list[str]
    shows: list[str]
    reason: str
    evidence: str
    sometimes: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """What the program has to be told for these personas, as whoever runs it with that make would."""

    program: str
    personas: list[str]
    set: dict[str, str]
    why: str


def _read() -> tuple[list[Fault], list[Setting]]:
    table = tomllib.loads(_TABLE.read_text())
    faults = [Fault(**entry) for entry in table["fault"]]
    settings = [Setting(**entry) for entry in table["setting"]]
    for entry in (*faults, *settings):
        unknown = set(entry.personas) - set(PERSONAS)
        assert entry.personas, f"{_TABLE}: {entry} is about no persona"
        assert not unknown, f"{_TABLE}: there are no personas {unknown}"
        assert _TABLE.with_name(f"test_{entry.program}.py").exists(), f"{_TABLE}: there is no test of {entry.program}"
    for fault in faults:
        source = _TABLE.with_name(f"test_{fault.program}.py").read_text()
        missing = [name for name in fault.tests if f"async def {name}(" not in source]
        assert not missing, f"{_TABLE}: {fault.program} has no tests {missing}"
    return faults, settings


FAULTS, SETTINGS = _read()


def fault_of(program: str, test: str, persona: str) -> Fault | None:
    """Why that test cannot pass with that persona, if so."""
    found = [each for each in FAULTS if each.program == program and test in each.tests and persona in each.personas]
    assert len(found) <= 1, f"{_TABLE}: two faults of {test} with {persona}"
    return found[0] if found else None


def settings_of(program: str, persona: str) -> dict[str, str]:
    """What that program has to be told for that persona."""
    of_both = [each.set for each in SETTINGS if each.program == program and persona in each.personas]
    return {name: value for values in of_both for name, value in values.items()}
