"""No query that the gateway makes while it works reads a whole table: what it costs does not depend on the backlog.

The statements are not listed here: they are those that a gateway really makes on a day with everything in it.
"""

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import virtual
from support.virtually import virtual as in_virtual_time
from support.world import World

BIG = ("messages", "segments", "attempts", "timeline", "received", "events", "deliveries", "assembly_parts", "usage")
LONG = "a message of several segments, " * 8
# min() and max() of an indexed column read one entry of the index, however the plan is worded.
_ONE_ENTRY = re.compile(r"SELECT (min|max|coalesce\(max)\(", re.IGNORECASE)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Every statement that is made, by what it is without its values."""
    found: dict[str, str] = {}
    connect = sqlite3.connect

    def note(sql: str) -> None:
        found.setdefault(re.sub(r"'[^']*'|\b\d+\b", "?", sql), sql)

    def traced(*args: object, **options: object) -> sqlite3.Connection:
        connection = connect(*args, **options)  # type: ignore[call-overload]
        connection.set_trace_callback(note)
        return connection

    monkeypatch.setattr(virtual.sqlite3, "connect", traced)
    return found


@in_virtual_time
async def test_no_query_of_a_working_gateway_scans_a_big_table(tmp_path: Path, statements: dict[str, str]) -> None:
    path = tmp_path / "w.db"
    async with World.of(path, modems=2, latency=1.0, report_delay=(0.5, 5.0)) as world:
        await world.registered()
        plain = [await world.send(f"+4915553{number:06d}", LONG) for number in range(10)]
        # Refused, uncertain, undeliverable, for later, never in time, for one SIM alone.
        bad = [await world.send(f"+49155590{ending}") for ending in ("99038", "98001", "97070", "98002")]
        await world.send("+4915551000200", send_at_ms=world.clock.wall_ms() + 60_000)
        await world.send("+4915551000201", send_at_ms=world.clock.wall_ms() + 60_000, ttl_s=1, sim=world.number("a"))
        world.lab.network.deliver_from_outside("+4915559990001", world.device("a"), LONG)
        world.lab.network.deliver_from_outside("+4915559990001", world.device("b"), "short")
        for message in plain:
            await world.until_status(message, "delivered")
        await world.restart()
        await asyncio.sleep(7200)
        for message in bad:
            await world.until_status(message, "failed", "unknown", "undelivered", "sent", "delivered", within=3600)
        await world.gateway.erase(plain[0])
        assert len(await world.inbox()) == 2
    assert len(statements) > 100
    scans = list(_scans(path, statements))
    assert scans == []


def _scans(path: Path, statements: dict[str, str]) -> Iterator[str]:
    connection = sqlite3.connect(path)
    for shape, sql in statements.items():
        if not re.match(r"\s*(SELECT|UPDATE|DELETE|INSERT)", sql) or _ONE_ENTRY.match(sql):
            continue
        if sql.lstrip().startswith("UPDATE sqlite_schema"):
            continue  # of an upgrade; there are some dozen rows, and nobody else may even ask
        for *_, detail in connection.execute(f"EXPLAIN QUERY PLAN {sql}"):
            table = re.match(r"SCAN (\w+)(?: AS \w+)?(.*)", detail)
            name = _real(table[1], sql) if table else ""
            if table and name in BIG and "INDEX" not in table[2] and not _bounded(sql):
                yield f"{detail}: {shape}"
    connection.close()


def _real(alias: str, sql: str) -> str:
    found = re.search(rf"(?:FROM|JOIN)\s+(\w+)\s+AS\s+{alias}\b", sql)
    return found[1] if found else alias


def _bounded(sql: str) -> bool:
    """Along the key and no further than asked for: the newest row of a table, the pages of the API, the oldest rows."""
    along_the_key = re.search(r"ORDER BY (?:m\.)?(?:seq|\w+_id)(?: DESC)? LIMIT", sql)
    return bool(along_the_key) and ("WHERE" not in sql or "AS m LEFT JOIN sims" in sql or "created_ms FROM" in sql)
