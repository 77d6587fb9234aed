"""``modemgw backup FILE``: a checked copy of the database in a new file. Works beside a running service.

The copy holds messages, numbers and the digests of API keys: it is made with mode 0600.
"""

import argparse
import os
from pathlib import Path

from modemgw.cli import where
from modemgw.cli.stop import Stop
from modemgw.store import backup
from modemgw.store.errors import StoreError


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="where to write it; must not be there yet")
    where.add_option(parser)


def run(args: argparse.Namespace) -> int:
    database = where.load(args).gateway.database
    target: Path = args.file
    if not database.exists():
        raise Stop(f"there is no database at {database}: nothing to back up")
    if target.exists():
        raise Stop(f"{target} is there already: name a new file")
    os.umask(0o077)
    try:
        backup.make(database, target)
    except (StoreError, OSError) as error:
        raise Stop(f"no backup was made: {error}") from None
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB, checked")
    return 0
