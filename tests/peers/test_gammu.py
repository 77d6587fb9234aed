"""gammu, the command: who the modem is, sending, reading, deleting, USSD, the network.

Each call of it takes about 3.4 s because it lets a freshly opened port settle; `getussd` takes eleven more, since it
goes on reading after the answer. Both are its own.
"""

import re
from pathlib import Path

from peers import texts
from peers.beside import beside_the_others
from peers.stage import Stage, sent

NUMBER = "+4915551200001"


def configured(stage: Stage) -> Path:
    """A configuration for modem0."""
    path = stage.folder / "gammurc"
    log = stage.log("gammu.log")
    device = stage.port(stage.modems[0])
    told = "".join(f"{name} = {value}\n" for name, value in stage.settings.items())
    path.write_text(f"[gammu]\ndevice = {device}\nconnection = at\nlogfile = {log}\nlogformat = textalldate\n{told}")
    return path


@beside_the_others(modems=1)
async def test_it_tells_who_the_modem_is_and_on_which_network(stage: Stage) -> None:
    config, modem = configured(stage), stage.modems[0]
    identity = await stage.run("gammu", "-c", config, "identify")
    assert modem.sim is not None
    maker = modem.persona.identity.manufacturer.split()[0]  # it shortens some of them
    assert maker.lower() in identity.lower()
    for part in (modem.persona.identity.model, modem.imei, modem.sim.imsi):
        assert part in identity
    network = await stage.run("gammu", "-c", config, "networkinfo")
    assert re.search(r"Network state +: home network", network)
    assert modem.persona.radio.operator_long in network


@beside_the_others(modems=1)
async def test_it_sends_short_long_and_unicode_texts_with_report(stage: Stage) -> None:
    config = configured(stage)
    messages = {
        NUMBER: "Hello, 5 € for Grüße [x]",
        NUMBER[:-1] + "2": texts.LONG_GSM,
        NUMBER[:-1] + "3": texts.EMOJI,
        NUMBER[:-1] + "4": texts.LONG_EMOJI,
    }
    answers = []
    for number, text in messages.items():
        unicode = ["-unicode"] if texts.needs_ucs2(text) else []
        command = ["-c", config, "sendsms", "TEXT", number, "-report", *unicode, "-len", len(text) * 2, "-text", text]
        answers.append(await stage.run("gammu", *command))
    assert sent(stage.ledger) == messages
    assert all(entry.srr for entry in stage.ledger)
    said = [int(mr) for mr in re.findall(r"message reference=(\d+)", "".join(answers))]
    assert said == [entry.mr for entry in stage.ledger]
    await stage.until(lambda: stage.reports() == len(stage.ledger), "a report for each part")


@beside_the_others(modems=1)
async def test_it_reads_and_deletes_what_is_in_the_modem(stage: Stage) -> None:
    config, modem = configured(stage), stage.modems[0]
    assert modem.sim is not None
    messages = texts.incoming(8)
    stage.write_in(messages.items(), modem)
    stored = modem.inbox.storage(modem.settings.cpms[2])
    await stage.until(lambda: not len(stage.lab.network.mailbox(modem.sim) or ()), "all parts in the modem")
    parts = stored.used
    twice = parts - len({slot.pdu for _, slot in stored.items()})  # some makes do that now and then
    listed = await stage.run("gammu", "-c", config, "getallsms")
    assert f"{parts} SMS parts in {parts} SMS sequences" in listed
    joined = await stage.run("gammu", "-c", config, "geteachsms")
    assert f"{parts} SMS parts in {len(messages) + twice} SMS sequences" in joined
    for sender, text in messages.items():
        block = joined.split(f'"{sender}"', 1)[1]
        assert f"\n\n{text}\n" in block.split("Remote number", 1)[0], (sender, text)
    folder = re.search(r'folder "Inbox", (SIM|phone) memory', listed)
    assert folder is not None
    await stage.run("gammu", "-c", config, "deleteallsms", "1" if folder[1] == "SIM" else "3")
    assert stored.used == 0
    assert "0 SMS parts" in await stage.run("gammu", "-c", config, "getallsms")


@beside_the_others(modems=1)
async def test_it_asks_for_the_balance(stage: Stage) -> None:
    answer = await stage.run("gammu", "-c", configured(stage), "getussd", "*100#")
    assert 'Service reply        : "Your balance is 12.34 EUR."' in answer
