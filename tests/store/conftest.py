"""A database of its own for each test, and short ways to fill it."""

import itertools
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from modemgw.store import acceptance, attempts, queue, sims
from modemgw.store.database import Database
from modemgw.store.events import Stamp

NOW = 1_795_000_000_000


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(tmp_path / "test.db")
    yield database
    await database.close()


class Desk:
    """Writes into a store as the gateway would, one step a call, at a time that only moves when told."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.now = NOW
        self._numbers = itertools.count(1)

    def stamp(self) -> Stamp:
        return Stamp(self.now, f"stamp{next(self._numbers)}")

    async def do(self, unit: Callable[[sqlite3.Cursor, Stamp], Any]) -> Any:
        stamp = self.stamp()
        return await self.db.write(lambda cur: unit(cur, stamp))

    async def sim(self, iccid: str = "8949020000000000001", imsi: str | None = None) -> int:
        return await self.db.write(
            lambda cur: sims.upsert(
                cur, iccid=iccid, imsi=imsi, name=None, number=None, simulated=False, now_ms=self.now
            )
        )

    async def accept(self, *, to: str = "+4915551000002", segments: tuple[str, ...] = ("hello",), **other: Any) -> str:
        fields: dict[str, Any] = {
            "text": "".join(segments), "data": None, "encoding": "gsm7",
            "segments": segments, "class_": "transactional", "lane": 3, "priority": 0, "on_uncertain": "resend",
            "report": True, "flash": False, "port": None, "ref": None, "key_id": "k",
            "resend_of": None, "send_at_ms": None, "expires_ms": self.now + 3_600_000,
        }  # fmt: skip
        sim_id = other.pop("sim_id", None)
        recipient = acceptance.Recipient(f"m{next(self._numbers)}", to, 7)
        draft = acceptance.Draft(**(fields | other))
        await self.do(lambda cur, stamp: acceptance.enqueue(cur, stamp, draft, [recipient], sim_id))
        return recipient.id

    async def intend(self, sim_id: int, token: str, *, port: str = "/dev/ttyUSB0") -> queue.Outgoing:
        """C2 for the segment at the head of the queue."""
        head = min(await self.db.read(lambda cur: queue.heads(cur, sim_id, ())), key=lambda each: each.seq)
        outgoing = await self.db.read(lambda cur: queue.next_segment(cur, head.seq))
        assert outgoing is not None
        intent = attempts.Intent(
            token=token, message_seq=outgoing.message_seq, segment_id=outgoing.segment_id, seq=outgoing.seq,
            sim_id=sim_id, modem="m",
            port=port, boot_id="b", peer=outgoing.peer, resend=outgoing.resends > 0,
        )  # fmt: skip
        await self.do(lambda cur, stamp: attempts.intend(cur, stamp, intent))
        return outgoing


@pytest.fixture
def desk(db: Database) -> Desk:
    return Desk(db)
