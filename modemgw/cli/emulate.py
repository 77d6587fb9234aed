"""``modemgw emulate``: simulated modems on pseudo terminals DIR/modem0 …, until interrupted."""

import argparse
import asyncio
from pathlib import Path

from modemgw.cli.stop import Stop
from modemgw.emulator import pty
from modemgw.emulator.persona import PersonaError


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dir", metavar="DIR", type=Path, required=True, help="where to put modem0, modem1, …")
    parser.add_argument("--modems", metavar="N", type=int, default=2, help="how many (default 2)")
    parser.add_argument(
        "--persona", metavar="NAME[,NAME…]", default="generic", help="what they behave like, in turn (default generic)"
    )
    parser.add_argument(
        "--latency",
        metavar="S",
        type=float,
        default=0.0,
        help="seconds the network takes to accept a message (default 0)",
    )
    parser.add_argument(
        "--journal",
        metavar="FILE",
        type=Path,
        help="one JSON object a line for everything the simulated network accepted and delivered",
    )
    parser.add_argument("--verbose", action="store_true", help="print every command that a modem gets")


def run(args: argparse.Namespace) -> int:
    if not 1 <= args.modems <= 256:
        raise Stop("--modems must be 1 to 256", code=2)
    if not 0 <= args.latency <= 3600:
        raise Stop("--latency must be 0 to 3600 seconds", code=2)
    try:
        asyncio.run(
            pty.serve(
                args.dir,
                modems=args.modems,
                personas=[name.strip() for name in args.persona.split(",")],
                latency=args.latency,
                journal=args.journal,
                verbose=args.verbose,
                say=lambda line: print(line, flush=True),
            )
        )
    except PersonaError as error:
        raise Stop(str(error), code=2) from None
    except OSError as error:
        raise Stop(f"{error.filename or args.dir}: {error.strerror or error}") from None
    return 0
