"""How an accepted request gets into the store (C1): at once, or in chunks of a batch where it is long.

All or nothing either way: a long request is promised by the one commit that accepts its batch. Until then nobody sees
its messages, and a crash deletes them; after it a crash delays them, and the next start finishes what is left. Chunks
of different requests take turns, so that a sender's intent or outcome never waits for more than one of them.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from modemgw.domain.errors import Conflict, KeyReused, Problem, Rejected
from modemgw.domain.message import Order
from modemgw.domain.route import route_named
from modemgw.gateway.context import Context
from modemgw.store import acceptance, idempotency, sims, views
from modemgw.store.acceptance import Draft, Recipient, Stored
from modemgw.store.errors import StoreError

CHUNK = 250  # messages in one transaction


@dataclass(frozen=True, slots=True)
class Once:
    """A client's Idempotency-Key, and the fingerprint of the request that it came with."""

    key_id: str
    idempotency_key: str
    fingerprint: bytes

    def earlier(self, cur: sqlite3.Cursor) -> list[str] | None:
        """The messages of the same request, if it came before. Raises KeyReused for another one."""
        earlier = idempotency.find(cur, self.key_id, self.idempotency_key)
        if earlier is None:
            return None
        if earlier.fingerprint != self.fingerprint:
            raise KeyReused
        return earlier.message_ids


class _Repeated(Exception):
    """The request was accepted before: nothing is stored again."""

    def __init__(self, message_ids: list[str]) -> None:
        self.message_ids = message_ids


