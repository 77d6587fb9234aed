"""``modemgw backup`` and ``restore``, and a service that finds its database damaged, or can't write at all."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Modemgw = Callable[..., subprocess.CompletedProcess[str]]


class Service:
    """``modemgw run`` without any modem that could send: what is accepted stays queued."""

    def __init__(self, process: subprocess.Popen[str], address: str, key: str) -> None:
        self.process = process
        self.address = address
        self.key = key

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://{self.address}{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - the address is ours
            return dict(json.loads(answer.read()))

    def send(self) -> str:
        return str(self.call("POST", "/v1/messages", {"to": "+4915551000002", "text": "hello"})["id"])


@contextmanager
def service(tmp_path: Path, key: str = "") -> Iterator[Service]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config = tmp_path / "modemgw.toml"
    config.write_text(
        f'[gateway]\nstate_dir = "{tmp_path / "state"}"\nhome_country = "DE"\nmin_free_mb = 16\n'
        f'[http]\nlisten = "{address}"\n[[modem]]\nname = "none"\nport = "/dev/modemgw-test-not-there"\n'
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MODEMGW", "NOTIFY"))}
    command = [sys.executable, "-m", "modemgw", "run", "--config", str(config)]
    with (tmp_path / "log").open("a") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=clean)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            key = key or "".join(re.findall(r"mgw_[A-Za-z0-9_-]+", line))
            if address in line:
                break
        else:
            raise AssertionError((tmp_path / "log").read_text())
        yield Service(process, address, key)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.system
def test_beside_the_service_and_back_again(tmp_path: Path, modemgw: Modemgw) -> None:
    copy = tmp_path / "copy.db"
    with service(tmp_path) as running:
        message = running.send()
        done = modemgw("backup", copy)
        assert (done.returncode, done.stderr) == (0, "")
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        again = modemgw("backup", copy)
        assert again.returncode == 1
        assert "there already" in again.stderr
        later = running.send()
        refused = modemgw("restore", copy)
        assert refused.returncode == 1
        assert "Stop it first" in refused.stderr
        assert running.call("GET", f"/v1/messages/{later}")["status"] == "queued"
    done = modemgw("restore", copy)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 messages that were not over are held" in done.stdout
    assert len(list((tmp_path / "state").glob("modemgw.db.replaced-*Z"))) == 1
    with service(tmp_path, running.key) as running:
        assert running.call("GET", f"/v1/messages/{message}")["status"] == "held"
        assert running.call("POST", f"/v1/messages/{message}/release")["status"] == "queued"
        assert [each["id"] for each in running.call("GET", "/v1/messages")["items"]] == [message]


@pytest.mark.system
def test_a_damaged_database_at_start_is_replaced_and_what_waited_is_held(tmp_path: Path, modemgw: Modemgw) -> None:
    state = tmp_path / "state"
    with service(tmp_path) as running:
        message = running.send()
        (state / "backups").mkdir()
        assert modemgw("backup", state / "backups" / "modemgw-20261122T120000Z.db").returncode == 0
    content = bytearray((state / "modemgw.db").read_bytes())
    content[8192:40960] = b"\xff" * 32768
    (state / "modemgw.db").write_bytes(content)
    with service(tmp_path, running.key) as running:
        assert running.call("GET", f"/v1/messages/{message}")["status"] == "held"
    (aside,) = state.glob("modemgw.db.corrupt-*Z")
    assert aside.read_bytes() == content
    log = (tmp_path / "log").read_text()
    assert "restored from modemgw-20261122T120000Z.db" in log
    assert "Traceback" not in log


@pytest.mark.system
def test_damaged_without_a_backup_is_one_line_and_exit_code_1(tmp_path: Path, modemgw: Modemgw) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "modemgw.db").write_bytes(b"\x00" * 100_000)
    done = modemgw("run", "--config", "/dev/null")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "nothing was changed" in done.stderr
    assert "modemgw restore FILE" in done.stderr


def test_restoring_rubbish_changes_nothing(tmp_path: Path, modemgw: Modemgw) -> None:
    assert modemgw("key", "create", "shop").returncode == 0
    before = (tmp_path / "state" / "modemgw.db").read_bytes()
    (tmp_path / "rubbish").write_bytes(b"rubbish" * 1000)
    for file in ("rubbish", "nowhere"):
        done = modemgw("restore", tmp_path / file)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert (tmp_path / "state" / "modemgw.db").read_bytes() == before
    assert modemgw("restore", "--config", tmp_path / "nowhere.toml", "x").returncode == 2


def test_nothing_to_back_up_is_said(tmp_path: Path, modemgw: Modemgw) -> None:
    done = modemgw("backup", tmp_path / "copy.db")
    assert done.returncode == 1
    assert "there is no database" in done.stderr
    assert not (tmp_path / "copy.db").exists()


@pytest.mark.system
def test_a_read_only_file_system_is_one_line(tmp_path: Path, modemgw: Modemgw) -> None:
    state = tmp_path / "state"
    state.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(["mount", "-t", "tmpfs", "tmpfs", state], capture_output=True, check=False).returncode
    ):
        pytest.skip(f"needs root: mount -t tmpfs tmpfs {state}")
    try:
        assert modemgw("key", "create", "shop").returncode == 0
        subprocess.run(["mount", "-o", "remount,ro", state], check=True)
        done = modemgw("run", "--simulate", "1", "--config", "/dev/null")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert re.search("[Rr]ead-only", done.stderr)
    finally:
        subprocess.run(["umount", "-l", state], check=True)


@pytest.mark.system
def test_a_disk_that_fills_up_under_the_service_is_507_and_goes_on_by_itself(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    if (
        shutil.which("mount") is None
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=48m,mode=700", "tmpfs", state], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip(f"needs root: mount -t tmpfs -o size=48m tmpfs {state}")
    filler = state / "filler"
    try:
        with service(tmp_path) as running:
            accepted = [running.send()]
            for _ in range(5):
                with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                    while file.write(b"x" * 65536) == 65536:
                        pass
                with pytest.raises(urllib.error.HTTPError) as refused:
                    running.send()
                with refused.value:
                    assert refused.value.code == 507
                    assert json.loads(refused.value.read())["type"]
                assert running.call("GET", f"/v1/messages/{accepted[0]}")["status"] == "queued"
                filler.unlink()
                accepted.append(running.send())
            found = [each["id"] for each in running.call("GET", "/v1/messages")["items"]]
            assert sorted(found) == sorted(accepted)
        assert "Traceback" not in (tmp_path / "log").read_text()
    finally:
        subprocess.run(["umount", "-l", state], check=True)
