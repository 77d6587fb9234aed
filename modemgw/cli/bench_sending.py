"""What ``modemgw bench --real`` measures: the messages of one modem, from their acceptance to their reports.

What keeps a message from going out now calls it off: a measurement must not leave anything behind that goes out later.
"""

import asyncio
import itertools
import statistics
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from modemgw.domain.errors import Conflict
from modemgw.domain.message import Order
from modemgw.gateway.fleet import Line
from modemgw.gateway.gateway import Gateway
from modemgw.modem.facts import Handed
from modemgw.modem.states import ModemState
from modemgw.store import views

_LOOK_S = 0.5  # between two looks at the messages: looking takes time of the store
_STUCK_S = 60.0  # nothing goes on for so long: the rest is called off
_REPORTS_S = 60.0
_TTL_S = 3600  # whatever becomes of us, none of our messages goes out much later
_OVER = ("delivered", "undelivered", "failed", "expired", "cancelled", "unknown", "uncertain", "held")
_HELD_BACK = {
    "daily_cap": "the daily cap is reached",
    "sim_limit": "the SIM is at a limit of its plan",
    "low_credit": "the SIM is low on credit, and keeps the rest for urgent messages",
    "not_accepted": "the SIM rests, for its last messages were not accepted",
    "quiet_hours": "these are quiet hours for that number",
}


@dataclass(slots=True)
class Result:
    """What one modem did. Seconds, except ``overhead_ms``; each list is [median, 95 %], or null where nothing was
    measured. ``failures``: words -> how often."""

    modem: str
    sim: str
    simulated: bool
    asked: int
    sent: int = 0
    delivered: int = 0
    segment_s: list[float] | None = None
    overhead_ms: list[float] | None = None
    report_s: list[float] | None = None
    failures: dict[str, int] = field(default_factory=dict)


def detail(line: Line) -> str:
    modem = line.modem
    if modem.state == ModemState.REGISTERED and modem.network.roaming:
        return "it is in a foreign network, and its SIM has no `roaming = true`"
    return modem.detail


def name_of(line: Line) -> str:
    sim = line.sim
    assert sim is not None
    return sim.number or sim.iccid or sim.imsi or "without a number"


