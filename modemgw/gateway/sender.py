"""One SIM's sending loop, and one of the two doors where money or messages can be lost.

Lease (in memory) -> ``AT+CMGS`` -> prompt -> C2 committed -> PDU and Ctrl-Z -> answer -> C3 committed -> next.
Before Ctrl-Z everything can be taken back; after it only an answer or proof says what happened, and the absence of
both is recorded as uncertain, never repeated by this loop.
"""

import asyncio
import logging
import sqlite3
from dataclasses import dataclass
from typing import Protocol

from modemgw.at.cms import meaning
from modemgw.domain.message import CLASSES
from modemgw.domain.msisdn import InvalidRecipient, check_country
from modemgw.gateway import limits, reports, retry, scheduler
from modemgw.gateway.context import Context
from modemgw.gateway.errors import error
from modemgw.modem.errors import SubmitFailed, SubmitFailure
from modemgw.pdu import envelope
from modemgw.pdu.address import Address
from modemgw.pdu.dcs import Encoding
from modemgw.pdu.errors import PduError
from modemgw.pdu.segment import submit_for
from modemgw.pdu.udh import Ports
from modemgw.pdu.validity import Relative
from modemgw.seams import crash_point
from modemgw.store import attempts, outcomes, queue
from modemgw.store.attempts import Intent
from modemgw.store.errors import StaleState, StoreError, StoreFull
from modemgw.store.queue import Outgoing

log = logging.getLogger(__name__)
_SHORTEST_VALIDITY_S = 300
_STORE_PAUSE_S = 5.0
_LIMIT_PAUSE_S = 30.0


class SubmitPort(Protocol):
    """What a sender needs of a modem."""

    name: str
    port_path: str

    async def submit(
        self, pdu_hex: str, tpdu_length: int, *, token: str, before_payload: "BeforePayload"
    ) -> int | None: ...


class BeforePayload(Protocol):
    """Called at the prompt; Ctrl-Z is written only after it returned."""

    async def __call__(self) -> None: ...


@dataclass(slots=True)
class Leases:
    """Messages that some sender is busy with, by row number; gone with the process."""

    held: set[int]


class Stopping(Exception):
    """The service is stopping: nothing new is handed to a modem."""


