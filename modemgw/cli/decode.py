"""``modemgw decode``: what does this PDU say? In words, or with ``--json`` as one JSON object a line."""

import argparse
import json
from typing import Any

from modemgw.cli.lines import from_stdin
from modemgw.cli.stop import Stop
from modemgw.pdu.decode import decode, describe, explain
from modemgw.pdu.errors import PduError


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pdu", metavar="HEX", nargs="*", help="PDU as a modem shows it, SMSC field first")
    parser.add_argument(
        "--json", action="store_true", help='one JSON object a PDU, {"error": …} for a bad one; without HEX: from stdin'
    )


def run(args: argparse.Namespace) -> int:
    if args.json:
        for line in args.pdu or from_stdin():
            print(json.dumps(_explained(line)), flush=True)
        return 0
    if not args.pdu:
        raise Stop("give a PDU in hex, or --json and PDUs on standard input, one a line", code=2)
    for number, line in enumerate(args.pdu):
        try:
            text = describe(decode(line.strip()))
        except PduError as error:
            raise Stop(f"not a PDU that can be read: {error}") from None
        print(text if number == 0 else f"\n{text}")
    return 0


def _explained(line: str) -> dict[str, Any]:
    try:
        return explain(decode(line.strip()))
    except PduError as error:
        return {"error": str(error)}
