"""Which modems there are: the configured ones, those that are plugged in, and simulated ones."""

import asyncio
import functools
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modemgw.config import Config
from modemgw.gateway.finder import Finder
from modemgw.gateway.gateway import Gateway
from modemgw.modem.settings import ModemSettings
from modemgw.port import discovery
from modemgw.port.hotplug import Hotplug
from modemgw.port.opener import Connect
from modemgw.seams import Clock

if TYPE_CHECKING:
    from modemgw.emulator.lab import Lab

log = logging.getLogger(__name__)
EMULATOR = "emulator:"


@dataclass(frozen=True, slots=True)
class Options:
    """How ``run`` was called. ``interactive``: somebody reads standard output, and gets the first key there."""

    simulate: int = 0
    simulate_if_empty: bool = False
    interactive: bool = False


def add_modems(gateway: Gateway, config: Config, options: Options, clock: Clock, rng: random.Random) -> "Lab | None":
    """The configured modems, and the simulated ones that were asked for; `make_finder` finds the others."""
    wanted = list(config.modem_settings())
    names = [each.port.removeprefix(EMULATOR) for each in wanted if each.port.startswith(EMULATOR)]
    none = not wanted and not discovery.find(search=config.gateway.search)
    count = options.simulate or (2 if options.simulate_if_empty and none else 0)
    for number in range(1, count + 1):
        names.append(f"simulated-{number}")
        wanted.append(ModemSettings(name=names[-1], port=EMULATOR + names[-1]))
    lab = _lab(names, clock, rng) if names else None
    for settings in wanted:
        simulated = settings.port.startswith(EMULATOR)
        gateway.fleet.add(settings, connect=_connector(lab) if simulated else None, simulated=simulated)
    return lab


def make_finder(gateway: Gateway, config: Config, stack: AsyncExitStack) -> Finder | None:
    """Who looks for modems without a port; without any ``[[modem]]`` for all, but not beside simulated ones."""
    lines = gateway.fleet.lines.values()
    if lines and all(line.modem.settings.port for line in lines):
        return None
    search = config.gateway.search
    changes = Hotplug(links=bool(search))
    stack.callback(changes.close)
    log.info("Looking for modems; what is plugged in later is %s.", changes.reason)
    template = None if config.modems else ModemSettings(name="found", port="", pins=config.pins())
    return Finder(gateway.fleet, changes, functools.partial(discovery.find, search=search), template=template)


def _lab(names: Sequence[str], clock: Clock, rng: random.Random) -> "Lab":
    from modemgw.emulator.lab import Lab  # noqa: PLC0415 - a box with real modems does not load it

    lab = Lab(clock, rng, latency=(0.2, 0.6), report_delay=(0.3, 1.0))
    for name in dict.fromkeys(names):
        lab.add(name)
    return lab


def _connector(lab: "Lab | None") -> Connect:
    from modemgw.emulator.transport import connect_port  # noqa: PLC0415 - as above

    assert lab is not None
    return functools.partial(_connect_simulated, lab, connect_port)


async def _connect_simulated(
    lab: "Lab",
    connect_port: Callable[["Lab", str, asyncio.Protocol], Awaitable[asyncio.Transport]],
    path: str,
    protocol: asyncio.Protocol,
) -> asyncio.Transport:
    return await connect_port(lab, path.removeprefix(EMULATOR), protocol)
