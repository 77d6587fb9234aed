"""smstools' smsd: two modems share one queue of fifty messages, and take turns at twenty inbound ones.

How it is set up, and why:
- it reads status reports only as stored messages, so they are routed to the store of their own
  (`init = AT+CNMI=2,1,0,2,0`) and that store is its second memory, which is what its two-memory handling is for;
- emoji go out as `Alphabet: UCS2`: what it makes of `Alphabet: UTF-8` is the GSM alphabet, and letters beyond that are
  left out of the message without a word; inbound they are kept as UCS-2 (`decode_unicode_text = no`), because its
  decoder knows no surrogate pairs.
"""

import re
from pathlib import Path

from peers import texts
from peers.beside import beside_the_others
from peers.stage import Stage, occurrences, sent

OUT = texts.outgoing(50)
IN = texts.incoming(20)
FOLDERS = ("outgoing", "checked", "failed", "incoming", "sent", "report", "saved", "phonecalls")


def configured(stage: Stage) -> Path:
    """A configuration with all modems of the stage."""
    folders = "\n".join(f"{name} = {stage.folder / name}" for name in FOLDERS)
    devices = "\n".join(f"[{modem.name}]\ndevice = {stage.port(modem)}" for modem in stage.modems)
    told = {
        "init": "AT+CNMI=2,1,0,2,0",
        "reports": "SR",
        "routed": "no",
        "check_network": "1",
        **stage.settings,
    }
    persona = stage.modems[0].persona
    path = stage.folder / "smsd.conf"
    path.write_text(
        f"""
devices = {", ".join(modem.name for modem in stage.modems)}
{folders}
logfile = {stage.log("smsd.log")}
loglevel = 5
infofile = {stage.folder / "working"}
pidfile = {stage.folder / "pid"}
delaytime = 1
delaytime_mainprocess = 1
errorsleeptime = 1
receive_before_send = no
internal_combine = yes
incoming_utf8 = yes
decode_unicode_text = no
[default]
incoming = yes
report = yes
rtscts = no
baudrate = 115200
init = {told["init"]}
using_routed_status_report = {told["routed"]}
check_network = {told["check_network"]}
primary_memory = {persona.storage.default[2]}
{"secondary_memory = " + told["reports"] if told["reports"] else ""}
memory_start = {persona.storage.index_base}
{devices}
"""
    )
    for name in FOLDERS:
        (stage.folder / name).mkdir()
    return path


def queue(folder: Path) -> None:
    """Put all messages into the outgoing folder, as it wants them."""
    for number, text in OUT.items():
        ucs2 = texts.needs_ucs2(text)
        head = f"To: {number.removeprefix('+')}\nReport: yes\nAlphabet: {'UCS2' if ucs2 else 'UTF-8'}\n\n"
        path = folder / number
        path.write_bytes(head.encode() + text.encode("utf-16-be" if ucs2 else "utf-8"))


def read(path: Path) -> tuple[dict[str, str], str]:
    """A message file: its headers and its text."""
    head, body = path.read_bytes().split(b"\n\n", 1)
    headers = dict(re.findall(r"^([\w-]+): (.*)$", head.decode(), re.MULTILINE))
    return headers, body.decode("utf-16-be" if headers.get("Alphabet") == "UCS2" else "utf-8")


def all_in(folder: Path) -> list[tuple[dict[str, str], str]]:
    """All message files of a folder that are complete: it writes them under their names, all at once."""
    return [read(path) for path in sorted(folder.iterdir()) if b"\n\n" in path.read_bytes()]


def names(folder: Path) -> set[str]:
    """The files of a folder; some are only passing through."""
    return {path.name for path in folder.iterdir()}


@beside_the_others(modems=2)
async def test_two_modems_fifty_out_and_twenty_in(stage: Stage) -> None:
    config = configured(stage)
    queue(stage.folder / "outgoing")
    stage.start("smsd", "-t", "-c", config, log="smsd.out")
    stage.write_in(IN.items(), *stage.modems)
    await stage.until(lambda: names(stage.folder / "sent") >= OUT.keys(), "all in sent")
    assert not list((stage.folder / "failed").iterdir())
    assert sent(stage.ledger) == OUT
    assert {entry.device for entry in stage.ledger} == {modem.name for modem in stage.modems}

    wanted = {sender.removeprefix("+"): text for sender, text in IN.items()}

    def received() -> dict[str, str]:
        return {headers["From"]: text for headers, text in all_in(stage.folder / "incoming")}

    await stage.until(lambda: received().keys() == wanted.keys(), "all in incoming")
    assert received() == wanted
    if not stage.modems[0].persona.storage.twin_every:  # it stores a message twice now and then
        assert len(all_in(stage.folder / "incoming")) == len(IN)

    def reported() -> list[str]:
        found = []
        for headers, text in all_in(stage.folder / "report"):
            mr = re.search(r"Message_id: (\d+)\n(?:.*\n)*Status: 0,Ok", text)
            found.append(f"{headers['Modem']} +{headers['From']} {mr[1] if mr else text}")
        return found

    await stage.until(lambda: len(reported()) >= len(stage.ledger), "a report for each part")
    entries = occurrences(f"{entry.device} {entry.number} {entry.mr}" for entry in stage.ledger)
    assert occurrences(reported()) == entries
