"""A database as a busy year would leave it, to measure with.

Nine in ten of its messages have ended, six in a hundred were received, the rest (``waiting``) wait: half of them are
ready, others wait for a retry or for their time; a few are uncertain or have just been cut off. Written in bulk.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modemgw.store import migrate

SIM_ID = 1
DAY_MS = 86_400_000
ICCID = "8949020000000000001"
_TEXT = "Your parcel has arrived at our shop and waits for you until Saturday noon. Order number {}"


def make(path: Path, count: int, *, now_ms: int, waiting: float = 0.04) -> None:
    """Fills a new database at ``path`` with ``count`` messages; ``now_ms`` is where its year ends. Blocks for long."""
    done = round(count * (1 - waiting))
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    migrate.upgrade(connection)
    connection.execute("BEGIN")
    connection.execute(
        "INSERT INTO sims (sim_id, iccid, first_seen_ms, last_seen_ms) VALUES (1, ?, ?, ?)", (ICCID, now_ms, now_ms)
    )
    for table, columns, rows in (
        ("messages", _MESSAGE, _messages(count, done, now_ms)),
        ("segments", "segment_id, message_seq, seq, state, text, attempts", _segments(count, done)),
        ("attempts", _ATTEMPT, _attempts(count, done, now_ms)),
        ("timeline", "message_seq, at_ms, event, detail", _timeline(count, done, now_ms)),
        ("received", _RECEIVED, _received(count, done, now_ms)),
        ("events", "id, type, at_ms, message_seq, data", _events(count, now_ms)),
    ):
        marks = ", ".join("?" * len(columns.split(",")))
        connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


_MESSAGE = (
    "seq, id, direction, peer, text, encoding, created_ms, sim_id, class, lane, priority, status, ready, due_ms, "
    "on_uncertain, report, flash, concat_ref, key_id, send_at_ms, expires_ms, sent_ms, finished_ms"
)
_ATTEMPT = "token, segment_id, sim_id, modem, port, peer, state, boot_id, started_ms, decide_ms, mr"
_RECEIVED = "sim_id, modem, pdu, kind, received_ms, acknowledged_ms, message_seq"


def _status_of(seq: int, done: int) -> str:
    """What became of message number ``seq``; those up to ``done`` have ended."""
    if seq % 100 < 6:
        return "inbound"
    if seq <= done:
        return "sent" if seq % 7 == 0 else "delivered"
    if seq % 5000 == 6:
        return "uncertain"
    if seq % 5000 == 7:
        return "submitting"
    return ("queued", "retry", "scheduled", "queued")[seq % 4]


def _created_ms(seq: int, count: int, now_ms: int) -> int:
    return now_ms - 365 * DAY_MS + seq * (365 * DAY_MS // count)


def _peer(seq: int) -> str:
    return f"+49155{seq % 100_000:08d}"


def _messages(count: int, done: int, now_ms: int) -> Iterator[tuple[Any, ...]]:
    for seq in range(1, count + 1):
        what = _status_of(seq, done)
        at_ms = _created_ms(seq, count, now_ms)
        head = (seq, f"01K{seq:023d}")
        if what == "inbound":
            yield (*head, "inbound", _peer(seq), _TEXT.format(seq), "gsm7", at_ms, 1, None, None, None, None, 0, None,
                   None, None, None, None, None, None, None, None, None)  # fmt: skip
            continue
        status = {"retry": "queued", "submitting": "sending"}.get(what, what)
        due_ms = {"retry": now_ms + seq * 7919 % 3_600_000, "scheduled": now_ms + seq * 7919_993 % (30 * DAY_MS)}.get(
            what
        )
        ended = what in ("sent", "delivered")
        yield (*head, "outbound", _peer(seq), _TEXT.format(seq), "gsm7", at_ms, 1 if ended else None, "transactional",
               3, 0, status, int(what == "queued"), due_ms, "resend", 1, 0, 7, "k",
               due_ms if what == "scheduled" else None, now_ms + 3 * DAY_MS, at_ms if ended else None,
               at_ms if what == "delivered" else None)  # fmt: skip


def _outbound(count: int, done: int) -> Iterator[tuple[int, str]]:
    for seq in range(1, count + 1):
        what = _status_of(seq, done)
        if what != "inbound":
            yield seq, what


_STATES = {"sent": "submitted", "retry": "queued", "scheduled": "queued"}


def _segments(count: int, done: int) -> Iterator[tuple[Any, ...]]:
    for seq, what in _outbound(count, done):
        yield seq, seq, 1, _STATES.get(what, what), _TEXT.format(seq), int(what not in ("queued", "scheduled"))


def _attempts(count: int, done: int, now_ms: int) -> Iterator[tuple[Any, ...]]:
    for seq, what in _outbound(count, done):
        if what in ("queued", "retry", "scheduled"):
            continue
        at_ms = _created_ms(seq, count, now_ms)
        decide_ms = now_ms + 60_000 if what == "uncertain" else None
        mr = seq % 256 if what in ("sent", "delivered") else None
        yield f"t{seq}", seq, 1, "m", "p", _peer(seq), _STATES.get(what, what), "b", at_ms, decide_ms, mr


def _timeline(count: int, done: int, now_ms: int) -> Iterator[tuple[Any, ...]]:
    for seq, what in _outbound(count, done):
        at_ms = _created_ms(seq, count, now_ms)
        for event in ("accepted", "submitting", "sent", "delivered") if what == "delivered" else ("accepted",):
            yield seq, at_ms, event, '{"segment": 1}'


def _received(count: int, done: int, now_ms: int) -> Iterator[tuple[Any, ...]]:
    for seq in range(1, count + 1):
        if _status_of(seq, done) == "inbound":
            at_ms = _created_ms(seq, count, now_ms)
            yield 1, "m", f"0791947122723033040C9194{seq:012d}" + "AB" * 90, "deliver", at_ms, at_ms, seq


def _events(count: int, now_ms: int) -> Iterator[tuple[Any, ...]]:
    for seq in range(count - count // 50, count + 1):
        for number in range(4):
            data = '{"id": "x", "text": "' + _TEXT.format(seq) + '", "segments": []}' + " " * 300
            yield f"evt_{seq}_{number}", "message.sent", _created_ms(seq, count, now_ms), seq, data
