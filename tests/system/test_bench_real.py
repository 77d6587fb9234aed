"""``modemgw bench --real`` on ttys: nothing goes out without a yes, and what goes out is counted and told.

The modems and their network are a process of their own, ``modemgw emulate``; its journal is the truth about what was
sent. Each test has a database of its own.
"""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from system.harness import clean_environ, config_text

from modemgw.cli import main

pytestmark = pytest.mark.system
TO = "+4915559000001"
REFUSED = "+4915599038"  # the simulated network answers +CMS ERROR: 38


@dataclass
class Modems:
    """The simulated modems, and what their network took."""

    folder: Path
    skip: int = 0

    @property
    def sent(self) -> list[dict[str, Any]]:
        """What was accepted since ``skip`` was set."""
        entries = [json.loads(line) for line in (self.folder / "journal").read_text().splitlines()]
        return [entry for entry in entries if entry["event"] == "accepted"][self.skip :]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Modems]:
    folder = tmp_path_factory.mktemp("lab")
    command = ["emulate", "--dir", str(folder / "tty"), "--modems", "2", "--latency", "0.2"]
    command += ["--journal", str(folder / "journal")]
    with subprocess.Popen(
        [sys.executable, "-m", "modemgw", *command], stdout=subprocess.PIPE, text=True, env=clean_environ()
    ) as process:
        assert process.stdout is not None
        while "ready" not in (line := process.stdout.readline()):
            assert line, "it ended before it was ready"
        yield Modems(folder)
        process.send_signal(signal.SIGTERM)


@pytest.fixture
def modems(lab: Modems) -> Modems:
    lab.skip = 0
    lab.skip = len(lab.sent)
    return lab


def configured(tmp_path: Path, ports: dict[str, Path], more: str = "") -> list[str]:
    """The command with a configuration of these modems."""
    config = tmp_path / "modemgw.toml"
    config.write_text(config_text(tmp_path / "state", ports) + more)
    config.chmod(0o600)
    return [sys.executable, "-m", "modemgw", "bench", "--real", "--config", str(config)]


