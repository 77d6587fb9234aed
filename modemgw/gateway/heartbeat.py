"""A message from one own SIM to another, now and then: the only proof that a modem which looks well can still hear.

Off unless ``[heartbeat] every`` is set, for each costs a segment. It goes like any other message, under the same
limits, is never sent twice for one beat, and lies in the inbox as read. Only when the network has taken it and it has
not arrived ten minutes later is the receiver in trouble: it is told (``modem.heartbeat``), and its modem is helped by
the ladder. A beat that was not sent proves nothing about anybody.
"""

import asyncio
import logging
import sqlite3
from functools import partial

from modemgw.domain.errors import GatewayError
from modemgw.domain.message import Order
from modemgw.gateway import accept
from modemgw.gateway.context import Context
from modemgw.gateway.fleet import Fleet, Line
from modemgw.modem.ladder import Cause
from modemgw.store import heartbeat, inbox
from modemgw.store.errors import StoreError

log = logging.getLogger(__name__)
_LOOK_S = 5.0
_LATE_MS = 10 * 60_000
_TTL_S = 15 * 60
_TAKEN = ("sent", "delivered")
_UNDER_WAY = ("scheduled", "queued", "sending", "uncertain")


class Heartbeat:
    """``run`` until cancelled; ``every_s`` between two rounds, in which each SIM is written to once."""

    def __init__(self, context: Context, fleet: Fleet, every_s: float) -> None:
        self._context = context
        self._fleet = fleet
        self._every_s = every_s

    async def run(self) -> None:
        """A round, and again. Nothing where there is nobody to write to."""
        while True:
            await asyncio.sleep(self._every_s)
            for name in list(self._fleet.lines):
                try:
                    await self._beat(self._fleet.lines[name])
                except (GatewayError, StoreError) as problem:
                    log.warning("%s: no heartbeat this time: %s", name, problem)

    async def _beat(self, receiver: Line) -> None:
        context = self._context
        number, sender = self._number(receiver), self._sender(receiver)
        if number is None or sender is None or receiver.sim_id is None:
            return
        sim_id = receiver.sim_id
        text = f"modemgw heartbeat {context.ids.new()}"
        order = Order(to=(number,), text=text, sim=sender, ttl_s=_TTL_S, report=False, on_uncertain="never")
        (message,) = await accept.accept(context, order, key_id="heartbeat")
        self._fleet.wake()
        heard = await self._wait(str(message["id"]), sim_id, text)
        if heard is None or receiver.sim_id != sim_id:
            return
        if heard:
            receiver.modem.recovery.over(Cause.DEAF)
            return
        detail = f"a message that the network took for it ten minutes ago did not arrive at {receiver.modem.name}"
        log.warning("%s: %s", receiver.modem.name, detail)
        self._fleet.tell(receiver.modem.name, "modem.heartbeat", {"outcome": "missing", "detail": detail})
        receiver.supervisor.trouble(Cause.DEAF)

    async def _wait(self, message_id: str, sim_id: int, text: str) -> bool | None:
        """Whether it arrived; None when nothing is proven either way."""
        context = self._context
        while True:
            await asyncio.sleep(_LOOK_S)
            sent, found = await context.db.read(lambda cur: _look(cur, message_id, sim_id, text))
            if sent is None:
                return None
            if found is not None:
                await context.commit(partial(inbox.mark_read, message_id=found, now_ms=context.clock.wall_ms()))
                return True
            if sent.status in _TAKEN and sent.sent_ms is not None:
                if context.clock.wall_ms() - sent.sent_ms >= _LATE_MS:
                    return False
            elif sent.status not in _UNDER_WAY:
                return None

    def _number(self, line: Line) -> str | None:
        """Of the SIM that is expected to hear; only what works otherwise is tried."""
        if line.sender is None or line.sim is None:
            return None
        settings = self._context.settings.sims.get(line.sim.iccid or "")
        return (settings.number if settings else None) or line.sim.number

    def _sender(self, receiver: Line) -> str | None:
        """Another SIM that may send now, by its ICCID."""
        for line in self._fleet.lines.values():
            if line is not receiver and line.sender is not None and line.sim is not None and line.sim.iccid:
                return line.sim.iccid
        return None


def _look(cur: sqlite3.Cursor, message_id: str, sim_id: int, text: str) -> tuple[heartbeat.Sent | None, str | None]:
    sent = heartbeat.sent(cur, message_id)
    return sent, heartbeat.arrived(cur, sent.seq, sim_id, text) if sent else None
