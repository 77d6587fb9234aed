"""Pulling and plugging modems of a real service on real ttys: how fast work moves, and how fast a modem is back.

The figures are printed (``pytest -s -rP``); the limits are what the service promises.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from system.harness import Bank, Service, config_text, until

OUTSIDE = "+4915559000001"


def by_imei(folder: Path, modems: Mapping[str, str], search: Path) -> str:
    """A configuration that knows its modems by IMEI alone."""
    text = config_text(folder / "state", {}).replace("[http]", f'search = ["{search}/*"]\n[http]')
    return text + "".join(f'[[modem]]\nname = "{name}"\nimei = "{imei}"\n' for name, imei in modems.items())
