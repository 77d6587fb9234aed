"""Forks gateways: the same program, without paying for its imports each time. For loops of hundreds of starts.

One JSON object a line on standard input: ``{"argv", "env", "stdout", "stderr"}``. Answers, one JSON object a line:
``{"pid"}`` when the child is there, ``{"pid", "code"}`` when it has ended (negative: by that signal). A child is a
process of its own in every respect; it runs exactly what ``python -m modemgw`` runs. Ends with its standard input.
"""

import gc
import json
import os
import signal
import sys
from typing import Any, NoReturn

import modemgw.app
import modemgw.cli.key
import modemgw.cli.run
from modemgw import cli, seams


def become_modemgw(order: dict[str, Any]) -> NoReturn:
    """In the child."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        opened = os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.environ.clear()
    os.environ.update(order["env"])
    if "MODEMGW_CRASH" in os.environ:
        seams.arm_crash(os.environ["MODEMGW_CRASH"])
    code = 1
    try:
        code = cli.main(order["argv"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def watch_over(order: dict[str, Any]) -> NoReturn:
    """In a process between: tells what becomes of one child, so that the forge itself only reads and forks."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        become_modemgw(order)
    say({"pid": child})
    _, status = os.waitpid(child, 0)
    say({"pid": child, "code": os.waitstatus_to_exitcode(status)})
    os._exit(0)


def say(answer: dict[str, int]) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


def main() -> None:
    assert modemgw.cli.run.app is modemgw.app  # what this process is for: both are imported once
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # watchers need no grave
    gc.freeze()
    for line in sys.stdin:
        if os.fork() == 0:
            watch_over(json.loads(line))


if __name__ == "__main__":
    main()
