"""What the README shows works as it is written there."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from modemgw import config

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(title: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", section(title), re.DOTALL)


def test_the_example_configuration_is_good(tmp_path: Path) -> None:
    (text,) = blocks("Configuration", "toml")
    (tmp_path / "shop.pin").write_text("1234\n")
    (tmp_path / "hook.secret").write_text("whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY=\n")
    file = tmp_path / "modemgw.toml"
    file.write_text(text.replace("/etc/modemgw", str(tmp_path)))
    settings = config.load(file, {})
    assert settings.policy.daily_cap == 200
    assert settings.modem_settings()[0].pins == {"8949000000000000001": "1234"}
    assert len(settings.webhook_targets()) == 1


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """(address, first key) of a gateway as ``tools/run`` starts it on a machine without modems."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MODEMGW", "NOTIFY"))}
    environ |= {"MODEMGW__HTTP__LISTEN": address, "MODEMGW__GATEWAY__STATE_DIR": str(tmp_path / "state")}
    command = [sys.executable, "-m", "modemgw", "run", "--simulate", "2", "--config", "/dev/null"]
    log = (tmp_path / "log").open("w")
    with log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environ) as process:
        assert process.stdout is not None
        key = ""
        for line in process.stdout:
            key = key or "".join(re.findall(r"mgw_[A-Za-z0-9_-]+", line))
            if address in line:
                break
        assert key, (tmp_path / "log").read_text()
        yield address, key
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


@pytest.mark.system
def test_the_first_message_works_as_shown(gateway: tuple[str, str], tmp_path: Path) -> None:
    assert shutil.which("curl"), "the README uses curl: apt install curl"
    address, key = gateway
    send, inbox = (block.replace("127.0.0.1:8025", address) for block in blocks("A first message", "sh"))
    assert "KEY=mgw_...\n" in send
    # Modems take a moment to register; a message waits for them by itself.
    sent = json.loads(bash(send.replace("mgw_...", key)))
    assert sent["status"] == "delivered", sent
    items = json.loads(bash(f"KEY={key}\n{inbox}"))["items"]
    assert [item["text"] for item in items] == ["Grüße 👋"]


def bash(text: str) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text], capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
