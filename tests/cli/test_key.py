"""API keys from the command line: made, listed, revoked, also while another process has the database open."""

import asyncio
import json
import os
import re
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from modemgw.http.keys import from_header
from modemgw.store import keys
from modemgw.store.database import Database

Modemgw = Callable[..., subprocess.CompletedProcess[str]]


def test_create_prints_the_key_and_nothing_else(modemgw: Modemgw, tmp_path: Path) -> None:
    done = modemgw("key", "create", "shop")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"mgw_[a-z2-7]{8}_[A-Za-z0-9_-]{43}\n", done.stdout)
    state = tmp_path / "state"
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(file.stat().st_mode) & 0o077 == 0 for file in state.iterdir())


async def test_a_key_counts_at_once_for_a_service_that_is_running(modemgw: Modemgw, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    database = await Database.open(tmp_path / "state" / "modemgw.db")
    try:
        text = (await asyncio.to_thread(modemgw, "key", "create", "shop", "--scope", "send,admin")).stdout.strip()
        presented = from_header(f"Bearer {text}")
        assert presented is not None
        row = await database.read(lambda cur: keys.find(cur, presented.prefix))
        assert row is not None
        assert presented.matches(row.digest)
        assert (row.name, row.scopes, row.revoked_ms) == ("shop", ("send", "admin"), None)
        assert (await asyncio.to_thread(modemgw, "key", "revoke", "shop")).returncode == 0
        row = await database.read(lambda cur: keys.find(cur, presented.prefix))
        assert row is not None
        assert row.revoked_ms is not None
    finally:
        await database.close()


def test_the_list_never_shows_a_whole_key(modemgw: Modemgw) -> None:
    assert "no keys yet" in modemgw("key", "list").stdout
    text = modemgw("key", "create", "shop").stdout.strip()
    modemgw("key", "create", "till", "--scope", "read")
    modemgw("key", "revoke", "till")
    listed = modemgw("key", "list").stdout
    assert text[:12] in listed
    assert text[13:] not in listed
    shop, till = json.loads(modemgw("key", "list", "--json").stdout)
    assert (shop["name"], shop["scopes"], shop["revoked_at"]) == ("shop", ["send", "read", "inbox"], None)
    assert till["revoked_at"] is not None


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["create", "shop", "--scope", "snd"], 2, "there is no scope `snd`"),
        (["create", "a b"], 2, "letters, digits"),
        (["create", "-x"], 2, "usage:"),
        (["revoke", "nobody"], 1, "no valid key named nobody"),
        ([], 2, "usage:"),
    ],
)
def test_mistakes_are_said_plainly(modemgw: Modemgw, arguments: list[str], code: int, words: str) -> None:
    done = modemgw("key", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr


def test_a_name_is_used_once(modemgw: Modemgw) -> None:
    modemgw("key", "create", "shop")
    done = modemgw("key", "create", "shop")
    assert (done.returncode, done.stdout) == (1, "")
    assert "shop" in done.stderr


def test_a_directory_that_cannot_be_used_is_one_line(modemgw: Modemgw, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = modemgw("key", "list", MODEMGW__GATEWAY__STATE_DIR=str(tmp_path / "file" / "state"))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files for another account")
def test_root_makes_files_that_the_service_can_open(modemgw: Modemgw, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 4711, 4711)
    done = modemgw("key", "create", "shop")
    assert (done.returncode, done.stderr) == (0, "")
    assert {(file.stat().st_uid, file.stat().st_gid) for file in state.iterdir()} == {(4711, 4711)}
