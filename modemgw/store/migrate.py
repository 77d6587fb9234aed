"""The schema's version and its upgrades: forward only, each step one transaction.

``PRAGMA user_version`` counts the steps that were done. A database from a newer version is refused, never touched.
"""

import sqlite3
from importlib import resources

from modemgw.seams import crash_point
from modemgw.store.errors import StoreBroken


def steps() -> list[tuple[int, str]]:
    """(number, SQL) of every migration, in order; the files are named NNNN_what.sql."""
    folder = resources.files("modemgw.store") / "migrations"
    files = sorted((each for each in folder.iterdir() if each.name.endswith(".sql")), key=lambda each: each.name)
    return [(int(each.name[:4]), each.read_text(encoding="utf-8")) for each in files]


def version(connection: sqlite3.Connection) -> int:
    """How many steps were done; 0 for a new file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def newest() -> int:
    """The version that this program writes."""
    return steps()[-1][0]


def upgrade(connection: sqlite3.Connection) -> int:
    """Brings the schema to the newest version and returns it; raises StoreBroken for one from the future."""
    done = version(connection)
    last = 0
    for number, sql in steps():
        last = number
        if number > done:
            # user_version is part of the transaction: a crash in between leaves the old schema whole.
            connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};")
            crash_point("in_migration")
            connection.execute("COMMIT")
    if done > last:
        raise StoreBroken(
            f"The database was written by a newer version (schema {done}, this one knows {last}). "
            "Install that version again, or restore a backup made before the upgrade."
        )
    return last
