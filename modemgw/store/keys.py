"""API keys: a prefix to find them by and a digest to compare; the key itself is never stored."""

import sqlite3
from dataclasses import dataclass

from modemgw.store.errors import StaleState


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One API key as stored. ``revoked_ms`` is None while it is good."""

    id: str
    name: str
    prefix: str
    digest: bytes
    scopes: tuple[str, ...]
    created_ms: int
    last_used_ms: int | None
    revoked_ms: int | None


def create(
    cur: sqlite3.Cursor, *, id: str, name: str, prefix: str, digest: bytes, scopes: tuple[str, ...], now_ms: int  # noqa: A002
) -> None:  # fmt: skip
    """Stores a new key; StaleState when the name is taken (also by a revoked key: names stay unique in the records)."""
    try:
        cur.execute(
            "INSERT INTO api_keys (id, name, prefix, digest, scopes, created_ms) VALUES (?, ?, ?, ?, ?, ?)",
            (id, name, prefix, digest, ",".join(scopes), now_ms),
        )
    except sqlite3.IntegrityError as error:
        raise StaleState(f"there is a key named {name} already") from error


def find(cur: sqlite3.Cursor, prefix: str) -> KeyRow | None:
    """The key with this prefix, revoked or not."""
    row = cur.execute("SELECT * FROM api_keys WHERE prefix = ?", (prefix,)).fetchone()
    return _key(row) if row else None


def all_keys(cur: sqlite3.Cursor) -> list[KeyRow]:
    """Every key ever made, oldest first."""
    return [_key(row) for row in cur.execute("SELECT * FROM api_keys ORDER BY key_id")]


def revoke(cur: sqlite3.Cursor, name: str, now_ms: int) -> bool:
    """Ends a key; False when there is no good key of that name."""
    cur.execute("UPDATE api_keys SET revoked_ms = ? WHERE name = ? AND revoked_ms IS NULL", (now_ms, name))
    return cur.rowcount == 1


def touch(cur: sqlite3.Cursor, id: str, now_ms: int) -> None:  # noqa: A002
    """Notes that the key was used."""
    cur.execute("UPDATE api_keys SET last_used_ms = ? WHERE id = ?", (now_ms, id))


def _key(row: sqlite3.Row) -> KeyRow:
    return KeyRow(
        id=row["id"],
        name=row["name"],
        prefix=row["prefix"],
        digest=row["digest"],
        scopes=tuple(row["scopes"].split(",")),
        created_ms=row["created_ms"],
        last_used_ms=row["last_used_ms"],
        revoked_ms=row["revoked_ms"],
    )
