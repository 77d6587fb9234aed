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


def upgrade(connection: sqlite3.Connection) -> int:
    """Brings the schema to the newest version and returns it; raises StoreBroken for one from the future."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    newest = 0
    for number, sql in steps():
        newest = number
        if number > version:
            # user_version is part of the transaction: a crash in between leaves the old schema whole.
            connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};")
            crash_point("in_migration")
            connection.execute("COMMIT")
    if version > newest:
        raise StoreBroken(
            f"The database was written by a newer version (schema {version}, this one knows {newest}). "
            "Install that version again, or restore a backup made before the upgrade."
        )
    return newest
