"""systemd hears what it needs to hear, over a real datagram socket."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from modemgw import sdnotify


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(5)
        yield receiver


def test_lines_arrive_as_one_datagram(listener: socket.socket) -> None:
    environ = {"NOTIFY_SOCKET": listener.getsockname()}
    assert sdnotify.notify("READY=1", "STATUS=2 modems registered", environ=environ)
    assert listener.recv(1000) == b"READY=1\nSTATUS=2 modems registered"
    assert sdnotify.notify("WATCHDOG=1", environ=environ)
    assert listener.recv(1000) == b"WATCHDOG=1"


def test_an_operator_name_cannot_send_a_variable_of_its_own(listener: socket.socket) -> None:
    assert sdnotify.notify("STATUS=on Evil\nSTOPPING=1", environ={"NOTIFY_SOCKET": listener.getsockname()})
    assert listener.recv(1000) == b"STATUS=on Evil STOPPING=1"


def test_abstract_sockets_work() -> None:
    name = f"modemgw-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("\0" + name)
        receiver.settimeout(5)
        assert sdnotify.notify("STOPPING=1", environ={"NOTIFY_SOCKET": "@" + name})
        assert receiver.recv(1000) == b"STOPPING=1"


def test_nobody_listening_is_no_error(tmp_path: Path) -> None:
    assert not sdnotify.notify("READY=1", environ={})
    assert not sdnotify.notify("READY=1", environ={"NOTIFY_SOCKET": str(tmp_path / "gone")})


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "x"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_meant_for_one_process(environ: dict[str, str], seconds: float | None) -> None:
    assert sdnotify.watchdog_interval(environ) == seconds
