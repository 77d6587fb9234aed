"""``modemgw check``: says what will be done, or everything that is wrong."""

import subprocess
from collections.abc import Callable
from pathlib import Path

Modemgw = Callable[..., subprocess.CompletedProcess[str]]


def test_good(modemgw: Modemgw, tmp_path: Path) -> None:
    file = tmp_path / "modemgw.toml"
    file.write_text('[http]\nlisten = "0.0.0.0:8025"\n[[modem]]\nname = "front"\nport = "emulator:a"\n')
    done = modemgw("check", "--config", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{file}: good\n")
    assert "modems: front" in done.stdout
    assert "at most 500 segments a day" in done.stdout
    assert "0.0.0.0:8025 is not encrypted" in done.stdout


def test_bad(modemgw: Modemgw, tmp_path: Path) -> None:
    file = tmp_path / "modemgw.toml"
    file.write_text('[[modem]]\nprot = "emulator:a"\n[http]\nlisten = 1\n')
    done = modemgw("check", "--config", file)
    assert (done.returncode, done.stdout) == (1, "")
    assert "line 2: unknown key `prot` in [[modem]] number 1: did you mean `port`?" in done.stderr
    assert "line 4: `listen` in [http]" in done.stderr


def test_the_environment_counts_too(modemgw: Modemgw) -> None:
    done = modemgw("check", MODEMGW__POLICY__DAILY_CAP="-1")
    assert done.returncode == 1
    assert "MODEMGW__POLICY__DAILY_CAP" in done.stderr
