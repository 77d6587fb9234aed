"""The store against a model that is a simple dictionary: whatever happens in whatever order, both agree.

One SIM without a modem: the steps that a sender would do are the rules. ``MODEMGW_EXAMPLES=20000`` runs longer.
"""

import asyncio
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.virtual import VirtualLoop
from support.world import World

from modemgw.domain.errors import Conflict
from modemgw.domain.message import CLASSES
from modemgw.gateway import reports as booking
from modemgw.pdu.address import Address
from modemgw.pdu.tpdu import StatusReport
from modemgw.store import attempts, outcomes, queue, sims
from modemgw.store.attempts import Intent
from modemgw.store.errors import StaleState

_REFUSAL = {"code": "x", "text": "Refused.", "retryable": True, "cms": 42, "tp_status": None}
_SILENCE = {"code": "no_answer", "text": "No answer.", "retryable": False, "cms": None, "tp_status": None}
_STATUS = {"submitting": "sending", "submitted": "sent"}
_RETRY_S = 60


@dataclass
class Model:
    """What we believe of one message of one segment. Times are the loop's."""

    class_: str
    peer: str
    expires: float
    state: str = "queued"
    held: bool = False
    due: float | None = None
    decide: float | None = None
    resends: int = 0
    crashes: int = 0
    attempts: int = 0
    token: str | None = None
    mrs: list[int] = field(default_factory=list)
    ended: bool = False

    @property
    def status(self) -> str:
        return "held" if self.held else _STATUS.get(self.state, self.state)

    def pass_time(self, now: float) -> None:
        """Everything with a time that has come, in the order of the times."""
        while True:
            waits = self.state == "queued" and not self.held
            times = [
                (self.due if waits else None, "due"),
                (self.decide if self.state == "uncertain" else None, "decide"),
                (self.expires if waits else None, "expire"),
            ]
            known = [(at, what) for at, what in times if at is not None and at <= now]
            if not known:
                return
            at, what = min(known)
            if what == "due":
                self.due = None
            elif what == "decide":
                self._decide(at)
            else:
                self.state = "unknown" if self.resends else "expired"

    def _decide(self, at: float) -> None:
        self.decide = None
        traffic = CLASSES[self.class_]
        if traffic.on_uncertain == "resend" and self.resends < traffic.resends and self.expires > at:
            self.state, self.resends = "queued", self.resends + 1
        else:
            self.state = "unknown"


