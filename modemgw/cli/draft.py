"""From what a modem said about itself to a draft of its profile and of a persona that behaves like it.

A draft says what is certain from the answers, and in comments what a person has to try: modems list what they refuse,
and no answer tells how a prompt looks or how USSD is coded. Both drafts load as they are.
"""

import argparse
import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from modemgw.at.params import Params, number, strings, values
from modemgw.cli.survey import UNKNOWN, Asked, answer_to, survey
from modemgw.modem.profile import Profiles
from modemgw.port.errors import PortError

_QUOTE = str.maketrans({"\\": r"\\", '"': r"\""})


def profile(found: Sequence[Asked]) -> str:
    """A profile that inherits from ``generic``."""
    generic = Profiles.shipped().generic
    iccid = [command for command in generic.sim.iccid if answer_to(found, command)]
    counters = [
        counter
        for counter in generic.sim.pin_counter
        if any(re.search(counter.tries, line) for line in answer_to(found, counter.send))
    ]
    allowed = [values(field) for field in _fields(found, "AT+CNMI=?")]
    rungs = [rung for rung in generic.routing.rungs if _listed(rung, allowed)]
    text = [
        f"# Draft for {_maker(found)} {_model(found)}. Check what the comments say, then delete them.",
        'inherit = "generic"',
        "# ussd_packed = true   # if *100# is refused, and AA180C3602 in its place is not",
        '# reset = "…"          # if AT+CFUN=1,1 does not restart it',
        "",
        "[match]",
        f"manufacturer = {_regex(_maker(found))}",
        f"model = {_regex(_model(found))}   # shorten it to what the whole family has in common",
        "",
        "# [timing]",
        "# guard_ms = 20         # for a module on a serial line",
    ]
    if iccid:
        text += ["", "[sim]", f"iccid = {_list(iccid)}"]
    for counter in counters:
        text += ["", "[[sim.pin_counter]]", f'send = "{counter.send}"', f"tries = '{counter.tries}'"]
    if not counters:
        text += ["", "# It does not tell how many tries of the PIN are left: look for its own command in the manual."]
    if rungs and allowed:
        text += ["", "[routing]", "# What it lists. Try each by AT+CNMI= and read it back by AT+CNMI?.", "rungs = ["]
        text += [f'  "{rung}",' for rung in rungs] + ["]"]
    chatter = _chatter(found)
    if chatter:
        text += ["", "[lines]", "# Said unasked. Take out what means a restart (boot) or a full store (full)."]
        text += [f"ignored = {_list(chatter)}"]
    return "\n".join(text) + "\n"


def persona(found: Sequence[Asked]) -> str:
    """A persona for the emulator that inherits from ``generic``."""
    stores = [strings(field) for field in _fields(found, "AT+CPMS=?")]
    used = _fields(found, "AT+CPMS?")
    chosen = [field.strip('"') for field in used[::3]] if len(used) == 9 else []
    known = {"SM", "ME", "MT", "SR", "SM_P", "ME_P"}
    text = [
        f"# Draft for {_maker(found)} {_model(found)}. Check what the comments say, then delete them.",
        'inherit = "generic"',
        f'summary = "{_words(_maker(found))} {_words(_model(found))}"',
        "",
        "[identity]",
        f'manufacturer = "{_words(_maker(found))}"',
        f'model = "{_words(_model(found))}"',
        f'revision = "{_words(" ".join(answer_to(found, "AT+CGMR")[:1]))}"',
    ]
    imei = re.search(r"\d{15}", " ".join(answer_to(found, "AT+CGSN")))
    text += [f'tac = "{imei[0][:8]}"'] if imei else []
    text += ["", "[line]", f'unknown = "{_unknown(found)}"', '# prompt = "\\r\\n>"   # if there is no blank behind it']
    if len(stores) == 3:
        text += ["", "[storage]"]
        names = ("read", "write", "receive")
        text += [
            f"{key} = {_list([name for name in store if name in known])}"
            for key, store in zip(names, stores, strict=True)
        ]
        text += [f"default = {_list(chosen)}"] if len(chosen) == 3 and set(chosen) <= known else []
        text += ["# sm, me, sr: how many slots each has, as AT+CPMS= says when it is chosen", "# index_base = 0"]
    allowed = [values(field) for field in _fields(found, "AT+CNMI=?")]
    if len(allowed) == 5:
        keys = ("mode", "mt", "bm", "ds", "bfr")
        text += ["", "[routing]"]
        text += [f"{key} = {list(listed)}" for key, listed in zip(keys, allowed, strict=True) if listed]
        text += ['# refuses = ["2,*,*,1,*"]   # what it lists and does not take']
    domains = "2g+4g" if answer_to(found, "AT+CEREG?") else "2g"
    text += ["", "[radio]", f'domains = "{domains}"']
    text += ["", "# [boot]", "# urcs = []   # what it says after it was plugged in, line by line"]
    return "\n".join(text) + "\n"


