"""What is left on each SIM: the last reading, what became of the last question, and when the next one is due."""

import sqlite3
from dataclasses import dataclass

from modemgw.domain.money import Money


@dataclass(frozen=True, slots=True)
class Balance:
    """One SIM's row. ``money`` None: never read. ``question``: the ``ref`` of the message whose answer may come until
    ``awaits_ms``."""

    sim_id: int
    state: str
    money: Money | None
    read_ms: int | None
    text: str | None
    error: str | None
    failures: int
    asked_ms: int | None
    due_ms: int
    question: str | None
    awaits_ms: int | None


def find(cur: sqlite3.Cursor, sim_id: int) -> Balance | None:
    """What is known of a SIM; None for one that was never to be asked."""
    row = cur.execute("SELECT * FROM balances WHERE sim_id = ?", (sim_id,)).fetchone()
    return _balance(row) if row else None


def every(cur: sqlite3.Cursor) -> list[Balance]:
    """What is known of all SIMs."""
    return [_balance(row) for row in cur.execute("SELECT * FROM balances ORDER BY sim_id")]


def is_low(cur: sqlite3.Cursor, sim_id: int) -> bool:
    """Is what is left on a SIM for urgent messages?"""
    row = cur.execute("SELECT state FROM balances WHERE sim_id = ?", (sim_id,)).fetchone()
    return row is not None and row["state"] == "low"


def begin(cur: sqlite3.Cursor, sim_id: int, due_ms: int) -> None:
    """A SIM that is to be asked, from ``due_ms`` on; nothing changes for one that is known."""
    cur.execute("INSERT OR IGNORE INTO balances (sim_id, due_ms) VALUES (?, ?)", (sim_id, due_ms))


def asked(
    cur: sqlite3.Cursor,
    sim_id: int,
    now_ms: int,
    due_ms: int,
    question: str | None = None,
    awaits_ms: int | None = None,
) -> None:
    """It is asked now. ``due_ms``: when again, should nothing be heard of this."""
    cur.execute(
        "UPDATE balances SET asked_ms = ?, due_ms = ?, question = ?, awaits_ms = ?, error = NULL WHERE sim_id = ?",
        (now_ms, due_ms, question, awaits_ms, sim_id),
    )


def told(
    cur: sqlite3.Cursor, sim_id: int, money: Money, text: str, message_seq: int | None, now_ms: int, due_ms: int
) -> None:  # fmt: skip
    """An answer told the amount. ``message_seq``: the received message that it is."""
    cur.execute(
        "UPDATE balances SET minor = ?, digits = ?, currency = ?, read_ms = ?, text = ?, message_seq = ?, "
        "error = NULL, failures = 0, due_ms = ?, question = NULL, awaits_ms = NULL WHERE sim_id = ?",
        (money.minor, money.digits, money.currency, now_ms, text, message_seq, due_ms, sim_id),
    )


def puzzled(cur: sqlite3.Cursor, sim_id: int, text: str, message_seq: int | None, error: str) -> None:
    """An answer told no amount; what was read before stays."""
    cur.execute(
        "UPDATE balances SET text = ?, message_seq = ?, error = ? WHERE sim_id = ?", (text, message_seq, error, sim_id)
    )


def failed(cur: sqlite3.Cursor, sim_id: int, error: str, due_ms: int) -> None:
    """The question was in vain: it is asked again at ``due_ms``."""
    cur.execute(
        "UPDATE balances SET error = ?, failures = failures + 1, due_ms = ?, question = NULL, awaits_ms = NULL "
        "WHERE sim_id = ?",
        (error, due_ms, sim_id),
    )


def set_state(cur: sqlite3.Cursor, sim_id: int, state: str) -> None:
    """``unknown``, ``fine``, ``low`` (by a reading) or ``gone`` (by what the network refuses)."""
    cur.execute("UPDATE balances SET state = ? WHERE sim_id = ?", (state, sim_id))


def hasten(cur: sqlite3.Cursor, sim_id: int, now_ms: int, asked_before_ms: int) -> None:
    """It is due now, unless it was asked since ``asked_before_ms`` or an answer is still to come."""
    cur.execute(
        "UPDATE balances SET due_ms = min(due_ms, ?) WHERE sim_id = ? AND awaits_ms IS NULL "
        "AND (asked_ms IS NULL OR asked_ms < ?)",
        (now_ms, sim_id, asked_before_ms),
    )


def outcome(cur: sqlite3.Cursor, question: str) -> tuple[str, str | None]:
    """(status, error as JSON) of the message that asks; ("missing", None) where there is none."""
    row = cur.execute(
        "SELECT status, error FROM messages WHERE ref = ? AND direction = 'outbound' ORDER BY seq DESC LIMIT 1",
        (question,),
    ).fetchone()
    return (row["status"], row["error"]) if row else ("missing", None)


def is_within_a_message(cur: sqlite3.Cursor, sim_id: int) -> bool:
    """Has a SIM begun a message whose next segment may go now?"""
    return cur.execute(
        "SELECT 1 FROM messages WHERE ready = 1 AND sim_id IS NOT NULL AND sim_id = ? AND status = 'sending' LIMIT 1",
        (sim_id,),
    ).fetchone() is not None  # fmt: skip


def _balance(row: sqlite3.Row) -> Balance:
    money = None if row["minor"] is None else Money.of(row["minor"], row["digits"], row["currency"])
    return Balance(
        sim_id=row["sim_id"], state=row["state"], money=money, read_ms=row["read_ms"], text=row["text"],
        error=row["error"], failures=row["failures"], asked_ms=row["asked_ms"], due_ms=row["due_ms"],
        question=row["question"], awaits_ms=row["awaits_ms"],
    )  # fmt: skip
