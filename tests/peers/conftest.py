"""Programs that nobody here wrote, driving the emulator over terminals.

    .venv/bin/pytest tests/peers                  every program with the persona `generic`
    .venv/bin/pytest tests/peers --all-personas   every program with every persona; anywhere: PEERS_ALL_PERSONAS=1

The other personas are hard on them: not every program copes with every make of modem, in life neither, so what fails
there is to be read, not to be silenced. Only `generic`, the modem by the book, must please them all.

They wait far more than they work, so they run beside each other: a test marked by `@beside_the_others` is started
with all others that were selected, and the test itself only awaits how it ends. Where the programs cannot be had the
tests skip and print the command; with CI=true that is a failure.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from peers.beside import give_up
from peers.debian import BY_HAND, Programs, UnavailableError, programs
from peers.stage import Stage

from modemgw.emulator.persona import FOLDER

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
            # What a thread of python-gsmmodem throws would be blamed on whatever test is just being awaited.
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "persona" in metafunc.fixturenames:
        everything = metafunc.config.getoption("--all-personas", default=False) or os.environ.get("PEERS_ALL_PERSONAS")
        names = sorted(path.stem for path in FOLDER.glob("*.toml")) if everything else ["generic"]
        metafunc.parametrize("persona", names, scope="session")


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

    async def play(scenario: Callable[[Stage], Awaitable[None]], folder: Path, persona: str, modems: int) -> None:
        async with places, Stage(peer_programs, folder, persona, modems) as stage:
            await scenario(stage)

    tasks = {}
    for item in request.session.items:
        marker = item.get_closest_marker("scenario")
        if marker is not None and isinstance(item, pytest.Function):
            folder = tmp_path_factory.mktemp(re.sub(r"\W+", "_", item.name))
            persona = item.callspec.params["persona"]
            tasks[item.nodeid] = asyncio.create_task(play(marker.args[0], folder, persona, marker.args[1]))
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.fixture
def outcome(request: pytest.FixtureRequest, persona: str, plays: dict[str, asyncio.Task[None]]) -> asyncio.Task[None]:
    """The scenario of this test, under way."""
    return plays[request.node.nodeid]
