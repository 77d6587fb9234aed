"""The dialogue with one modem: at most one command in flight, every byte accounted for, no I/O and no clock.

A line is routed in this order: echo; PDU of a two-line URC; final result (the whole line); information that the
running command asks for, by beginning and shape; URC table; plain text that the command admits; unknown (an event, no
error).

A SUBMIT goes through prompt, payload, result. Before the payload an OK is nobody's, and an error ends the command
with nothing sent. After it, ``submission`` decides whose result is heard. ``+CMGS:`` while no SUBMIT waits is a late
one.

``send``, ``payload``, ``escape``, ``wake`` and ``probe`` return bytes to write; ``receive``, ``abandon``,
``conclude`` and ``give_up`` return events. ``grace`` and ``unfinished`` say when the last two are due. Standards:
V.250, TS 27.005.
"""

from __future__ import annotations

from modemgw.at import results
from modemgw.at.commands import Command, is_pdu_line
from modemgw.at.direct import Headers
from modemgw.at.echo import Echo
from modemgw.at.errors import Busy
from modemgw.at.events import Event, Phase, Prompt, Reply, Unknown
from modemgw.at.ledger import Ledger
from modemgw.at.lines import PROMPT, LineReader, Token
from modemgw.at.results import OK, Result
from modemgw.at.submission import Outcome, Owed, reference
from modemgw.at.urc import PduHeader, UrcTable

INFO_GRACE = 1.0  # seconds for the OK that some firmware never sends after the information line
PDU_PATIENCE = 2.0  # seconds for the second line of a URC, or for the end of a quoted text
_MAX_COLLECTED = 2048
_LONGEST_SERIAL = 22  # digits of an ICCID: hex too, but never a PDU


