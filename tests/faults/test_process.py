"""A real process that runs out of descriptors, and one whose log can't be written any more."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _gateway(tmp_path: Path, stderr: Any, command: list[str] | None = None) -> Iterator[tuple[str, str]]:
    """A gateway with two simulated modems: its address and its first key."""
    address = f"127.0.0.1:{_free_port()}"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MODEMGW", "NOTIFY"))}
    clean |= {"MODEMGW__HTTP__LISTEN": address, "MODEMGW__GATEWAY__STATE_DIR": str(tmp_path / "state")}
    run = [sys.executable, "-m", "modemgw", "run", "--simulate", "2", "--config", "/dev/null"]
    process = subprocess.Popen([*(command or []), *run], stdout=subprocess.PIPE, stderr=stderr, text=True, env=clean)
    key = ""
    try:
        assert process.stdout is not None
        for line in process.stdout:
            key = next((word for word in line.split() if word.startswith("mgw_")), key)
            if address in line:
                break
        assert key
        yield address, key
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()


def _call(address: str, key: str, path: str, body: dict[str, Any] | None = None) -> Any:
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request(
            "GET" if body is None else "POST",
            path,
            None if body is None else json.dumps(body),
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        answer = connection.getresponse()
        return json.load(answer) if answer.status < 300 else None
    finally:
        connection.close()


def _until(look: Callable[[], Any], seconds: float = 60.0) -> Any:
    end = time.monotonic() + seconds
    while True:
        try:
            found = look()
        except (OSError, http.client.HTTPException):
            found = None
        if found:
            return found
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.system
def test_without_descriptors_new_clients_wait_and_modems_and_store_go_on(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log, _gateway(tmp_path, log, ["prlimit", "--nofile=64:64"]) as (address, key):
        _until(lambda: _call(address, key, "/readyz"))
        sent = _call(address, key, "/v1/messages", {"to": "+4915559000001", "text": "before"})
        host, port = address.split(":")
        crowd = []
        for _ in range(100):
            with contextlib.suppress(OSError):
                crowd.append(socket.create_connection((host, int(port)), timeout=1))
        time.sleep(1)
        for one in crowd:
            one.close()
        body = _until(lambda: _delivered(address, key, sent["id"]))
        assert body["status"] == "delivered"
        again = _until(lambda: _call(address, key, "/v1/messages", {"to": "+4915559000002", "text": "after"}))
        assert _until(lambda: _delivered(address, key, again["id"]))


def _delivered(address: str, key: str, message: str) -> Any:
    body = _call(address, key, f"/v1/messages/{message}?wait=10")
    return body if body is not None and body["status"] == "delivered" else None


@pytest.mark.system
def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full, _gateway(tmp_path, full) as (address, key):
        _until(lambda: _call(address, key, "/readyz"))
        sent = _call(address, key, "/v1/messages", {"to": "+4915559000001", "text": "unlogged"})
        assert _until(lambda: _delivered(address, key, sent["id"]))
