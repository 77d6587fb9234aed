"""``modemgw emulate``: a tty that any program can talk to, until interrupted."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE

import pytest

from modemgw.emulator.script import EFFECTS

Modemgw = Callable[..., subprocess.CompletedProcess[str]]


def ask(tty: int, command: bytes, until: bytes) -> bytes:
    """Everything that comes back up to ``until``."""
    os.write(tty, command)
    heard = b""
    while until not in heard:
        ready, _, _ = select.select([tty], [], [], 20)
        assert ready, f"no {until!r} in {heard!r}"
        heard += os.read(tty, 4096)
    return heard


@pytest.mark.system
def test_a_program_sends_a_message_and_the_journal_has_it(tmp_path: Path) -> None:
    directory, journal = tmp_path / "lab", tmp_path / "journal"
    command = ["emulate", "--dir", str(directory), "--modems", "2", "--journal", str(journal)]
    with subprocess.Popen([sys.executable, "-m", "modemgw", *command], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while "ready" not in (line := process.stdout.readline()):
            assert line, "it ended before it was ready"
        assert sorted(path.name for path in directory.iterdir()) == ["control.sock", "modem0", "modem1"]
        tty = os.open(directory / "modem0", os.O_RDWR | os.O_NOCTTY)
        assert b"OK" in ask(tty, b"AT+CMGF=0\r", b"OK\r\n")
        ask(tty, b"AT+CMGS=18\r", b"> ")
        assert b"+CMGS:" in ask(tty, b"0001000C91947111325476000005E8329BFD06\x1a", b"OK\r\n")
        os.close(tty)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    assert list(directory.iterdir()) == []
    submits = [json.loads(line) for line in journal.read_text().splitlines()]
    assert any("hello" in json.dumps(entry) for entry in submits)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--modems", "0"], "--modems must be"),
        (["--latency", "-1"], "--latency must be"),
        (["--persona", "nosuchthing"], "nosuchthing"),
    ],
)
def test_mistakes_are_said_plainly(modemgw: Modemgw, tmp_path: Path, options: list[str], words: str) -> None:
    done = modemgw("emulate", "--dir", tmp_path / "lab", *options)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_place_that_cannot_be_written_is_one_line(modemgw: Modemgw, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = modemgw("emulate", "--dir", tmp_path / "file" / "lab")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1


@pytest.mark.system
def test_orders_work_as_the_readme_shows_them(tmp_path: Path) -> None:
    tmp = "/" + "tmp"
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    section = readme.partition("\n## The modem emulator as a tool of its own\n")[2].partition("\n## ")[0]
    options = next(line for line in section.splitlines() if line.startswith("modemgw emulate")).split()[2:]
    orders = [line for line in section.splitlines() if line.startswith("{")]
    assert len(orders) == 6
    command = [each.replace(tmp, str(tmp_path)) for each in options]
    process = subprocess.Popen([sys.executable, "-m", "modemgw", "emulate", *command], stdout=PIPE, text=True)
    try:
        assert process.stdout is not None
        said = []
        while "ready" not in (line := process.stdout.readline()):
            assert line, "it ended before it was ready"
            said.append(line.replace(str(tmp_path), tmp))
        assert "".join(said) in section
        with socket.socket(socket.AF_UNIX) as control, control.makefile("r") as answers:
            control.settimeout(20)
            control.connect(str(tmp_path / "modems" / "control.sock"))
            for order in orders:
                control.sendall(order.encode() + b"\n")
                assert json.loads(answers.readline())["ok"] is True, order
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert list((tmp_path / "modems").iterdir()) == []


def test_the_makes_are_listed_and_every_mistake_in_a_file_is_named(modemgw: Modemgw, tmp_path: Path) -> None:
    listed = modemgw("emulate", "--list-personas")
    assert listed.returncode == 0
    assert {"generic", "sim800", "wavecom"} <= {line.split()[0] for line in listed.stdout.splitlines()}
    (tmp_path / "odd.toml").write_text('inherit = "generic"\n[line]\npromt = ">"\n[does]\n"+X" = "dance"\n')
    done = modemgw("emulate", "--dir", tmp_path / "lab", "--persona", f"{tmp_path / 'odd.toml'},nosuchthing")
    assert done.returncode == 2
    for words in (
        "odd.toml:3: unknown key line.promt",
        "odd.toml:5: does.+X must be one of",
        "nosuchthing.toml: there",
    ):
        assert words in done.stderr


def test_the_help_names_every_order_and_every_effect(modemgw: Modemgw) -> None:
    text = modemgw("emulate", "--help").stdout
    for word in ("deliver", "report", "ring", "say", "unplug", "plug", "restart", "register", "signal", "sim", "heard"):
        assert f'"{word}"' in text
    for effect in EFFECTS:
        assert effect in text
