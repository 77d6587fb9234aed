"""When a SIM rests: nothing to do, the pace that its owner set, or a breaker that has taken it out."""

import asyncio
import sqlite3

from modemgw.gateway import credit
from modemgw.gateway.context import Context
from modemgw.gateway.limits import Hold
from modemgw.gateway.pool import Pool
from modemgw.store import events, sims

_LOOK_AGAIN_S = 30.0  # a limit ends by itself, at some hour or midnight; and nothing may wait for ever


class Rest:
    """Of one SIM's sender. ``wake`` ends a rest, and may come early."""

    def __init__(self, context: Context, pool: Pool, sim_id: int) -> None:
        self._context = context
        self._pool = pool
        self._sim_id = sim_id
        self._member = pool.members[sim_id]
        self.wake = asyncio.Event()
        self._last_s: float | None = None
        self._jitter = 0.0

    async def until_woken(self, seconds: float = _LOOK_AGAIN_S) -> None:
        """Until there may be work, or ``seconds`` have passed. Clear ``wake`` before the look that this follows."""
        try:
            async with asyncio.timeout(min(seconds, _LOOK_AGAIN_S)):
                await self.wake.wait()
        except TimeoutError:
            pass

    # The pace

    def answered(self) -> None:
        """A segment has its answer, whatever it is: the gap to the next one begins, with chance of its own."""
        self._last_s = self._context.clock.monotonic()
        self._jitter = self._context.rng.random()

    def pause_s(self) -> float:
        """Seconds until this SIM may send again; 0 or less: now. The owner's settings count as they are now."""
        now = self._context.clock.monotonic()
        breaker = self._member.breaker
        pause = (breaker.out_until or now) - now
        self._member.state.probing = breaker.out_until is not None and pause <= 0
        plan = self._context.settings.sims.get(self._member.iccid or "")
        if plan is not None and self._last_s is not None:
            pause = max(pause, self._last_s + plan.min_gap_s + self._jitter * plan.jitter_s - now)
        return pause

    # The breaker

    def hold(self) -> Hold:
        """What holds the SIM back while it rests."""
        out = self._member.breaker.is_out(self._context.clock.monotonic())
        return Hold("not_accepted") if out else Hold()

    def not_accepted(self, peer: str, *, credit: bool = False) -> bool:
        """A send was refused (``credit``: as without credit), or nobody knows; True when that takes the SIM out."""
        opened = self._member.breaker.not_accepted(peer, self._context.clock.monotonic(), credit=credit)
        self._member.state.failures += 1
        if opened:
            self._member.state.out = True
            self._pool.wake()
        return opened

    def is_back(self) -> bool:
        """A send was accepted; True when that brings the SIM back."""
        self._member.state.failures = 0
        self._member.state.out = False
        return self._member.breaker.accepted()

    def tell_out(self, cur: sqlite3.Cursor) -> None:
        """Announces that the SIM is out."""
        if self._member.breaker.credit:
            credit.gone(cur, self._context, self._sim_id)
        minutes = max(1, round(self._member.breaker.pause_s / 60))
        self._tell(cur, "out", "The last messages of this SIM, to different numbers, were not accepted: other SIMs "
                               f"take over, and it is tried again in {minutes} min.")  # fmt: skip

    def tell_back(self, cur: sqlite3.Cursor) -> None:
        """Announces that the SIM sends again."""
        self._tell(cur, "back", "A message of this SIM was accepted again: it takes part as before.")
        credit.back(cur, self._context, self._sim_id)

    def _tell(self, cur: sqlite3.Cursor, state: str, text: str) -> None:
        body = {**sims.names(cur, self._sim_id), "limit": "not_accepted", "state": state, "text": text}
        events.announce(cur, self._context.stamp(), "sim.limit", body)
