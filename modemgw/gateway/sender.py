"""One SIM's sending loop, and one of the two doors where money or messages can be lost.

Choose and lease (in memory) -> ``AT+CMGS`` -> prompt -> C2 committed -> PDU and Ctrl-Z -> answer -> C3 committed.
Before Ctrl-Z everything can be taken back; after it only an answer or proof says what happened, and the absence of
both is recorded as uncertain, never repeated by this loop.

After a good answer the outcome is written down (C3) while the next message is chosen and its ``AT+CMGS`` runs up to
the prompt: the radio waits for one commit instead of two. Its C2 is never committed before that C3; a bad answer is
written down before anything else happens.
"""

import asyncio
import logging
import sqlite3

from modemgw.at.cms import may_be_credit, meaning
from modemgw.domain.message import CLASSES, URGENT_LANES
from modemgw.domain.msisdn import InvalidRecipient
from modemgw.gateway import credit, limits, reports, retry
from modemgw.gateway.context import Context
from modemgw.gateway.errors import error
from modemgw.gateway.handover import SubmitPort, pdu_of
from modemgw.gateway.limits import Hold
from modemgw.gateway.pool import Choice, Pool
from modemgw.gateway.rest import Rest
from modemgw.modem.errors import SubmitFailed, SubmitFailure
from modemgw.pdu.errors import PduError
from modemgw.seams import crash_point
from modemgw.store import attempts, outcomes, queue
from modemgw.store.attempts import Intent
from modemgw.store.errors import StaleState, StoreError, StoreFull
from modemgw.store.queue import Outgoing

log = logging.getLogger(__name__)
_STORE_PAUSE_S = 5.0


class Stopping(Exception):
    """The service is stopping: nothing new is handed to a modem."""


