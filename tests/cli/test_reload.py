"""SIGHUP on a real gateway: new limits take effect, a file with mistakes changes nothing, and it goes on running."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

CONFIG = """
[gateway]
state_dir = "{state}"
home_country = "DE"
[http]
listen = "127.0.0.1:0"
[policy]
daily_cap = {cap}
"""


class Service:
    def __init__(self, folder: Path) -> None:
        self.config = folder / "modemgw.toml"
        self.state = folder / "state"
        self.log = folder / "log"
        self.write(5)
        with self.log.open("wb") as output:
            environ = {name: value for name, value in os.environ.items() if not name.startswith("MODEMGW_")}
            self.process = subprocess.Popen(
                [sys.executable, "-m", "modemgw", "run", "--simulate", "1", "--config", str(self.config)],
                stdout=output,
                stderr=output,
                env=environ,
            )
        self.sees(r"registered")

    def write(self, cap: object) -> None:
        self.config.write_text(CONFIG.format(state=self.state, cap=cap), encoding="utf-8")

    def sees(self, pattern: str) -> str:
        """Waits until the log says so."""
        end = time.monotonic() + 20
        while not (found := re.search(pattern, self.log.read_text(encoding="utf-8"))):
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            assert time.monotonic() < end, self.log.read_text(encoding="utf-8")
            time.sleep(0.05)
        return found[0]

    def hang_up(self) -> None:
        self.process.send_signal(signal.SIGHUP)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    running = Service(tmp_path)
    yield running
    running.process.terminate()
    assert running.process.wait(20) == 0


def test_it_reads_the_file_again(service: Service) -> None:
    service.write(7)
    service.hang_up()
    service.sees("The configuration was read again")


def test_mistakes_change_nothing(service: Service) -> None:
    service.write('"seven"')
    service.hang_up()
    service.sees("nothing was changed")
    service.write(9)
    service.hang_up()
    service.sees("The configuration was read again")