class StoreMachine(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.loop = VirtualLoop()
        self.model: dict[str, Model] = {}
        self.final: dict[str, str] = {}
        self.count = self.mr = 0

    def do(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def commit(self, unit: Any) -> Any:
        return self.do(self.world.gateway.context.commit(unit))

    @initialize()
    def begin(self) -> None:
        async def start() -> None:
            self.manager = World.of(self.folder / "m.db", modems=0, daily_cap=100_000)
            self.world = await self.manager.__aenter__()

        self.do(start())
        self.sim = self.commit(
            lambda cur: sims.upsert(
                cur, iccid="894998000000000001", imsi=None, name=None, number="+491", simulated=True,
                now_ms=self.world.clock.wall_ms(),
            )
        )  # fmt: skip

    def teardown(self) -> None:
        if hasattr(self, "manager"):
            self.do(self.manager.__aexit__(None, None, None))
        self.loop.close()
        shutil.rmtree(self.folder)

    def pick(self, number: int, *states: str) -> tuple[str, Model] | None:
        found = [(id_, each) for id_, each in self.model.items() if each.state in states]
        return found[number % len(found)] if found else None

    # -- rules ---------------------------------------------------------------------------------------------------------
    @rule(class_=st.sampled_from(sorted(CLASSES)), ttl_s=st.sampled_from((30, 600, 7_200)))
    def post(self, class_: str, ttl_s: int) -> None:
        self.count += 1
        peer = f"+49155{self.count:08d}"
        id_ = self.do(self.world.send(peer, class_=class_, ttl_s=ttl_s))
        self.model[id_] = Model(class_, peer, self.loop.time() + ttl_s)

    @precondition(lambda self: self.pick(0, "queued"))
    @rule(number=st.integers(0, 9))
    def lease(self, number: int) -> None:
        id_, each = self.pick(number, "queued")  # type: ignore[misc]
        context = self.world.gateway.context
        seq, segment_id = self.do(self.world.query(
            "SELECT m.seq, segment_id FROM messages AS m JOIN segments AS g ON g.message_seq = m.seq WHERE id = ?", id_
        ))[0]  # fmt: skip
        ready = not each.held and each.due is None
        outgoing = self.do(context.db.read(lambda cur: queue.next_segment(cur, seq)))
        assert (outgoing is not None) == ready
        token = f"t{self.count}-{each.attempts}-{id_}"
        intent = Intent(
            token=token, message_seq=seq, segment_id=segment_id, seq=1, sim_id=self.sim, modem="a", port="p",
            boot_id="b", peer=each.peer, resend=each.resends > 0,
        )  # fmt: skip
        if not ready:
            with pytest.raises(StaleState):
                self.commit(lambda cur: attempts.intend(cur, context.stamp(), intent))
            return
        self.commit(lambda cur: attempts.intend(cur, context.stamp(), intent))
        each.state, each.token, each.attempts = "submitting", token, each.attempts + 1

    @precondition(lambda self: self.pick(0, "submitting"))
    @rule(number=st.integers(0, 9), with_mr=st.booleans())
    def answer(self, number: int, with_mr: bool) -> None:
        self._accept(self.pick(number, "submitting"), with_mr, "answer")

    @precondition(lambda self: self.pick(0, "uncertain", "unknown"))
    @rule(number=st.integers(0, 9), with_mr=st.booleans())
    def answer_late(self, number: int, with_mr: bool) -> None:
        self._accept(self.pick(number, "uncertain", "unknown"), with_mr, "late_answer")

    def _accept(self, found: Any, with_mr: bool, evidence: str) -> None:
        _, each = found
        self.mr += 1
        mr = self.mr % 256 if with_mr else None
        context = self.world.gateway.context
        self.commit(lambda cur: booking.accepted(cur, context, each.token, mr, evidence))
        each.state = "submitted"
        if mr is not None:
            each.mrs.append(mr)

    @precondition(lambda self: self.pick(0, "submitting"))
    @rule(number=st.integers(0, 9), again=st.booleans())
    def refuse(self, number: int, again: bool) -> None:
        _, each = self.pick(number, "submitting")  # type: ignore[misc]
        context = self.world.gateway.context
        retry_ms = context.clock.wall_ms() + _RETRY_S * 1000 if again else None
        self.commit(
            lambda cur: outcomes.refused(cur, context.stamp(), each.token, _REFUSAL, retry_ms=retry_ms, unbind=False)
        )
        if again:
            each.state, each.due = "queued", self.loop.time() + _RETRY_S
        else:
            each.state = "unknown" if each.resends else "failed"

    @precondition(lambda self: self.pick(0, "submitting"))
    @rule(number=st.integers(0, 9))
    def take_back(self, number: int) -> None:
        _, each = self.pick(number, "submitting")  # type: ignore[misc]
        context = self.world.gateway.context
        self.commit(lambda cur: outcomes.not_sent(cur, context.stamp(), each.token, "no prompt", None))
        each.state = "queued"

    @precondition(lambda self: self.pick(0, "submitting"))
    @rule(number=st.integers(0, 9))
    def lose(self, number: int) -> None:
        _, each = self.pick(number, "submitting")  # type: ignore[misc]
        context = self.world.gateway.context
        window = CLASSES[each.class_].window_s
        decide_ms = context.clock.wall_ms() + window * 1000
        self.commit(lambda cur: booking.uncertain(cur, context, each.token, _SILENCE, decide_ms))
        each.state, each.decide = "uncertain", self.loop.time() + window
        self.world.gateway._timers.poke()

    @precondition(lambda self: any(each.mrs for each in self.model.values()))
    @rule(number=st.integers(0, 99), status=st.sampled_from((0x00, 0x30, 0x46, 0x01)))
    def report(self, number: int, status: int) -> None:
        known = [(each, mr) for each in self.model.values() for mr in each.mrs]
        each, mr = known[number % len(known)]
        context = self.world.gateway.context
        what = StatusReport(
            mr=mr, recipient=Address.parse(each.peer), scts_raw=bytes(7), discharge_raw=bytes(7), status=status
        )
        assert self.commit(lambda cur: booking.handle(cur, context, self.sim, what))
        if each.state == "submitted" and status in (0x00, 0x46):
            each.state = "delivered" if status == 0 else "undelivered"

    @precondition(lambda self: self.model)
    @rule(number=st.integers(0, 9))
    def cancel(self, number: int) -> None:
        id_, each = list(self.model.items())[number % len(self.model)]
        if each.state == "queued" and each.resends == 0:
            self.do(self.world.gateway.cancel(id_))
            each.state, each.held = "cancelled", False
        else:
            with pytest.raises(Conflict):
                self.do(self.world.gateway.cancel(id_))

    @precondition(lambda self: any(each.held for each in self.model.values()))
    @rule()
    def release(self) -> None:
        for id_, each in self.model.items():
            if each.held:
                self.do(self.world.gateway.release(id_))
                each.held, each.crashes, each.due = False, 0, None
        self.settle()

    @rule()
    def crash(self) -> None:
        self.do(self.world.restart())
        for each in self.model.values():
            if each.state == "submitting":
                each.state, each.decide = "uncertain", self.loop.time() + CLASSES[each.class_].window_s
                each.crashes += 1
                each.held = each.held or each.crashes >= 3
        self.settle()

    @rule(by_ms=st.sampled_from((-3_600_000, 3_600_000, 10**12, -(10**12), 3_000)))
    def set_clock(self, by_ms: int) -> None:
        if self.world.clock.wall_ms() + by_ms > 10**12:
            self.world.clock.offset_ms += by_ms

    @rule(seconds=st.sampled_from((1, 9, 20, 61, 125, 700, 7_500)))
    def pass_time(self, seconds: int) -> None:
        self.do(asyncio.sleep(seconds))
        self.settle()

    def settle(self) -> None:
        """The timers look once a minute at the least: give them their moment, and the model its time."""
        self.world.gateway._timers.poke()
        self.do(asyncio.sleep(0.05))
        for each in self.model.values():
            each.pass_time(self.loop.time())

    # -- what must agree -----------------------------------------------------------------------------------------------
    @invariant()
    def the_same(self) -> None:
        if not hasattr(self, "world"):
            return
        rows = self.do(self.world.query(
            "SELECT id, m.status, g.state, g.resends, g.attempts, "
            "(SELECT count(*) FROM attempts AS a WHERE a.segment_id = g.segment_id) "
            "FROM messages AS m JOIN segments AS g ON g.message_seq = m.seq"
        ))  # fmt: skip
        assert {row[0] for row in rows} == set(self.model)
        for id_, status, state, resends, tries, stored in rows:
            each = self.model[id_]
            assert (status, state, resends, tries, stored) == (
                each.status, each.state, each.resends, each.attempts, each.attempts,
            ), id_  # fmt: skip
            before = self.final.get(id_)
            assert before in (None, state), f"{before} became {state}"
            if state in ("delivered", "undelivered", "expired", "cancelled"):
                self.final[id_] = state


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(
    max_examples=int(os.environ.get("MODEMGW_EXAMPLES", "60")),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="MODEMGW_EXAMPLES" not in os.environ,
    database=None,
)
