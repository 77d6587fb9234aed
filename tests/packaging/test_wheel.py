"""What is installed is complete: every file of the package, the command, the version; and nothing that is not ours."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import modemgw

TOP = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built from a copy, so that the checkout stays clean, and without the network."""
    box = tmp_path_factory.mktemp("wheel")
    shutil.copytree(TOP / "modemgw", box / "modemgw", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(TOP / name, box)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(box), str(box)], check=True, timeout=100)
    (path,) = box.glob("*.whl")
    return zipfile.ZipFile(path)


def test_every_file_of_the_package_is_in_it(wheel: zipfile.ZipFile) -> None:
    packed = {name for name in wheel.namelist() if name.startswith("modemgw/")}
    files = [path for path in (TOP / "modemgw").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert packed == {path.relative_to(TOP).as_posix() for path in files}


def test_it_installs_the_command_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    info = f"modemgw-{modemgw.__version__}.dist-info/"
    assert {name.partition("/")[0] + "/" for name in wheel.namelist()} == {"modemgw/", info}
    assert "modemgw = modemgw.cli:main" in wheel.read(info + "entry_points.txt").decode()
    metadata = wheel.read(info + "METADATA").decode()
    assert f"\nVersion: {modemgw.__version__}\n" in metadata
    assert "Requires-Python: >=3.11" in metadata
