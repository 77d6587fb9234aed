"""The source itself as test data: every Python file of the package, read and parsed once."""

import ast
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]


@dataclass(frozen=True)
class Source:
    """One file of the package. ``name`` is its path inside modemgw/, with slashes."""

    name: str
    text: str
    tree: ast.Module

    def is_in(self, *places: str) -> bool:
        """Is it one of these files, or under one of these folders (written with a slash at the end)?"""
        return any(self.name == place or (place.endswith("/") and self.name.startswith(place)) for place in places)


@pytest.fixture(scope="session")
def top() -> Path:
    return TOP


@pytest.fixture(scope="session")
def sources() -> Sequence[Source]:
    package = TOP / "modemgw"
    texts = [(path, path.read_text(encoding="utf-8")) for path in sorted(package.rglob("*.py"))]
    return [Source(path.relative_to(package).as_posix(), text, ast.parse(text)) for path, text in texts]


@pytest.fixture(scope="session")
def tracked(top: Path) -> Sequence[Path]:
    """Every file of the repository, as a reader of it gets it; without git, every file but what git would ignore."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=top, capture_output=True, check=False)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
        return [top / name for name in names if (top / name).is_file()]
    ignored = {".venv", "var", "build", "dist", "__pycache__"}
    return [path for path in top.rglob("*") if path.is_file() and not ignored & set(path.relative_to(top).parts)]
