"""A simulated modem, SIM card and mobile network, for anyone who tests software that sends SMS.

Written from the standards (V.250, 3GPP TS 27.005, 27.007, 23.040) and from how real modems depart from them. It
shares no parser with the gateway: of the package it imports `pdu` and `seams` only.

Map, in reading order:
    lab.py        named ports, modems and SIM cards on one network; the way in
    network.py    the simulated operator and service centre; its ledger is the truth about what was sent
    ledger.py     the truth, entry by entry
    mailbox.py, tickets.py    what waits for one SIM; what is still to be reported
    magic.py      recipients that fail on purpose
    device.py     one modem: bytes in, bytes out, no I/O, no clock of its own
    channel.py    one of its ttys that take commands; stream.py one that only talks (binary, positions)
    intake.py, wire.py, urcs.py, noise.py   what it hears, what it writes, what it says unasked and all the time
    power.py, settings.py   starting, and what it forgets in a restart
    exchange.py   one command line from its CR to its final result
    lines.py      command lines taken apart (V.250)
    codes.py      words and digits of result codes
    basic.py, card.py, radio.py, link.py, messages.py, sending.py, stored.py, calls.py    the commands, by subject
    answers.py    commands in a make's own words, and those that steer its habits
    textmode.py   messages as text instead of PDUs
    ussd.py       what the network answers to *100#
    inbound.py    what arrives from the network: storage, indications, acknowledgement
    sim.py, storage.py    what the card and the modem remember
    persona.py, traits.py, personas/*.toml    a make of modem as data
    faults.py, effects.py, suffering.py    when something goes wrong, what, and what that does to the whole modem
    agenda.py     what is due, and when
    driver.py     modems kept going by an event loop
    transport.py  a modem as an asyncio transport in the same loop
    pty.py        modems on pseudo terminals, for any program
    openings.py   who opens and closes a pseudo terminal
    journal.py    what the network took and gave, as JSON lines
    orders.py, wishes.py, script.py    what can be told to a lab while it runs, and faults written as JSON
    control.py    orders over a Unix socket

Why sans-IO: a modem rings, delivers and reports unasked, so `tick(now)` says what it writes and `due()` when; the
same core then runs under a manual clock, a virtual-time loop and a real terminal.
"""
