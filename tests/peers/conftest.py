"""Programs that nobody here wrote, driving the emulator over terminals.

    .venv/bin/pytest tests/peers                  every program with the persona `generic`
    .venv/bin/pytest tests/peers --all-personas   every program with every persona; anywhere: PEERS_ALL_PERSONAS=1

Only `generic`, the modem by the book, must please them all. Of the other personas, `makes.toml` says what a program
has to be told for one, as whoever runs it with that make would tell it, and what it does wrong on one by its own
fault, with the reason and what was seen. Such a case has to fail, and in that way: a version that does better is
noticed, and so is one that fails otherwise. Everything else passes. What modems and programs said to each other is in
the folder of a case (`--basetemp=DIR` keeps it) as `modem0.traffic`, and its end is in every failure.

They wait far more than they work, so they run beside each other: a test marked by `@beside_the_others` is started
with all others that were selected, and the test itself only awaits how it ends. Where the programs cannot be had the
tests skip and print the command; with CI=true that is a failure.
"""

import asyncio
import os
import re
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from peers.beside import give_up
from peers.debian import BY_HAND, Programs, UnavailableError, programs
from peers.makes import PERSONAS, Fault, KnownFaultError, fault_of, settings_of
from peers.stage import Stage

AT_ONCE = 12  # programs at a time: two cores follow that easily
SECONDS = 600  # for a test, with the first set-up in it


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-personas", action="store_true", help="tests/peers: every persona, not just generic")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "scenario(play, modems): runs beside the others, see tests/peers/conftest.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("scenario") is not None:
            item.add_marker(pytest.mark.timeout(SECONDS))
            item.add_marker(pytest.mark.system)
            if (fault := known_fault(item)) is not None:
                reason = f"{fault.program}: {fault.reason}"
                item.add_marker(pytest.mark.xfail(raises=KnownFaultError, strict=not fault.sometimes, reason=reason))
            # What a thread of python-gsmmodem throws would be blamed on whatever test is just being awaited.
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "persona" in metafunc.fixturenames:
        everything = metafunc.config.getoption("--all-personas", default=False) or os.environ.get("PEERS_ALL_PERSONAS")
        names = PERSONAS if everything else ["generic"]
        metafunc.parametrize("persona", names, scope="session")


def program_of(item: pytest.Item) -> str:
    """What the test's file is named after."""
    return item.path.stem.removeprefix("test_")


def persona_of(item: pytest.Item) -> str:
    """The persona that this case is about."""
    assert isinstance(item, pytest.Function)
    persona: str = item.callspec.params["persona"]
    return persona


def known_fault(item: pytest.Item) -> Fault | None:
    """Why this case has to fail, if so."""
    assert isinstance(item, pytest.Function)
    return fault_of(program_of(item), item.originalname, persona_of(item))


@pytest.fixture(scope="session")
def peer_programs() -> Programs:
    """The programs, fetched from Debian's packages at first use."""
    try:
        found = programs()
    except UnavailableError as error:
        found, reason = None, str(error)
    return found or give_up(f"{reason}\nBy hand: {BY_HAND}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def plays(
    request: pytest.FixtureRequest, peer_programs: Programs, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, asyncio.Task[None]]]:
    """All selected scenarios, started; by the name of their test."""
    places = asyncio.Semaphore(AT_ONCE)

    async def play(item: pytest.Item, scenario: Callable[[Stage], Awaitable[None]], modems: int) -> None:
        folder = tmp_path_factory.mktemp(re.sub(r"\W+", "_", item.name))
        fault, settings = known_fault(item), settings_of(program_of(item), persona_of(item))
        try:
            async with places, Stage(peer_programs, folder, persona_of(item), modems, settings) as stage:
                await scenario(stage)
        except Exception as error:
            said = "".join(traceback.format_exception_only(error))
            if fault is not None and all(text in said for text in fault.shows):
                raise KnownFaultError(fault.evidence) from error
            raise

    tasks = {}
    for item in request.session.items:
        marker = item.get_closest_marker("scenario")
        if marker is not None:
            tasks[item.nodeid] = asyncio.create_task(play(item, *marker.args))
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.fixture
def outcome(request: pytest.FixtureRequest, persona: str, plays: dict[str, asyncio.Task[None]]) -> asyncio.Task[None]:
    """The scenario of this test, under way."""
    return plays[request.node.nodeid]
