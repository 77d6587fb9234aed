"""A gateway as a user runs it, over ttys that another process holds. ``lab`` is one test's world."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from system.harness import Bank, Service, Sink, config_text


@dataclass(slots=True)
class Lab:
    """The test's folder, its modems, and gateways on them."""

    folder: Path
    bank: Bank
    config: Path

    @contextlib.asynccontextmanager
    async def running(self, **options: Any) -> AsyncIterator[Service]:
        """A gateway that listens; asked for the first key, it has it. Killed at the end if it still runs."""
        async with Service.of(self.config, **options) as service:
            yield service

    def write_config(self, ports: Mapping[str, Path], more: str = "") -> None:
        self.config.write_text(config_text(self.folder / "state", ports) + more)
        self.config.chmod(0o600)


@pytest.fixture
def make_lab(tmp_path: Path) -> Any:
    """``async with make_lab(["a", "b"]) as lab``; more options are those of ``Bank.of``; a modem may be a mapping."""

    @contextlib.asynccontextmanager
    async def make(modems: Sequence[str | Mapping[str, Any]], **options: Any) -> AsyncIterator[Lab]:
        full = [{"name": modem} if isinstance(modem, str) else modem for modem in modems]
        async with Bank.of(tmp_path, full, **options) as bank:
            lab = Lab(tmp_path, bank, tmp_path / "modemgw.toml")
            lab.write_config(bank.ports)
            yield lab

    return make


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    """A receiver of webhooks."""
    async with Sink.of() as sink:
        yield sink
