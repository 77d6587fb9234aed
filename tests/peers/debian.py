"""Programs from Debian's packages, unpacked into `.cache/peers` of the checkout and never installed.

What happens, once: `apt-get update` and `apt-get install --download-only` with lists and archives of our own fetch the
packages and whatever they depend on that this machine lacks (about 7 MB), and `dpkg -x` unpacks them. Nothing of the
machine changes: no package is configured, no service comes into being, no privilege is needed. A lock keeps two test
runs apart, a stamp that is written last says that all is there, every step has a time limit, and a library that this
machine no longer has makes the set-up run again.
"""

import fcntl
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "peers"
PACKAGES = (
    "gammu",
    "gammu-smsd",
    "libdbd-sqlite3",  # the database driver that gammu-smsd loads
    "smstools",
    "kannel",
    "gnokii-cli",
    "modemmanager",
    "dbus-daemon",
    "python3-jeepney",  # D-Bus in plain Python, for the stand-in of PolicyKit
)
BINARIES = ("gammu", "gammu-smsd", "gammu-smsd-inject", "smsd", "bearerbox", "smsbox", "gnokii")
BINARIES += ("ModemManager", "mmcli", "dbus-daemon")
TIMES = {"update": 120, "download": 180, "unpack": 60, "look": 20}  # seconds
BY_HAND = (
    ".venv/bin/python tests/peers/debian.py"  # the set-up alone, on Debian and its kin with the internet reachable
)
_RECIPE = "1"  # another number makes everybody unpack again
_ROOT = CACHE / "root"


class UnavailableError(Exception):
    """The programs cannot be had here; the text says why."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the programs are. `environ` is what they run with."""

    root: Path
    environ: dict[str, str]

    def find(self, name: str) -> Path:
        """A program by name: an unpacked one, or the machine's."""
        found = shutil.which(name, path=self.environ["PATH"])
        if found is None:
            raise UnavailableError(f"{name} is not there")
        return Path(found)

    def file(self, pattern: str) -> Path:
        """The one unpacked file or folder of that pattern."""
        found = sorted(self.root.glob(pattern))
        if not found:
            raise UnavailableError(f"{pattern} is not in the packages")
        return found[0]


def programs() -> Programs:
    """The programs, fetched if need be. UnavailableError says what is in the way."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with _locked():
        if not _is_complete():
            _set_up()
    return Programs(_ROOT, _environ())


@contextmanager
def _locked() -> Iterator[None]:
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _stamp() -> str:
    system = platform.freedesktop_os_release()
    return "\n".join((_RECIPE, system["ID"], system.get("VERSION_ID", ""), platform.machine(), str(_ROOT), *PACKAGES))


def _is_complete() -> bool:
    stamp = CACHE / "stamp"
    return stamp.exists() and stamp.read_text() == _stamp() and not _lacking()


def _lacking() -> list[str]:
    """Programs that are not there, and libraries that they do not find."""
    environ = _environ()
    lacking = []
    for name in BINARIES:
        found = shutil.which(name, path=environ["PATH"])
        if found is None:
            lacking.append(name)
            continue
        libraries = _run("look", ["ldd", found], environ)
        lacking += [f"{name}: {line.strip()}" for line in libraries.splitlines() if "not found" in line]
    return lacking


def _set_up() -> None:
    for tool in ("apt-get", "dpkg", "ldd"):
        if shutil.which(tool) is None:
            raise UnavailableError(f"there is no {tool}: these programs come from Debian's packages")
    (CACHE / "stamp").unlink(missing_ok=True)
    shutil.rmtree(_ROOT, ignore_errors=True)
    shutil.rmtree(CACHE / "archives", ignore_errors=True)
    for folder in (_ROOT, CACHE / "lists" / "partial", CACHE / "archives" / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    # A broken foreign source makes `update` fail although Debian's own lists came; the download says the truth.
    _run("update", [*_apt(), "update"], check=False)
    _run("download", [*_apt(), "install", "--no-install-recommends", "--download-only", *PACKAGES])
    for package in sorted((CACHE / "archives").glob("*.deb")):
        if not package.name.startswith(("libc6_", "libc-bin_")):  # the loader is the machine's, so must be its library
            _run("unpack", ["dpkg", "-x", str(package), str(_ROOT)])
    lacking = _lacking()
    if lacking:
        raise UnavailableError("unpacked, but lacking: " + "; ".join(lacking))
    (CACHE / "stamp").write_text(_stamp())


def _apt() -> list[str]:
    options = {
        "Dir::State::lists": CACHE / "lists",
        "Dir::Cache": CACHE,
        "Dir::Cache::archives": CACHE / "archives",
        "Debug::NoLocking": 1,  # our own folders, and our own lock
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Acquire::Retries": 2,
        "Acquire::http::Timeout": 20,
    }
    return ["apt-get", "-y", "-q", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]


def _environ() -> dict[str, str]:
    triplet = next(iter(_ROOT.glob("usr/lib/*-linux-*")), _ROOT / "usr/lib")
    libraries = [_ROOT / "usr/lib", triplet, _ROOT / "lib", _ROOT / "lib" / triplet.name]
    folders = [_ROOT / "usr/bin", _ROOT / "usr/sbin"]
    return {
        "PATH": ":".join([*map(str, folders), "/usr/sbin", "/usr/bin", "/sbin", "/bin"]),
        "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


def _run(step: str, command: list[str], environ: dict[str, str] | None = None, *, check: bool = True) -> str:
    clean = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"} if environ is None else environ
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=TIMES[step],
            check=check,
            env=clean,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"{command[0]} took more than {TIMES[step]} s to {step}") from None
    except subprocess.CalledProcessError as error:
        raise UnavailableError(f"could not {step}: {error.stderr.strip() or error.stdout.strip()}") from None
    return done.stdout


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{programs().root}\n")
    except UnavailableError as trouble:
        sys.exit(str(trouble))
