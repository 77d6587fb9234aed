"""``modemgw encode``: JSON lines in, PDUs out. For tests of other programs and for looking; sends nothing."""

import argparse
import json
from typing import Any

from modemgw.cli.lines import from_stdin
from modemgw.pdu.encode import encode_json
from modemgw.pdu.errors import PduError


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        'Each line of standard input is an object with "to" and "text" or "data" (hex), and optionally "smsc", "mr", '
        '"ref", "ref_bits", "srr", "rd", "class", "validity_seconds" and "ports" ([destination, source]). Each line '
        'of output is {"pdus": [{"pdu": …, "tpdu_length": …}]} or {"error": …}.'
    )


def run(args: argparse.Namespace) -> int:
    del args
    for line in from_stdin():
        print(json.dumps(_encoded(line)), flush=True)
    return 0


def _encoded(line: str) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return {"error": "this line is not JSON"}
    if not isinstance(fields, dict):
        return {"error": "this line is not a JSON object"}
    try:
        return encode_json(fields)
    except PduError as error:
        return {"error": str(error)}
