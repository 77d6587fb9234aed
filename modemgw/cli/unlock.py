"""``modemgw unlock MODEM``: gives a modem the PIN of its SIM. The PIN comes from standard input, not from the command
line, where everybody on the machine could read it. Wrong PINs block a SIM, so the answer says how many tries are left.
"""

import argparse
import getpass
import sys
from urllib.parse import quote

from modemgw.cli import control, where
from modemgw.cli.lines import from_stdin
from modemgw.cli.stop import Stop


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("modem", metavar="MODEM", help="its name; the PIN is read from standard input")
    where.add_option(parser)


def run(args: argparse.Namespace) -> int:
    settings = where.load(args)
    if sys.stdin is not None and sys.stdin.isatty():
        pin = getpass.getpass(f"PIN of the SIM in {args.modem}: ")
    else:
        pin = next(from_stdin(), "").strip()
    if not (pin.isascii() and pin.isdigit() and 4 <= len(pin) <= 8):
        raise Stop("a PIN is 4 to 8 digits; nothing was tried", code=2)
    route = f"/v1/modems/{quote(args.modem, safe='')}/unlock"
    modem = control.call(settings.gateway.control_socket, "POST", route, {"pin": pin})
    print(f"{modem['name']}: {modem['state']}" + (f" ({modem['reason']})" if modem.get("reason") else ""))
    return 0
