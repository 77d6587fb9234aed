"""Read models: rows -> the JSON objects of the API. The one place that knows their shape; webhooks carry the same."""

import base64
import functools
import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from modemgw.domain.message import URGENT_LANES

Json = dict[str, Any]
Row = Mapping[str, Any]

_ANY = {
    "any_available": "(SELECT max(available) FROM sims)",
    "any_blocked": "(SELECT max(blocked) FROM sims)",
    "any_urgent_only": "(SELECT min(urgent_only) FROM sims WHERE available = 1)",
}
_SIMS_NOW = "SELECT " + ", ".join(f"{value} AS {name}" for name, value in _ANY.items())
_IF_FREE = ", ".join(f"iif(m.sim_id IS NULL, {value}, NULL) AS {name}" for name, value in _ANY.items())
_SELECT = (
    "SELECT m.*, s.iccid AS sim_iccid, s.imsi AS sim_imsi, s.name AS sim_name, s.available, s.blocked, s.urgent_only, "
    f"{_IF_FREE} "
    "FROM messages AS m LEFT JOIN sims AS s ON s.sim_id = m.sim_id "
)


@functools.lru_cache(maxsize=256)  # one step of a message is told in several places
def rfc3339(ms: int | None) -> str | None:
    """2026-11-22T12:00:00.000Z, or None."""
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message(cur: sqlite3.Cursor, id_: str, *, full: bool = False) -> Json | None:
    """One message by its public id; ``full`` adds the timeline and the reason for the SIM."""
    rows = _rows(cur.execute(f"{_SELECT} WHERE m.id = ?", (id_,)))
    if not rows:
        return None
    row, body = rows[0], _shape(cur, rows)[0]
    if full and row["direction"] == "outbound":
        body["timeline"] = [_step(each) for each in cur.execute(
            "SELECT at_ms, event, detail FROM timeline WHERE message_seq = ? ORDER BY timeline_id", (row["seq"],)
        )]  # fmt: skip
        body["route"] = _route(row)
    return body


def message_by_seq(cur: sqlite3.Cursor, seq: int) -> Json:
    """One message by its row number, which must exist."""
    return _shape(cur, _rows(cur.execute(f"{_SELECT} WHERE m.seq = ?", (seq,))))[0]


def accepted(cur: sqlite3.Cursor, row: Mapping[str, Any], segments: int) -> Json:
    """A message that was accepted a moment ago; ``row`` has the columns that are written then."""
    fresh = dict.fromkeys(("modem", "error", "sent_ms", "finished_ms", "sim_name", "sim_iccid", "sim_imsi"))
    sims_now = cur.execute(_SIMS_NOW).fetchone()
    fresh |= {"no_receipt": 0, **dict(sims_now), "available": 0, "blocked": None, "urgent_only": 0}
    if row["sim_id"] is not None:
        fresh |= dict(cur.execute(
            "SELECT iccid AS sim_iccid, imsi AS sim_imsi, name AS sim_name, available, blocked, urgent_only "
            "FROM sims WHERE sim_id = ?", (row["sim_id"],)
        ).fetchone())  # fmt: skip
    none = dict.fromkeys(("sim", "modem", "mr", "submitted_at", "finished_at", "tp_status", "cms", "error"))
    parts = [{"seq": number, "status": "queued", **none, "attempts": 0} for number in range(1, segments + 1)]
    return _outbound(fresh | dict(row), parts)


