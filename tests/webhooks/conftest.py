"""An outbox on a real database, in virtual time: days of retries pass in milliseconds, the same way each time."""

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.virtual import VirtualClock, open_inline, run_virtual

from modemgw.store import events
from modemgw.store.database import Database
from modemgw.webhooks.dispatcher import Dispatcher
from modemgw.webhooks.sender import SendFailed
from modemgw.webhooks.target import WebhookTarget

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="


@dataclass
class Post:
    at_s: float
    target: str
    id: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Sink:
    """Receives the POSTs; ``answers`` gives each target's next answers: a status, or seconds of silence."""

    posts: list[Post] = field(default_factory=list)
    answers: dict[str, list[int | float]] = field(default_factory=dict)
    default: int = 204
    closed: bool = False

    async def post(self, target: WebhookTarget, headers: Mapping[str, str], body: bytes) -> int:
        now = asyncio.get_running_loop().time()
        self.posts.append(Post(now, target.url, headers["webhook-id"], dict(headers), body))
        script = self.answers.get(target.url, [])
        answer = script.pop(0) if script else self.default
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            answer = self.default
        if answer == 0:
            raise SendFailed("No connection to the webhook's host.")
        return answer

    async def close(self) -> None:
        self.closed = True

    def ids(self, url: str | None = None) -> list[str]:
        return [post.id for post in self.posts if url in (None, post.target)]

    def times(self, url: str | None = None) -> list[int]:
        return [round(post.at_s) for post in self.posts if url in (None, post.target)]


@dataclass
class Box:
    """A dispatcher on an outbox."""

    db: Database
    clock: VirtualClock
    sink: Sink
    dispatcher: Dispatcher
    count: int = 0

    async def announce(self, type_: str = "message.sent", *, message_seq: int | None = None, times: int = 1) -> None:
        def unit(cur: sqlite3.Cursor) -> None:
            for _ in range(times):
                self.count += 1
                if message_seq is not None:
                    cur.execute(
                        "INSERT OR IGNORE INTO messages (seq, id, direction, peer, encoding, created_ms) "
                        "VALUES (?, ?, 'inbound', '+491', 'gsm7', 1)",
                        (message_seq, f"m{message_seq}"),
                    )
                stamp = events.Stamp(self.clock.wall_ms(), f"{self.count}")
                events._insert(cur, stamp, type_, {"n": self.count, "text": "Grüße 😀"}, message_seq)

        await self.db.write(unit)
        self.dispatcher.wake()

    async def rows(self, columns: str) -> list[tuple[Any, ...]]:
        query = f"SELECT {columns} FROM deliveries ORDER BY delivery_id"  # noqa: S608
        return [tuple(row) for row in await self.db.read(lambda cur: cur.execute(query).fetchall())]


def target(url: str = "https://hook.example/a", events: tuple[str, ...] = ("*",)) -> WebhookTarget:
    return WebhookTarget.of(url, SECRET, events)


Scenario = Callable[[Box], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., Sink]:
    """Runs a scenario against a running dispatcher; returns what was posted."""
    counter = iter(range(100))

    def run(scenario: Scenario, *targets: WebhookTarget, seed: int = 1, trusted: bool = True) -> Sink:
        sink = Sink()
        path = tmp_path / f"{next(counter)}.db"

        async def main() -> None:
            clock = VirtualClock(asyncio.get_running_loop())
            clock.is_trusted = trusted
            db = await Database.open(path, connect=open_inline, synchronous="OFF")
            dispatcher = Dispatcher(db, clock, random.Random(seed), targets or [target()], sender=sink)
            await dispatcher.register()
            running = asyncio.create_task(dispatcher.run())
            try:
                await scenario(Box(db, clock, sink, dispatcher))
                assert not running.done()
            finally:
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running
                await db.close()

        run_virtual(main)
        assert sink.closed
        return sink

    return run
