"""SIM and modem rows, and the memory of PIN attempts. A line is its ICCID or IMSI, never a port."""

import sqlite3


def upsert(
    cur: sqlite3.Cursor,
    *,
    iccid: str | None,
    imsi: str | None,
    name: str | None,
    number: str | None,
    simulated: bool,
    now_ms: int,
) -> int:
    """The row number of the SIM with this ICCID or IMSI, made where it is new; what is known is filled in."""
    row = cur.execute(
        "SELECT sim_id FROM sims WHERE (iccid IS NOT NULL AND iccid = ?1) OR (imsi IS NOT NULL AND imsi = ?2) "
        "ORDER BY iccid = ?1 DESC LIMIT 1",
        (iccid, imsi),
    ).fetchone()
    if row is None:
        cur.execute(
            "INSERT INTO sims (iccid, imsi, name, number, simulated, first_seen_ms, last_seen_ms) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (iccid, imsi, name, number, int(simulated), now_ms, now_ms),
        )
        sim_id = cur.lastrowid
        assert sim_id is not None
        return sim_id
    cur.execute(
        "UPDATE sims SET iccid = coalesce(iccid, ?), imsi = coalesce(imsi, ?), name = ?, number = coalesce(?, number), "
        "last_seen_ms = ? WHERE sim_id = ?",
        (iccid, imsi, name, number, now_ms, row["sim_id"]),
    )
    return int(row["sim_id"])


def find(cur: sqlite3.Cursor, which: str) -> sqlite3.Row | None:
    """A SIM by name, ICCID or number; None when there is none, or more than one."""
    rows = cur.execute("SELECT * FROM sims WHERE ? IN (name, iccid, number)", (which,)).fetchall()
    return rows[0] if len(rows) == 1 else None


def iccid(cur: sqlite3.Cursor, sim_id: int) -> str | None:
    """The ICCID of a SIM, if it is known."""
    row = cur.execute("SELECT iccid FROM sims WHERE sim_id = ?", (sim_id,)).fetchone()
    return row["iccid"] if row else None


def disabled_modems(cur: sqlite3.Cursor) -> list[str]:
    """Names of the modems that an operator switched off."""
    return [row["name"] for row in cur.execute("SELECT name FROM modems WHERE enabled = 0 ORDER BY name")]


def set_enabled(cur: sqlite3.Cursor, name: str, *, enabled: bool) -> None:
    """Remembers over restarts whether a modem is to be used."""
    cur.execute(
        "INSERT INTO modems (name, enabled) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET enabled = excluded.enabled",
        (name, int(enabled)),
    )


def pin_was_tried(cur: sqlite3.Cursor, sim_key: str, pin_digest: bytes) -> bool:
    """True when this PIN was ever written to this SIM without an operator asking for it."""
    row = cur.execute(
        "SELECT 1 FROM pin_attempts WHERE sim_key = ? AND pin_digest = ?", (sim_key, pin_digest)
    ).fetchone()
    return row is not None


def sim_has_tries(cur: sqlite3.Cursor, sim_key: str) -> bool:
    """True when any PIN is recorded for this SIM that it did not take."""
    return cur.execute("SELECT 1 FROM pin_attempts WHERE sim_key = ? LIMIT 1", (sim_key,)).fetchone() is not None


def forget_pin(cur: sqlite3.Cursor, sim_key: str, pin_digest: bytes) -> None:
    """The SIM took this PIN: it was right, and may be used again after the next power-up."""
    cur.execute("DELETE FROM pin_attempts WHERE sim_key = ? AND pin_digest = ?", (sim_key, pin_digest))


def refuse_pin(cur: sqlite3.Cursor, sim_key: str, pin_digest: bytes) -> None:
    """The SIM said that this PIN is wrong."""
    cur.execute(
        "UPDATE pin_attempts SET refused = 1 WHERE sim_key = ? AND pin_digest = ?", (sim_key, pin_digest)
    )  # fmt: skip


def forget_open_pin(cur: sqlite3.Cursor, sim_key: str, pin_digest: bytes) -> None:
    """The SIM is open, and nothing speaks against its having taken this PIN."""
    cur.execute(
        "DELETE FROM pin_attempts WHERE sim_key = ? AND pin_digest = ? AND refused = 0", (sim_key, pin_digest)
    )  # fmt: skip


def set_available(
    cur: sqlite3.Cursor,
    sim_id: int | None,
    *,
    available: bool,
    blocked: str | None = None,
    urgent_only: bool = False,
) -> None:
    """Notes whether a SIM (None: every one) can send now, and if not by what it is held back, for ``waiting_for``."""
    cur.execute(
        "UPDATE sims SET available = ?1, blocked = ?2, urgent_only = ?3 WHERE ?4 IS NULL OR sim_id = ?4",
        (int(available), blocked, int(urgent_only), sim_id),
    )


def names(cur: sqlite3.Cursor, sim_id: int) -> dict[str, object]:
    """``{"sim", "iccid"}`` as events name a SIM; 0, which stands for all, has neither."""
    row = cur.execute("SELECT name, iccid, imsi FROM sims WHERE sim_id = ?", (sim_id,)).fetchone()
    if row is None:
        return {"sim": None, "iccid": None}
    return {"sim": row["name"] or row["iccid"] or row["imsi"], "iccid": row["iccid"]}


def note_limit(cur: sqlite3.Cursor, sim_id: int, name: str, window_ms: int, percent: int) -> bool:
    """True for the first time that a limit reaches ``percent`` in the window that began then."""
    known = cur.execute(
        "SELECT 1 FROM limit_notices WHERE sim_id = ? AND name = ? AND window_ms = ? AND percent >= ?",
        (sim_id, name, window_ms, percent),
    ).fetchone()
    if known:
        return False
    cur.execute("DELETE FROM limit_notices WHERE sim_id = ? AND name = ? AND window_ms < ?", (sim_id, name, window_ms))
    cur.execute("INSERT INTO limit_notices VALUES (?, ?, ?, ?)", (sim_id, name, window_ms, percent))
    return True


def record_pin(cur: sqlite3.Cursor, sim_key: str, pin_digest: bytes, now_ms: int) -> None:
    """Committed before the PIN is written: a crash in between counts as used."""
    cur.execute("INSERT OR IGNORE INTO pin_attempts (sim_key, pin_digest, at_ms, refused) VALUES (?, ?, ?, 0)",
                (sim_key, pin_digest, now_ms))  # fmt: skip
