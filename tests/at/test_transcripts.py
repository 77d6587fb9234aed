"""Dialogues as modems hold them, fed whole, byte by byte and in random cuts, and with a URC at every boundary of lines.

A transcript is text: ``send NAME [arguments]`` begins a command of ``commands``; ``modem BYTES`` with Python's escapes
and ``{x*5000}`` for a repeated character; ``payload``, ``abandon``, ``conclude`` and ``give_up`` call the chat;
``expect`` lists in order the events since the line before.
"""

import codecs
import itertools
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from modemgw.at import commands, urc
from modemgw.at.chat import Chat
from modemgw.at.commands import Command
from modemgw.at.events import Event, LateFailure, LateSubmit, Prompt, Reply, Unknown
from modemgw.at.lines import LineReader

FILES = sorted(Path(__file__).parent.glob("transcripts/*.txt"))
PDU = "0031000B915155100021F30000A705E8329BFD06"
REPORT = "07915155109099F9062A0B915155100021F3628040900300806280409003708000"
Cut = list[bytes]


def steps(path: Path) -> list[tuple[str, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines if line and line[0] != "#")]


def raw(text: str) -> bytes:
    text = re.sub(r"\{(.)\*(\d+)\}", lambda found: found[1] * int(found[2]), text)
    return codecs.decode(text.encode("latin-1"), "unicode_escape").encode("latin-1")


def command(text: str) -> Command:
    name, *arguments = text.split()
    if name == "cmgs":
        return commands.cmgs(int(arguments[0]), PDU, token=arguments[1] if arguments[1:] else None)
    if name == "routing":
        return commands.routing(*map(int, arguments))
    if name in {"cmgr", "cmgd"}:
        return getattr(commands, name)(int(arguments[0]))
    found = getattr(commands, name)
    return found if isinstance(found, Command) else found(*arguments)


def describe_reply(reply: Reply) -> str:
    parts = [f"reply {reply.command.name} {reply.result.text}"]
    parts += [f"mr={reply.mr}"] if reply.mr is not None else []
    parts += ["echoed"] * reply.echoed + ["unheard"] * (not reply.heard)
    parts += ["written"] * (reply.payload_written and not reply.result.ok)
    return " ".join(parts) + "".join(f" | {line}" for line in reply.lines)


def describe(event: Event) -> str:
    if isinstance(event, Reply):
        return describe_reply(event)
    match event:
        case Prompt():
            text = "prompt"
        case LateSubmit() | LateFailure():
            text = f"late {getattr(event, 'mr', None)} {event.command.token if event.command else None}"
        case Unknown():
            text = f"unknown {event.line}"
        case urc.Stored():
            text = f"urc Stored {event.storage} {event.index}"
        case urc.Direct():
            text = f"urc Direct {event.pdu}"
        case urc.Ussd():
            text = f"urc Ussd {event.mode} {event.raw}".replace("\n", "/")
        case _:
            text = f"urc {type(event).__name__}"
    return text


class Player:
    """Plays a transcript; ``cut`` turns the bytes of one modem line into pieces."""

    def __init__(self) -> None:
        self.chat = Chat()
        self.chat.proven()

    def play(self, script: list[tuple[str, str]], cut: object) -> Iterator[str]:
        assert callable(cut)
        for word, rest in script:
            for event in self.do(word, rest, cut):
                yield describe(event)

    def do(self, word: str, rest: str, cut: object) -> list[Event]:
        assert callable(cut)
        if word == "modem":
            return [event for piece in cut(raw(rest)) for event in self.chat.receive(piece)]
        if word == "send":
            self.chat.send(command(rest))
        elif word == "payload":
            self.chat.payload()
        elif word == "urcs":
            tables = dict(part.split("=") for part in rest.split())
            self.chat.urcs = urc.UrcTable(**{name: tuple(value.split(",")) for name, value in tables.items()})
        elif word in {"abandon", "conclude", "give_up"}:
            return getattr(self.chat, word)()
        else:
            assert word == "expect"
        return []


def expected(script: list[tuple[str, str]]) -> list[str]:
    return [rest.strip().replace("\\x8d", "\x8d") for word, rest in script if word == "expect"]


def whole(data: bytes) -> Cut:
    return [data]


def bytewise(data: bytes) -> Cut:
    return [data[i : i + 1] for i in range(len(data))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("cut", [whole, bytewise])
def test_transcript(path: Path, cut: object) -> None:
    script = steps(path)
    assert list(Player().play(script, cut)) == expected(script)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_transcript_in_random_cuts(path: Path) -> None:
    script, rng = steps(path), random.Random(path.stem)

    def cut(data: bytes) -> Cut:
        places = sorted({0, len(data), *(rng.randrange(len(data) + 1) for _ in range(len(data) // 4 + 1))})
        return [data[a:b] for a, b in itertools.pairwise(places)]

    for _ in range(20):
        assert list(Player().play(script, cut)) == expected(script)


def boundaries(data: bytes) -> list[int]:
    """Between lines: where a line end is behind, and no quoted text is open."""
    places = [0, *(end.end() for end in re.finditer(rb"\n|\r(?!\r*\n)", data))]
    reader = LineReader()
    good = []
    for start, end in zip(places, [*places[1:], len(data)], strict=True):
        if not reader.quote_open:
            good.append(start)
        list(reader.feed(data[start:end]))
    return good


INSERTED = [
    (b'\r\n+CMTI: "MT",7\r\n', "urc Stored MT 7"),
    (b"\r\nRING\r\n", "urc Ringing"),
    (b"+CREG: 1,\"00A1\",\"C350\"\r\n", "urc RegistrationChanged"),
    (b"\r\n^RANDOM: 1,2\r\r\n", "unknown ^RANDOM: 1,2"),
    (f"\r\n+CDS: 25\r\n{REPORT}\r\n".encode(), f"urc Direct {REPORT}"),
    (b"\r\nNO CARRIER\r\n", "urc CallEnded"),
]  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    ("inserted", "event"), INSERTED, ids=lambda value: value.split()[1] if isinstance(value, str) else ""
)
def test_a_urc_at_every_boundary(path: Path, inserted: bytes, event: str) -> None:
    """It is told, it hurts nothing, and the rest comes out as ever."""
    script, tried, clean = steps(path), 0, True
    for number, (word, rest) in enumerate(script):
        places = boundaries(raw(rest)) if word == "modem" and clean else []
        # Behind a line whose end is still to come there is no boundary.
        clean = clean if word != "modem" else raw(rest)[-1:] in {b"\n", b"\r", b" ", b">"}
        for place in places:
            tried += 1

            def cut(data: bytes, target: str = rest, place: int = place) -> Cut:
                return [data[:place], inserted, data[place:]] if data == raw(target) else [data]

            player, got = Player(), []
            for i, (w, r) in enumerate(script):
                got += [describe(e) for e in player.do(w, r, cut if i == number else whole)]
            want = expected(script)
            assert event in got, (place, got)
            got.remove(event) if event not in want else None
            assert [line for line in got if line != event] == [line for line in want if line != event], (place, got)
    assert tried


def test_there_are_transcripts() -> None:
    assert len(FILES) >= 25