def _maker(found: Sequence[Asked]) -> str:
    return _bare(answer_to(found, "AT+CGMI"))


def _model(found: Sequence[Asked]) -> str:
    return _bare(answer_to(found, "AT+CGMM"))


def _bare(lines: Sequence[str]) -> str:
    text = lines[0] if lines else "unknown"
    return re.sub(r"^\+\w+: ?", "", text).strip('" ')


def _words(text: str) -> str:
    return _bare([text]).translate(_QUOTE) if text else ""


def _regex(text: str) -> str:
    return "'^" + re.escape(text).replace("\\ ", " ").replace("'", ".") + "'"


def _list(items: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{item.translate(_QUOTE)}"' for item in items) + "]"


def _fields(found: Sequence[Asked], question: str) -> Sequence[str]:
    lines = answer_to(found, question)
    fields = Params(lines[0]).fields if lines else ()
    return Params(fields[0][1:-1]).fields if len(fields) == 1 and fields[0].startswith("((") else fields


def _listed(rung: str, allowed: Sequence[Sequence[int]]) -> bool:
    wanted = [number(part) for part in rung.split(",")]
    return all(not listed or value in listed for value, listed in zip(wanted, allowed, strict=False))


def _unknown(found: Sequence[Asked]) -> str:
    said = next((asked.said.decode("latin-1") for asked in found if asked.question == UNKNOWN), "")
    last = said.strip().splitlines()[-1] if said.strip() else "ERROR"
    code = re.match(r"\+CME ERROR: (\d+)$", last)
    return f"CME {code[1]}" if code else last.translate(_QUOTE)


def _chatter(found: Sequence[Asked]) -> list[str]:
    unasked = found[-1].lines if found and not found[-1].question else []
    starts = [re.match(r"[*+^#%$&_!][A-Z0-9]+:", line) for line in unasked]
    return list(dict.fromkeys(start[0] for start in starts if start))


def main(argv: Sequence[str] | None = None) -> int:
    """``PORT``: ask the modem there, and print both drafts, or save them."""
    parser = argparse.ArgumentParser(
        prog="tools/new-profile",
        description="Asks a modem about itself and drafts its profile and a persona of it. Sends nothing.",
    )
    parser.add_argument("port", help="/dev/ttyUSB2, or a port of `modemgw emulate`")
    parser.add_argument("--save", metavar="NAME", help="write DIR/NAME.profile.toml and DIR/NAME.persona.toml")
    parser.add_argument("--dir", metavar="DIR", type=Path, default=Path(), help="where to (default: here)")
    parser.add_argument("--listen", metavar="S", type=float, default=10.0, help="seconds to wait for chatter")
    args = parser.parse_args(argv)
    try:
        found = asyncio.run(survey(args.port, listen_s=args.listen))
    except (PortError, OSError) as error:
        print(f"modemgw: {error}", file=sys.stderr)
        return 1
    drafts = {"profile": profile(found), "persona": persona(found)}
    for kind, text in drafts.items():
        if args.save:
            path = args.dir / f"{args.save}.{kind}.toml"
            path.write_text(text, encoding="utf-8")
            print(path)
        else:
            print(f"# ---- {kind} ----\n{text}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
