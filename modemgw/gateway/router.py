"""Pure: may this SIM take a message of this line now, and why - or which SIM should rather have it.

Each SIM asks for itself when it comes free. In this order: the rule with the longest prefix says which SIMs may; in
its quiet hours, and by a SIM that is low on credit, only urgent classes go; a SIM that has just refused a message
leaves it to others; recipients keep the SIM that they know; then a SIM of the recipient's country. A SIM is preferred
only while it can send: nobody waits for one that is at its limit, out of order or not there, and urgent messages do not
even wait for one that is busy.
Among equals the one that comes free first takes it; those that are idle are asked in the order of ``preference``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from modemgw.domain.message import URGENT_LANES
from modemgw.domain.route import ANY, Route

LOW_CREDIT = "low_credit"


@dataclass(slots=True)
class SimState:
    """What is known of a SIM that is in a modem.

    ``blocked``: the limit that it is at, or LOW_CREDIT. ``full``: it may write to no further number this month.
    ``out``: its breaker is open; ``probing``: and the next message shows whether that is still right.
    ``failures``: sends in a row that were not accepted. ``headroom``: share of its tightest limit that is left.
    """

    sim_id: int
    label: str
    names: tuple[str | None, ...] = ()  # name, ICCID, number
    tags: tuple[str, ...] = ()
    country: str | None = None
    blocked: str | None = None
    urgent_only: bool = False
    full: bool = False
    out: bool = False
    probing: bool = False
    busy: bool = False
    failures: int = 0
    headroom: float = 1.0
    served: int = 0  # when it was last given something; counts up

    def usable(self, lane: int) -> bool:
        """Could it take a message of this lane, if not now then when it comes free?"""
        if self.out or self.full:
            return False
        return self.blocked is None or (self.urgent_only and lane < URGENT_LANES)


@dataclass(frozen=True, slots=True)
class Ask:
    """A line of messages as the router sees it. ``knows``: the SIM of its recipients; ``avoid``: which refused it."""

    lane: int
    country: str = ""
    knows: int | None = None
    avoid: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether this SIM takes it, in one sentence; and a sentence for each other SIM."""

    take: bool
    code: str
    reason: str
    considered: tuple[tuple[str, str], ...] = field(default=())


def decide(
    ask: Ask, me: SimState, others: Sequence[SimState], route: Route = ANY, *, minute: int = 0, explain: bool = False
) -> Decision:
    """May ``me`` take it now? ``minute`` of the local day. ``explain`` adds what is to be said of the others."""
    considered = tuple((each.label, _of_another(ask, each, route)) for each in others) if explain else ()
    able = [each for each in others if _able(ask, each, route)]
    code, reason = _denial(ask, me, able, route, minute) or _why_me(ask, me, others, able, route)
    return Decision(code in _TAKEN, code, reason, considered)


_HELD_BACK = {
    "daily_cap": "The daily cap is reached.",
    LOW_CREDIT: "Its credit is low: what is left is for urgent messages, until it is topped up.",
}
_TAKEN = ("known", "only", "rule", "only_able", "country", "first")


def _denial(
    ask: Ask, me: SimState, able: Sequence[SimState], route: Route, minute: int
) -> tuple[str, str] | None:  # fmt: skip
    """Why this SIM must not have it, or leaves it to another."""
    if not route.allows(me.names, me.tags):
        return "no_route", f"The rule for {_for(route)} does not name this SIM."
    if ask.lane >= URGENT_LANES and route.is_quiet(minute):
        return "quiet_hours", f"These are the quiet hours for {_for(route)}."
    if me.blocked == LOW_CREDIT and not me.usable(ask.lane):
        return LOW_CREDIT, _HELD_BACK[LOW_CREDIT]
    if ask.avoid == me.sim_id and able:
        return "refused", f"It has just refused the message, and {able[0].label} can take it."
    return None if ask.knows == me.sim_id else _better(ask, me, able)


def _better(ask: Ask, me: SimState, able: Sequence[SimState]) -> tuple[str, str] | None:
    known = next((each for each in able if each.sim_id == ask.knows), None)
    if known is not None:
        return "other_known", f"The recipient knows {known.label}, which can take it."
    native = next((each for each in able if each.country == ask.country), None)
    if ask.country and me.country != ask.country and native is not None:
        return "other_country", f"{native.label} is a SIM of {ask.country}."
    return None


def _why_me(
    ask: Ask, me: SimState, others: Sequence[SimState], able: Sequence[SimState], route: Route
) -> tuple[str, str]:
    allowed = [each for each in others if route.allows(each.names, each.tags)]
    if ask.knows == me.sim_id:
        return "known", "The recipient knows this SIM from earlier messages."
    if not others:
        return "only", "It is the only SIM."
    if not allowed:
        return "rule", f"It is the only SIM that the rule for {_for(route)} allows."
    if not able:
        return "only_able", "No other allowed SIM could take it."
    if ask.country and me.country == ask.country and any(each.country != ask.country for each in able):
        return "country", f"It is a SIM of {ask.country}, as the recipient is."
    return "first", f"It was the first of {len(able) + 1} allowed SIMs that came free."


def _able(ask: Ask, sim: SimState, route: Route) -> bool:
    """Can another SIM take it? An urgent message does not wait for one that is busy."""
    if sim.busy and ask.lane < URGENT_LANES:
        return False
    return sim.usable(ask.lane) and sim.sim_id != ask.avoid and route.allows(sim.names, sim.tags)


def _of_another(ask: Ask, sim: SimState, route: Route) -> str:
    if not route.allows(sim.names, sim.tags):
        return f"The rule for {_for(route)} does not name it."
    if sim.out:
        return "It is taking a rest: its last messages to different numbers were not accepted."
    if not sim.usable(ask.lane):
        return _HELD_BACK.get(sim.blocked or "", "It is at a limit of its plan.")
    if sim.sim_id == ask.avoid:
        return "It has refused the message."
    if sim.sim_id == ask.knows:
        return "The recipient knows it, but it was busy."
    return "It was busy with another message." if sim.busy else "It could have taken it as well."


def _for(route: Route) -> str:
    return route.prefix or "all other numbers"


def preference(sim: SimState) -> tuple[bool, int, float, int]:
    """Sorts idle SIMs: one to be tried, then healthy ones, those with most left, the one that has rested longest."""
    return (not sim.probing, sim.failures, -round(sim.headroom, 1), sim.served)
