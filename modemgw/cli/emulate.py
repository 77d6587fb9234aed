"""``modemgw emulate``: simulated modems on pseudo terminals DIR/modem0 …, until interrupted.

A modem with several ttys has DIR/modem0 (the one to give to a program), DIR/modem0.modem or .aux (takes commands too),
DIR/modem0.diag (binary) and DIR/modem0.nmea. DIR/control.sock takes orders while it runs.
"""

import argparse
import asyncio
from pathlib import Path

from modemgw.cli.stop import Stop
from modemgw.emulator import pty
from modemgw.emulator.persona import PersonaError, load, names

_EPILOG = """\
ttys: DIR/modem0 is the port to give to a program. Makes that have more of them get DIR/modem0.modem or .aux (takes
commands as well), .diag (binary) and .nmea (positions).

control socket: one JSON object a line in, one out, for example with `socat - UNIX-CONNECT:DIR/control.sock`:
  {"modem": "modem0", "deliver": {"from": "+4915559000001", "text": "hello"}}     somebody writes; also "class", "pdu",
                                                                  "copies", "ref" and "parts": [3, 1, 1] of a long text
  {"modem": "modem0", "report": {"mr": 7, "to": "+4915559000001", "status": 0}}     a status report, for whatever
  {"modem": "modem0", "ring": {"from": "+4915559000001", "seconds": 20}}            somebody calls; "hang_up": true
  {"modem": "modem0", "say": {"text": "^RSSI:9", "times": 1000}}                    an unsolicited line
  {"modem": "modem0", "unplug": {"back": 5, "port": "modem9"}}    pulled; plugged in again after 5 s as DIR/modem9
  {"modem": "modem0", "plug": "modem0"}    {"modem": "modem0", "restart": true}
  {"modem": "modem0", "register": {"stat": 3, "seconds": 60}}     denied for a minute; "register": 2 for good
  {"modem": "modem0", "signal": 5}    {"modem": "modem0", "sim": null}    {"modem": "modem0", "sim": {"pin": "1234"}}
  {"modem": "modem0", "fault": {…}}   {"modem": "modem0", "faults": "clear"}    {"modem": "modem0", "heard": 20}
  {"network": {"latency": 5}}         {"ledger": 0} what was sent and delivered, from that entry on   {"modems": 1}

faults: {"do": EFFECT, …, "when": WHEN}; without "when": now
  WHEN    {"command": "AT+CMGS", "nth": 2, "every": false}   {"urc": "+CMTI"}   {"byte": 40}   {"in": 60}
  of an answer     drop (what: answer final prompt), delay (seconds, what, busy), duplicate, garble (count), ignore,
                   error (text, early), accept_but (text), lose (count), stray (text, where: echo info lines final end
                   prompt payload pdu), unplug and reboot (point: command prompt payload submitted final end; accepted)
  of a URC         drop, delay, duplicate, garble, reword (text)
  of the modem     unplug (back, port), reboot, hang (seconds), hold (seconds), dribble (seconds, chunk, lasts),
                   flood (text, count), intrude (text), register_loss (seconds, stat),
                   weak_signal (seconds, answer, after), storage_full (seconds), no_credit (answer),
                   swap_sim (seconds), ring (caller, seconds)
  {"modem": "modem0", "fault": {"do": "unplug", "point": "submitted", "accepted": true, "when": {"command": "AT+CMGS"}}}
  the port vanishes behind the next 0x1A, and the network has the message all the same
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG.replace("%", "%%")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--dir", metavar="DIR", type=Path, help="where to put modem0, modem1, …")
    where.add_argument("--list-personas", action="store_true", help="say what modems can behave like, and end")
    parser.add_argument("--modems", metavar="N", type=int, default=2, help="how many (default 2)")
    parser.add_argument(
        "--persona",
        metavar="NAME[,NAME…]",
        default="generic",
        help="what they behave like, in turn: names of --list-personas or files ending in .toml (default generic)",
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
    parser.add_argument(
        "--control", metavar="PATH", type=Path, help="where to put the control socket (default DIR/control.sock)"
    )
    parser.add_argument("--verbose", action="store_true", help="print everything that is written to and by the modems")


def run(args: argparse.Namespace) -> int:
    if args.list_personas:
        for name in names():
            print(f"{name:16}{load(name).summary}")
        return 0
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
                control=args.control or args.dir / "control.sock",
                verbose=args.verbose,
                say=lambda line: print(line, flush=True),
            )
        )
    except PersonaError as error:
        raise Stop(str(error), code=2) from None
    except OSError as error:
        raise Stop(f"{error.filename or args.dir}: {error.strerror or error}") from None
    return 0