def messages(
    cur: sqlite3.Cursor,
    *,
    limit: int,
    cursor: str | None = None,
    direction: str | None = None,
    status: str | None = None,
    peer: str | None = None,
    sim: str | None = None,
    ref: str | None = None,
    q: str | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
) -> Json:
    """Messages both ways, newest first. Raises ValueError for a cursor that was never given out."""
    wheres: list[tuple[str, object]] = [
        ("m.direction = ?", direction),
        ("m.status = ?", status),
        ("m.peer = ?", peer),
        ("? IN (s.name, s.iccid, s.number)", sim),
        ("m.ref = ?", ref),
        ("instr(m.text, ?) > 0", q),
        ("m.created_ms >= ?", since_ms),
        ("m.created_ms < ?", until_ms),
        ("m.seq < ?", _position(cursor)),
        # What is being stored does not count before its request is accepted as a whole.
        ("(m.batch_id IS NULL OR m.batch_id NOT IN (SELECT batch_id FROM batches WHERE accepted = ?))", 0),
    ]
    return _page(cur, wheres, limit)


def inbox(cur: sqlite3.Cursor, *, limit: int, cursor: str | None = None, unread: bool | None = None) -> Json:
    """Inbound messages, newest first; ``unread`` keeps those that are, or are not, marked as read."""
    wheres: list[tuple[str, object]] = [("m.direction = ?", "inbound"), ("m.seq < ?", _position(cursor))]
    if unread is not None:
        wheres.append(("(m.read_ms IS NULL) = ?", int(unread)))
    return _page(cur, wheres, limit)


def sims(cur: sqlite3.Cursor) -> list[Json]:
    """All SIMs ever seen, as rows; limits and live state are added by the gateway."""
    return [dict(row) for row in cur.execute("SELECT * FROM sims ORDER BY sim_id")]


def _page(cur: sqlite3.Cursor, wheres: Iterable[tuple[str, object]], limit: int) -> Json:
    used = [(sql, value) for sql, value in wheres if value is not None]
    condition = " AND ".join(sql for sql, _ in used) or "1"
    rows = _rows(cur.execute(
        f"{_SELECT} WHERE {condition} ORDER BY m.seq DESC LIMIT ?",
        [*(value for _, value in used), limit + 1],
    ))  # fmt: skip
    more = len(rows) > limit
    rows = rows[:limit]
    return {"items": _shape(cur, rows), "next_cursor": str(rows[-1]["seq"]) if more else None}


