"""The command line as a whole: what it lists, how it refuses, how fast it starts."""

import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from modemgw import __version__, cli

Modemgw = Callable[..., subprocess.CompletedProcess[str]]


def test_help_lists_the_verbs_that_are_there_and_no_others(modemgw: Modemgw) -> None:
    done = modemgw("--help")
    assert done.returncode == 0
    for verb in cli.VERBS:
        assert (f"    {verb} " in done.stdout) == (verb in cli.available())


@pytest.mark.parametrize("verb", list(cli.available()))
def test_every_verb_explains_itself(modemgw: Modemgw, verb: str) -> None:
    done = modemgw(verb, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"usage: modemgw {verb}" in done.stdout


def test_a_misspelt_verb_is_answered_with_the_right_one(modemgw: Modemgw) -> None:
    done = modemgw("decoed", "00")
    assert done.returncode == 2
    assert done.stderr == "modemgw: there is no verb `decoed`: did you mean `decode`?\n"
    assert "modemgw --help" in modemgw("frobnicate").stderr


def test_no_verb_at_all_is_a_mistake(modemgw: Modemgw) -> None:
    assert modemgw().returncode == 2


def test_version(modemgw: Modemgw) -> None:
    assert modemgw("--version").stdout == f"modemgw {__version__}\n"


def test_looking_at_a_pdu_does_not_load_the_server() -> None:
    program = (
        "import sys; from modemgw.cli import main; main(['decode', '0001000C91947111325476000005E8329BFD06']);"
        "heavy = {'aiohttp', 'pydantic', 'sqlite3', 'asyncio', 'phonenumbers'} & sys.modules.keys();"
        "print(*sorted(heavy), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert done.stderr.strip() == ""


def test_the_quick_verbs_start_quickly() -> None:
    def best_of(*arguments: str) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-m", "modemgw", *arguments], capture_output=True, check=True, timeout=30)
            times.append(time.perf_counter() - start)
        return min(times)

    bare = min(_python_alone() for _ in range(5))
    # Against Python's own start-up, so that a loaded machine does not fail it.
    assert best_of("decode", "0001000C91947111325476000005E8329BFD06") < max(0.15, 8 * bare)
    assert best_of("--help") < max(0.15, 8 * bare)


def _python_alone() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", ""], check=True, timeout=30)
    return time.perf_counter() - start


def test_output_into_a_closed_pipe_is_not_a_traceback() -> None:
    reader = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    assert reader.stdin is not None
    reader.wait(timeout=30)
    pdus = "0001000C91947111325476000005E8329BFD06\n" * 2000
    done = subprocess.run(
        [sys.executable, "-m", "modemgw", "decode", "--json"],
        input=pdus.encode(),
        stdout=reader.stdin,
        stderr=subprocess.PIPE,
        timeout=30,
        check=False,
    )
    reader.stdin.close()
    assert done.stderr == b""
    assert done.returncode == 1
