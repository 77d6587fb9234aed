"""``modemgw run``: the gateway in the foreground until SIGINT or SIGTERM.

Exit codes: 0 clean stop; 1 cannot start, with one line on standard error; 2 bad configuration, with every error there.
"""

import argparse
import asyncio
import os

from modemgw import app, logs
from modemgw.cli import where
from modemgw.cli.stop import Stop


def configure(parser: argparse.ArgumentParser) -> None:
    where.add_option(parser)
    parser.add_argument(
        "--simulate", metavar="N", type=int, default=0, help="add N simulated modems; no SMS is sent by them"
    )
    parser.add_argument("--simulate-if-empty", action="store_true", help="with no modem found: two simulated ones")
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    parser.add_argument("--log-json", action="store_true", help="log lines as JSON objects")


def run(args: argparse.Namespace) -> int:
    if not 0 <= args.simulate <= 256:
        raise Stop("--simulate must be 0 to 256", code=2)
    settings = where.load(args)
    os.umask(0o077)  # messages are nobody else's business
    logs.setup(args.log_level.upper(), json=args.log_json)
    # Started by systemd as a service, nobody watches the output: secrets must not be printed into the journal.
    interactive = "NOTIFY_SOCKET" not in os.environ
    try:
        return asyncio.run(
            app.run(
                settings,
                simulate=args.simulate,
                simulate_if_empty=args.simulate_if_empty,
                interactive=interactive,
            )
        )
    except OSError as error:
        raise Stop(f"the gateway cannot go on: {error or type(error).__name__}") from None
