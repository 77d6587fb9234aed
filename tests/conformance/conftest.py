"""Every scenario with every persona, under its own profile and under ``generic``; what can't work is in families.toml.

Which combinations run is the business of ``MODEMGW_CONFORMANCE``: a persona's name or ``all``, which is the default.
"""

import asyncio
import itertools
import os
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from conformance.bench import Case, Make
from modem.rig import Rig, make
from support.virtual import VirtualLoop

from modemgw.emulator.persona import names

FAMILIES = tomllib.loads((Path(__file__).parent / "families.toml").read_text(encoding="utf-8"))
WANTED = os.environ.get("MODEMGW_CONFORMANCE", "all")


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, type[VirtualLoop]]:
    return {"virtual": VirtualLoop}


def cases() -> list[tuple[str, str]]:
    if WANTED not in ("all", *names()):
        raise pytest.UsageError(
            f"MODEMGW_CONFORMANCE={WANTED}: there is no such persona; there are {', '.join(names())}"
        )
    chosen = [name for name in names() if WANTED in ("all", name)]
    return [pair for pair in itertools.product(chosen, ("own", "generic")) if pair != ("generic", "own")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        scenario = metafunc.function.__name__.removeprefix("test_")
        metafunc.parametrize("case", [_param(scenario, *pair) for pair in cases()], indirect=True)


def _param(scenario: str, persona: str, profile: str) -> Any:
    why = [
        entry["why"]
        for entry in FAMILIES.get("cannot", [])
        if (entry["scenario"], entry["profile"]) == (scenario, profile) and persona in entry["personas"]
    ]
    marks = [pytest.mark.xfail(reason=why[0], strict=True)] if why else []
    return pytest.param((persona, profile), id=f"{persona}-{profile}", marks=marks)


@pytest.fixture
async def case(request: pytest.FixtureRequest) -> AsyncIterator[Case]:
    persona, profile = request.param
    rigs: list[Rig] = []

    def remember(kind: Any = persona, **options: Any) -> Rig:
        if profile == "generic":
            options["settings"] = {"profile": "generic", **options.get("settings", {})}
        rigs.append(make(kind, **options))
        return rigs[-1]

    chosen: Make = remember
    keeps_link = persona not in FAMILIES["link"]["none"]
    yield Case(persona, profile, FAMILIES["routing"][persona][profile], chosen, keeps_link)
    await asyncio.gather(*(rig.stop() for rig in rigs))
