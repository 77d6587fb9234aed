"""``modemgw key``: API keys. Works on the database itself, with or without the service running beside it.

A new key takes effect at once and is shown once: only its digest is stored.
"""

import argparse
import asyncio
import json
import os
import random
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Cursor
from typing import TypeVar

from modemgw.cli import where
from modemgw.cli.stop import Stop
from modemgw.config import checks
from modemgw.http.keys import SCOPES, new_key
from modemgw.seams import Ids, SystemClock
from modemgw.store import keys
from modemgw.store.database import Database
from modemgw.store.errors import StaleState, StoreError

T = TypeVar("T")
DEFAULT_SCOPES = "send,read,inbox"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a key and print it, and nothing else, on standard output")
    create.add_argument("name", metavar="NAME", help="whose it is; keys are listed and revoked by name")
    create.add_argument(
        "--scope",
        metavar="S[,S…]",
        default=DEFAULT_SCOPES,
        help=f"of {', '.join(SCOPES)} (default {DEFAULT_SCOPES})",
    )
    where.add_option(create)
    listed = actions.add_parser("list", help="every key ever made, without the secret part")
    listed.add_argument("--json", action="store_true", help="as JSON")
    where.add_option(listed)
    revoke = actions.add_parser("revoke", help="end a key, at once and for good")
    revoke.add_argument("name", metavar="NAME")
    where.add_option(revoke)


def run(args: argparse.Namespace) -> int:
    actions: dict[str, Callable[[argparse.Namespace], int]] = {"create": _create, "list": _list, "revoke": _revoke}
    return actions[args.action](args)


def _create(args: argparse.Namespace) -> int:
    try:
        checks.name(args.name)
    except ValueError as error:
        raise Stop(f"the name `{args.name}`: {error}", code=2) from None
    scopes = tuple(dict.fromkeys(scope.strip() for scope in args.scope.split(",")))
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown:
        raise Stop(f"there is no scope `{unknown[0]}`: choose from {', '.join(SCOPES)}", code=2)
    clock = SystemClock()
    key_id = Ids(clock, random.SystemRandom()).new()
    key = new_key(secrets.token_bytes)

    def unit(cur: Cursor) -> None:
        keys.create(
            cur, id=key_id, name=args.name, prefix=key.prefix, digest=key.digest, scopes=scopes, now_ms=clock.wall_ms()
        )

    _in_database(args, unit)
    print(key.text)
    return 0


def _list(args: argparse.Namespace) -> int:
    rows = _in_database(args, keys.all_keys)
    if args.json:
        items = [
            {
                "name": row.name,
                "prefix": f"mgw_{row.prefix}",
                "scopes": list(row.scopes),
                "created_at": _when(row.created_ms),
                "last_used_at": _when(row.last_used_ms),
                "revoked_at": _when(row.revoked_ms),
            }
            for row in rows
        ]
        print(json.dumps(items, indent=2))
        return 0
    for row in rows:
        used = f"last used {_when(row.last_used_ms)}" if row.last_used_ms else "never used"
        state = f"revoked {_when(row.revoked_ms)}" if row.revoked_ms else used
        print(f"{row.name:20}  mgw_{row.prefix}_…  {','.join(row.scopes):28}  made {_when(row.created_ms)}  {state}")
    if not rows:
        print("no keys yet: `modemgw key create NAME` makes one")
    return 0


def _revoke(args: argparse.Namespace) -> int:
    now_ms = SystemClock().wall_ms()
    if not _in_database(args, lambda cur: keys.revoke(cur, args.name, now_ms)):
        raise Stop(f"there is no valid key named {args.name}: `modemgw key list` shows them")
    print(f"{args.name}: revoked")
    return 0


def _when(ms: int | None) -> str | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def _in_database(args: argparse.Namespace, unit: Callable[[Cursor], T]) -> T:
    settings = where.load(args)
    directory = settings.gateway.state_dir
    try:
        os.umask(0o077)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return asyncio.run(_write(settings.gateway.database, unit))
        finally:
            where.give_to_owner(directory)
    except StaleState as error:
        raise Stop(str(error)) from None
    except (StoreError, OSError) as error:
        raise Stop(f"the database in {directory} cannot be used: {error}") from None


async def _write(path: Path, unit: Callable[[Cursor], T]) -> T:
    database = await Database.open(path)
    try:
        return await database.write(unit)
    finally:
        await database.close()
