"""What every part of the gateway needs: the store, the clock, ids, chance, the owner's settings, and the news."""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from modemgw.domain import period
from modemgw.domain.msisdn import DestinationPolicy, InvalidRecipient, check_country
from modemgw.domain.route import Route
from modemgw.domain.sim import SimSettings
from modemgw.gateway.bus import Bus
from modemgw.gateway.clockstep import ClockSteps
from modemgw.seams import Clock, Ids
from modemgw.store.database import Database
from modemgw.store.events import News, Stamp
from modemgw.store.transaction import Unit

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """``[alerts]``: the owner's number, and what to tell: modem.failed, sim.credit, sim.limit, queue.stuck."""

    to: str
    on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """The configuration as the gateway needs it. ``timezone`` rules what a day and a month are."""

    destinations: DestinationPolicy = field(default_factory=DestinationPolicy)
    daily_cap: int = 500
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    sims: Mapping[str, SimSettings] = field(default_factory=dict)  # by ICCID
    routes: tuple[Route, ...] = ()
    alerts: AlertSettings | None = None
    heartbeat_s: float = 0.0  # between two rounds of messages from SIM to SIM; 0: none

    def check_country(self, peer: str) -> None:
        """Raises InvalidRecipient where the owner allows no messages to that country.

        The numbers that the owner has SIMs ask for their balance need no policy.
        """
        try:
            check_country(peer, self.destinations)
        except InvalidRecipient:
            if not any(each.balance is not None and each.balance.sms_to == peer for each in self.sims.values()):
                raise


class Context:
    """Passed to every part; ``commit`` is the only way in which they write."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        ids: Ids,
        rng: random.Random,
        settings: GatewaySettings,
        on_announcement: Callable[[], None] = lambda: None,
    ) -> None:
        self.db = db
        self.clock = clock
        self.ids = ids
        self.rng = rng
        self._settings = settings
        self.wake: Callable[[], None] = lambda: None  # something may be sent, or is due, that was not before
        self._news = News()  # of the unit that runs now: they run one after the other
        self.bulk = asyncio.Lock()  # chunks of long requests take turns
        self.running: dict[tuple[str, str], None] = {}  # Idempotency-Keys of long requests that are under way
        self.bus = Bus()
        self.clock_steps = ClockSteps(db, clock)
        self.on_announcement = on_announcement

    @property
    def settings(self) -> GatewaySettings:
        """The owner's settings as they are now: whoever needs them asks anew each time."""
        return self._settings

    @settings.setter
    def settings(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self.wake()

    def stamp(self) -> Stamp:
        """Now, with a fresh id for what is announced; for use in a unit."""
        return Stamp(self.clock.wall_ms(), self.ids.new(), self._news)

    async def commit(self, unit: Unit[T], *, urgent: bool = False, short: bool = False) -> T:
        """Runs a unit in a durable transaction; who waits for news of it is told then, also if the caller is gone.

        ``urgent`` and ``short`` as for the store: the records of a send under way.
        """
        news = News()

        def run(cur: sqlite3.Cursor) -> T:
            self._news = news
            return unit(cur)

        await self.clock_steps.follow()
        return await self.db.write(run, urgent=urgent, short=short, then=partial(self._tell, news))

    def _tell(self, news: News) -> None:
        self.bus.publish()
        if news.told:
            self.on_announcement()
        if news.freed:
            self.wake()

    def learn_home(self, country: str | None) -> None:
        """The country of the first SIM is home, where the configuration names none."""
        if country and self.settings.destinations.home_country is None:
            destinations = replace(self.settings.destinations, home_country=country)
            self.settings = replace(self.settings, destinations=destinations)

    def start_of_day_ms(self) -> int:
        """Midnight of today in the owner's time zone."""
        return period.day(self.clock.wall_ms(), self.settings.timezone)[0]
