"""gnokii, the command: identity, network, storages, sending, reading, deleting.

No emoji here: its text conversion stops at the first character outside the basic plane, outbound (the rest of the text
is lost, with an error on the screen and "Send succeeded") and inbound ("??").
"""

import re
from pathlib import Path

from peers import texts
from peers.beside import beside_the_others
from peers.stage import Stage, sent

OUT = texts.outgoing(8, emoji=False)
IN = texts.incoming(8, emoji=False)


def configured(stage: Stage) -> Path:
    """A configuration for modem0."""
    path = stage.folder / "gnokiirc"
    terminal = stage.port(stage.modems[0]).resolve()  # the name itself: it cuts long paths
    path.write_text(
        f"""
[global]
model = AT
port = {terminal}
connection = serial
serial_baudrate = 115200
smsc_timeout = 30
[gnokiid]
bindir = /usr/sbin
[logging]
debug = off
rlpdebug = off
xdebug = off
"""
    )
    return path


@beside_the_others(modems=1)
async def test_it_knows_sends_reads_and_deletes(stage: Stage) -> None:
    config, modem = configured(stage), stage.modems[0]
    assert modem.sim is not None
    gnokii = ("gnokii", "--config", config)

    who = await stage.run(*gnokii, "--identify")
    for part in (modem.imei, modem.persona.identity.manufacturer, modem.persona.identity.model):
        assert part in who

    said = ""
    for number, text in OUT.items():
        said += await stage.run(*gnokii, "--sendsms", number, "-r", stdin=text.encode())
    assert sent(stage.ledger) == OUT
    assert all(entry.srr for entry in stage.ledger)
    references = re.findall(r"reference (\d+)!|reference numbers: ([\d ]+)", said)
    assert [int(mr) for found in references for mr in " ".join(found).split()] == [entry.mr for entry in stage.ledger]

    stage.write_in(IN.items(), modem)
    mailbox = stage.lab.network.mailbox(modem.sim)
    await stage.until(lambda: not len(mailbox or ()), "all parts in the modem")
    memory = modem.settings.cpms[2]
    parts = modem.inbox.storage(memory).used
    listed = await stage.run(*gnokii, "--showsmsfolderstatus")
    assert re.search(rf" {memory} +{parts}\n", listed)

    base = modem.persona.storage.index_base
    read = await stage.run(*gnokii, "--getsms", memory, base, base + parts - 1)
    received: dict[str, str] = {}
    for sender, text in re.findall(r"Sender: (\S+) Msg Center: .*\n(?:Text|Linked):\n(?:Linked .*\n)?(.*)\n", read):
        received[sender] = received.get(sender, "") + text
    assert received == IN

    await stage.run(*gnokii, "--deletesms", memory, base, base + parts - 1)
    assert modem.inbox.storage(memory).used == 0
