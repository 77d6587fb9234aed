"""Empties the webhook outbox: one lane per target, one POST at a time in it, oldest first.

A delivery is done at a 2xx answer; everything else (a redirect too) is tried again by ``schedule``, and dead after the
last try. 410 Gone ends the target until the configuration is loaded again. What was posted but could not be noted is
posted again after a restart, with the same id: at least once.
"""

import asyncio
import logging
import random
import sqlite3
import traceback
from collections.abc import Callable, Sequence

from modemgw.seams import Clock, Ids, crash_point
from modemgw.store import deliveries, events
from modemgw.store.database import Database
from modemgw.store.deliveries import Delivery
from modemgw.store.errors import StoreError
from modemgw.webhooks import payload, schedule
from modemgw.webhooks.sender import AiohttpSender, Sender, SendFailed
from modemgw.webhooks.target import WebhookTarget

POST_S = 10.0
_BATCH = 20
_LONGEST_NAP_S = 60.0  # however the clock is set meanwhile
_STORE_NAP_S = 5.0
_NTP_S = 600.0  # how long a machine without a battery clock may take to learn the time
_GONE = 410
log = logging.getLogger(__name__)


class Dispatcher:
    """``register`` before the first event, then ``run`` until cancelled; ``wake`` when there may be news."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        rng: random.Random,
        targets: Sequence[WebhookTarget],
        *,
        sender: Sender | None = None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._rng = rng
        self._ids = Ids(clock, rng)
        self._targets = tuple(targets)
        self._sender = sender or AiohttpSender()
        self._news = {target.id: asyncio.Event() for target in self._targets}

    async def register(self) -> None:
        """Makes these targets the ones that events fan out to; whatever was disabled before is tried again."""
        rows = [(target.id, target.url, target.events) for target in self._targets]
        await self._db.write(lambda cur: deliveries.set_targets(cur, rows))

    def wake(self) -> None:
        """Something was announced."""
        for news in self._news.values():
            news.set()

    async def run(self) -> None:
        """Delivers until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for target in self._targets:
                    group.create_task(self._lane(target), name=f"webhook-{target.id}")
                await asyncio.get_running_loop().create_future()
        finally:
            await self._sender.close()

    async def _lane(self, target: WebhookTarget) -> None:
        """A fault in one lane ends neither the lane nor the others."""
        await self._wait_for_the_time()
        while True:
            try:
                return await self._deliver_all(target)
            except Exception as error:  # noqa: BLE001 - whatever it is, the outbox is still there
                trace = "".join(traceback.format_tb(error.__traceback__))
                log.error("webhook %s: %s; going on in a moment\n%s", target.shown, type(error).__name__, trace)
                await asyncio.sleep(_STORE_NAP_S)

    async def _deliver_all(self, target: WebhookTarget) -> None:
        """Returns when the target is gone for good."""
        while True:
            self._news[target.id].clear()
            due, next_ms = await self._db.read(lambda cur: self._look(cur, target))
            for delivery in due:
                if not await self._deliver(target, delivery):
                    return
            if not due:
                await self._nap(target, next_ms)

    def _look(self, cur: sqlite3.Cursor, target: WebhookTarget) -> tuple[list[Delivery], int | None]:
        """What may go now, and else when to look again."""
        now_ms = self._clock.wall_ms()
        due = deliveries.due(cur, target.id, now_ms, _BATCH)
        next_ms = None if due else deliveries.next_due_ms(cur, target.id)
        if next_ms is not None and next_ms > now_ms + schedule.LONGEST_MS:
            # No try was ever put off that far: the clock was set back since. Don't wait for it to catch up.
            due = deliveries.due(cur, target.id, next_ms, _BATCH)
        return due, next_ms

    async def _nap(self, target: WebhookTarget, next_ms: int | None) -> None:
        seconds = _LONGEST_NAP_S
        if next_ms is not None:
            seconds = min(seconds, max(0.0, (next_ms - self._clock.wall_ms()) / 1000))
        try:
            async with asyncio.timeout(seconds):
                await self._news[target.id].wait()
        except TimeoutError:
            pass

    async def _deliver(self, target: WebhookTarget, delivery: Delivery) -> bool:
        """One try, noted whatever came of it; False when the target is gone for good."""
        content = payload.body(delivery)
        headers = payload.headers(
            delivery,
            content,
            secret=target.secret,
            now_ms=self._clock.wall_ms(),
            clock_trusted=self._clock.trusted(),
        )
        status: int | None = None
        crash_point("before_webhook")
        try:
            async with asyncio.timeout(POST_S):
                status = await self._sender.post(target, headers, content)
            error = f"The webhook's host answered {status}."
        except TimeoutError:
            error = f"The webhook's host did not answer within {POST_S:.0f} s."
        except SendFailed as failure:
            error = str(failure)
        crash_point("after_webhook")
        await self._note(self._outcome(target, delivery, status, error))
        if status == _GONE:
            self.wake()  # the others may want to know
        return status != _GONE

    def _outcome(
        self, target: WebhookTarget, delivery: Delivery, status: int | None, error: str
    ) -> Callable[[sqlite3.Cursor], None]:
        """What to write; everything that is decided is decided once, however often the writing is tried."""
        now_ms = self._clock.wall_ms()
        if status is not None and 200 <= status < 300:
            return lambda cur: deliveries.succeeded(cur, delivery.id, now_ms, status)
        if status == _GONE:
            log.warning("webhook %s says that it is gone (410): nothing more is sent to it", target.shown)
            return lambda cur: self._disable(cur, target, now_ms, error)
        next_ms = schedule.next_ms(delivery.attempts + 1, now_ms, self._rng)
        again = "given up" if next_ms is None else f"again in {(next_ms - now_ms) // 1000} s"
        log.warning("webhook %s, %s: %s (%s)", target.shown, delivery.event_id, error, again)
        return lambda cur: deliveries.failed(cur, delivery.id, now_ms, error, status, next_ms)

    def _disable(self, cur: sqlite3.Cursor, target: WebhookTarget, now_ms: int, reason: str) -> None:
        deliveries.disable_target(cur, target.id, now_ms, reason)
        stamp = events.Stamp(now_ms, self._ids.new())
        events.announce(cur, stamp, "webhook.disabled", {"id": target.id, "url": target.shown, "reason": reason})

    async def _note(self, unit: Callable[[sqlite3.Cursor], None]) -> None:
        """Writes until it is written: looking at the outbox before would post the same thing again and again."""
        while True:
            try:
                await self._db.write(unit)
            except StoreError as error:
                log.error("a webhook's outcome can't be noted yet: %s", error)
                await asyncio.sleep(_STORE_NAP_S)
            else:
                return

    async def _wait_for_the_time(self) -> None:
        """Receivers refuse old times, so signing waits a while for a machine that does not know the time yet."""
        until = self._clock.monotonic() + _NTP_S
        while not self._clock.trusted() and self._clock.monotonic() < until:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(_STORE_NAP_S)
