"""A table of numbers in a store, for tests of its transactions alone."""

import sqlite3
from collections.abc import Callable

from modemgw.store.database import Database


async def make_table(db: Database) -> None:
    await db.write(lambda cur: cur.execute("CREATE TABLE t (x INTEGER PRIMARY KEY)"))


async def rows(db: Database) -> list[int]:
    return await db.read(lambda cur: [row[0] for row in cur.execute("SELECT x FROM t ORDER BY x")])


def insert(x: int) -> Callable[[sqlite3.Cursor], int]:
    return lambda cur: cur.execute("INSERT INTO t VALUES (?)", (x,)).rowcount
