"""Registration, operator and signal.

The best of three registrations is the truth, since a modem in an LTE network may say "searching" to ``+CREG`` for ever.
``AT+COPS=?`` is never used: it blocks the port for minutes. Sources: 3GPP TS 27.007, 7.2, 7.3, 8.5, 10.1.20, 10.1.22.
"""

from dataclasses import replace

from modemgw.at import answers, commands
from modemgw.at.errors import UnexpectedReply
from modemgw.modem.dialogue import Dialogue
from modemgw.modem.facts import Network, signal
from modemgw.modem.states import best


class Radio:
    """What is known about the network in one session, and how to know it anew."""

    def __init__(self) -> None:
        self.network = Network()
        self._stats: dict[str, int] = {}
        self._domains: tuple[str, ...] = commands.REGISTRATION_DOMAINS

    async def read(self, dialogue: Dialogue) -> None:
        """Ask for everything. A query that this modem does not know is not repeated in this session."""
        for domain in self._domains:
            reply = await dialogue.attempt(commands.registration(domain))
            try:
                stat = answers.registration(reply).stat if reply else None
            except UnexpectedReply:
                stat = None
            if stat is not None:
                self._stats[domain] = stat
        self._domains = tuple(domain for domain in self._domains if domain in self._stats) or self._domains
        await self._read_signal(dialogue)
        self._update()
        await self._read_operator(dialogue)

    def registration_changed(self, domain: str, stat: int) -> None:
        """The modem said so unasked."""
        if domain in commands.REGISTRATION_DOMAINS:
            self._stats[domain] = stat
            self._update()

    def signal_changed(self, rssi: int | None) -> None:
        """The modem said so unasked, or because it was asked."""
        rssi, dbm, verdict = signal(rssi)
        self.network = replace(self.network, rssi=rssi, dbm=dbm, verdict=verdict)

    def _update(self) -> None:
        self.network = replace(self.network, registration=best(self._stats))

    async def _read_signal(self, dialogue: Dialogue) -> None:
        reply = await dialogue.attempt(commands.SIGNAL)
        if reply is None:
            return
        try:
            self.signal_changed(answers.signal(reply).rssi)
        except UnexpectedReply:
            return

    async def _read_operator(self, dialogue: Dialogue) -> None:
        if not self.network.registered:
            self.network = replace(self.network, operator=None)
            return
        reply = await dialogue.attempt(commands.OPERATOR)
        try:
            name = answers.operator(reply).name if reply else None
        except UnexpectedReply:
            name = None
        self.network = replace(self.network, operator=name or self.network.operator)
