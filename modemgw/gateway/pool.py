"""The SIMs that are in modems now, and what their senders share: leases, turns, breakers. Gone with the process.

What must outlive it - counts, outcomes, who has which message - is in the store.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field

from modemgw.domain import period
from modemgw.domain.mcc import country_of
from modemgw.domain.message import URGENT_LANES
from modemgw.domain.route import route_for
from modemgw.gateway import limits, router, scheduler
from modemgw.gateway.breaker import Breaker
from modemgw.gateway.context import Context
from modemgw.gateway.limits import Hold
from modemgw.gateway.router import Ask, Decision, SimState
from modemgw.modem.facts import SimCard
from modemgw.store import attempts, balances, events, queue
from modemgw.store.queue import Head, Line, May, Outgoing

# All SIMs may look in one turn of the loop: one that had to step over more lines looks in the store's thread.
_FEW_LINES = 20


@dataclass(slots=True)
class Member:
    """A SIM that can send. ``people``: the numbers that it wrote to since ``people_since_ms``; both None: none count.

    ``lines``: how many lines of the queue its last look went through.
    """

    state: SimState
    iccid: str | None
    wake: Callable[[], None]
    breaker: Breaker = field(default_factory=Breaker)
    people: set[str] | None = None
    people_since_ms: int | None = None
    lines: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """What a SIM may do now: why it is held back, and the segment that it sends next."""

    hold: Hold
    head: Head | None = None
    outgoing: Outgoing | None = None


class Pool:
    """One for all senders."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.members: dict[int, Member] = {}
        self.leased: set[int] = set()
        self.turns: dict[tuple[str, int], int] = {}
        self._count = 0

    def join(self, sim_id: int, sim: SimCard, wake: Callable[[], None]) -> Member:
        """A SIM can send from now on."""
        state = SimState(sim_id, sim.iccid or sim.imsi or str(sim_id), country=country_of(sim.imsi))
        earlier = self.members.get(sim_id)
        member = Member(state, sim.iccid, wake, earlier.breaker if earlier else Breaker())
        self._name(member, sim.number)
        self.members[sim_id] = member
        self.wake()
        return member

    def leave(self, sim_id: int) -> None:
        """It can't any more; what others left for it is theirs."""
        if self.members.pop(sim_id, None) is not None:
            self.wake()

    def wake(self) -> None:
        """There may be something to send: the SIMs that should rather have it look first."""
        for member in sorted(self.members.values(), key=lambda each: router.preference(each.state)):
            member.wake()

    def _name(self, member: Member, number: str | None = None) -> None:
        settings = self._context.settings.sims.get(member.iccid or "")
        if settings is not None:
            member.state.label = settings.name or member.state.label
            member.state.tags = settings.tags
            number = settings.number or number
        known = member.state.names[2] if member.state.names else None
        member.state.names = (settings.name if settings else None, member.iccid, number or known)

    # Choosing

    async def choose(self, sim_id: int, going_on: Outgoing | None) -> Choice:
        """The next segment of this SIM, which is leased to it.

        ``going_on``: a segment of it was accepted, and that is being written down.
        """
        member = self.members[sim_id]
        while True:
            since_ms = self._people_since_ms(member)
            short = member.people_since_ms == since_ms and member.lines <= _FEW_LINES
            choice = await self._context.db.read(self._chooser(member, going_on, since_ms), short=short)
            if choice.head is None or choice.outgoing is None:
                return choice
            seq = choice.outgoing.message_seq
            if seq not in self.leased:  # another SIM may have looked at the same time
                self.leased.add(seq)
                return choice

    def _chooser(
        self, member: Member, going_on: Outgoing | None, people_since_ms: int | None
    ) -> Callable[[sqlite3.Cursor], Choice]:
        sim_id = member.state.sim_id
        self._name(member)
        minute = period.minute_of_day(self._context.clock.wall_ms(), self._context.settings.timezone)

        def takes(line: Line, lane: int, bound: bool) -> May | None:
            member.lines += 1
            return self._takes(member, line, lane, minute, bound=bound)

        def query(cur: sqlite3.Cursor) -> Choice:
            member.lines = 0
            leased = frozenset(self.leased)
            hold = self._hold(cur, member, people_since_ms)
            if hold.blocked is not None and not hold.urgent_only and not hold.full:
                return Choice(hold)
            head = scheduler.pick(queue.heads(cur, sim_id, leased, takes), self.turns)
            if going_on is not None and (head is None or _rank(going_on) <= _rank(head)):
                outgoing = queue.next_segment(cur, going_on.message_seq, going_on=True)
                if outgoing is not None:
                    return Choice(hold, None, outgoing)
            outgoing = queue.next_segment(cur, head.seq) if head else None
            return Choice(hold, head, outgoing)

        return query

    def _hold(self, cur: sqlite3.Cursor, member: Member, people_since_ms: int | None) -> Hold:
        """The SIM's limits as they are now; keeps them where the others' decisions see them."""
        context = self._context
        plan = context.settings.sims.get(member.iccid or "")
        if member.people_since_ms != people_since_ms:
            member.people = None
            if people_since_ms is not None:
                member.people = attempts.recipients_since(cur, member.state.sim_id, people_since_ms)
            member.people_since_ms = people_since_ms
        recipients = None if member.people is None else len(member.people)
        found = limits.windows(cur, context, member.state.sim_id, plan, recipients)
        hold = limits.judge(found, low=balances.is_low(cur, member.state.sim_id))
        state = member.state
        state.blocked, state.urgent_only, state.full = hold.blocked, hold.urgent_only, hold.full
        state.headroom = hold.headroom
        return hold

    def _people_since_ms(self, member: Member) -> int | None:
        """When the month of the SIM's plan began, where the plan counts its recipients."""
        context = self._context
        plan = context.settings.sims.get(member.iccid or "")
        if plan is None or plan.recipients_per_month is None:
            return None
        return period.month(context.clock.wall_ms(), context.settings.timezone, plan.month_starts_on)[0]

    def _takes(self, member: Member, line: Line, lane: int, minute: int, *, bound: bool) -> May | None:
        state = member.state
        if state.urgent_only and lane >= URGENT_LANES:
            return queue.begun if bound and state.blocked == router.LOW_CREDIT else None
        route = route_for(line.prefix, self._context.settings.routes)
        if bound:
            decided = not (lane >= URGENT_LANES and route.is_quiet(minute))
        else:
            ask = Ask(lane, line.country, line.sim_id, line.avoid_id)
            decided = router.decide(ask, state, self._others(state), route, minute=minute).take
        if not decided:
            return None
        people = member.people
        if state.full and people is not None:
            return lambda peer, _: peer in people
        return queue.anybody

    def _others(self, state: SimState) -> list[SimState]:
        return [each.state for each in self.members.values() if each.state is not state]

    def take(self, sim_id: int, choice: Choice) -> None:
        """This SIM begins to send what was chosen."""
        self._count += 1
        state = self.members[sim_id].state
        state.busy, state.served = True, self._count
        if choice.head is not None:
            self.turns[choice.head.line.key_id, choice.head.lane] = self._count

    def another_can(self, sim_id: int, lane: int) -> bool:
        """Is there another SIM that could take a message of this lane? Urgent ones don't wait for one that is busy."""
        others = (each.state for number, each in self.members.items() if number != sim_id)
        return any(each.usable(lane) and not (each.busy and lane < URGENT_LANES) for each in others)

    # Explaining

    def explain(self, sim_id: int, choice: Choice) -> str | None:
        """JSON of why this SIM gets the message, for its record; None where that was said before."""
        head, outgoing = choice.head, choice.outgoing
        assert outgoing is not None
        if head is None or head.begun:
            return None
        if outgoing.sim_pinned:
            return events.to_json({"reason": "The request asked for this SIM.", "considered": []})
        decision = self._decide(head.line, head.lane, self.members[sim_id].state)
        return events.to_json({"reason": decision.reason, "considered": _considered(decision)})

    def _decide(self, line: Line, lane: int, me: SimState) -> Decision:
        settings = self._context.settings
        return router.decide(
            Ask(lane, line.country, line.sim_id, line.avoid_id),
            me,
            self._others(me),
            route_for(line.prefix, settings.routes),
            minute=period.minute_of_day(self._context.clock.wall_ms(), settings.timezone),
            explain=True,
        )

    def prospects(self, line: Line, lane: int) -> list[tuple[str, Decision]]:
        """For each SIM that can send, whether it may take a waiting message of this line, and why."""
        return [
            (member.state.label, self._decide(line, lane, member.state))
            for member in self.members.values()
        ]  # fmt: skip


def _considered(decision: Decision) -> list[dict[str, str]]:
    return [{"sim": label, "reason": reason} for label, reason in decision.considered]


def _rank(each: Head | Outgoing) -> tuple[int, int]:
    return each.lane, -each.priority
