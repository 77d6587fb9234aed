"""The command ``modemgw``: one module a verb, each with ``configure(parser)`` and ``run(args) -> exit code``.

Only the module of the verb that was asked for is imported, so that ``modemgw decode`` in a shell loop does not pay for
the HTTP server. A verb whose module is not there is neither listed nor known.

| module | what it is |
|---|---|
| ``where`` | which configuration a verb means |
| ``control`` | HTTP over the control socket of the running service |
| ``survey`` | what a modem says when it is asked about itself, and the same without anybody's numbers |
| ``draft`` | tools/new-profile: from that to the draft of a profile and of a persona |
| ``rig``, ``bank``, ``bench_full``, ``bench_rows``, ``bench_real``, ``bench_sending`` | parts of ``bench`` |
| ``stop`` | Stop: the way a verb ends with one plain line |
| all others | the verb of that name |

Why argparse: nothing to install, and it starts in milliseconds on a small box.
"""

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from modemgw import __version__
from modemgw.cli.stop import Stop

VERBS = {
    "run": "the gateway, in the foreground",
    "check": "is the configuration good? lists every error with its line",
    "key": "API keys: create, list, revoke",
    "backup": "a copy of the database in a new file, also while the service runs",
    "restore": "put a backup in place of the database while the service is stopped",
    "unlock": "give a modem the PIN of its SIM",
    "emulate": "simulated modems on pseudo terminals, for any program",
    "decode": "explain an SMS PDU in words or as JSON",
    "encode": "make SMS PDUs from JSON; sends nothing",
    "bench": "how fast this machine is, with simulated modems; --real: how fast your own modems are",
}


def available() -> dict[str, str]:
    """The verbs that are there, with a line about each."""
    here = Path(__file__).parent
    return {verb: about for verb, about in VERBS.items() if (here / f"{verb}.py").exists()}


def build_parser(chosen: str | None) -> argparse.ArgumentParser:
    """The command line; only the chosen verb's own options are filled in."""
    parser = argparse.ArgumentParser(
        prog="modemgw",
        description="An SMS gateway on your own SIM cards.",
        epilog="`modemgw VERB --help` says more about one of them.",
    )
    parser.add_argument("--version", action="version", version=f"modemgw {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, about in available().items():
        sub = verbs.add_parser(verb, help=about, description=f"{about[0].upper()}{about[1:]}.")
        if verb == chosen:
            module = importlib.import_module(f"modemgw.cli.{verb}")
            module.configure(sub)
            sub.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one verb; the exit code. 2 is always a mistake in the command line or the configuration."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    if chosen is not None and chosen not in available():
        near = difflib.get_close_matches(chosen, available(), n=1)
        hint = f"did you mean `{near[0]}`?" if near else "`modemgw --help` lists them."
        print(f"modemgw: there is no verb `{chosen}`: {hint}", file=sys.stderr)
        return 2
    args = build_parser(chosen).parse_args(arguments)
    try:
        code: int = args.run(args)
        _flush()
    except Stop as stop:
        print(f"modemgw: {stop.text}", file=sys.stderr)
        return stop.code
    except BrokenPipeError:
        # The reader of our output went away, as `head` does. Nothing more can be said; keep Python from trying.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _flush() -> None:
    """What can't be written any more (a full disk behind the log) must not turn a good end into a bad exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            raise
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
