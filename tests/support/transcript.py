"""``tools/record-transcript``: what a real modem says, as a fixture in the form of tests/at/transcripts.

The modem is asked about itself; numbers of people, cards and hardware are replaced by made-up ones before anything is
written. What each line has to come out as is worked out by the parser as it is now: read it before you believe it.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from at.test_transcripts import Player, describe, expected, steps, whole

from modemgw.at import commands
from modemgw.at.commands import Command
from modemgw.cli.survey import Asked, redact, survey
from modemgw.modem.profile import Profiles
from modemgw.port.errors import PortError


def escaped(data: bytes) -> str:
    """As a transcript writes bytes: one line, Python's escapes, a blank at the end as one."""
    text = "".join(chr(octet) if 0x20 <= octet < 0x7F and octet != 0x5C else _escape(octet) for octet in data)
    return text.removesuffix(" ") + "\\x20" if text.endswith(" ") else text


def _escape(octet: int) -> str:
    return {0x0D: "\\r", 0x0A: "\\n", 0x5C: "\\\\"}.get(octet, f"\\x{octet:02x}")


def names() -> dict[str, str]:
    """Command line -> how a transcript calls it."""
    known = {value.text: name for name, value in vars(commands).items() if isinstance(value, Command)}
    known |= {text: f"iccid {text}" for text in Profiles.load().generic.sim.iccid}
    return known | {f"AT+{domain}?": f"registration {domain}" for domain in ("CREG", "CEREG", "CGREG")}


def transcript(found: Sequence[Asked], title: str) -> str:
    """The whole file; questions that were not answered, or that our driver has no name for, stay as comments."""
    called, lines, player = names(), [f"# {title}"], Player()
    for asked in found:
        said = redact(asked.said.decode("latin-1")).encode("latin-1")
        endless = asked.question == commands.PIN_STATE.text and bool(asked.lines) and not asked.complete
        if asked.question and not (asked.question in called and (asked.complete or endless)):
            lines.append(f"# {asked.question}: {escaped(said) or 'silence'}")
            continue
        block = [("send", called[asked.question])] if asked.question else []
        block += [("modem", escaped(said))] if said else []
        block += [("conclude", "")] if endless else []
        lines += [f"{word} {rest}".rstrip(" ") for word, rest in block]
        lines += [f"expect {describe(event)}" for word, rest in block for event in player.do(word, rest, whole)]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="tools/record-transcript",
        description="Writes down what a modem answers, without numbers of people, cards and hardware. Sends nothing.",
    )
    parser.add_argument("port", help="/dev/ttyUSB2, or a port of `modemgw emulate`")
    parser.add_argument("--save", metavar="FILE", type=Path, help="where to; without it, printed")
    parser.add_argument("--listen", metavar="S", type=float, default=10.0, help="seconds to wait for chatter")
    args = parser.parse_args(argv)
    try:
        found = asyncio.run(survey(args.port, listen_s=args.listen))
    except (PortError, OSError) as error:
        sys.stderr.write(f"modemgw: {error}\n")
        return 1
    text = transcript(found, "What a modem says about itself, recorded; numbers are made up.")
    if args.save is None:
        sys.stdout.write(text)
        return 0
    args.save.write_text(text, encoding="utf-8")
    script = steps(args.save)
    assert list(Player().play(script, whole)) == expected(script)
    sys.stderr.write(f"{args.save}: read it, then put it into tests/at/transcripts\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
