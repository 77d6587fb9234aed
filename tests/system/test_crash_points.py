"""The named crash points: they are all there, each kills when asked and only then, and nobody can misspell one."""

import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from modemgw.seams import CRASH_POINTS

PACKAGE = Path(__file__).parents[2] / "modemgw"
CALL = re.compile(r"""\bcrash_point(?:\(|, )"(\w+)"\)""")


def test_every_crash_point_is_passed_somewhere_and_every_pass_is_known() -> None:
    calls = Counter(name for path in sorted(PACKAGE.rglob("*.py")) for name in CALL.findall(path.read_text("utf-8")))
    assert set(calls) == set(CRASH_POINTS)
    assert calls.most_common(1)[0][1] == 1, "a name that stands for two places says nothing"


def passes(setting: str | None, point: str, times: int) -> tuple[int, int]:
    """(exit code, passes that were survived) of a process that passes one point so many times."""
    code = (
        f"from modemgw.seams import crash_point\nfor n in range({times}): crash_point('{point}'); print(n, flush=True)"
    )
    env = {} if setting is None else {"MODEMGW_CRASH": setting}
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=PACKAGE.parent, capture_output=True, check=False)
    return done.returncode, len(done.stdout.splitlines())


@pytest.mark.parametrize(
    ("setting", "point", "survived"),
    [
        ("after_c2", "after_c2", 0),
        ("after_c2:3", "after_c2", 2),
        ("after_c2:5", "after_c2", None),
        ("after_c2", "before_c2", None),
        (None, "after_c2", None),
    ],
)
def test_the_process_dies_at_the_pass_that_was_asked_for(setting: str | None, point: str, survived: int | None) -> None:
    expected = (0, 4) if survived is None else (-signal.SIGKILL, survived)
    assert passes(setting, point, 4) == expected


@pytest.mark.parametrize("setting", ["after_c9", "", "after_c2:x", "after_c2:-1", ":3"])
def test_a_misspelt_point_is_refused(setting: str) -> None:
    """Or a test would believe that the service survived what never happened."""
    code = [sys.executable, "-c", "import modemgw.seams"]
    done = subprocess.run(
        code, env={"MODEMGW_CRASH": setting}, cwd=PACKAGE.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "MODEMGW_CRASH" in done.stderr
    assert "Traceback" not in done.stderr
