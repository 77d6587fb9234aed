"""Transactions: plain functions that run whole on one connection, whichever thread that is in."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from modemgw.store import integrity
from modemgw.store.errors import StoreBroken, StoreCorrupt, StoreFull

T = TypeVar("T")
Unit = Callable[[sqlite3.Cursor], T]
Outcome = tuple[Any, Exception | None]  # of a unit: its value, or what went wrong

LOCKED_MS = 5000  # for as long a database that another process has locked is waited for


def read(connection: sqlite3.Connection, query: Unit[T]) -> T:
    """One state of what is committed, for the whole of the query."""
    cursor = connection.cursor()
    cursor.execute("BEGIN")
    try:
        return query(cursor)
    finally:
        connection.rollback()
        cursor.close()


def begin_unlocked(connection: sqlite3.Connection, units: list[Unit[Any]]) -> list[Outcome] | None:
    """As ``begin``; None where another process has locked the database."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        return begin(connection, units)
    except sqlite3.OperationalError as error:
        if _code(error) == sqlite3.SQLITE_BUSY:
            return None
        raise


def transact(connection: sqlite3.Connection, units: list[Unit[Any]]) -> list[Outcome]:
    """All units in one durable transaction, for which a lock of another process is waited for."""
    connection.execute(f"PRAGMA busy_timeout = {LOCKED_MS}")
    outcomes = begin(connection, units)
    commit(connection)
    return outcomes


def begin(connection: sqlite3.Connection, units: list[Unit[Any]]) -> list[Outcome]:
    """All units in one transaction, which is open then. A single unit that fails undoes it, and so does SQLite."""
    cursor = connection.cursor()
    cursor.execute("BEGIN IMMEDIATE")
    try:
        if len(units) == 1:
            return [(units[0](cursor), None)]  # what is undone is the whole transaction
        return list(_each(connection, cursor, units))
    except BaseException:
        _undo(connection)
        raise
    finally:
        cursor.close()


def commit(connection: sqlite3.Connection, now: Callable[[], float] = lambda: 0.0) -> float:
    """What ``begin`` began is on disk, or undone when this raises. Returns the seconds of ``now`` that it took."""
    began = now()
    try:
        connection.execute("COMMIT")
    except BaseException:
        _undo(connection)
        raise
    return now() - began


def _undo(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:  # SQLite may have undone it by itself
        connection.rollback()


def _each(connection: sqlite3.Connection, cursor: sqlite3.Cursor, units: list[Unit[Any]]) -> Iterator[Outcome]:
    """Each unit in a savepoint of its own: one that fails undoes only itself."""
    for unit in units:
        cursor.execute("SAVEPOINT unit")
        outcome: Outcome
        try:
            outcome = (unit(cursor), None)
        except Exception as error:
            if not connection.in_transaction or isinstance(translate(error), StoreFull | StoreCorrupt):
                raise  # SQLite has undone the whole group, or would not get further with it
            cursor.execute("ROLLBACK TO unit")
            outcome = (None, translate(error))
        cursor.execute("RELEASE unit")
        yield outcome


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def translate(error: Exception) -> Exception:
    """What a fault of SQLite is called above the store; anything else is what it is."""
    if integrity.is_damage(error):
        return StoreCorrupt(f"The database is damaged: {error}.")
    if isinstance(error, sqlite3.OperationalError):
        if _code(error) == sqlite3.SQLITE_FULL:
            return StoreFull("The disk is full.")
        return StoreBroken(f"The database does not take writes: {error}.")
    return error