def _position(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise ValueError("cursor")
    return int(cursor)


def _rows(cur: sqlite3.Cursor) -> list[Row]:
    """The rows as dicts: a sqlite3.Row looks for a name by comparing it to each, which counts where all are used."""
    names = [each[0] for each in cur.description]
    return [dict(zip(names, row, strict=True)) for row in cur]


def _shape(cur: sqlite3.Cursor, rows: list[Row]) -> list[Json]:
    segments = _segments(cur, [row["seq"] for row in rows if row["direction"] == "outbound"])
    return [
        _outbound(row, segments.get(row["seq"], [])) if row["direction"] == "outbound" else _inbound(row)
        for row in rows
    ]


def _content(row: Row) -> Json:
    data = row["data"]
    return {"text": row["text"]} | ({"data": base64.b64encode(data).decode()} if data is not None else {})


def _sim_name(row: Row) -> str | None:
    name: str | None = row["sim_name"] or row["sim_iccid"] or row["sim_imsi"]
    return name


def _outbound(row: Row, segments: list[Json]) -> Json:
    return {
        "id": row["id"],
        "direction": "outbound",
        "to": row["peer"],
        **_content(row),
        "class": row["class"],
        "priority": row["priority"],
        "status": row["status"],
        "waiting_for": _waiting_for(row),
        "encoding": row["encoding"],
        "segments": segments,
        "ref": row["ref"],
        "sim": _sim_name(row),
        "modem": row["modem"],
        "no_receipt": bool(row["no_receipt"]),
        "error": json.loads(row["error"]) if row["error"] else None,
        "resend_of": row["resend_of"],
        "created_at": rfc3339(row["created_ms"]),
        "send_at": rfc3339(row["send_at_ms"]),
        "expires_at": rfc3339(row["expires_ms"]),
        "sent_at": rfc3339(row["sent_ms"]),
        "finished_at": rfc3339(row["finished_ms"]),
    }


def _waiting_for(row: Row) -> str | None:
    """Why a message has not gone yet: send_at, retry, proof, earlier_message, sim, modem, operator, or what holds the
    SIM back."""
    status = row["status"]
    if status in ("held", "uncertain"):
        return "operator" if status == "held" else "proof"
    if status not in ("scheduled", "queued", "sending"):
        return None
    if row["due_ms"] is not None:
        return "send_at" if status == "scheduled" else "retry"
    if not row["ready"]:
        return "earlier_message" if status == "queued" else None
    bound = row["sim_id"] is not None
    available, urgent_only = (
        (row["available"], row["urgent_only"]) if bound else (row["any_available"], row["any_urgent_only"])
    )
    if available and not (urgent_only and row["lane"] >= URGENT_LANES):
        return None
    blocked: str | None = row["blocked"] if bound else row["any_blocked"]
    return blocked or ("sim" if bound else "modem")


def _inbound(row: Row) -> Json:
    return {
        "id": row["id"],
        "direction": "inbound",
        "from": row["peer"],
        "to": row["own"],
        **_content(row),
        "encoding": row["encoding"],
        "class": row["message_class"],
        "parts": row["parts"],
        "complete": bool(row["complete"]),
        "sim": _sim_name(row),
        "modem": row["modem"],
        "sent_at": rfc3339(row["sent_at_ms"]),
        "received_at": rfc3339(row["created_ms"]),
        "read": row["read_ms"] is not None,
        "flags": row["flags"].split(",") if row["flags"] else [],
    }


def _segments(cur: sqlite3.Cursor, seqs: list[int]) -> dict[int, list[Json]]:
    """The segments of many messages, each with what its newest attempt knows."""
    found: dict[int, list[Json]] = {}
    if not seqs:
        return found
    marks = ",".join("?" * len(seqs))
    for row in _rows(cur.execute(
        "SELECT g.*, a.mr, a.modem, s.iccid AS sim_iccid, s.imsi AS sim_imsi, s.name AS sim_name FROM segments AS g "
        "LEFT JOIN attempts AS a ON a.attempt_id = "
        "(SELECT max(attempt_id) FROM attempts WHERE segment_id = g.segment_id) "
        f"LEFT JOIN sims AS s ON s.sim_id = a.sim_id WHERE g.message_seq IN ({marks}) ORDER BY g.message_seq, g.seq",
        seqs,
    )):  # fmt: skip
        found.setdefault(row["message_seq"], []).append({
            "seq": row["seq"],
            "status": row["state"],
            "sim": _sim_name(row),
            "modem": row["modem"],
            "mr": row["mr"],
            "attempts": row["attempts"],
            "submitted_at": rfc3339(row["submitted_ms"]),
            "finished_at": rfc3339(row["finished_ms"]),
            "tp_status": row["tp_status"],
            "cms": row["cms"],
            "error": row["error"],
        })  # fmt: skip
    return found


def _step(row: sqlite3.Row) -> Json:
    return {"at": rfc3339(row["at_ms"]), "event": row["event"], **json.loads(row["detail"])}


def _route(row: Row) -> Json:
    """Why this SIM, as it was written down when the message was handed to it."""
    known: Json = json.loads(row["route"]) if row["route"] else {}
    if row["sim_id"] is None:
        reason = "No SIM is bound yet: the next one that is free and allowed takes it."
        return {"sim": None, "reason": reason, "considered": []}
    reason = "The request asked for this SIM." if row["sim_pinned"] else "It was the first allowed SIM that came free."
    return {"sim": _sim_name(row), "reason": reason, "considered": [], **known}


def newest_id(cur: sqlite3.Cursor) -> str | None:
    """The greatest id given out so far, so that new ones sort behind it whatever the clock says."""
    row = cur.execute("SELECT id FROM messages ORDER BY seq DESC LIMIT 1").fetchone()
    return row["id"] if row else None