def bench(command: list[str], *options: str) -> subprocess.CompletedProcess[str]:
    """Without a terminal."""
    return subprocess.run(
        [*command, *options], capture_output=True, text=True, timeout=100, check=False, env=clean_environ(),
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


@contextmanager
def on_a_terminal(command: list[str], *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The process, and the terminal that it reads from and shows its progress on."""
    ours, its = pty.openpty()
    with subprocess.Popen(
        [*command, *options], stdin=its, stdout=subprocess.PIPE, stderr=its, text=True, env=clean_environ()
    ) as process:
        os.close(its)
        yield process, ours
        process.kill()
    os.close(ours)


def shown(terminal: int, until: str) -> str:
    """What the terminal shows up to this pattern."""
    text = ""
    while not re.search(until, text):
        text += os.read(terminal, 4096).decode()
    return text


def one(modems: Modems) -> dict[str, Path]:
    return {"front": modems.folder / "tty" / "modem0"}


def test_without_a_terminal_and_a_yes_nothing_is_touched(tmp_path: Path, modems: Modems) -> None:
    done = bench(configured(tmp_path, one(modems)), "--to", TO)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert "--yes" in done.stderr
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--real"], "--to NUMBER"),
        (["--real", "--to", TO, "--messages", "0"], "1 to 200"),
        (["--to", TO], "belong to --real"),
    ],
)
def test_mistakes_are_one_line(capsys: pytest.CaptureFixture[str], options: list[str], words: str) -> None:
    assert main(["bench", *options]) == 2

    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert words in said.err


def test_a_number_that_cannot_be_written_to_is_refused(tmp_path: Path, modems: Modems) -> None:
    done = bench(configured(tmp_path, one(modems)), "--to", "12", "--yes")

    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "12: " in done.stderr


def test_only_a_typed_yes_sends_and_every_modem_is_told_of(tmp_path: Path, modems: Modems) -> None:
    command = configured(tmp_path, {**one(modems), "back": modems.folder / "tty" / "modem1"})
    with on_a_terminal(command, "--to", TO, "--messages", "3") as (process, terminal):
        said = shown(terminal, "Type yes to go on: ")
        assert f"This sends 6 messages of one segment to {TO}, which your operator may charge:" in said
        assert "3 from the SIM +4915551000002 in back (Simulated Generic" in said
        os.write(terminal, b"no\n")
        assert process.wait(60) == 3
    assert modems.sent == []

    with on_a_terminal(command, "--to", TO, "--messages", "3") as (process, terminal):
        shown(terminal, "Type yes to go on: ")
        os.write(terminal, b"yes\n")
        shown(terminal, "3 of 3 sent")
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert [entry["modem"] for entry in modems.sent] == ["modem0"] * 3 + ["modem1"] * 3
    assert len([line for line in output.splitlines() if "3 of 3" in line]) == 2


def test_figures_limits_and_failures_as_json(tmp_path: Path, modems: Modems) -> None:
    """A modem that is not there and one that works: what each did, and the day's cap counts what was sent."""
    ports = {**one(modems), "gone": tmp_path / "nowhere"}
    command = configured(tmp_path, ports)
    (tmp_path / "modemgw.toml").write_text((tmp_path / "modemgw.toml").read_text().replace("1000000", "6"))

    done = bench(command, "--to", TO, "--messages", "4", "--yes", "--json")

    assert done.returncode == 2, done.stderr
    told = json.loads(done.stdout)
    front, gone = told["modems"]
    assert (front["sent"], front["delivered"], front["failures"]) == (4, 4, {})
    assert 0.2 <= front["segment_s"][0] < 2.0
    assert 0 < front["overhead_ms"][0] < 2000
    assert 0.7 <= front["report_s"][0] < 5.0
    assert (gone["sent"], gone["segment_s"]) == (0, None)
    assert "does not exist" in next(iter(gone["failures"]))
    assert told["ref"].startswith("bench-")
    assert told["stopped"] is False

    again = bench(command, "--to", TO, "--messages", "4", "--yes", "--json")

    assert (again.returncode, again.stdout) == (3, "")
    assert "more than the 2 that `daily_cap` leaves" in again.stderr
    assert len(modems.sent) == 4


def test_refusals_are_told_in_words_and_not_tried_again(tmp_path: Path, modems: Modems) -> None:
    done = bench(configured(tmp_path, one(modems)), "--to", REFUSED, "--messages", "2", "--yes")

    assert done.returncode == 2
    assert "0 of 2" in done.stdout
    assert "front: 2 × The network is out of order, or it does not accept this number." in done.stdout
    assert modems.sent == []


def test_ctrl_c_calls_off_what_waits_and_awaits_what_the_modem_has(tmp_path: Path, modems: Modems) -> None:
    command = configured(tmp_path, one(modems))
    with on_a_terminal(command, "--to", TO, "--messages", "100", "--yes", "--json") as (process, terminal):
        shown(terminal, r"front: [1-9]\d* of 100 sent")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    told = json.loads(output)
    (front,) = told["modems"]
    assert told["stopped"] is True
    assert front["sent"] == len(modems.sent)
    assert front["failures"] == {"stopped": 100 - front["sent"]}
    assert 1 <= front["sent"] < 100


def test_a_running_service_keeps_its_modems(tmp_path: Path, modems: Modems) -> None:
    command = configured(tmp_path, one(modems))
    config = str(tmp_path / "modemgw.toml")
    with subprocess.Popen(
        [sys.executable, "-m", "modemgw", "run", "--config", config], stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL, env=clean_environ(),
    ) as service:  # fmt: skip
        assert service.stdout is not None
        while "API: " not in service.stdout.readline():
            assert service.poll() is None
        done = bench(command, "--to", TO, "--yes")
        service.send_signal(signal.SIGTERM)
        assert service.wait(60) == 0

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert "Another modemgw is running" in done.stderr
    assert modems.sent == []


def test_with_no_modem_it_says_what_to_look_at(tmp_path: Path) -> None:
    # A number that can't be: should this machine have a modem, nothing is sent by it.
    done = bench(configured(tmp_path, {}), "--to", "12", "--yes")

    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "no modem is plugged in" in done.stderr
