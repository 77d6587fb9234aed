"""SIGHUP: the configuration is read again, all or nothing.

What can change while messages are under way does: ``[policy]``, ``[[sim]]``, ``[[route]]``, ``[[webhook]]`` and
``[alerts]``. Other keys that have changed are named in the log: they need a restart. A file with mistakes changes
nothing.
"""

import asyncio
import logging
import os
from collections.abc import Callable

from modemgw import sdnotify
from modemgw.app.settings import gateway_settings
from modemgw.config import Config, ConfigErrors, load
from modemgw.gateway.gateway import Gateway
from modemgw.webhooks.dispatcher import Dispatcher

log = logging.getLogger(__name__)
_FIXED = ("gateway", "http", "modems")


class Reloader:
    """Runs the webhooks' dispatcher, and replaces it and the settings when told to."""

    def __init__(self, gateway: Gateway, config: Config, make_dispatcher: Callable[[Config], Dispatcher]) -> None:
        self._gateway = gateway
        self._config = config
        self._make_dispatcher = make_dispatcher
        self._dispatcher = make_dispatcher(config)
        self._hangup = asyncio.Event()

    def hang_up(self) -> None:
        """SIGHUP came."""
        self._hangup.set()

    def wake(self) -> None:
        """Something was announced."""
        self._dispatcher.wake()

    async def register(self) -> None:
        """Before the first event."""
        await self._dispatcher.register()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            running = asyncio.create_task(self._dispatcher.run())
            try:
                await self._wait(running)
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
            self._dispatcher = self._make_dispatcher(self._config)
            await self._dispatcher.register()

    async def _wait(self, running: "asyncio.Task[None]") -> None:
        """Returns when other webhooks are configured; raises when the dispatcher has failed."""
        while True:
            hangup = asyncio.create_task(_wait_for(self._hangup))
            await asyncio.wait([hangup, running], return_when=asyncio.FIRST_COMPLETED)
            hangup.cancel()
            if running.done():
                running.result()
            self._hangup.clear()
            if await self._reload():
                return

    async def _reload(self) -> bool:
        """True when the webhooks have changed."""
        before = self._config
        sdnotify.notify("RELOADING=1")
        try:
            after = load(before.file, os.environ, state_dir=before.gateway.state_dir)
        except ConfigErrors as error:
            log.error("The configuration has mistakes, so nothing was changed. %s", error)
            return False
        finally:
            sdnotify.notify("READY=1")
        for section in _FIXED:
            if getattr(before, section) != getattr(after, section):
                log.warning("[%s] has changed: that takes effect at the next start.", section.rstrip("s"))
        self._config = after
        await self._gateway.change_settings(gateway_settings(after))
        log.info("The configuration was read again.")
        return before.webhooks != after.webhooks


async def _wait_for(event: asyncio.Event) -> None:
    await event.wait()
