"""The one way to talk to a modem: whole turns, in step, and never to a modem that has restarted meanwhile.

Rules:
- Whoever needs several commands in a row without another in between (switch storage, read, delete, switch back) holds
  the ``turn``. A submit holds it too. Start-up does not: nobody else may talk then.
- After a timeout the order of answers is proven anew before the next command; a modem that can't prove it any more is
  `Unresponsive`, and the port is given up. After a submit without result it gets more time: it may still be busy with
  it, and what it says in the end is worth more than the port.
- Once the modem was seen to restart, every command raises `Restarted` until start-up ran again: its settings are gone.
"""

import asyncio
from collections.abc import Callable

from modemgw.at.commands import Command
from modemgw.at.errors import CommandFailed
from modemgw.at.events import Reply
from modemgw.modem.errors import Restarted, Unresponsive
from modemgw.port.errors import CommandTimeout
from modemgw.port.port import BeforePayload, Port

_PATIENCE_AFTER_SUBMIT = 90.0  # seconds


class Dialogue:
    """Commands over one open port."""

    def __init__(self, port: Port) -> None:
        self.port = port
        self.echo = True  # whether the modem still repeats what it is told; start-up settles it
        self.attention = asyncio.Event()  # something happened that whoever watches this modem should look at
        self.dead = False  # it was called for long enough and did not answer
        self.on_resynced: Callable[[float], None] = lambda _: None  # how long it took to get in step after silence
        self._silent = False  # the last command got no answer
        self._submit_open = False  # the last submit has no result
        self._turn = asyncio.Lock()
        self._restarted: str | None = None

    def turn(self) -> asyncio.Lock:
        """``async with dialogue.turn():`` - first come, first served, and not to be nested."""
        return self._turn

    @property
    def restarted(self) -> str | None:
        """What showed that the modem has restarted, until `begin`."""
        return self._restarted

    def begin(self) -> None:
        """Start-up begins: the settings are made anew."""
        self._restarted = None
        self.echo = True

    def restart_seen(self, sign: str, *, cut: bool = False) -> None:
        """The modem's settings are gone: nothing may follow. ``cut``: what runs right now has no answer to wait for."""
        self._restarted = sign
        self.attention.set()
        if cut:
            self.port.interrupt("the modem restarted")

    async def ask(self, command: Command, *, before_payload: BeforePayload | None = None) -> Reply:
        """One command and its answer.

        Raises CommandFailed, CommandTimeout, NotSent and PortLost as the port does, Restarted, Unresponsive.
        """
        self._check()
        if not self.port.chat.in_step:
            loop = asyncio.get_running_loop()
            began = loop.time()
            await self.synchronise(_PATIENCE_AFTER_SUBMIT if self._submit_open else None)
            self._check()
            if self._silent:
                self.on_resynced(loop.time() - began)
        self._submit_open = self._silent = False
        try:
            reply = await self.port.run(command, before_payload=before_payload)
        except CommandTimeout as error:
            self._submit_open = error.payload_written
            self._silent = True
            raise
        if reply.echoed and not self.echo:
            self.restart_seen("it repeats commands again")
        return reply

    async def attempt(self, command: Command) -> Reply | None:
        """The same for a command that may fail: None if the modem refuses it or does not answer it."""
        try:
            return await self.ask(command)
        except (CommandFailed, CommandTimeout):
            return None

    async def synchronise(self, limit: float | None = None) -> None:
        """Prove that the next answer belongs to the next command. Raises Unresponsive after ``limit`` seconds."""
        try:
            await (self.port.resync() if limit is None else self.port.resync(limit))
        except CommandTimeout as error:
            self.dead = True
            self.attention.set()
            raise Unresponsive("nothing on this port answers AT") from error

    def _check(self) -> None:
        if self._restarted is not None:
            raise Restarted(self._restarted)
