"""The repository speaks of itself alone, and what its README promises exists."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

import modemgw
from modemgw import cli
from modemgw.config import plain
from modemgw.domain.states import MESSAGE_STATUSES

# Pieces put together here, so that this file does not find itself.
FOREIGN = re.compile(
    "|".join(
        (
            "shared" + r"/(contract|house|delivery|choices|security|peers|modem-facts|decisions|vectors|tools)",
            r"\b(contract|house|delivery|choices|peers|decisions)" + r"\.md",
            "DESIGN" + r"\.md|BRIEF" + r"\.md|CLAUDE" + r"\.md",
            r"\b[Ii]ssue #?[0-9]+|\b[Tt]ask #?[0-9]+|[Dd]ecision [0-9]+\b",
            "/work" + "/|/root" + "/|/opt" + "/pypi|/home/" + "[a-z]",
            "pypi" + r"\.org|files\.python" + "hosted",
        )
    )
)
TEXT = {".py", ".md", ".toml", ".txt", ".sql", ".html", ".css", ".service", ".sysusers", ".rules", ".json", ".yml", ""}


def test_no_file_speaks_of_how_it_was_made(tracked: Sequence[Path], top: Path) -> None:
    findings = []
    for path in tracked:
        if path.suffix not in TEXT or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if found := FOREIGN.search(line):
                findings.append(f"{path.relative_to(top)}:{number}: {found[0]}")
    assert findings == []


@pytest.mark.parametrize(
    "line", ["see " + "shared" + "/house.md", "# task" + " 12", "/work" + "/main/x", "decision" + " 5"]
)
def test_the_scan_sees_what_it_is_for(line: str) -> None:
    assert FOREIGN.search(line)


def test_the_top_level_holds_what_a_reader_expects(tracked: Sequence[Path], top: Path) -> None:
    names = {path.relative_to(top).parts[0] for path in tracked}
    known = {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "modemgw", "systemd", "tests", "tools", "udev"}
    assert {name for name in names if not name.startswith(".")} <= known
    assert known <= names


def test_nothing_enormous_is_tracked(tracked: Sequence[Path]) -> None:
    assert [path.name for path in tracked if path.stat().st_size > 3_000_000] == []


@pytest.fixture(scope="session")
def readme(top: Path) -> str:
    return (top / "README.md").read_text(encoding="utf-8")


def test_every_verb_is_in_the_readme_and_the_other_way_round(readme: str) -> None:
    shown = set(re.findall(r"^\| `modemgw ([a-z]+)", readme, re.MULTILINE))
    assert shown == set(cli.available())


def test_every_configuration_key_is_in_the_readme_and_the_other_way_round(readme: str) -> None:
    section = readme.partition("\n## Configuration\n")[2].partition("\n## ")[0]
    shown = set(re.findall(r"^\| `(\[\[?[a-z]+\]\]?) ([a-z_]+)`", section, re.MULTILINE))
    tables = {plain.place((name,)): model for name, model in {**plain.TABLES, **plain.ARRAYS}.items()}
    assert shown == {(place, key) for place, model in tables.items() for key in model.model_fields}


def test_every_status_of_a_message_is_explained(readme: str) -> None:
    shown = set(
        re.findall(r"^\| `([a-z]+)` ", readme.partition("\n## Statuses\n")[2].partition("\n## ")[0], re.MULTILINE)
    )
    assert shown == set(MESSAGE_STATUSES)


def test_the_version_has_an_entry_in_the_changelog(top: Path) -> None:
    changelog = (top / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{modemgw.__version__}]" in changelog or "## [Unreleased]" in changelog


def test_the_map_of_the_package_names_every_part(top: Path) -> None:
    parts = {
        path.stem for path in (top / "modemgw").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    named = set(re.findall(r"``([a-z_]+)``", (modemgw.__doc__ or "").partition("The packages")[2]))
    assert parts - {"__init__"} <= named


def test_the_lock_is_of_this_project_file(top: Path) -> None:
    """All of pyproject.toml is locked with hashes, in both files alike, without naming where it came from."""
    project = tomllib.loads((top / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locks = {}
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (top / "tools" / name).read_text(encoding="utf-8")
        assert "://" not in text
        locks[name] = dict(re.findall(r"^([a-z0-9-]+)==([0-9a-z.]+)", text, re.MULTILINE))
        assert text.count("\n" + "    --hash=sha256:") >= len(locks[name])
    run, dev = locks["requirements.txt"], locks["requirements-dev.txt"]
    assert run.items() <= dev.items()
    wanted = {re.split(r"[^A-Za-z0-9-]", line)[0].lower() for line in project["dependencies"]}
    wanted_dev = {re.split(r"[^A-Za-z0-9-]", line)[0].lower() for line in project["optional-dependencies"]["dev"]}
    assert wanted | {"setuptools"} <= run.keys()
    assert wanted_dev <= dev.keys()
    assert len(project["dependencies"]) <= 10
