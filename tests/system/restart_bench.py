"""How soon a gateway with a big database sends again: ``python tests/system/restart_bench.py [MESSAGES]``.

Makes a database of a million messages (or so many), starts the service on it with one simulated modem, stops it as soon
as a message is handed to the modem, and starts it once more. Prints the seconds from the start of the process to the
first Ctrl-Z of both starts, and exits with 1 if one is over five seconds.
"""

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP), str(TOP / "tests" / "store")]

from make_big import make  # noqa: E402 - found by the path above

_GOAL_S = 5.0
_PATIENCE_S = 300.0
_CONFIG = """
[gateway]
state_dir = "{state}"
home_country = "DE"
[http]
listen = "127.0.0.1:0"
[policy]
daily_cap = 1000000
"""


def first_send_s(config: Path, database: Path) -> float:
    """Seconds from the start of the process to the first intent that it commits, just before Ctrl-Z."""
    watch = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    before = watch.execute("SELECT max(attempt_id) FROM attempts").fetchone()[0] or 0
    began = time.monotonic()
    service = subprocess.Popen(
        [sys.executable, "-m", "modemgw", "run", "--config", str(config), "--simulate", "1"],
        cwd=TOP, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith("MODEMGW")},
    )  # fmt: skip
    try:
        while time.monotonic() < began + _PATIENCE_S:
            if watch.execute("SELECT 1 FROM attempts WHERE attempt_id > ?", (before,)).fetchone():
                return time.monotonic() - began
            if service.poll() is not None:
                raise SystemExit(f"the service ended with exit code {service.returncode}")
            time.sleep(0.02)
        raise SystemExit(f"nothing was sent within {_PATIENCE_S:.0f} s")
    finally:
        watch.close()
        service.terminate()  # it waits for the answer: after a kill, the port would be listened to for it first
        service.wait()


def main(arguments: list[str]) -> int:
    """Run as a command."""
    count = int(arguments[0]) if arguments else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        config, database = Path(folder) / "modemgw.toml", Path(folder) / "state" / "modemgw.db"
        database.parent.mkdir(mode=0o700)
        config.write_text(_CONFIG.format(state=database.parent), encoding="utf-8")
        make(database, count, now_ms=time.time_ns() // 1_000_000)
        seconds = []
        for name in ("first", "second"):
            seconds.append(first_send_s(config, database))
            sys.stdout.write(f"{count} messages, {name} start: first send after {seconds[-1]:.2f} s\n")
    return int(max(seconds) > _GOAL_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
