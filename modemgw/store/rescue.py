"""A damaged database at start: moved aside, the newest good backup in its place, and nothing sent by itself.

A backup is up to a day old. What waits in it may have gone out since, so every message that is not over is held for a
person; what was with a modem ends as unknown, for nobody will hear of it any more. Everything else goes on: the inbox,
the keys, the webhooks, new messages.

Without a backup the start is refused, and nothing is touched. Starting empty would look as if all were well, while
accepted messages are gone, received ones are announced a second time, the day's fuse and the PINs that were tried are
forgotten: a box that silently forgets is worse than one that says in one line what happened and what to do.
"""

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from modemgw.store import attempts, backup, events, integrity, outbox, outcomes
from modemgw.store.connection import Connection, open_threaded
from modemgw.store.database import Database
from modemgw.store.errors import StoreCorrupt
from modemgw.store.events import Stamp

log = logging.getLogger(__name__)
_LOST = {
    "code": "restored", "retryable": False, "cms": None, "tp_status": None,
    "text": "This message was being sent when the backup was made, and nobody knows what became of it.",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Restored:
    """What took the place of a damaged database. ``held``: messages that wait for a person now."""

    damage: str
    moved_to: Path
    source: Path
    held: int


async def open_or_restore(
    path: Path,
    stamp: Callable[[], Stamp],
    *,
    connect: Callable[[Path], Awaitable[Connection]] = open_threaded,
    synchronous: str = "FULL",
) -> tuple[Database, Restored | None]:
    """The database at ``path``, or what a backup had of it. Raises StoreError with what to do when there is neither."""
    try:
        if not emptied(path):
            return await Database.open(path, connect=connect, synchronous=synchronous), None
        damage = f"The database {path} is an empty file."
    except StoreCorrupt as error:
        damage = str(error)
    source = backup.newest_good(path)
    if source is None:
        raise StoreCorrupt(
            f"{damage} There is no good backup in {backup.directory(path)}, and nothing was changed. Either "
            f"`modemgw restore FILE` with a backup kept elsewhere, or, to start empty and forget all messages, keys "
            f"and counters, move {path.name} and {path.name}-wal away."
        )
    log.critical("%s It is moved aside, and the backup %s takes its place.", damage, source.name)
    moved = backup.set_aside(path, "corrupt", stamp().now_ms)
    assert moved is not None
    backup.install(source, path)
    integrity.clear(path)
    db = await Database.open(path, connect=connect, synchronous=synchronous)
    made = stamp()
    held = await db.write(lambda cur: hold_queue(cur, made))
    restored = Restored(damage, moved, source, held)
    await db.write(lambda cur: _announce(cur, made, restored))
    log.critical(
        "The database was restored from %s: what happened since is not in it. %d messages that were not over are held: "
        "they may have been sent already; look at them and release those that were not. The damaged file is %s.",
        source.name, held, moved.name,
    )  # fmt: skip
    return db, restored


def emptied(path: Path) -> bool:
    """True for a file that has lost its content, as after a power cut on some file systems: there are backups of it."""
    return path.exists() and path.stat().st_size == 0 and bool(backup.ours(path))


def hold_queue(cur: sqlite3.Cursor, stamp: Stamp) -> int:
    """Holds every message that is not over, in a database that was restored; returns how many."""
    for attempt in attempts.cut_off(cur):
        outcomes.uncertain(cur, stamp, attempt.token, _LOST, stamp.now_ms)
    while found := attempts.undecided(cur, 2**62):
        for attempt in found:
            outcomes.give_up_proof(cur, stamp, attempt)
    rows = cur.execute(
        "SELECT seq, due_ms FROM messages WHERE status IN ('scheduled', 'queued', 'sending') ORDER BY seq"
    ).fetchall()
    for row in rows:
        cur.execute("UPDATE messages SET held = 1 WHERE seq = ?", (row["seq"],))
        outbox.settle(cur, stamp, row["seq"], due_ms=row["due_ms"], reason="It was restored from a backup.")
    return len(rows)


def _announce(cur: sqlite3.Cursor, stamp: Stamp, restored: Restored) -> None:
    events.announce(cur, stamp, "store.restored", {
        "damage": restored.damage, "backup": restored.source.name, "moved_to": restored.moved_to.name,
        "held": restored.held,
        "text": "The database was damaged and was replaced by its last backup; messages that waited are held.",
    })  # fmt: skip