class Sender:
    """Sends for one SIM in one modem until ``stop``."""

    def __init__(self, context: Context, modem: SubmitPort, sim_id: int, leases: Leases) -> None:
        self._context = context
        self._modem = modem
        self._sim_id = sim_id
        self._leases = leases
        self._wake = asyncio.Event()
        self._stopping = False
        self._blocked: str | None = None

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    def stop(self) -> None:
        """Begin nothing new; ``run`` returns when the segment under way has its outcome on disk."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Until ``stop``. A fault of the store pauses this SIM and goes on by itself."""
        paused = False
        while not self._stopping:
            self._wake.clear()
            try:
                busy = await self._send_next()
            except StoreError as problem:
                if not paused:
                    log.error("%s: sending pauses, the store does not take writes: %s", self._modem.name, problem)
                paused = True
                await asyncio.sleep(_STORE_PAUSE_S)
                continue
            paused = False
            if not busy and not self._stopping:
                await self._rest()

    async def _rest(self) -> None:
        """Until there may be work; a limit that holds this SIM back ends by itself, at some hour or midnight."""
        try:
            async with asyncio.timeout(_LIMIT_PAUSE_S if self._blocked else None):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _send_next(self) -> bool:
        """Sends one segment, if there is one; False when there is nothing to do."""
        room = self._context.db.room
        if room is not None and room.spent():
            raise StoreFull("The disk is full: what is left is kept for the outcomes of what was begun.")
        leased = frozenset(self._leases.held)
        blocked, outgoing = await self._context.db.read(lambda cur: _look(cur, self._context, self._sim_id, leased))
        if blocked != self._blocked:
            self._blocked = blocked
            await self._context.commit(lambda cur: limits.show(cur, self._sim_id, blocked))
        if outgoing is None:
            return False
        if outgoing.message_seq in self._leases.held:
            return True  # another SIM was quicker: look again
        self._leases.held.add(outgoing.message_seq)
        try:
            await self._send(outgoing)
        finally:
            self._leases.held.discard(outgoing.message_seq)
        return True

    async def _send(self, outgoing: Outgoing) -> None:
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
        )
        try:
            check_country(outgoing.peer, context.settings.destinations)
            pdu = _pdu(outgoing, context.clock.wall_ms())
        except (PduError, InvalidRecipient) as problem:
            await self._refuse_ourselves(intent, problem)
            return

        taken_back = False

        async def intend() -> None:
            nonlocal taken_back
            taken_back = self._stopping
            if self._stopping:
                raise Stopping
            crash_point("before_c2")
            try:
                await context.commit(lambda cur: self._intend(cur, intent), urgent=True)
            except StaleState:
                taken_back = True
                raise
            crash_point("after_c2")

        try:
            mr = await self._modem.submit(pdu.hex, pdu.tpdu_length, token=token, before_payload=intend)
        except SubmitFailed as failure:
            # Cancelled or expired at the last moment, or we stop: nothing was written anywhere.
            if not taken_back:
                await self._failed(outgoing, token, failure)
        else:
            await self._record(lambda cur: reports.accepted(cur, context, token, mr, "answer"))

    def _intend(self, cur: sqlite3.Cursor, intent: Intent) -> None:
        attempts.intend(cur, self._context.stamp(), intent, expire=self._context.clock.trusted())

    async def _failed(self, outgoing: Outgoing, token: str, failure: SubmitFailed) -> None:
        log.warning("%s: %s", self._modem.name, failure)
        if failure.kind is SubmitFailure.UNCERTAIN:
            await self._uncertain(outgoing, token, failure)
        elif failure.kind is SubmitFailure.NOT_SENT and failure.cms is None and failure.cme is None:
            await self._not_sent(outgoing, token, failure)
        else:
            await self._refused(outgoing, token, failure)

    async def _uncertain(self, outgoing: Outgoing, token: str, failure: SubmitFailed) -> None:
        context = self._context
        decide_ms = context.clock.wall_ms() + CLASSES[outgoing.class_].window_s * 1000
        problem = error("no_answer", failure.text, retryable=False, cms=failure.cms)
        await self._record(lambda cur: reports.uncertain(cur, context, token, problem, decide_ms))

    async def _not_sent(self, outgoing: Outgoing, token: str, failure: SubmitFailed) -> None:
        context = self._context
        decision = retry.after_not_sent(outgoing.attempts)
        due_ms = context.clock.wall_ms() + int((decision.after_s or 0) * 1000)

        def unit(cur: sqlite3.Cursor) -> None:
            if attempts.find(cur, token) is None:
                queue.put_off(cur, context.stamp(), outgoing.message_seq, failure.text, due_ms)
            else:
                outcomes.not_sent(cur, context.stamp(), token, failure.text, due_ms)

        await self._record(unit)

    async def _refused(self, outgoing: Outgoing, token: str, failure: SubmitFailed) -> None:
        context = self._context
        decision = retry.after_refusal(failure.policy, failure.cms, outgoing.failures)
        retry_ms = None if decision.after_s is None else context.clock.wall_ms() + int(decision.after_s * 1000)
        code = meaning(failure.cms).code if failure.cms is not None else "modem_refused"
        problem = error(code, failure.text, retryable=failure.policy in ("T", "N"), cms=failure.cms)
        unbind = decision.unbind and outgoing.unbindable

        def unit(cur: sqlite3.Cursor) -> None:
            if attempts.find(cur, token) is None:
                # Refused before the prompt: the intent was never needed. Count it all the same, or it loops.
                outcomes.refused_early(cur, context.stamp(), outgoing, problem, retry_ms=retry_ms, unbind=unbind)
            else:
                outcomes.refused(cur, context.stamp(), token, problem, retry_ms=retry_ms, unbind=unbind)

        await self._record(unit)

    async def _refuse_ourselves(self, intent: Intent, problem: PduError | InvalidRecipient) -> None:
        context = self._context
        code = problem.code if isinstance(problem, InvalidRecipient) else "cannot_be_encoded"
        why = error(code, str(problem), retryable=False)
        await self._record(lambda cur: outcomes.fail(cur, context.stamp(), intent.message_seq, intent.segment_id, why))

    async def _record(self, unit: "reports.AnyUnit") -> None:
        """C3 must not be lost while we live: it is tried until the store takes it, and this SIM waits meanwhile."""
        crash_point("before_c3")
        while True:
            try:
                await self._context.commit(unit, urgent=True)
            except StoreError as problem:
                log.error("%s: an outcome can't be stored yet: %s", self._modem.name, problem)
                await asyncio.sleep(_STORE_PAUSE_S)
            else:
                crash_point("after_c3")
                return


def _look(
    cur: sqlite3.Cursor, context: Context, sim_id: int, leased: frozenset[int]
) -> tuple[str | None, Outgoing | None]:
    """Why the SIM may not send, or the segment that it sends next."""
    blocked = limits.blocked(cur, context, sim_id)
    return blocked, None if blocked else _next(cur, sim_id, leased)


def _next(cur: sqlite3.Cursor, sim_id: int, leased: frozenset[int]) -> Outgoing | None:
    head = scheduler.pick(queue.heads(cur, sim_id, leased))
    return queue.next_segment(cur, head.seq) if head else None


def _pdu(outgoing: Outgoing, now_ms: int) -> envelope.Pdu:
    left_s = max(_SHORTEST_VALIDITY_S, (outgoing.expires_ms - now_ms) / 1000)
    submit = submit_for(
        outgoing.content,
        destination=Address.parse(outgoing.peer),
        encoding=Encoding(outgoing.encoding),
        seq=outgoing.seq,
        parts=outgoing.parts,
        ref=outgoing.concat_ref,
        ports=Ports(outgoing.port, 0) if outgoing.port is not None else None,
        validity=None if retry.drop_validity(outgoing.last_cms) else Relative(int(left_s)),
        srr=outgoing.report,
        message_class=0 if outgoing.flash else None,
    )
    return envelope.wrap(submit.encode())
