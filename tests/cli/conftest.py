"""The command as a user starts it: a process of its own, with nothing of ours in its environment."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Modemgw = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def modemgw(tmp_path: Path) -> Modemgw:
    """``modemgw("key", "list", stdin="", CODE="x")``: runs it with its data under ``tmp_path/state``."""

    def run(*arguments: str | Path, stdin: str | bytes = "", **environ: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("MODEMGW", "NOTIFY"))}
        state = {"MODEMGW__GATEWAY__STATE_DIR": str(tmp_path / "state")}
        done = subprocess.run(
            [sys.executable, "-m", "modemgw", *map(str, arguments)],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            timeout=60,
            check=False,
            cwd=tmp_path,
            env=clean | state | environ,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    return run
