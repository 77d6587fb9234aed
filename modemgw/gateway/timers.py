"""What happens because a time has come: retries, scheduled messages, expiry, uncertain attempts.

One loop that sleeps until the next of these is due. While the wall clock can't be right nothing expires.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable

from modemgw.domain.message import CLASSES
from modemgw.gateway.context import Context
from modemgw.store import attempts, outbox, outcomes, queue
from modemgw.store.attempts import Attempt
from modemgw.store.errors import StoreError

log = logging.getLogger(__name__)
_LONGEST_SLEEP_S = 60.0


class Timers:
    """``run`` until cancelled; ``poke`` when something with a time was stored."""

    def __init__(self, context: Context, wake_senders: Callable[[], None]) -> None:
        self._context = context
        self._wake_senders = wake_senders
        self._poked = asyncio.Event()

    def poke(self) -> None:
        """Something may be due earlier than was known."""
        self._poked.set()

    async def run(self) -> None:
        """Forever; a fault of the store is logged and tried again."""
        while True:
            self._poked.clear()
            try:
                sleep_s = await self._work()
            except StoreError as problem:
                log.error("Timers wait for the store: %s", problem)
                sleep_s = 5.0
            try:
                async with asyncio.timeout(sleep_s):
                    await self._poked.wait()
            except TimeoutError:
                pass

    async def _work(self) -> float:
        """Does what is due, and returns the seconds until something is due again."""
        context = self._context
        await context.clock_steps.follow()
        now_ms = context.clock.wall_ms()
        due = await context.db.read(lambda cur: _next_ms(cur, trusted=context.clock.trusted()))
        if due is not None and due <= now_ms:
            await context.commit(self._settle)
            self._wake_senders()
            return 0.0
        return _LONGEST_SLEEP_S if due is None else min(_LONGEST_SLEEP_S, (due - now_ms) / 1000)

    def _settle(self, cur: sqlite3.Cursor) -> None:
        context = self._context
        queue.promote_due(cur, context.stamp())
        if context.clock.trusted():
            outbox.expire(cur, context.stamp())
        for attempt in attempts.undecided(cur, context.clock.wall_ms()):
            decide(cur, context, attempt)


def decide(cur: sqlite3.Cursor, context: Context, attempt: Attempt) -> None:
    """The window of an uncertain attempt is over without proof: one more copy if its class allows, else unknown."""
    expired = attempt.expires_ms <= context.clock.wall_ms()
    allowed = attempt.on_uncertain == "resend" and attempt.resends < max(1, CLASSES[attempt.class_].resends)
    if attempt.newest and allowed and not expired:
        outcomes.resend(cur, context.stamp(), attempt)
    else:
        outcomes.give_up_proof(cur, context.stamp(), attempt)


def _next_ms(cur: sqlite3.Cursor, *, trusted: bool) -> int | None:
    times = [queue.next_due_ms(cur), attempts.next_decision_ms(cur), outbox.next_expiry_ms(cur) if trusted else None]
    return min((each for each in times if each is not None), default=None)
