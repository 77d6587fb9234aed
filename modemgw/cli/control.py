"""Asks the running service over its control socket: the API as admin, for whoever may open that file."""

import http.client
import json
import socket
from pathlib import Path
from typing import Any

from modemgw.cli.stop import Stop


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path
        self._timeout_s = timeout_s

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self._timeout_s)
        self.sock.connect(str(self._path))


def call(path: Path, method: str, route: str, body: dict[str, Any] | None = None, *, timeout_s: float = 60) -> Any:
    """The JSON answer to one request; Stop in plain words when there is none or it is a problem."""
    connection = _Connection(path, timeout_s)
    try:
        payload = None if body is None else json.dumps(body)
        connection.request(method, route, payload, {"Content-Type": "application/json"} if payload else {})
        response = connection.getresponse()
        text = response.read()
    except (FileNotFoundError, ConnectionRefusedError):
        raise Stop(f"the gateway is not running (nobody listens at {path})") from None
    except PermissionError:
        raise Stop(f"you may not open {path}: use sudo, or the account of the service") from None
    except (OSError, http.client.HTTPException) as error:
        raise Stop(f"no answer from the gateway over {path}: {error}") from None
    finally:
        connection.close()
    try:
        answer = json.loads(text) if text else None
    except ValueError:
        raise Stop(f"the gateway's answer over {path} cannot be understood (status {response.status})") from None
    if response.status >= 400:
        raise Stop(_plain(answer) or f"the gateway refuses with status {response.status}")
    return answer


def _plain(problem: Any) -> str | None:
    if not isinstance(problem, dict):
        return None
    errors = problem.get("errors") or ()
    return "; ".join(error["text"] for error in errors) or problem.get("detail") or problem.get("title")
