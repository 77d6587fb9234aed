"""``modemgw run`` as a process: how it starts, says why it does not, and stops."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

Modemgw = Callable[..., subprocess.CompletedProcess[str]]


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def running(tmp_path: Path, address: str, **environ: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A gateway with two simulated modems, and what it printed until it said where it listens."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MODEMGW", "NOTIFY"))}
    clean |= {"MODEMGW__HTTP__LISTEN": address, "MODEMGW__GATEWAY__STATE_DIR": str(tmp_path / "state")}
    command = [sys.executable, "-m", "modemgw", "run", "--simulate-if-empty", "--config", "/dev/null"]
    with (tmp_path / "log").open("a") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=clean | environ)
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if address in line:
                break
        assert lines, (tmp_path / "log").read_text()
        assert address in lines[-1], (tmp_path / "log").read_text()
        yield process, lines
    finally:
        process.kill()
        process.communicate()


def stopped(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=60)


@pytest.mark.system
def test_it_prints_a_key_once_says_simulated_and_stops_cleanly(tmp_path: Path) -> None:
    address = free_address()
    with running(tmp_path, address) as (process, lines):
        text = "".join(lines)
        assert len(re.findall(r"mgw_[a-z2-7]{8}_[A-Za-z0-9_-]{43}", text)) == 1
        assert "simulated" in text
        with urllib.request.urlopen(f"http://{address}/healthz", timeout=10) as answer:
            assert answer.status == 200
        files = list((tmp_path / "state").iterdir())
        assert all(not stat.S_IMODE(file.stat().st_mode) & 0o007 for file in files)
        assert stopped(process) == 0
    with running(tmp_path, address) as (process, lines):
        assert "mgw_" not in "".join(lines)
        assert stopped(process) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.system
def test_as_a_service_the_key_goes_into_a_file_and_systemd_hears_of_the_start(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        with running(tmp_path, free_address(), NOTIFY_SOCKET=str(tmp_path / "notify")) as (process, lines):
            assert systemd.recv(1000).startswith(b"READY=1")
            key = (tmp_path / "state" / "first-key").read_text().strip()
            assert key not in "".join(lines) + (tmp_path / "log").read_text()
            assert stat.S_IMODE((tmp_path / "state" / "first-key").stat().st_mode) == 0o600
            assert stopped(process) == 0


@pytest.mark.system
def test_a_first_key_that_nobody_could_read_is_not_lost(tmp_path: Path, modemgw: Modemgw) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    state = {"MODEMGW__GATEWAY__STATE_DIR": str(tmp_path / "state"), "MODEMGW__HTTP__LISTEN": free_address()}
    try:
        died = subprocess.run(
            [sys.executable, "-m", "modemgw", "run", "--simulate", "1", "--config", "/dev/null"],
            stdout=writer, stderr=subprocess.PIPE, env=os.environ | state | {"PYTHONUNBUFFERED": ""}, timeout=60,
            check=False,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert died.returncode != 0
    key = (tmp_path / "state" / "first-key").read_text().strip()
    listed = modemgw("key", "list", "--config", "/dev/null", **state)
    assert key.split("_")[1] in listed.stdout


@pytest.mark.system
def test_a_second_gateway_and_a_taken_port_are_said_in_one_line(tmp_path: Path, modemgw: Modemgw) -> None:
    address = free_address()
    with running(tmp_path, address) as (process, _):
        options = ("run", "--simulate", "1", "--config", "/dev/null")
        second = modemgw(*options, MODEMGW__HTTP__LISTEN=free_address())
        assert (second.returncode, second.stderr.count("\n")) == (1, 1)
        assert "Another modemgw is running" in second.stderr
        taken = modemgw(*options, MODEMGW__HTTP__LISTEN=address, MODEMGW__GATEWAY__STATE_DIR=str(tmp_path / "other"))
        assert taken.returncode == 1
        assert f"Cannot listen on {address}" in taken.stderr.splitlines()[-1]
        assert "Traceback" not in taken.stderr
        assert stopped(process) == 0


def test_a_bad_configuration_is_exit_code_2_with_every_error(tmp_path: Path, modemgw: Modemgw) -> None:
    file = tmp_path / "modemgw.toml"
    file.write_text('[[modem]]\nprot = "emulator:a"\n[http]\nlisten = 1\n')
    done = modemgw("run", "--config", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert "line 2: unknown key `prot`" in done.stderr
    assert "line 4: `listen` in [http]" in done.stderr
    assert modemgw("run", "--config", tmp_path / "nowhere.toml").returncode == 2
    assert modemgw("run", "--simulate", "-1").returncode == 2


def test_a_state_directory_that_cannot_be_made_is_exit_code_1(tmp_path: Path, modemgw: Modemgw) -> None:
    (tmp_path / "file").touch()
    done = modemgw("run", "--config", "/dev/null", MODEMGW__GATEWAY__STATE_DIR=str(tmp_path / "file" / "state"))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert str(tmp_path / "file" / "state") in done.stderr
