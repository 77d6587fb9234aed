"""Every way from one state to the next, taken by the real store; and the picture of them in the README."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.virtually import virtual
from support.world import World

from modemgw.domain.diagram import mermaid
from modemgw.domain.states import SEGMENT_TRANSITIONS, advance
from modemgw.gateway import reports as booking
from modemgw.store import attempts, outbox, outcomes, queue, sims
from modemgw.store.attempts import Intent

ROOT = Path(__file__).resolve().parents[2]
_ERROR = {"code": "x", "text": "It was refused.", "retryable": True, "cms": 42, "tp_status": None}
DELIVERED, UNDELIVERED, PENDING = 0x00, 0x46, 0x30


class Desk:
    """The store with the steps of a sender, without a modem. One message at a time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.context = world.gateway.context
        self.count = 0
        self.tokens: list[str] = []

    async def do(self, unit: Any) -> Any:
        return await self.context.commit(lambda cur: unit(cur, self.context.stamp()))

    async def begin(self) -> None:
        self.sim = await self.do(
            lambda cur, stamp: sims.upsert(
                cur, iccid="894998000000000001", imsi=None, name=None, number="+491", simulated=True, now_ms=1
            )
        )

    async def post(self, *, class_: str = "transactional", ttl_s: int = 86_400) -> str:
        self.count += 1
        self.peer = f"+49155{self.count:08d}"
        self.message = await self.world.send(self.peer, class_=class_, ttl_s=ttl_s)
        self.tokens = []
        return self.message

    async def intend(self) -> None:
        ((seq, segment_id),) = await self.world.query(
            "SELECT m.seq, segment_id FROM messages AS m JOIN segments AS g ON g.message_seq = m.seq WHERE id = ?",
            self.message,
        )
        self.tokens.append(f"{self.message}-{len(self.tokens)}")
        intent = Intent(
            token=self.tokens[-1], message_seq=seq, segment_id=segment_id, seq=1, sim_id=self.sim, modem="a", port="p",
            boot_id="b", peer=self.peer, resend=len(self.tokens) > 1,
        )  # fmt: skip
        await self.do(lambda cur, stamp: attempts.intend(cur, stamp, intent))
        assert await self.state() == SEGMENT_TRANSITIONS["queued"]["intend"]

    async def accepted(self, which: int = -1) -> None:
        token, mr = self.tokens[which], (self.count * 3 + which) % 256
        await self.context.commit(lambda cur: booking.accepted(cur, self.context, token, mr, "answer"))

    async def lost(self) -> None:
        decide_ms = self.context.clock.wall_ms() + 60_000
        await self.context.commit(lambda cur: booking.uncertain(cur, self.context, self.tokens[-1], _ERROR, decide_ms))

    async def refused(self, retry_ms: int | None = None) -> None:
        await self.do(
            lambda cur, stamp: outcomes.refused(cur, stamp, self.tokens[-1], _ERROR, retry_ms=retry_ms, unbind=False)
        )

    async def report(self, status: int, which: int = -1) -> None:
        """By a number that only this attempt can have."""
        token = self.tokens[which]

        def unit(cur: Any, stamp: Any) -> None:
            attempt = attempts.find(cur, token)
            assert attempt is not None
            outcome = {DELIVERED: "delivered", UNDELIVERED: "undelivered", PENDING: "submitted"}[status]
            outcomes.reported(cur, stamp, attempt, 200 + self.count % 50, outcome, status)

        await self.do(unit)

    async def resend_waits(self) -> None:
        """Lost, and its window over: one more copy waits."""
        await self.intend()
        await self.lost()
        await self.window()

    async def window(self) -> None:
        self.world.gateway._timers.poke()
        await asyncio.sleep(130)

    async def state(self) -> str:
        rows = await self.world.query(
            "SELECT g.state FROM segments AS g JOIN messages AS m ON g.message_seq = m.seq WHERE m.id = ?", self.message
        )
        return str(rows[0][0])


