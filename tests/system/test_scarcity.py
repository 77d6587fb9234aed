"""What the machine does not give: the database is locked, descriptors run out. Slow is fine, lost or twice is not."""

import asyncio
import contextlib
import socket
import sqlite3
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from system.harness import TOP, Child, until

pytestmark = pytest.mark.system


async def test_another_program_that_locks_the_database_delays_and_loses_nothing(make_lab: Any) -> None:
    async with make_lab(["a"], latency=[0.05, 0.1]) as lab:
        async with lab.running() as service:
            await service.modem("a", "registered")
            before = [await service.send(f"+4915112345{number:03d}", "before the lock") for number in range(3)]
            with contextlib.closing(
                sqlite3.connect(lab.folder / "state" / "modemgw.db", isolation_level=None)
            ) as other:
                other.execute("BEGIN IMMEDIATE")
                during = asyncio.create_task(service.send("+4915112346000", "during the lock"))
                await lab.bank.ask("deliver", modem="a", sender="+4915559000001", text="arrived during the lock")
                began = time.perf_counter()
                assert (await service.get("/v1/modems"))["items"][0]["state"] == "registered"
                await service.get("/v1/messages")
                assert time.perf_counter() - began < 0.5, "reading goes on"
                await asyncio.sleep(3.0)
                assert not during.done(), "nothing is accepted before it is on disk"
                other.execute("ROLLBACK")
            for message in [*before, await during]:
                await service.message(message, "delivered")
            assert (await until(service.inbox))[0]["text"] == "arrived during the lock"
            assert await service.stop() == 0
        assert sorted(each["to"] for each in await lab.bank.ask("ledger")) == [
            "+4915112345000", "+4915112345001", "+4915112345002", "+4915112346000"
        ]  # fmt: skip


async def start_with_few_descriptors(argv: Sequence[str], env: Mapping[str, str], stdout: Path, stderr: Path) -> Child:
    """As on a machine where the limit is 64."""
    with stdout.open("ab") as out, stderr.open("ab") as err:
        return await asyncio.create_subprocess_exec(
            "sh", "-c", 'ulimit -n 64; exec "$@"', "sh", sys.executable, "-m", "modemgw", *argv,
            cwd=TOP, env=dict(env), stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=err,
        )  # fmt: skip


async def test_connections_that_use_up_all_descriptors_take_neither_modems_nor_the_database(make_lab: Any) -> None:
    async with (
        make_lab(["a", "b"], latency=[0.05, 0.1]) as lab,
        lab.running(starter=start_with_few_descriptors) as service,
    ):
        await service.modem("a", "registered")
        await service.modem("b", "registered")
        host, _, port = service.url.removeprefix("http://").partition(":")
        flood = []
        for _ in range(100):
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex((host, int(port)))
            flood.append(connection)
        await asyncio.sleep(0.5)
        await lab.bank.ask("deliver", modem="a", sender="+4915559000001", text="arrived in the flood")

        async def taken_off_the_sim() -> bool:
            return (await lab.bank.ask("modems"))["a"]["stored"] == 0

        await until(taken_off_the_sim, 10)
        for connection in flood:
            connection.close()
        await until(service.inbox)
        sent = await service.send("+4915112345678", "after the flood")
        await service.message(sent, "delivered")
        assert {each["state"] for each in (await service.get("/v1/modems"))["items"]} == {"registered"}
        assert await service.stop() == 0
