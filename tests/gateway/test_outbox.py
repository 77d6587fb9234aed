"""Webhooks that are slow, silent or away for long: nobody else waits for them, memory stays flat, order is kept."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.virtually import virtual
from support.world import Sink, World

from modemgw.domain.message import Order
from modemgw.webhooks.target import WebhookTarget

BACKLOG = 10_000


@virtual
async def test_a_target_that_hangs_delays_neither_the_others_nor_the_messages(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=2, latency=1.0, report_delay=1.0, sinks=2) as world:
        await world.registered()
        world.sinks[0].answer = lambda: None
        good = world.sinks[1]
        late: list[float] = []
        loop = asyncio.get_running_loop()
        sent: dict[str, float] = {}
        good.on_got = lambda got: (
            late.append(loop.time() - sent[got["data"]["id"]]) if got["type"] == "message.queued" else None
        )
        for number in range(30):
            began = loop.time()
            sent[await world.send(f"+4915553{number:06d}")] = began
            await asyncio.sleep(2.0)
        for message in sent:
            await world.until_status(message, "delivered", within=600)
        await asyncio.sleep(5.0)
        assert len(late) == 30
        assert max(late) < 1.0
        for message in sent:
            assert good.types(message) == ["message.queued", "message.sending", "message.sent", "message.delivered"]
        assert world.sinks[0].tried > 0


@dataclass(slots=True)
class Counter(Sink):
    """Counts instead of keeping; the first five hundred are refused."""

    taken: dict[str, int] = field(default_factory=dict)
    peak: int = 0

    async def post(self, target: WebhookTarget, headers: Mapping[str, str], body: bytes) -> int:
        await asyncio.sleep(0.001)
        self.tried += 1
        if self.tried % 500 == 0:
            self.peak = max(self.peak, resident())
        if self.tried <= 500:
            return 500
        key = headers["webhook-id"]
        self.taken[key] = self.taken.get(key, 0) + 1
        return 200


def resident() -> int:
    """Memory of this process in bytes (man 5 proc, statm)."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


def test_ten_thousand_waiting_deliveries_take_no_memory_and_all_arrive_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "modemgw.webhooks.dispatcher")  # which pytest would keep in memory
    virtual(_ten_thousand)(tmp_path)


async def _ten_thousand(path: Path) -> None:
    async with World.of(path / "w.db", modems=1, start=False) as world:
        sink = Counter()
        world.sinks[0] = sink
        await world.start()
        await world.gateway.disable("a")
        for first in range(0, BACKLOG, 1000):
            to = tuple(f"+49155{first + number:08d}" for number in range(1000))
            await world.gateway.submit(Order(to=to, text="x" * 150, many=True), key_id="test")
        ((waiting,),) = await world.query("SELECT count(*) FROM deliveries WHERE state = 'pending'")
        assert waiting > BACKLOG * 0.99
        before = resident()
        await asyncio.sleep(3600)
        assert len(sink.taken) >= waiting
        assert set(sink.taken.values()) == {1}
        assert await world.query("SELECT count(*) FROM deliveries WHERE state != 'delivered'") == [(0,)]
        assert sink.peak - before < 16_000_000  # half of it what the test itself keeps
