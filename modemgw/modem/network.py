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

_FULL_EVERY = 6  # reads


class Radio:
    """What is known about the network in one session, and how to know it anew."""

    def __init__(self) -> None:
        self.network = Network()
        self._stats: dict[str, int] = {}
        self._domains: tuple[str, ...] = commands.REGISTRATION_DOMAINS
        self._until_full = 0

    async def read(self, dialogue: Dialogue) -> None:
        """Ask for what may have changed; a query that this modem does not know is not repeated in this session.

        While the modem is registered, the domain that says so is asked alone, and everything every few times: what
        is asked all day should be little.
        """
        decisive = self._decisive()
        self._until_full = _FULL_EVERY if decisive is None else self._until_full - 1
        if decisive is not None and self._until_full > 0:
            await self._read_registration(dialogue, decisive)
            if best({decisive: self._stats[decisive]}) is self.network.registration:
                await self._read_signal(dialogue)
                return
        self._until_full = _FULL_EVERY
        for domain in self._domains:
            await self._read_registration(dialogue, domain)
        self._domains = tuple(domain for domain in self._domains if domain in self._stats) or self._domains
        await self._read_signal(dialogue)
        self._update()
        await self._read_operator(dialogue)

    def _decisive(self) -> str | None:
        """The domain in which the modem is registered; None while it is in none, or its operator is not known."""
        if not self.network.registered or self.network.operator is None:
            return None
        alone = (domain for domain, stat in self._stats.items() if best({domain: stat}) is self.network.registration)
        return next(alone, None)

    async def _read_registration(self, dialogue: Dialogue, domain: str) -> None:
        reply = await dialogue.attempt(commands.registration(domain))
        try:
            stat = answers.registration(reply).stat if reply else None
        except UnexpectedReply:
            return
        if stat is not None:
            self._stats[domain] = stat

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
