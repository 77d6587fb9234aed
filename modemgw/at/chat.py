"""The dialogue with one modem: at most one command in flight, every byte accounted for, no I/O and no clock.

A line is routed in this order: echo; PDU of a two-line URC; final result (the whole line); information that the running
command asks for, by beginning and shape; URC table; plain text that the command admits; unknown (an event, never an error).

A SUBMIT goes through prompt, payload, result. Rules of the result, since each one is about money:
- before the payload an OK is nobody's; an error ends the command, and nothing was sent;
- ``+CMGS:`` alone proves the message; an OK without it proves it too, but leaves the MR unknown;
- a SUBMIT given up without a result stays owed: a ``+CMGS:`` outside a running SUBMIT is a late one and credited to the
  oldest owed; two inside a running SUBMIT are credited in the order of submission;
- while an owed result may still come, the result of the next SUBMIT is held for a moment (``grace``): were it the late
  one, the true one follows. An OK without ``+CMGS:`` is held likewise: it may be a stray one.

``send``, ``payload``, ``escape`` and ``probe`` return bytes to write; ``receive``, ``abandon``, ``conclude`` and ``give_up``
return events. ``grace`` and ``unfinished`` say when ``conclude`` and ``give_up`` are due. Standards: V.250, TS 27.005.
"""

from __future__ import annotations

import enum
from collections import deque

from modemgw.at import results
from modemgw.at.commands import Command, is_pdu_line
from modemgw.at.errors import Busy
from modemgw.at.events import Event, Prompt, Reply, Unknown
from modemgw.at.ledger import Ledger
from modemgw.at.lines import PROMPT, LineReader, Token
from modemgw.at.owed import Owed
from modemgw.at.params import Params
from modemgw.at.results import OK, Result, ResultKind
from modemgw.at.urc import Direct, DirectLost, PduHeader, UrcTable

INFO_GRACE = 1.0  # seconds for the OK that some firmware never sends after the information line
PROOF_GRACE = 5.0  # seconds for the OK after +CMGS, which is proof by itself
DOUBT_GRACE = 10.0  # seconds in which the true result would follow, if this one was an earlier SUBMIT's
PDU_PATIENCE = 2.0  # seconds for the second line of a URC, or for the end of a quoted text
_MAX_HEADERS = 4
_MAX_COLLECTED = 2048
_LONGEST_SERIAL = 22  # digits of an ICCID: hex as well, and never a PDU


class Phase(enum.Enum):
    """Where the running command stands."""

    IDLE = "idle"
    ANSWER = "answer"
    PROMPT = "prompt"
    PAYLOAD = "payload"  # the prompt is there, the payload is not written
    RESULT = "result"
    HELD = "held"  # a result is there, and may be an earlier SUBMIT's


