"""The set-up of tools/run and tools/test, with a Python that only pretends to install: what is done, when, and what is
said when it cannot be done. That the real thing works is tried from a fresh clone, not here: it takes a minute.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
PROGRAMS = ("bash", "cat", "chmod", "cksum", "cp", "dirname", "flock", "grep", "mkdir", "rm", "sh", "touch")

# Plays python3, then .venv/bin/python: makes environments, "installs", and notes every installation.
PYTHON = r"""#!/bin/sh
case "$*" in
  *version_info*pip*|*"import pip"*) exit 0 ;;
  *"version_info < (3, 11)"*) exit ${TOO_OLD:-0} ;;
  *"import ensurepip, venv"*) exit ${NO_VENV:-0} ;;
  -V) echo "Python 3.99.0" ;;
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo "VIRTUAL_ENV=$3" >"$3/bin/activate" ;;
  "-m pip install"*)
    echo "$*" >>"$NOTES"
    [ -z "$BROKEN_NETWORK" ] || { echo "ERROR: no route to host" >&2; exit 1; }
    case "$*" in *--editable*)
      bin=${0%/*}
      printf '#!/bin/sh\necho "started: $*"\n' >"$bin/modemgw" && chmod +x "$bin/modemgw" ;;
    esac ;;
  *) echo "unexpected: $*" >&2; exit 99 ;;
esac
"""


class Checkout:
    """A copy of what the set-up needs, and a PATH with nothing but the programs that it may use."""

    def __init__(self, place: Path) -> None:
        self.top = place / "checkout"
        shutil.copytree(TOP / "tools", self.top / "tools")
        shutil.copy(TOP / "pyproject.toml", self.top)
        self.bin = place / "bin"
        self.bin.mkdir()
        for program in PROGRAMS:
            found = shutil.which(program)
            if found:  # flock is not everywhere, and not needed
                (self.bin / program).symlink_to(found)
        self.notes = place / "notes"
        self.add_python("python3")

    def add_python(self, name: str) -> None:
        (self.bin / name).write_text(PYTHON)
        (self.bin / name).chmod(0o755)

    def run(self, *arguments: str, closed_stdin: bool = False, **environ: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.top / "tools" / "run"), *arguments]
        return subprocess.run(
            ["sh", "-c", 'exec "$0" "$@" <&-', *command] if closed_stdin else command,
            env={"PATH": str(self.bin), "NOTES": str(self.notes)} | environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def installations(self) -> list[str]:
        """The installations since the last call."""
        noted = self.notes.read_text().splitlines() if self.notes.exists() else []
        self.notes.unlink(missing_ok=True)
        return noted


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_first_start_installs_and_the_second_does_not(checkout: Checkout) -> None:
    first = checkout.run("--simulate", "3")
    assert (first.returncode, first.stdout) == (0, "started: run --simulate-if-empty --config /dev/null --simulate 3\n")
    packages, itself = checkout.installations()
    assert "--require-hashes" in packages
    assert "--no-deps" in itself
    assert "takes about a minute, once" in first.stderr
    second = checkout.run()
    assert (second.returncode, second.stderr) == (0, "")
    assert checkout.installations() == []


def test_a_configuration_of_its_own_is_used(checkout: Checkout) -> None:
    (checkout.top / "var").mkdir()
    (checkout.top / "var" / "modemgw.toml").write_text("")
    assert f"--config {checkout.top}/var/modemgw.toml" in checkout.run().stdout


@pytest.mark.parametrize("changed", ["pyproject.toml", "tools/requirements.txt"])
def test_a_changed_lock_is_installed(checkout: Checkout, changed: str) -> None:
    checkout.run()
    checkout.installations()
    with (checkout.top / changed).open("a") as file:
        file.write("# changed\n")
    assert checkout.run().returncode == 0
    assert len(checkout.installations()) == 2


def test_a_moved_checkout_is_set_up_again(checkout: Checkout) -> None:
    checkout.run()
    checkout.installations()
    checkout.top = checkout.top.rename(checkout.top.with_name("elsewhere"))
    assert checkout.run().returncode == 0
    assert len(checkout.installations()) == 2


def test_an_interrupted_installation_is_done_again(checkout: Checkout) -> None:
    broken = checkout.run(BROKEN_NETWORK="yes")
    assert broken.returncode == 1
    assert "Is the internet reachable? Start again" in broken.stderr
    assert "started" not in broken.stdout
    assert len(checkout.installations()) == 1
    assert "started" in checkout.run().stdout
    assert len(checkout.installations()) == 2


def test_a_half_made_environment_is_made_again(checkout: Checkout) -> None:
    (checkout.top / ".venv" / "bin").mkdir(parents=True)
    (checkout.top / ".venv" / "bin" / "python").symlink_to("/nowhere/python3")
    assert "started" in checkout.run().stdout


def test_without_venv_it_says_what_to_install(checkout: Checkout) -> None:
    done = checkout.run(NO_VENV="1")
    assert done.returncode == 1
    assert "sudo apt install python3-venv" in done.stderr
    assert not (checkout.top / ".venv").exists()


def test_without_a_new_enough_python_it_says_so(checkout: Checkout) -> None:
    done = checkout.run(TOO_OLD="1")
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr
    (checkout.bin / "python3").unlink()
    assert "Python 3.11 or newer is needed" in checkout.run().stderr


def test_a_newer_python_beside_an_old_one_is_found(checkout: Checkout) -> None:
    (checkout.bin / "python3").write_text("#!/bin/sh\nexit 1\n")
    checkout.add_python("python3.12")
    assert "started" in checkout.run().stdout


def test_it_starts_with_a_closed_standard_input(checkout: Checkout) -> None:
    assert "started" in checkout.run(closed_stdin=True).stdout


def test_the_build_server_runs_what_developers_run() -> None:
    text = (TOP / ".ci" / "run").read_text()
    assert "tools/test" in text
    for script in ("tools/run", "tools/test", "tools/lock", ".ci/run"):
        assert os.access(TOP / script, os.X_OK), script