class Request:
    """One request on its way into the store."""

    def __init__(
        self, context: Context, order: Order, draft: Draft, recipients: Sequence[Recipient], once: Once | None
    ) -> None:
        self._context = context
        self._order = order
        self._draft = draft
        self._recipients = recipients
        self._once = once

    async def at_once(self) -> list[views.Json]:
        """One transaction; the messages in the shape of the API."""

        def unit(cur: sqlite3.Cursor) -> Stored:
            self._claim(cur)
            return acceptance.enqueue(cur, self._context.stamp(), self._draft, self._recipients, self._sim_id(cur))

        try:
            return (await self._context.commit(unit)).bodies
        except _Repeated as repeated:
            return await self._read(repeated.message_ids)

    async def in_chunks(self) -> list[views.Json]:
        """Several transactions, of which one is the promise. Raises Conflict while the same request is under way."""
        running = self._context.running
        name = (self._once.key_id, self._once.idempotency_key) if self._once else None
        if name is not None and name in running:
            raise Conflict("still_running", "The same request is being worked on at this moment: ask again.")
        if name is not None:
            running[name] = None
        task = asyncio.create_task(self._in_chunks(), name="batch")  # it ends as a whole, whoever still waits for it
        task.add_done_callback(lambda _: running.pop(name, None) if name else None)
        try:
            return await asyncio.shield(task)
        except _Repeated as repeated:
            return await self._read(repeated.message_ids)

    async def _in_chunks(self) -> list[views.Json]:
        context = self._context
        batch_id = 0
        bodies: list[views.Json] = []
        texts: dict[int, str] = {}
        last = (len(self._recipients) - 1) // CHUNK * CHUNK
        try:
            for first in range(0, len(self._recipients), CHUNK):

                def unit(cur: sqlite3.Cursor, first: int = first, batch_id: int = batch_id) -> tuple[int, Stored]:
                    if self._once is not None and first == 0 and (earlier := self._once.earlier(cur)) is not None:
                        raise _Repeated(earlier)
                    sim_id = self._sim_id(cur)
                    number = batch_id or acceptance.open_batch(cur)
                    chunk = self._recipients[first : first + CHUNK]
                    stored = acceptance.enqueue(cur, context.stamp(), self._draft, chunk, sim_id, number)
                    if first == last:
                        self._claim(cur)
                        acceptance.accept_batch(cur, number)
                    return number, stored

                async with context.bulk:
                    batch_id, stored = await context.commit(unit)
                bodies += stored.bodies
                texts |= zip(stored.seqs, stored.texts, strict=True)
        except Exception:
            if batch_id:
                with contextlib.suppress(StoreError):  # what stays is deleted at the next start
                    await drop(context, batch_id)
            raise
        await activate(context, batch_id, texts)
        return bodies

    def _claim(self, cur: sqlite3.Cursor) -> None:
        """Binds the Idempotency-Key to these messages. Raises _Repeated, KeyReused."""
        once = self._once
        if once is None:
            return
        earlier = once.earlier(cur)
        if earlier is not None:
            raise _Repeated(earlier)
        idempotency.save(
            cur,
            key_id=once.key_id,
            idempotency_key=once.idempotency_key,
            fingerprint=once.fingerprint,
            message_ids=[each.id for each in self._recipients],
            now_ms=self._context.clock.wall_ms(),
        )

    def _sim_id(self, cur: sqlite3.Cursor) -> int | None:
        """The SIM that was asked for. Raises Rejected where there is none, or the rules never allow it."""
        if self._order.sim is None:
            self._check_routes(cur)
            return None
        row = sims.find(cur, self._order.sim)
        if row is None:
            text = "No SIM has this name, ICCID or number (or more than one has): GET /v1/sims lists them."
            raise Rejected(Problem("sim", "unknown_sim", text))
        context = self._context
        known = context.settings.sims.get(row["iccid"] or "")
        names = (row["name"], row["iccid"], row["number"])
        for prefix in dict.fromkeys(each.prefix for each in self._recipients):
            if not route_named(prefix, context.settings.routes).allows(names, known.tags if known else ()):
                text = f"The rule for {prefix or 'all numbers'} does not allow this SIM."
                raise Rejected(Problem("sim", "sim_not_allowed", text))
        return int(row["sim_id"])

    def _check_routes(self, cur: sqlite3.Cursor) -> None:
        """Some configured or known SIM must be allowed to write to each number, whether or not it is there now."""
        settings = self._context.settings
        if not settings.routes:
            return
        dead = {
            route.prefix
            for route in settings.routes
            if not (
                any(route.allows((sim.name, sim.iccid, sim.number), sim.tags) for sim in settings.sims.values())
                or any(
                    route.allows((row["name"], row["iccid"], row["number"]), ())
                    for row in views.sims(cur)
                )
            )
        }  # fmt: skip
        problems = [
            Problem(
                f"to.{index}" if self._order.many else "to",
                "no_sim_for_number",
                f"The rule for {each.prefix or 'all numbers'} leaves no SIM that could send this.",
            )
            for index, each in enumerate(self._recipients)
            if each.prefix in dead
        ]
        if problems:
            raise Rejected(*problems)

    async def _read(self, message_ids: Sequence[str]) -> list[views.Json]:
        def query(cur: sqlite3.Cursor) -> list[views.Json]:
            bodies = (views.message(cur, each) for each in message_ids)
            return [body for body in bodies if body is not None]

        return await self._context.db.read(query)


async def activate(context: Context, batch_id: int, texts: dict[int, str] | None = None) -> None:
    """The messages of an accepted batch join the queue, chunk by chunk."""
    more = True
    while more:

        def unit(cur: sqlite3.Cursor) -> bool:
            return acceptance.activate(cur, context.stamp(), batch_id, CHUNK, texts or {})

        async with context.bulk:
            more = await context.commit(unit)


async def drop(context: Context, batch_id: int) -> None:
    """Nothing of a request that was not accepted stays, chunk by chunk."""
    more = True
    while more:
        async with context.bulk:
            more = await context.commit(
                lambda cur: acceptance.drop_batch(cur, context.stamp(), batch_id, CHUNK)
            ) > 0  # fmt: skip


async def finish(context: Context) -> None:
    """At start, before anything is sent: what a crash cut off is completed or undone."""
    for batch_id, accepted in await context.db.read(acceptance.batches):
        await (activate(context, batch_id) if accepted else drop(context, batch_id))