class Chat:
    """See the module. One object per opened port."""

    def __init__(self, urcs: UrcTable | None = None) -> None:
        self.urcs = urcs or UrcTable()  # replaced when the profile is known
        self.phase = Phase.IDLE
        self._reader = LineReader()
        self._ledger = Ledger()
        self._owed = Owed()
        self._suspect = True  # what a program before us left unanswered, nobody knows
        self._headers: deque[PduHeader] = deque()
        self._opened = 0
        self._recent: deque[str] = deque(maxlen=8)
        self._command: Command | None = None
        self._probing = False
        self._clear()

    def _clear(self) -> None:
        self.phase = Phase.IDLE
        self._command = None
        self._probing = False
        self._lines: list[str] = []
        self._mr_line = False
        self._mr: int | None = None
        self._held: Result | None = None
        self._echoed = False
        self._swallow_ok = False

    # -- what the port asks --------------------------------------------------------------------------------------------
    @property
    def in_step(self) -> bool:
        """False when an answer to an earlier command may still come: probe before the next command."""
        return not self._suspect and len(self._ledger) == 0

    @property
    def garbage(self) -> int:
        """Bytes dropped as unreadable."""
        return self._reader.garbage

    @property
    def payload_written(self) -> bool:
        """True while a SUBMIT waits for its result: the message may be on its way."""
        return self.phase in {Phase.RESULT, Phase.HELD}

    @property
    def grace(self) -> float | None:
        """Seconds from now after which ``conclude`` is due unless more is heard; None when only the deadline counts."""
        if self.phase is Phase.HELD:
            return DOUBT_GRACE
        if self.phase is Phase.RESULT and self._mr_line:
            return PROOF_GRACE
        if self._command and self._command.info_final and self._lines and not self._probing:
            return INFO_GRACE
        return None

    @property
    def unfinished(self) -> object | None:
        """Not None while half of something is there; another value means another thing. Due after PDU_PATIENCE."""
        quoted = self._reader.quote_open
        return (self._opened, quoted) if self._headers or quoted else None

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
        self._recent.append(command.text)
        return f"{command.text}\r".encode("ascii")

    def payload(self) -> bytes:
        """The PDU and its Ctrl-Z. These are the bytes that spend money; nothing else ever writes 0x1A."""
        if self.phase is not Phase.PAYLOAD or self._command is None or self._command.payload is None:
            raise Busy("no prompt is waiting for a payload")
        self.phase = Phase.RESULT
        return self._command.payload + b"\x1a"

    def escape(self) -> bytes:
        """Leaves a prompt without sending. The CR empties the modem's line buffer, should there be no prompt."""
        return b"\x1b\r"

    def wake(self) -> bytes:
        """Wakes a modem that sleeps or has to find the bit rate, and lets it speak if results were switched off.

        To be followed by ``probe``: its answer is nobody's.
        """
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
        if self._is_echo(line):
            return []
        direct = self._second_line(line)
        if direct:
            return [direct]
        glued = results.unglue(line)
        if glued:
            return [*self._on_line(glued[0]), *self._on_line(glued[1])]
        result = results.parse(line, numeric=self._command is not None and self._command.numeric)
        if result:
            return self._on_result(result)
        if line.startswith("+CMGS:"):
            return self._on_reference(line)
        if self._asked_for(line):
            return self._collect(line)
        found = self.urcs.parse(line)
        if isinstance(found, PduHeader):
            return self._open(found)
        if found:
            return [found]
        if self._command and self._command.admits_bare(line):
            return self._collect(line)
        return [Unknown(line)]

    def _is_echo(self, line: str) -> bool:
        if self._command is None:
            return line in self._recent
        if line == self._command.text:
            self._echoed = True
            return True
        payload = self._command.payload
        if payload is not None and self.payload_written and line.upper() == payload.decode("ascii"):
            return True
        return line in self._recent

    def _asked_for(self, line: str) -> bool:
        previous = self._lines[-1] if self._lines else None
        if self._probing:
            return self._ledger.admits(line, previous)
        return self._command is not None and self._command.admits(line, previous)

    def _collect(self, line: str) -> list[Event]:
        if len(self._lines) < _MAX_COLLECTED:
            self._lines.append(line)
        return []

    # -- URCs of two lines ---------------------------------------------------------------------------------------------
    def _open(self, header: PduHeader) -> list[Event]:
        self._opened += 1
        self._headers.append(header)
        return [self._lost(self._headers.popleft())] if len(self._headers) > _MAX_HEADERS else []

    def _second_line(self, line: str) -> Direct | None:
        if not self._headers or not is_pdu_line(line):
            return None
        fitting = [header for header in self._headers if header.length == _tpdu_length(line)]
        if not fitting and self._wanted_elsewhere(line):
            return None
        header = fitting[0] if fitting else self._headers[0]
        self._headers.remove(header)
        return Direct(header.line, header.kind, header.length, line)

    def _wanted_elsewhere(self, line: str) -> bool:
        if self._command is None:
            return False
        return self._asked_for(line) or (len(line) <= _LONGEST_SERIAL and self._command.admits_bare(line))

    @staticmethod
    def _lost(header: PduHeader) -> DirectLost:
        return DirectLost(header.line, header.kind)

    def give_up(self) -> list[Event]:
        """The rest of something unfinished did not come in time."""
        events: list[Event] = [self._lost(header) for header in self._headers]
        self._headers.clear()
        return events + [event for token in self._reader.close_quote() for event in self._on_token(token)]

    # -- results -------------------------------------------------------------------------------------------------------
    def _on_result(self, result: Result) -> list[Event]:
        if self._probing:
            return self._on_probe_result(result)
        if self.phase is Phase.RESULT:
            return self._on_submit_result(result)
        if self.phase is Phase.HELD:
            return [] if result.ok else [*self._credit_held(), self._finish(result)]
        if self.phase is Phase.ANSWER and not (result.ok and self._swallow_ok):
            return [self._finish(result)]
        if self.phase in {Phase.PROMPT, Phase.PAYLOAD} and not result.ok:
            return [self._finish(result)]
        if self.phase is not Phase.ANSWER:
            self._suspect = True
        self._swallow_ok = False
        if self.phase is Phase.IDLE and result.kind is ResultKind.CMS:
            return [self._owed.failed(result)]
        return [Unknown(result.text)]

    def _on_probe_result(self, result: Result) -> list[Event]:
        lines, self._lines = self._lines, []
        if not result.ok:
            return [Unknown(result.text)]
        credited = self._ledger.credit(lines)
        if credited is None or len(self._ledger):
            return []
        self._lines = lines
        return [self._finish(result)]

    def _on_submit_result(self, result: Result) -> list[Event]:
        if self._mr_line and not result.ok:
            # The reference is proof for somebody: for an earlier SUBMIT if one is owed, else for this one.
            return [*self._credit_held(), self._finish(result)] if self._owed.doubt else [self._finish(OK, heard=False)]
        if self._owed.doubt or not (self._mr_line or not result.ok):
            self._held = result
            self.phase = Phase.HELD
            return []
        return [self._finish(result)]

    def _on_reference(self, line: str) -> list[Event]:
        mr = Params(line).integer()
        if not self.payload_written:
            self._suspect = True
            self._swallow_ok = self.phase is Phase.ANSWER and not self._probing
            return [self._owed.sent(mr)]
        if self._mr_line and mr == self._mr:
            return []
        events = self._credit_held()
        self.phase = Phase.RESULT
        self._mr_line, self._mr = True, mr
        self._collect(line)
        return events

    def _credit_held(self) -> list[Event]:
        """What was taken for the running SUBMIT's belongs to an earlier one."""
        held, self._held = self._held, None
        mr_line, self._mr_line = self._mr_line, False
        self._lines.clear()
        if mr_line:
            return [self._owed.sent(self._mr)]
        if held is not None and not held.ok and self._owed:
            return [self._owed.failed(held)]
        return []

    def _finish(self, result: Result, *, heard: bool = True) -> Reply:
        command = self._command
        if command is None:
            raise Busy("no command is running")
        if not heard:
            self._ledger.owe(command)
        if result.ok and command.needs_line and not self._lines:
            self._suspect = True  # the answer to this may still be on its way
        if self.payload_written:
            self._owed.doubt = False
        reply = Reply(
            command,
            tuple(self._lines),
            result,
            mr=self._mr if self._mr_line else None,
            echoed=self._echoed,
            heard=heard,
            payload_written=self.payload_written,
        )
        self._clear()
        return reply

    def conclude(self) -> list[Event]:
        """The time of ``grace`` is over: what is there has to do."""
        if self.phase is Phase.HELD and self._held is not None:
            return [self._finish(self._held)]
        if self.grace is None:
            return []
        if self.phase is Phase.RESULT and self._owed.doubt:
            self._held = OK
            self.phase = Phase.HELD
            return []
        return [self._finish(OK, heard=False)]

    def abandon(self) -> list[Event]:
        """The deadline is over or the port is lost. A SUBMIT with proof is a success; without, its result stays owed."""
        if self._command is None:
            return []
        if self.phase is Phase.HELD and self._held is not None:
            return [self._finish(self._held)]
        if self.phase is Phase.RESULT and self._mr_line:
            return [self._finish(OK, heard=False)]
        if not self._probing:
            self._ledger.owe(self._command)
        if self.payload_written:
            self._owed.add(self._command)
        self._clear()
        return []


def _tpdu_length(pdu: str) -> int:
    """TPDU octets behind the SMSC field of this PDU line."""
    return len(pdu) // 2 - 1 - int(pdu[:2], 16)