async def _from_queued(desk: Desk) -> None:
    for class_, then in (("transactional", desk.accepted), ("alert", desk.accepted)):
        await desk.post(class_=class_)
        await desk.resend_waits()
        assert await desk.state() == "queued"
        await then()
    for status in (DELIVERED, UNDELIVERED):
        await desk.post()
        await desk.resend_waits()
        await desk.report(status)
    await desk.post(ttl_s=200)
    await desk.resend_waits()
    await asyncio.sleep(200)  # expired while its resend waited: nobody knows
    assert await desk.state() == "unknown"
    await desk.post(ttl_s=10)
    await asyncio.sleep(90)
    await desk.world.gateway.cancel(await desk.post())
    await desk.post()
    rows = await desk.world.query("SELECT seq FROM messages WHERE id = ?", desk.message)
    outgoing = await desk.context.db.read(lambda cur: queue.next_segment(cur, rows[0][0]))
    assert outgoing is not None
    await desk.do(lambda cur, stamp: outcomes.fail(cur, stamp, outgoing.message_seq, outgoing.segment_id, _ERROR))


async def _from_submitting(desk: Desk) -> None:
    await desk.post()
    await desk.intend()
    await desk.do(lambda cur, stamp: outcomes.not_sent(cur, stamp, desk.tokens[-1], "no prompt", None))
    await desk.intend()
    await desk.refused(retry_ms=desk.context.clock.wall_ms() + 1000)
    await asyncio.sleep(5)
    await desk.intend()
    await desk.refused()
    assert await desk.state() == "failed"
    for status in (DELIVERED, UNDELIVERED):  # an earlier copy is proven while the next one is on its way
        await desk.post()
        await desk.resend_waits()
        await desk.intend()
        await desk.report(status, which=0)
        await desk.accepted()
        assert await desk.state() == ("delivered" if status == DELIVERED else "undelivered")
    await desk.post()
    await desk.resend_waits()
    await desk.intend()
    await desk.refused()
    assert await desk.state() == "unknown"


async def _from_submitted(desk: Desk) -> None:
    for status in (DELIVERED, UNDELIVERED):
        await desk.post()
        await desk.intend()
        await desk.accepted()
        await desk.report(PENDING)
        await desk.report(status)


async def _from_uncertain_and_unknown(desk: Desk) -> None:
    for class_ in ("command", "bulk"):
        for act in (desk.accepted, lambda: desk.report(DELIVERED), lambda: desk.report(UNDELIVERED)):
            await desk.post(class_=class_)
            await desk.intend()
            await desk.lost()
            assert await desk.state() == "uncertain"
            if class_ == "bulk":
                await desk.window()
                assert await desk.state() == "unknown"
            await act()
    for outcome in ("sent", "failed"):
        await desk.post(class_="bulk")
        await desk.intend()
        await desk.lost()
        await desk.window()
        await desk.world.gateway.resolve(desk.message, outcome)


async def _from_failed(desk: Desk) -> None:
    """Refused, and proof comes all the same: the modem had it wrong."""
    for act in (desk.accepted, lambda: desk.report(DELIVERED), lambda: desk.report(UNDELIVERED)):
        await desk.post()
        await desk.intend()
        await desk.refused()
        await act()


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[tuple[str, str]]]:
    """The ways that the store takes."""
    seen: set[tuple[str, str]] = set()

    def watched(state: str, event: str) -> str:
        seen.add((state, event))
        return advance(state, event)

    monkeypatch.setattr(outbox, "advance", watched)
    return seen


@virtual
async def _live_all(path: Path) -> None:
    async with World.of(path, modems=0, daily_cap=100_000) as world:
        desk = Desk(world)
        await desk.begin()
        for part in (_from_queued, _from_submitting, _from_submitted, _from_uncertain_and_unknown, _from_failed):
            await part(desk)


def test_every_way_of_the_table_is_taken_and_no_other(tmp_path: Path, taken: set[tuple[str, str]]) -> None:
    _live_all(tmp_path / "w.db")
    table = {(state, event) for state, row in SEGMENT_TRANSITIONS.items() for event in row}
    # The intent is a compare-and-set in SQL, so that two senders can't have the same segment: it asks no table.
    assert taken | {("queued", "intend")} == table


def test_the_picture_in_the_readme_is_that_of_the_table() -> None:
    assert f"```mermaid\n{mermaid()}\n```" in (ROOT / "README.md").read_text(encoding="utf-8")
