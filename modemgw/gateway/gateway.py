"""The gateway as its surfaces see it: one object, one method for each thing that can be asked of it.

Errors are those of domain/errors.py. Messages come back in the shape of the API, as they are on disk.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar

from modemgw.domain.errors import Conflict, DiskFull, NotFound, StoreUnavailable
from modemgw.domain.message import Order
from modemgw.domain.route import route_for
from modemgw.domain.states import FINAL_STATUSES
from modemgw.gateway import accept, batch, describe, recovery, ussd
from modemgw.gateway.alerts import Alerts
from modemgw.gateway.balance import Balances
from modemgw.gateway.context import Context, GatewaySettings
from modemgw.gateway.fleet import Fleet, Line
from modemgw.gateway.heartbeat import Heartbeat
from modemgw.gateway.timers import Timers
from modemgw.gateway.upkeep import Upkeep
from modemgw.modem.errors import ModemError, UnlockFailed, UssdFailed
from modemgw.modem.states import ModemState
from modemgw.store import inbox, outbox, queue, sims, views
from modemgw.store.database import Database
from modemgw.store.errors import StaleState, StoreError, StoreFull

log = logging.getLogger(__name__)
T = TypeVar("T")


class Gateway:
    """Built by ``app``; ``run`` until ``stop``."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.fleet = Fleet(context)
        self._timers = Timers(context, self.fleet.wake)
        self._upkeep = Upkeep(context)
        self._alerts = Alerts(context, self.fleet)
        self._balances = Balances(context, self.fleet)
        context.wake = self._wake
        self._stopping = False

    @property
    def db(self) -> Database:
        return self.context.db

    async def start(self) -> None:
        """Books what a crash cut off; call before ``run``."""
        await self.context.clock_steps.begin()
        cut_off = await recovery.recover(self.context)
        await batch.finish(self.context)
        await self.context.commit(self._sort_anew)
        if cut_off:
            log.warning("%d segments were being sent when the service last ended; looking for proof", cut_off)
        for name in await self.db.read(sims.disabled_modems):
            if name in self.fleet.lines:
                await self.fleet.lines[name].supervisor.disable()

    def _sort_anew(self, cur: sqlite3.Cursor) -> None:
        """The routing rules may be others than when the waiting messages were accepted."""
        routes = self.context.settings.routes
        queue.sort_anew(cur, {each.prefix for each in routes}, lambda peer: route_for(peer, routes).prefix)

    async def run(self) -> None:
        """The modems and the timers, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._timers.run(), name="timers")
            if self.context.settings.heartbeat_s:
                beat = Heartbeat(self.context, self.fleet, self.context.settings.heartbeat_s)
                group.create_task(beat.run(), name="heartbeat")
            group.create_task(self._upkeep.run(), name="upkeep")
            group.create_task(self._alerts.run(), name="alerts")
            group.create_task(self._balances.run(), name="balances")
            group.create_task(self.fleet.run(), name="fleet")

    async def change_settings(self, settings: GatewaySettings) -> None:
        """Other limits, rules and alerts, for everything that has not been handed to a modem yet."""
        learnt = self.context.settings.destinations.home_country
        self.context.settings = settings
        self.context.learn_home(learnt)
        await self.context.commit(self._sort_anew)

    async def stop(self) -> None:
        """Begins nothing new and waits for the answers that are due; then ``run`` may be cancelled."""
        self._stopping = True
        self._balances.stop()
        await self.fleet.stop()

    # Messages

    async def submit(
        self, order: Order, *, key_id: str, idempotency_key: str | None = None, fingerprint: bytes | None = None
    ) -> list[views.Json]:
        """Accepts an order; the messages come back after the commit. Raises Rejected, KeyReused, StoreUnavailable."""
        if self._stopping:
            raise StoreUnavailable("The gateway is stopping: nothing was accepted. Try again in a moment.")
        accepted = await _stored(accept.accept(
            self.context, order, key_id=key_id, idempotency_key=idempotency_key, fingerprint=fingerprint
        ))  # fmt: skip
        self._wake()
        return accepted

    def _wake(self) -> None:
        """Something may be sent, or is due, that was not before."""
        self._timers.poke()
        self.fleet.wake()

    def preview(self, order: Order) -> views.Json:
        """What sending this would take. Raises Rejected."""
        return accept.preview(self.context, order)

    async def message(self, message_id: str, *, short: bool = True) -> views.Json:
        """One message with its timeline. Raises NotFound. ``short`` as for the store: False where many ask at once."""
        body, line = await _stored(self.db.read(
            lambda cur: (views.message(cur, message_id, full=True), queue.line_of(cur, message_id)), short=short
        ))  # fmt: skip
        if body is None:
            raise NotFound("message with this id")
        if line is not None and body["sim"] is None and body["status"] in ("queued", "scheduled"):
            describe.prospects(body, self.fleet.pool.prospects(*line))
        return body

    async def wait_final(self, message_id: str, seconds: float) -> views.Json:
        """The message as soon as its status is final, or as it is after ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    news = asyncio.ensure_future(self.context.bus.next())
                    try:
                        body = await self.message(message_id, short=False)
                        if body["direction"] == "inbound" or body["status"] in FINAL_STATUSES:
                            return body
                        await news
                    finally:
                        news.cancel()
        except TimeoutError:
            return await self.message(message_id)

    async def cancel(self, message_id: str) -> views.Json:
        """Raises NotFound, or Conflict when a modem may already have it."""
        return await self._change(message_id, lambda cur: outbox.cancel(cur, self.context.stamp(), message_id))

    async def release(self, message_id: str) -> views.Json:
        """Frees a held message. Raises NotFound, Conflict."""
        return await self._change(message_id, lambda cur: outbox.release(cur, self.context.stamp(), message_id))

    async def resolve(self, message_id: str, outcome: str) -> views.Json:
        """Closes an unknown message as ``sent`` or ``failed``. Raises NotFound, Conflict."""
        return await self._change(
            message_id, lambda cur: outbox.resolve(cur, self.context.stamp(), message_id, outcome)
        )

    async def resend(self, message_id: str, *, key_id: str) -> views.Json:
        """A new message with the same content that says which one it repeats. Raises NotFound, Conflict."""
        order = await _stored(self.db.read(lambda cur: outbox.order_of(cur, message_id), short=True))
        if order is None:
            raise NotFound("outbound message with this id")
        body = await self.message(message_id)
        if body["status"] not in (*FINAL_STATUSES, "sent"):
            raise Conflict(
                "not_finished", f"The message is still {body['status']}: it can be sent again once it has ended."
            )
        accepted = await _stored(accept.accept(self.context, order, key_id=key_id, resend_of=message_id))
        self.fleet.wake()
        return accepted[0]

    async def erase(self, message_id: str) -> None:
        """Deletes a message that has ended, with its content. Raises NotFound, Conflict.

        Nothing of it is left in the database's files then; the daily backups hold it until they are a week old.
        """
        await self._commit(lambda cur: outbox.erase(cur, message_id))
        if not await self.db.scrub():
            self._upkeep.scrub_soon()

    async def mark_read(self, message_id: str) -> views.Json:
        """Marks an inbound message as read. Raises NotFound."""
        now_ms = self.context.clock.wall_ms()
        if not await self._commit(lambda cur: inbox.mark_read(cur, message_id, now_ms)):
            raise NotFound("received message with this id")
        return await self.message(message_id)

    # Modems and SIMs

    def modems(self) -> list[views.Json]:
        """Every modem, in the order of the configuration."""
        return [describe.modem(line, self.context) for line in self.fleet.lines.values()]

    def modem(self, name: str) -> views.Json:
        """One modem. Raises NotFound."""
        return describe.modem(self._line(name), self.context)

    async def sims(self) -> list[views.Json]:
        """Every SIM that was ever seen, with its limits."""
        return await _stored(self.db.read(lambda cur: describe.sims(cur, self.context, self.fleet)))

    async def enable(self, name: str) -> views.Json:
        """Uses a modem again, also over restarts. Raises NotFound."""
        line = self._line(name)
        await _stored(self.context.commit(lambda cur: sims.set_enabled(cur, name, enabled=True)))
        await line.supervisor.enable()
        return self.modem(name)

    async def disable(self, name: str) -> views.Json:
        """Leaves a modem alone, also over restarts, after what it is sending now. Raises NotFound."""
        line = self._line(name)
        await _stored(self.context.commit(lambda cur: sims.set_enabled(cur, name, enabled=False)))
        await line.supervisor.disable()
        return self.modem(name)

    async def reset(self, name: str) -> views.Json:
        """Restarts the modem itself. Raises NotFound, Conflict."""
        await _driven(self._line(name).supervisor.reset())
        return self.modem(name)

    async def unlock(self, name: str, pin: str) -> views.Json:
        """Gives a SIM its PIN on an operator's word. Raises NotFound, Conflict (with the tries that are left)."""
        await _driven(self._line(name).modem.unlock(pin))
        return self.modem(name)

    async def ussd(self, name: str, code: str, *, keep_open: bool) -> views.Json:
        """Asks the network by USSD, as for the balance. Raises NotFound, Conflict."""
        return await _driven(ussd.ask(self._line(name).modem, code, keep_open=keep_open))

    def readiness(self) -> list[dict[str, str]]:
        """Why the gateway can't do its work now; empty when it can."""
        if self.db.room is not None and self.db.room.low():
            return [{"code": "disk_full", "text": DiskFull().text}]
        states = [line.modem.state for line in self.fleet.lines.values()]
        if ModemState.REGISTERED in states:
            return []
        if not states:
            return [{"code": "no_modem", "text": "No modem is configured or plugged in."}]
        return [
            {"code": "modem_not_registered", "text": f"{name}: {line.modem.detail}"}
            for name, line in self.fleet.lines.items()
        ]

    def _line(self, name: str) -> Line:
        try:
            return self.fleet.lines[name]
        except KeyError:
            raise NotFound("modem with this name") from None

    async def _change(self, message_id: str, unit: Callable[[sqlite3.Cursor], object]) -> views.Json:
        await self._commit(unit)
        self._timers.poke()
        self.fleet.wake()
        return await self.message(message_id)

    async def _commit(self, unit: Callable[[sqlite3.Cursor], T]) -> T:
        try:
            return await _stored(self.context.commit(unit))
        except KeyError:
            raise NotFound("message with this id") from None
        except StaleState as error:
            raise Conflict("wrong_status", f"This is not possible for a message that is {error}.") from None


async def _stored(work: Awaitable[T]) -> T:
    """Translates the store's troubles into what a caller may be told."""
    try:
        return await work
    except StoreFull:
        raise DiskFull from None
    except StaleState:
        raise
    except StoreError as error:
        raise StoreUnavailable(str(error)) from error


async def _driven(work: Awaitable[T]) -> T:
    try:
        return await work
    except UnlockFailed as error:
        left = "" if error.tries_left is None else f" Tries left: {error.tries_left}."
        raise Conflict("unlock_failed", error.text + left) from None
    except UssdFailed as error:
        raise Conflict("ussd_failed", error.text) from None
    except ModemError as error:
        raise Conflict("modem_not_ready", error.text) from None
