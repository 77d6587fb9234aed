"""A disk that fills up, is full, and has room again: nothing accepted is lost, nothing is sent twice, it goes on."""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.virtually import virtual
from support.world import World

from modemgw.domain.errors import DiskFull, StoreUnavailable
from modemgw.store.room import Room

MB = 1024 * 1024
# A hundred rounds take a quarter of a minute; every push makes ten.
ROUNDS = int(os.environ.get("MODEMGW_DISK_ROUNDS", "10"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB. Mounting needs root."""
    mount = shutil.which("mount")
    where = tmp_path / "disk"
    where.mkdir()
    done = (
        subprocess.run([mount, "-t", "tmpfs", "-o", "size=8m", "tmpfs", where], capture_output=True, check=False)
        if mount
        else None
    )
    if done is None or done.returncode:
        pytest.skip(f"needs root: mount -t tmpfs -o size=8m tmpfs {where}")
    yield where
    subprocess.run(["umount", "-l", where], check=True)


def fill(disk: Path) -> None:
    """Takes every byte that is left, as a log file would."""
    with (disk / "filler").open("ab", buffering=0) as filler, contextlib.suppress(OSError):
        for size in (65536, 4096, 512, 1):
            with contextlib.suppress(OSError):
                while True:
                    filler.write(b"x" * size)


def free(disk: Path) -> None:
    (disk / "filler").unlink(missing_ok=True)


@virtual
async def test_new_work_is_refused_before_the_disk_is_full_and_goes_on_by_itself(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=1.0) as world:
        await world.registered()
        bytes_free = [500 * MB]
        world.gateway.db.room = Room(tmp_path, free=lambda _: bytes_free[0])
        earlier = await world.send("+4915551000100")
        bytes_free[0] = 60 * MB
        with pytest.raises(DiskFull):
            await world.send("+4915551000101")
        assert [each["code"] for each in world.gateway.readiness()] == ["disk_full"]
        device = world.device("a")
        world.lab.network.deliver_from_outside("+4915559990001", device, "kept on the card")
        # What was accepted is sent to its end, with the reports that belong to it.
        await world.until_status(earlier, "delivered")
        await world.until(lambda: kept(world) == 1, within=120)
        assert await world.inbox() == []
        bytes_free[0] = 500 * MB
        (message,) = await world.until(world.inbox, within=180)
        assert message["text"] == "kept on the card"
        assert "possible_duplicate" not in message["flags"]
        await world.until(lambda: kept(world) == 0, within=60)
        await world.until_status(await world.send("+4915551000102"), "delivered")
        assert world.copies("+4915551000100") == world.copies("+4915551000102") == 1


def kept(world: World) -> int:
    """Messages in the modem and on its card."""
    box = world.device("a").inbox
    return sum(box.storage(name).used for name in ("SM", "ME") if name in box.names())


@virtual
async def test_hundreds_of_times_full_and_free_loses_and_doubles_nothing(small_disk: Path) -> None:
    async with World.of(small_disk / "w.db", modems=2, latency=(1.0, 3.0), report_delay=(1.0, 30.0)) as world:
        await world.registered()
        world.gateway.db.room = Room(small_disk, least=MB, ballast=512 * 1024)
        accepted: dict[str, str] = {}
        refused = 0
        for number in range(ROUNDS):
            for count in range(4):
                to = f"+4915552{number:04d}{count:02d}"
                if count == 2:
                    fill(small_disk)
                try:
                    accepted[await world.send(to, "x" * 150)] = to
                except (DiskFull, StoreUnavailable):
                    refused += 1
            world.lab.network.deliver_from_outside("+4915559990001", world.device("a"), f"in {number}")
            await asyncio.sleep(20.0)
            free(small_disk)
            await asyncio.sleep(20.0)
        assert refused == 2 * ROUNDS  # those that came while the disk was full
        for message in accepted:
            await world.until_status(message, "delivered", within=3600)
        await world.until(lambda: _all_arrived(world), within=3600)
        copies = Counter(entry.number for entry in world.lab.network.ledger)
        assert copies == Counter(accepted.values())
        texts = Counter(each["text"] for each in await world.inbox())
        assert texts == Counter(f"in {number}" for number in range(ROUNDS))
    connection = sqlite3.connect(small_disk / "w.db")
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    connection.close()


async def _all_arrived(world: World) -> bool:
    return len(await world.inbox()) >= ROUNDS


@virtual
async def test_the_outcome_of_what_a_modem_has_is_written_with_the_ballast(small_disk: Path) -> None:
    async with World.of(small_disk / "w.db", modems=1, latency=5.0) as world:
        await world.registered()
        room = Room(small_disk, least=MB, ballast=512 * 1024)
        world.gateway.db.room = room
        room.tend()
        message = await world.send("+4915551000100")
        await world.until_status(message, "sending")
        fill(small_disk)
        body = await world.until_status(message, "sent", "delivered", within=15)
        assert body["segments"][0]["mr"] is not None
        assert world.copies("+4915551000100") == 1
        free(small_disk)
        await asyncio.sleep(15.0)
        assert (small_disk / "ballast").stat().st_size == 512 * 1024
