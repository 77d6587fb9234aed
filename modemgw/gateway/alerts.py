"""Tells the owner by SMS what needs a person, through another SIM than the one in trouble.

Modems mend themselves most of the time, so one is reported only when it has been out of order for a while. The same
trouble is reported once in some hours, also over restarts: the alert's ``ref`` says what it was about, and the store
remembers it. An alert is a message like any other, of the class ``alert``, under the same limits.
"""

import asyncio
import logging
from dataclasses import dataclass

from modemgw.domain.errors import GatewayError
from modemgw.domain.message import Order
from modemgw.gateway import accept
from modemgw.gateway.context import Context
from modemgw.gateway.fleet import Fleet
from modemgw.modem.states import ModemState
from modemgw.store import alerts
from modemgw.store.errors import StoreError

log = logging.getLogger(__name__)
_LOOK_S = 30.0
_OUT_OF_ORDER_S = 120.0
_STUCK_MS = 30 * 60_000
_QUIET_MS = 6 * 3_600_000
_LONGEST = 300  # characters: two segments at the most
_NEEDS_A_PERSON = (ModemState.FAILED, ModemState.LOCKED, ModemState.DENIED, ModemState.ABSENT)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing to tell. ``subject`` tells it from others of its kind; ``sim_id``: the SIM that is in trouble."""

    kind: str
    subject: str
    text: str
    sim_id: int | None = None

    @property
    def ref(self) -> str:
        return f"alert:{self.kind}:{self.subject}"


class Alerts:
    """``run`` until cancelled."""

    def __init__(self, context: Context, fleet: Fleet) -> None:
        self._context = context
        self._fleet = fleet
        self._since: dict[str, float] = {}  # modem -> since when it has been out of order
        self._last_event = -1

    async def run(self) -> None:
        """Looks every half minute; a fault of the store is tried again."""
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                for trouble in await self._troubles():
                    settings = self._context.settings.alerts
                    if settings is not None and trouble.kind in settings.on:
                        await self._tell(trouble, settings.to)
            except StoreError as error:
                log.error("alerts wait for the store: %s", error)

    async def _troubles(self) -> list[Trouble]:
        context = self._context
        after = self._last_event
        stuck_since = context.clock.wall_ms() - _STUCK_MS
        news, stuck = await context.db.read(
            lambda cur: (alerts.news(cur, after), alerts.oldest_ready_before(cur, stuck_since))
        )
        self._last_event = news[-1].seq if news else max(after, 0)
        found = [*self._modems(), *(_of_sim(each) for each in news if after >= 0)]
        if stuck is not None:
            text = f"messages have been waiting for {_STUCK_MS // 60_000} minutes and more: no SIM takes them"
            found.append(Trouble("queue.stuck", "queue", text))
        return found

    def _modems(self) -> list[Trouble]:
        """Modems that have been out of order for so long that they won't come back by themselves."""
        now = self._context.clock.monotonic()
        found = []
        for name, line in self._fleet.lines.items():
            if line.modem.state not in _NEEDS_A_PERSON and not line.modem.recovery.given_up:
                self._since.pop(name, None)
            elif now - self._since.setdefault(name, now) >= _OUT_OF_ORDER_S:
                text = f"modem {name} is {line.modem.state}: {line.modem.detail}"
                found.append(Trouble("modem.failed", name, text, line.sim_id))
        return found

    async def _tell(self, trouble: Trouble, to: str) -> None:
        context = self._context
        quiet_since = context.clock.wall_ms() - _QUIET_MS
        told, other = await context.db.read(
            lambda cur: (
                alerts.was_told(cur, trouble.ref, quiet_since),
                alerts.available_sim(cur, without=trouble.sim_id),
            )
        )
        if told:
            return
        text = f"modemgw: {trouble.text}."
        order = Order(to=(to,), text=text[:_LONGEST], class_="alert", ref=trouble.ref, sim=other)
        try:
            await accept.accept(context, order, key_id="alerts")
        except GatewayError as error:
            log.error("the owner can't be told (%s): %s", trouble.text, error.text)
        else:
            log.warning("the owner is told: %s", trouble.text)
            self._fleet.wake()


def _of_sim(news: alerts.News) -> Trouble:
    subject = str(news.data.get("sim") or news.data.get("iccid") or "?")
    text = str(news.data.get("text") or news.data.get("detail") or f"{news.type} on SIM {subject}").rstrip(".")
    return Trouble(news.type, subject, text, news.sim_id)
