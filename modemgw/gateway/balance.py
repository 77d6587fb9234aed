"""Asks what is left on prepaid SIMs, by USSD or by a message, each one when it is due; credit.py reads the answers.

When that is, is on disk: a start asks nothing by itself, and a crash in the middle counts as a question in vain. One
SIM is asked after the other, between two messages of its own, and only while it can send. A USSD request costs
nothing; a message does, and goes through the same doors, limits and timeline as any other.
"""

import asyncio
import logging
import sqlite3
from functools import partial

from modemgw.domain.errors import GatewayError
from modemgw.domain.message import Order
from modemgw.domain.sim import BalanceSettings
from modemgw.gateway import accept, credit
from modemgw.gateway.context import Context
from modemgw.gateway.fleet import Fleet, Line
from modemgw.modem.errors import ModemError
from modemgw.store import balances
from modemgw.store.balances import Balance
from modemgw.store.errors import StoreError

log = logging.getLogger(__name__)
_LOOK_S = 5.0
_SELDOM_S = 60.0  # where no SIM is to be asked
_FIRST_S = (10.0, 60.0)  # a start has better things to do first
_TTL_S = 10 * 60
# What the network says about a request that it does not answer in words.
_NO_WORDS = {
    "not_supported": "the network or the modem does not support this USSD code",
    "network_timeout": "the network did not answer in time",
    "closed": "the answer is a menu that tells no balance, and it was closed",
}


class Balances:
    """``run`` until cancelled; ``stop`` ends a question that is under way."""

    def __init__(self, context: Context, fleet: Fleet) -> None:
        self._context = context
        self._fleet = fleet
        self._stopping = False
        self._asking: asyncio.Task[None] | None = None
        self._read_ms: dict[int, int] = {}  # SIM -> the reading that its sender knows of

    async def run(self) -> None:
        """Looks every few seconds; a fault of the store is tried again."""
        while not self._stopping:
            wanted = any(each.balance for each in self._context.settings.sims.values())
            await asyncio.sleep(_LOOK_S if wanted else _SELDOM_S)
            try:
                await self._look()
            except StoreError as problem:
                log.error("what is left on the SIMs is not asked now: %s", problem)

    def stop(self) -> None:
        """Nothing new is asked."""
        self._stopping = True
        if self._asking is not None:
            self._asking.cancel()

    async def _look(self) -> None:
        if await self._context.db.read(self._is_unsettled):
            await self._context.commit(self._settle)
        known = {each.sim_id: each for each in await self._context.db.read(balances.every)}
        self._tell_senders(known)
        for line in list(self._fleet.lines.values()):
            plan = self._context.settings.sims.get((line.sim.iccid if line.sim else None) or "")
            if line.sender is None or line.sim_id is None or plan is None or plan.balance is None:
                continue
            if line.sim_id not in known:
                await self._begin(line.sim_id)
            elif self._is_due(known[line.sim_id], plan.balance) and not self._stopping:
                await self._start(line, plan.balance)

    def _is_unsettled(self, cur: sqlite3.Cursor) -> bool:
        return credit.is_unsettled(cur, self._context)

    def _settle(self, cur: sqlite3.Cursor) -> None:
        credit.settle(cur, self._context)

    def _tell_senders(self, known: dict[int, Balance]) -> None:
        """A SIM that rests for want of credit is tried at once when it was topped up."""
        now = self._context.clock.monotonic()
        for sim_id, balance in known.items():
            if balance.read_ms is None or balance.read_ms == self._read_ms.get(sim_id):
                continue
            self._read_ms[sim_id] = balance.read_ms
            member = self._fleet.pool.members.get(sim_id)
            if balance.state == "fine" and member is not None and member.breaker.try_now(now):
                member.wake()

    async def _begin(self, sim_id: int) -> None:
        due_ms = self._context.clock.wall_ms() + int(self._context.rng.uniform(*_FIRST_S) * 1000)
        await self._context.commit(lambda cur: balances.begin(cur, sim_id, due_ms))

    def _is_due(self, balance: Balance, how: BalanceSettings) -> bool:
        now_ms = self._context.clock.wall_ms()
        furthest_ms = now_ms + int(how.every_s * 1100)  # beyond it: the clock or the settings have changed
        return balance.awaits_ms is None and not now_ms < balance.due_ms <= furthest_ms

    async def _start(self, line: Line, how: BalanceSettings) -> None:
        self._asking = asyncio.create_task(self._ask(line, how), name=f"balance-{line.modem.name}")
        try:
            await self._asking
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        finally:
            self._asking = None

    async def _ask(self, line: Line, how: BalanceSettings) -> None:
        sender, sim_id = line.sender, line.sim_id
        assert sender is not None
        assert sim_id is not None
        async with sender.between:
            within = await self._context.db.read(partial(balances.is_within_a_message, sim_id=sim_id))
            if within or line.sender is not sender:
                return  # the next look comes soon
            if how.ussd is not None:
                await self._ask_by_ussd(line, sim_id, how.ussd)
            else:
                await self._ask_by_message(line, sim_id, how)

    async def _ask_by_ussd(self, line: Line, sim_id: int, code: str) -> None:
        context, card, member = self._context, line.card, self._fleet.pool.members[sim_id]
        assert card is not None
        await context.commit(partial(self._asked, sim_id=sim_id))
        member.state.busy = True
        try:
            answer = await card.ussd(code)
        except ModemError as error:
            log.warning("%s: what is left on its SIM could not be asked for: %s", line.modem.name, error.text)
            await context.commit(partial(credit.failed, context=context, sim_id=sim_id, why=error.text))
            return
        finally:
            member.state.busy = False
        await context.commit(partial(self._read, sim_id=sim_id, text=str(answer["text"]), status=answer["status"]))

    def _asked(self, cur: sqlite3.Cursor, sim_id: int, question: str | None = None) -> None:
        context = self._context
        balance, how = balances.find(cur, sim_id), credit.asking(cur, context, sim_id)
        now_ms = context.clock.wall_ms()
        due_ms = now_ms + credit.retry_ms(how, balance.failures if balance else 0)
        awaits_ms = now_ms + credit.AWAIT_S * 1000 if question else None
        balances.asked(cur, sim_id, now_ms, due_ms, question, awaits_ms)

    def _read(self, cur: sqlite3.Cursor, sim_id: int, text: str, status: str) -> None:
        if text.strip() and credit.answered(cur, self._context, sim_id, text):
            return
        known = balances.find(cur, sim_id)
        why = [_NO_WORDS.get(status), known.error if known else None]
        said = "; ".join(each for each in why if each) or "the network answered without a word"
        credit.failed(cur, self._context, sim_id, said)

    async def _ask_by_message(self, line: Line, sim_id: int, how: BalanceSettings) -> None:
        context = self._context
        assert line.sim is not None
        question = f"balance:{context.ids.new()}"
        await context.commit(partial(self._asked, sim_id=sim_id, question=question))
        order = Order(to=(how.sms_to or "",), text=how.sms_text, class_="alert", sim=line.sim.iccid, ref=question,
                      ttl_s=_TTL_S, report=False, on_uncertain="never")  # fmt: skip
        try:
            await accept.accept(context, order, key_id="balance", anywhere=True)
        except GatewayError as error:
            await context.commit(partial(credit.failed, context=context, sim_id=sim_id, why=error.text))
        else:
            self._fleet.wake()
