"""One modem: from a tty that answers AT to messages that go out and come in. Knows AT, never a TPDU.

The map, lowest first:
    states.py, facts.py   the words that people see; what is known about modem, SIM and network
    errors.py             what can go wrong; `SubmitFailed.kind` says whether money may have been spent
    settings.py           one ``[[modem]]`` as the driver needs it
    profile.py, profiles/ what is particular to a family of modems, as data
    listener.py           what is asked of the layer above: a listener, and a memory for PIN attempts
    dialogue.py           the one way to talk: whole turns, in step, never to a modem that has restarted meanwhile
    queries.py            commands that a profile names by their text
    identity.py, pin.py, network.py, routing.py, stores.py    one subject each
    session.py            what is known from opening a port to losing it
    strategies.py, startup.py    start-up: the steps of the profile, and those that data can't express
    sending.py, proof.py  one SUBMIT and its outcome; results that come late
    inbox.py              messages on their way up, and off the modem once they are durable
    upcalls.py            calls to the listener that nobody waits for
    calls.py, ussd.py     what else a SIM can do
    ladder.py, recovery.py, repair.py    which remedy comes next; the account of them; carrying them out
    watch.py              what is done from time to time while a modem serves
    modem.py              the parts joined: what the gateway sees
    opening.py            why a port can't be opened, in the modem's words
    supervisor.py         open, listen, start, serve, and begin again

Why stored messages are read three times (once to hand over, once before and once after they are deleted): modems reuse
and shift indexes and say OK to deletions that did not happen, and a read costs milliseconds where a lost message costs
a customer. Why what is odd counts as a restart: start-up takes a second, is the same for a new modem and for one that
forgot something, and is the best tested path. Why the listener is asked again rather than a message deleted by memory:
only the store knows what is durable.
"""