def progress(text: str) -> None:
    """One line that is written over; nothing where nobody looks."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def order(to: str, number: int, of: int, ref: str, sim: str | None) -> Order:
    text = f"modemgw bench: message {number} of {of}"
    return Order(to=(to,), text=text, ttl_s=_TTL_S, ref=ref, sim=sim, on_uncertain="never")


class Bench:
    """The messages of one run."""

    def __init__(self, gateway: Gateway, to: str, messages: int, stopped: asyncio.Event) -> None:
        self._gateway = gateway
        self._to = to
        self._messages = messages
        self._stopped = stopped
        self._handed: list[Handed] = []
        self._failures: Counter[str] = Counter()
        at = datetime.fromtimestamp(gateway.context.clock.wall_ms() / 1000, UTC)
        self.ref = f"bench-{at:%Y%m%dT%H%M%S}"

    async def measure(self, line: Line) -> Result:
        """Sends the messages of one modem and waits until nothing more is to be learnt about them."""
        sim = line.sim
        assert sim is not None
        result = Result(line.modem.name, name_of(line), line.simulated, self._messages)
        if self._stopped.is_set():
            result.failures = {"stopped before it began": self._messages}
            return result
        self._handed, self._failures = [], Counter()
        line.modem.on_submit = self._handed.append
        ids: set[str] = set()
        try:
            for number in range(1, self._messages + 1):
                wanted = order(self._to, number, self._messages, self.ref, sim.iccid or sim.number)
                ids.add((await self._gateway.submit(wanted, key_id="bench"))[0]["id"])
            bodies = await self._until_sent(line, ids)
        except BaseException:
            await self._cancel(await self._look(ids), "called off")
            raise
        bodies = await self._until_reported(line, ids, bodies)
        line.modem.on_submit = lambda _: None
        progress("")
        sent = [body for body in bodies if body["sent_at"] is not None]
        delivered = [body for body in sent if body["status"] == "delivered"]
        result.sent, result.delivered = len(sent), len(delivered)
        result.segment_s = _spread([each.ended - each.at for each in self._handed if each.accepted and each.at])
        result.overhead_ms = _spread([1000 * gap for gap in _gaps(self._handed)])
        result.report_s = _spread([_seconds(body["sent_at"], body["finished_at"]) for body in delivered])
        for body in bodies:
            if body["sent_at"] is None and body["status"] != "cancelled":
                self._failures[_why(body)] += 1
            elif body["status"] == "undelivered":
                self._failures[f"sent, but {_why(body)}"] += 1
        result.failures = dict(self._failures)
        return result

    async def _look(self, ids: set[str]) -> list[views.Json]:
        """The messages of this modem, which are the newest with our ref; oldest first."""
        if not ids:
            return []
        page = await self._gateway.db.read(lambda cur: views.messages(cur, limit=len(ids), ref=self.ref))
        return [body for body in reversed(page["items"]) if body["id"] in ids]

    async def _until_sent(self, line: Line, ids: set[str]) -> list[views.Json]:
        """Until every message is out, or has failed, or was called off."""
        loop = asyncio.get_running_loop()
        before, since = None, loop.time()
        while True:
            bodies = await self._look(ids)
            states = Counter(body["status"] for body in bodies)
            if states != before:
                before, since = states, loop.time()
            done = sum(1 for body in bodies if body["sent_at"] is not None)
            progress(f"{line.modem.name}: {done} of {len(ids)} sent")
            open_ = [body for body in bodies if body["sent_at"] is None and body["status"] not in _OVER]
            if not open_:
                return bodies
            if not any(body["status"] == "sending" for body in open_):
                await self._give_up_what_will_not_go(line, open_, idle_s=loop.time() - since)
            elif self._stopped.is_set():
                await self._cancel([body for body in open_ if body["status"] != "sending"], "stopped")
            await asyncio.sleep(_LOOK_S)

    async def _give_up_what_will_not_go(self, line: Line, waiting: Sequence[views.Json], *, idle_s: float) -> None:
        """None of these is at the modem: whatever holds the first one back, holds the others."""
        if self._stopped.is_set():
            await self._cancel(waiting, "stopped")
        for body in waiting:
            why = _HELD_BACK.get(body["waiting_for"] or "")
            if why is not None:
                await self._cancel(waiting, why)
                return
            if body["waiting_for"] == "retry":
                await self._cancel([body], await self._refusal(body["id"]))
        if idle_s > _STUCK_S:
            await self._cancel(waiting, f"nothing went on for {_STUCK_S:.0f} s: {detail(line)}")

    async def _cancel(self, bodies: Iterable[views.Json], why: str) -> None:
        for body in bodies:
            try:
                await self._gateway.cancel(body["id"])
            except Conflict:
                continue  # it has gone to the modem meanwhile
            self._failures[why] += 1

    async def _refusal(self, message_id: str) -> str:
        body = await self._gateway.message(message_id)
        reasons = [step["reason"] for step in body["timeline"] if step["event"] == "not_sent"]
        return _why(body) if body["error"] else reasons[-1] if reasons else "it was put off"

    async def _until_reported(self, line: Line, ids: set[str], bodies: list[views.Json]) -> list[views.Json]:
        """Until a report came for each that was sent, as far as they come."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _REPORTS_S
        while any(body["status"] == "sent" for body in bodies) and loop.time() < end and not self._stopped.is_set():
            left = sum(1 for body in bodies if body["status"] == "sent")
            progress(f"{line.modem.name}: waiting for {left} delivery reports")
            await asyncio.sleep(_LOOK_S)
            bodies = await self._look(ids)
        return bodies


def _why(body: views.Json) -> str:
    error: dict[str, Any] | None = body["error"]
    return str(error["text"]) if error else f"its status is {body['status']}"


def _gaps(handed: Sequence[Handed]) -> list[float]:
    """From an answer to the next Ctrl-Z; after a failure the next one may have waited for something else."""
    return [
        later.at - sooner.ended
        for sooner, later in itertools.pairwise(handed)
        if sooner.accepted and later.at is not None
    ]


def _seconds(sooner: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(sooner)).total_seconds()


def _spread(values: Sequence[float]) -> list[float] | None:
    """Median and 95 %."""
    if len(values) < 2:
        return [round(value, 3) for value in (*values, *values)] or None
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    return [round(cuts[9], 3), round(cuts[18], 3)]
