"""gammu-smsd, the daemon, with its files backend and with SQLite: fifty messages out, twenty in.

Two settings work around what gammu 1.42 does wrong, on any modem:
- `atgen_setcnmi = 2,1,,1` has status reports shown at once (+CDS). Left alone it prefers stored ones (+CDSI), takes
  their announcement for the report itself, and loses those that have a store of their own.
- `inboxformat = standard`: `unicode` writes as many UTF-16 units as the text has octets in UTF-8, which puts old
  memory behind every text that is not plain ASCII.

It waits 0.6 s inside every send, between the prompt and 0x1A, so that fifty take 35 s.
"""

import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from peers import texts
from peers.beside import beside_the_others
from peers.stage import Stage, occurrences, sent

OUT = texts.outgoing(50)
IN = texts.incoming(20)
SCHEMA = "usr/share/doc/gammu-smsd/examples/sqlite.sql"


def configured(stage: Stage, service: str) -> Path:
    """A configuration for modem0; `service` are the lines of the backend."""
    path = stage.folder / "smsdrc"
    path.write_text(
        f"""
[gammu]
device = {stage.port(stage.modems[0])}
connection = at
atgen_setcnmi = {stage.settings.get("cnmi", "2,1,,1")}
[smsd]
logfile = {stage.log("smsd.log")}
debuglevel = 1
commtimeout = 1
sendtimeout = 30
receivefrequency = 1
loopsleep = 0
statusfrequency = 0
checksecurity = 0
checkbattery = 0
checksignal = 0
checknetwork = 0
deliveryreport = log
{service}
"""
    )
    return path


async def inject(stage: Stage, config: Path) -> None:
    """Put all messages into the daemon's queue, with its own tool."""
    for number, text in OUT.items():
        unicode = ["-unicode"] if texts.needs_ucs2(text) else []
        words = ["TEXT", number, "-report", *unicode, "-len", len(text) * 2, "-text", text]
        await stage.run("gammu-smsd-inject", "-c", config, *words)


@beside_the_others(modems=1)
async def test_fifty_out_and_twenty_in_with_files(stage: Stage) -> None:
    folders = {name: stage.folder / name for name in ("inbox", "outbox", "sentsms", "errorsms")}
    for folder in folders.values():
        folder.mkdir()
    paths = "\n".join(f"{name}path = {folder}/" for name, folder in folders.items())
    config = configured(stage, f"service = files\ninboxformat = standard\n{paths}")
    await inject(stage, config)
    stage.start("gammu-smsd", "-c", config, log="smsd.out")
    stage.write_in(IN.items(), stage.modems[0])
    await stage.until(lambda: len(list(folders["sentsms"].iterdir())) == len(OUT), "all in sentsms")
    assert not list(folders["outbox"].iterdir())
    assert not list(folders["errorsms"].iterdir())
    assert sent(stage.ledger) == OUT

    def reported() -> list[str]:
        found = re.findall(r"Delivery report: Delivered to (\S+), message reference 0x(\w+)", stage.said("smsd.log"))
        return [f"{number} {int(mr, 16)}" for number, mr in found]

    await stage.until(lambda: len(reported()) >= len(stage.ledger), "a report for each part")
    assert occurrences(reported()) == occurrences(f"{entry.number} {entry.mr}" for entry in stage.ledger)

    await stage.until(
        lambda: received_files(folders["inbox"], once=stored_twice(stage)) == IN, "all texts in the inbox"
    )
    assert stage.modems[0].inbox.me.used == 0


def stored_twice(stage: Stage) -> bool:
    """Whether the make stores a message twice now and then: then it is read twice, and that is no mistake."""
    return stage.modems[0].persona.storage.twin_every > 0


def received_files(inbox: Path, *, once: bool) -> dict[str, str]:
    """Sender → text. A file is one part: IN<date>_<time>_<serial>_<sender>_<part>.txt."""
    paths = sorted(inbox.iterdir(), key=lambda path: path.stem[-2:])
    return joined(((path.stem.split("_")[3], path.read_bytes()) for path in paths), once=once)


def joined(parts: Iterable[tuple[str, bytes]], *, once: bool) -> dict[str, str]:
    """Sender → text, from parts in their order; `once` leaves out what is there already."""
    there: dict[str, list[bytes]] = {}
    for sender, part in parts:
        of_sender = there.setdefault(sender, [])
        if not (once and part in of_sender):
            of_sender.append(part)
    return {sender: b"".join(texts).decode("utf-8", "replace") for sender, texts in there.items()}


@beside_the_others(modems=1)
async def test_fifty_out_and_twenty_in_with_sqlite(stage: Stage) -> None:
    path = stage.folder / "sms.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode = WAL")  # so that our looking does not lock it: gammu would not wait a moment
        made.executescript(stage.programs.file(SCHEMA).read_text())
    drivers = stage.programs.file("usr/lib/*/dbd")
    config = configured(
        stage,
        f"service = sql\ndriver = sqlite3\ndbdir = {path.parent}/\ndatabase = {path.name}\ndriverspath = {drivers}",
    )
    await inject(stage, config)
    stage.start("gammu-smsd", "-c", config, log="smsd.out")
    stage.write_in(IN.items(), stage.modems[0])

    def rows(query: str) -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as there:
            return [tuple(map(str, row)) for row in there.execute(query)]

    states = "SELECT Status, count(*) FROM sentitems GROUP BY Status"
    await stage.until(lambda: len(sent_numbers(rows)) == len(OUT), "all in sentitems")
    assert sent(stage.ledger) == OUT
    await stage.until(lambda: rows(states) == [("DeliveryOK", str(len(stage.ledger)))], "every part reported delivered")
    matched = rows("SELECT DestinationNumber, TPMR FROM sentitems")
    assert occurrences(map(" ".join, matched)) == occurrences(f"{entry.number} {entry.mr}" for entry in stage.ledger)
    assert rows("SELECT count(*) FROM outbox") == [("0",)]

    def received() -> dict[str, str]:
        parts = rows("SELECT SenderNumber, TextDecoded FROM inbox ORDER BY ID")
        return joined(((sender, text.encode()) for sender, text in parts), once=stored_twice(stage))

    await stage.until(lambda: received() == IN, "all texts in the inbox")


def sent_numbers(rows: object) -> set[str]:
    """Recipients of what left the queue."""
    assert callable(rows)
    queued = {number for (number,) in rows("SELECT DestinationNumber FROM outbox")}
    return {number for (number,) in rows("SELECT DestinationNumber FROM sentitems")} - queued