class Sender:
    """Sends for one SIM in one modem until ``stop``. The SIM has joined the pool."""

    def __init__(self, context: Context, modem: SubmitPort, sim_id: int, pool: Pool) -> None:
        self._context = context
        self._modem = modem
        self._sim_id = sim_id
        self._pool = pool
        self._rest = Rest(context, pool, sim_id)
        self.between = asyncio.Lock()  # held while a message is sent; whoever else holds it is not in the middle of one
        self._stopping = False
        self._shown: Hold | None = None
        self._sending: int | None = None  # the message that is being sent
        self._booking: asyncio.Task[None] | None = None  # C3 of the segment before
        self._booked_seq: int | None = None
        self._going_on: Outgoing | None = None  # it was accepted, and its message goes on

    def wake(self) -> None:
        """There may be something to send."""
        self._rest.wake.set()

    def stop(self) -> None:
        """Begin nothing new; ``run`` returns when the segment under way has its outcome on disk."""
        self._stopping = True
        self._rest.wake.set()

    async def run(self) -> None:
        """Until ``stop``. A fault of the store pauses this SIM and goes on by itself."""
        paused = False
        while not self._stopping:
            self._rest.wake.clear()
            try:
                async with self.between:
                    busy = await self._send_next()
                    while self._going_on is not None and not self._stopping:
                        await self._send_next()
            except StoreError as problem:
                if not paused:
                    log.error("%s: sending pauses, the store does not take writes: %s", self._modem.name, problem)
                paused = True
                await asyncio.sleep(_STORE_PAUSE_S)
                continue
            paused = False
            if not busy and not self._stopping:
                await self._rest.until_woken()
        await self._booked()

    async def _send_next(self) -> bool:
        """Sends one segment, if there is one; False when there is nothing to do."""
        room = self._context.db.room
        if room is not None and room.spent():
            raise StoreFull("The disk is full: what is left is kept for the outcomes of what was begun.")
        if self._rest.pause_s() > 0:
            await self._booked()
            await self._show(self._rest.hold())
            await self._rest.until_woken(self._rest.pause_s())
            return True
        choice = await self._pool.choose(self._sim_id, self._going_on)
        outgoing = choice.outgoing
        try:
            await self._show(choice.hold)
        except BaseException:
            if outgoing is not None and choice.head is not None:
                self._pool.leased.discard(outgoing.message_seq)
            raise
        if outgoing is None:
            if self._booking is None:
                self._pool.members[self._sim_id].state.busy = False
                return False
            await self._booked()  # and what that sets free may be next
            return True
        self._pool.take(self._sim_id, choice)
        if outgoing.lane < URGENT_LANES:
            self._pool.wake()  # this SIM is busy from now on: the next urgent message is for another
        self._going_on = None
        self._sending = outgoing.message_seq
        try:
            await self._send(choice, outgoing)
        finally:
            self._sending = None
            if self._booked_seq != outgoing.message_seq:
                self._pool.leased.discard(outgoing.message_seq)
        return True

    async def _show(self, hold: Hold) -> None:
        """What holds this SIM back is told where it changed; others may have left messages for it."""
        before, self._shown = self._shown, hold
        if (hold.blocked, hold.urgent_only) != ((before.blocked, before.urgent_only) if before else (None, False)):
            await self._context.commit(lambda cur: limits.show(cur, self._sim_id, hold))
            self._pool.wake()

    async def _send(self, choice: Choice, outgoing: Outgoing) -> None:
        context = self._context
        token = context.ids.new()
        intent = Intent(
            token=token,
            message_seq=outgoing.message_seq,
            segment_id=outgoing.segment_id,
            seq=outgoing.seq,
            sim_id=self._sim_id,
            modem=self._modem.name,
            port=self._modem.port_path,
            boot_id=context.clock.boot_id,
            peer=outgoing.peer,
            resend=outgoing.resends > 0,
            route=self._pool.explain(self._sim_id, choice),
        )
        try:
            context.settings.check_country(outgoing.peer)
            pdu = pdu_of(outgoing, context.clock.wall_ms())
        except (PduError, InvalidRecipient) as problem:
            await self._refuse_ourselves(intent, problem)
            return

        taken_back = False

        async def intend() -> None:
            nonlocal taken_back
            taken_back = self._stopping
            if self._stopping:
                raise Stopping
            await self._booked()
            crash_point("before_c2")
            try:
                await self._intend(intent, outgoing)
            except StaleState:
                taken_back = True
                raise
            crash_point("after_c2")

        try:
            mr = await self._modem.submit(pdu.hex, pdu.tpdu_length, token=token, before_payload=intend)
        except SubmitFailed as failure:
            # Cancelled or expired at the last moment, at a limit, or we stop: nothing was written anywhere.
            if not taken_back:
                await self._failed(outgoing, token, failure)
        else:
            await self._accepted(outgoing, token, mr)

    async def _intend(self, intent: Intent, outgoing: Outgoing) -> None:
        context = self._context
        people = self._pool.members[self._sim_id].people

        def unit(cur: sqlite3.Cursor) -> None:
            attempts.intend(cur, context.stamp(), intent, expire=context.clock.trusted())
            limits.debit(cur, context, self._sim_id, outgoing.lane, outgoing.peer, people)

        await context.commit(unit, urgent=True, short=True)
        if people is not None:
            people.add(outgoing.peer)

    async def _accepted(self, outgoing: Outgoing, token: str, mr: int | None) -> None:
        context = self._context
        self._rest.answered()
        await self._booked()
        self._booked_seq = outgoing.message_seq
        self._booking = asyncio.create_task(
            self._write_down(lambda cur: reports.accepted(cur, context, token, mr, "answer"), short=True),
            name=f"outcome-{self._modem.name}",
        )
        self._going_on = outgoing if outgoing.seq < outgoing.parts else None
        if self._rest.is_back():
            await self._booked()
            await context.commit(self._rest.tell_back)

    async def _booked(self) -> None:
        """Returns once the outcome of the segment before is on disk."""
        if self._booking is None:
            return
        await asyncio.shield(self._booking)
        seq, self._booking, self._booked_seq, self._going_on = self._booked_seq, None, None, None
        if seq is not None and seq != self._sending:
            self._pool.leased.discard(seq)

    async def _failed(self, outgoing: Outgoing, token: str, failure: SubmitFailed) -> None:
        log.warning("%s: %s", self._modem.name, failure)
        self._rest.answered()
        if failure.kind is SubmitFailure.UNCERTAIN:
            await self._uncertain(outgoing, token, failure)
        elif failure.kind is SubmitFailure.NOT_SENT and failure.cms is None and failure.cme is None:
            await self._not_sent(outgoing, token, failure)
            return
        else:
            await self._refused(outgoing, token, failure)
        if self._rest.not_accepted(outgoing.peer, credit=may_be_credit(failure.cms)):
            await self._context.commit(self._rest.tell_out)

    async def _uncertain(self, outgoing: Outgoing, token: str, failure: SubmitFailed) -> None:
        context = self._context
        decide_ms = context.clock.wall_ms() + CLASSES[outgoing.class_].window_s * 1000
        problem = error("no_answer", failure.text, retryable=False, cms=failure.cms)
        await self._record(lambda cur: reports.uncertain(cur, context, token, problem, decide_ms))

    async def _not_sent(self, outgoing: Outgoing, token: str, failure: SubmitFailed) -> None:
        context = self._context
        decision = retry.after_not_sent(outgoing.attempts)
        due_ms = context.clock.wall_ms() + int((decision.after_s or 0) * 1000)
        unbind = decision.unbind and outgoing.unbindable

        def unit(cur: sqlite3.Cursor) -> None:
            if attempts.find(cur, token) is None:
                queue.put_off(cur, context.stamp(), outgoing.message_seq, failure.text, due_ms)
            else:
                outcomes.not_sent(cur, context.stamp(), token, failure.text, due_ms, unbind=unbind)

        await self._record(unit)

    async def _refused(self, outgoing: Outgoing, token: str, failure: SubmitFailed) -> None:
        context = self._context
        decision = retry.after_refusal(failure.policy, failure.cms, outgoing.failures)
        unbind = decision.unbind and outgoing.unbindable
        after_s = decision.after_s
        if unbind and outgoing.failures == 0 and self._pool.another_can(self._sim_id, outgoing.lane):
            after_s = 0.0  # another SIM need not wait until this one is well again
        retry_ms = None if after_s is None else context.clock.wall_ms() + int(after_s * 1000)
        code = meaning(failure.cms).code if failure.cms is not None else "modem_refused"
        problem = error(code, failure.text, retryable=failure.policy in ("T", "N"), cms=failure.cms)

        def unit(cur: sqlite3.Cursor) -> None:
            if attempts.find(cur, token) is None:
                # Refused before the prompt: the intent was never needed. Count it all the same, or it loops.
                outcomes.refused_early(cur, context.stamp(), outgoing, self._sim_id, problem, retry_ms=retry_ms,
                                       unbind=unbind)  # fmt: skip
            else:
                outcomes.refused(cur, context.stamp(), token, problem, retry_ms=retry_ms, unbind=unbind)
            if may_be_credit(failure.cms):
                credit.doubt(cur, context, self._sim_id)

        await self._record(unit)
        if unbind:
            self._pool.leased.discard(outgoing.message_seq)
            self._pool.wake()

    async def _refuse_ourselves(self, intent: Intent, problem: PduError | InvalidRecipient) -> None:
        context = self._context
        code = problem.code if isinstance(problem, InvalidRecipient) else "cannot_be_encoded"
        why = error(code, str(problem), retryable=False)
        await self._record(lambda cur: outcomes.fail(cur, context.stamp(), intent.message_seq, intent.segment_id, why))

    async def _record(self, unit: "reports.AnyUnit") -> None:
        """Writes an outcome down before anything else happens on this SIM."""
        await self._booked()
        await self._write_down(unit)

    async def _write_down(self, unit: "reports.AnyUnit", *, short: bool = False) -> None:
        """C3 must not be lost while we live: it is tried until the store takes it, and this SIM waits meanwhile."""
        crash_point("before_c3")
        while True:
            try:
                await self._context.commit(unit, urgent=True, short=short)
            except StaleState:
                raise
            except StoreError as problem:
                log.error("%s: an outcome can't be stored yet: %s", self._modem.name, problem)
                await asyncio.sleep(_STORE_PAUSE_S)
            else:
                crash_point("after_c3")
                return
