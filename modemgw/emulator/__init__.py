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
    intake.py, wire.py, urcs.py   what it hears, what it writes, what it says unasked
    settings.py   what it forgets in a restart
    exchange.py   one command line from its CR to its final result
    lines.py      command lines taken apart (V.250)
    codes.py      words and digits of result codes
    basic.py, card.py, radio.py, messages.py, sending.py, calls.py    the commands, by subject
    textmode.py   messages as text instead of PDUs
    ussd.py       what the network answers to *100#
    inbound.py    what arrives from the network: storage, indications, acknowledgement
    sim.py, storage.py    what the card and the modem remember
    persona.py, personas/*.toml    a make of modem as data
    faults.py     things that go wrong at a chosen moment
    agenda.py     what is due, and when
    driver.py     modems kept going by an event loop
    transport.py  a modem as an asyncio transport in the same loop
    pty.py        modems on pseudo terminals, for any program
    openings.py   who opens and closes a pseudo terminal
    journal.py    what the network took and gave, as JSON lines

Why sans-IO: a modem rings, delivers and reports unasked, so `tick(now)` says what it writes and `due()` when; the
same core then runs under a manual clock, a virtual-time loop and a real terminal.
"""