class Chat:
    """See the module. One object per opened port."""

    def __init__(self, urcs: UrcTable | None = None) -> None:
        self.urcs = urcs or UrcTable()  # replaced when the profile is known
        self._reader = LineReader()
        self._headers = Headers()
        self._ledger = Ledger()
        self._owed = Owed()
        self._suspect = True  # nobody knows what a program before us left unanswered
        self._echo = Echo()
        self._clear()

    def _clear(self) -> None:
        self.phase = Phase.IDLE
        self._command: Command | None = None
        self._outcome = Outcome(self._owed)
        self._lines: list[str] = []
        self._probing = False
        self._echoed = False
        self._swallow_ok = False

    # -- what the port asks --------------------------------------------------------------------------------------------
    @property
    def in_step(self) -> bool:
        """False when an answer to an earlier command may still come: probe before the next command."""
        return not self._suspect and len(self._ledger) == 0

    @property
    def exhausted(self) -> bool:
        """True when so many probes went unanswered that another would prove nothing: only listen, or ``forget``."""
        return self._ledger.full

    @property
    def garbage(self) -> int:
        """Bytes dropped as unreadable."""
        return self._reader.garbage

    @property
    def grace(self) -> float | None:
        """Seconds from now after which ``conclude`` is due unless more is heard; None when only the deadline counts."""
        if self.phase is Phase.RESULT:
            return self._outcome.grace
        if self._command and self._command.info_final and self._lines:
            return INFO_GRACE
        return None

    @property
    def unfinished(self) -> object | None:
        """Not None while half of something is there; another value means another thing. Due after PDU_PATIENCE."""
        quoted = self._reader.quote_open
        return (self._headers.opened, quoted) if self._headers or quoted else None

    # -- what the port writes ------------------------------------------------------------------------------------------
    def send(self, command: Command) -> bytes:
        """Begins a command; returns its line."""
        if self.phase is not Phase.IDLE:
            raise Busy(f"{command.name}: another command is running")
        self._clear()
        self._command = command
        if command.payload is None:
            self.phase = Phase.ANSWER
        else:
            self.phase = Phase.PROMPT if command.prompt else Phase.PAYLOAD
        self._echo.wrote(command)
        return f"{command.text}\r".encode("ascii")

    def payload(self) -> bytes:
        """The PDU and its Ctrl-Z. These are the bytes that spend money; nothing else ever writes 0x1A."""
        if self.phase is not Phase.PAYLOAD or self._command is None or self._command.payload is None:
            raise Busy("no prompt is waiting for a payload")
        self.phase = Phase.RESULT
        return self._command.payload + b"\x1a"

    def escape(self) -> bytes:
        """Leaves a prompt without sending. Without a prompt, the CR empties the modem's line buffer."""
        return b"\x1b\r"

    def wake(self) -> bytes:
        """Wakes a modem, lets it find the bit rate, and switches its results on. To be followed by ``probe``."""
        return b"ATQ0V1\r"

    def probe(self) -> bytes:
        """Begins a query whose answer proves that no earlier command is still to be answered."""
        command = self._ledger.next_probe()
        line = self.send(command)
        self._probing = True
        self._ledger.owe(command)
        return line

    def proven(self) -> None:
        """The port's resynchronisation succeeded."""
        self._suspect = False
        self._ledger.clear()
        self._owed.passed()

    def forget(self) -> None:
        """The modem said nothing for longer than any command may take: no earlier answer can come any more."""
        self._suspect = True
        self._ledger.clear()

    def expect_late(self) -> None:
        """An earlier run of the program may have left a SUBMIT without a result."""
        self._owed.add(None)

    # -- what the modem says -------------------------------------------------------------------------------------------
    def receive(self, data: bytes) -> list[Event]:
        """Any bytes, cut anywhere. Never raises."""
        return [event for token in self._reader.feed(data) for event in self._on_token(token)]

    def _on_token(self, token: Token) -> list[Event]:
        if token is not PROMPT:
            return self._on_line(str(token))
        if self.phase is Phase.PROMPT:
            self.phase = Phase.PAYLOAD
            return [Prompt()]
        if self.phase in {Phase.IDLE, Phase.ANSWER}:
            self._suspect = True  # the modem takes commands for a PDU now
            return [Unknown(">")]
        return []

    def _on_line(self, line: str) -> list[Event]:
        glued = results.unglue(line)
        if glued:
            return [*self._on_line(glued[0]), *self._on_line(glued[1])]
        if self._echo.is_echo(line):
            self._echoed |= self._command is not None and line == self._command.text
            return []
        if is_pdu_line(line):
            direct = self._headers.close(line, wanted_elsewhere=self._wants_pdu(line))
            if direct:
                return [direct]
        result = results.parse(line, numeric=self._command is not None and self._command.numeric)
        if result:
            return self._on_result(result)
        if line.startswith("+CMGS:"):
            return self._on_reference(line)
        return self._on_information(line)

    def _on_information(self, line: str) -> list[Event]:
        if self._asked_for(line):
            return self._collect(line)
        found = self.urcs.parse(line)
        if isinstance(found, PduHeader):
            return list(self._headers.open(found))
        if found:
            return [found]
        if self._command and self._command.admits_bare(line):
            return self._collect(line)
        return [Unknown(line)]

    def _asked_for(self, line: str) -> bool:
        previous = self._lines[-1] if self._lines else None
        if self._draining:
            return self._ledger.admits(line, previous)
        return self._command is not None and self._command.admits(line, previous)

    def _wants_pdu(self, line: str) -> bool:
        if self._asked_for(line):
            return True
        return self._command is not None and len(line) <= _LONGEST_SERIAL and self._command.admits_bare(line)

    @property
    def _draining(self) -> bool:
        """True while answers to earlier commands are struck out."""
        return self._probing or (self.phase is Phase.IDLE and len(self._ledger) > 0)

    def _collect(self, line: str) -> list[Event]:
        if len(self._lines) < _MAX_COLLECTED:
            self._lines.append(line)
        return []

    def give_up(self) -> list[Event]:
        """The rest of something unfinished did not come in time."""
        events: list[Event] = [*self._headers.give_up()]
        return events + [event for token in self._reader.close_quote() for event in self._on_token(token)]

    # -- results -------------------------------------------------------------------------------------------------------
    def _on_result(self, result: Result) -> list[Event]:
        if self.phase is Phase.RESULT:
            events, settled = self._outcome.hear_result(result)
            return [*events, self._finish(settled)] if settled else events
        if self.phase in {Phase.PROMPT, Phase.PAYLOAD} and not result.ok:
            return [self._finish(result)]
        if self.phase is Phase.ANSWER and not self._probing:
            if not (result.ok and self._swallow_ok):
                return [self._finish(result)]
            self._swallow_ok = False
            return []
        return self._on_stray_result(result)

    def _on_stray_result(self, result: Result) -> list[Event]:
        """Idle, or probing, or before the payload of a SUBMIT."""
        self._suspect = True
        lines, self._lines = self._lines, []
        if not (self._draining and result.ok):
            return self._owed.stray(result) or [Unknown(result.text)]
        self._owed.stray(result)
        credited = self._ledger.credit(lines)
        if credited is None or not self._probing or len(self._ledger):
            return []  # an earlier command's answer: the probe's is still to come
        self._lines = lines
        return [self._finish(result)]

    def _on_reference(self, line: str) -> list[Event]:
        if self.phase is Phase.RESULT:
            events = self._outcome.hear_reference(line)
            self._lines = [line]
            return events
        self._suspect = True
        self._swallow_ok = self.phase is Phase.ANSWER  # the OK that belongs to it
        return [self._owed.sent(reference(line))]

    def _finish(self, result: Result, *, heard: bool = True) -> Reply:
        command = self._command
        if command is None:
            raise Busy("no command is running")
        if not heard:
            self._ledger.owe(command)
        if result.ok and command.needs_line and not self._lines:
            self._suspect = True  # the answer may still be on its way
        if command.payload is not None and not result.ok:
            self._suspect = True  # said twice, it would be taken for the next SUBMIT's: money spent, and called refused
        written = self.phase is Phase.RESULT
        if written:
            self._owed.answered(self._outcome.mr if result.ok else None)
        reply = Reply(
            command,
            tuple(self._lines),
            result,
            mr=self._outcome.mr if result.ok else None,
            echoed=self._echoed,
            heard=heard,
            payload_written=written,
        )
        self._clear()
        return reply

    def conclude(self) -> list[Event]:
        """The time of ``grace`` is over: what is there has to do."""
        if self.phase is Phase.RESULT:
            settled = self._outcome.expire()
            return [self._finish(settled, heard=self._outcome.heard)] if settled else []
        return [self._finish(OK, heard=False)] if self.grace is not None else []

    def hang_up(self) -> list[Event]:
        """The port is lost. What is owed stays owed: the same chat may go on when the port is opened again."""
        events = [*self.give_up(), *self.abandon()]
        self._reader = LineReader()
        self._suspect = True
        return events

    def abandon(self) -> list[Event]:
        """The deadline is over or the port lost. A SUBMIT with proof is a success; without, its result stays owed."""
        if self._command is None:
            return []
        if self.phase is Phase.RESULT:
            settled = self._outcome.so_far
            if settled:
                return [self._finish(settled, heard=self._outcome.heard)]
            self._owed.add(self._command)
        if not self._probing:
            self._ledger.owe(self._command)
        self._clear()
        return []
