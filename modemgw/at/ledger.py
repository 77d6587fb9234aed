"""Which commands may still be answered late, and how to prove that none is.

A modem answers commands in the order in which it took them, or not at all. So after a timeout every later answer may
be off by one, until an answer is seen that only the newest command can have brought. ``Ledger`` keeps the commands
whose answer is missing, oldest first. An answer that several of them could have brought is always credited to the
oldest of these, and everything before it is struck out, since it can no longer be answered. The dialogue is in step
again when the list is empty. Probes are plain queries that any modem for messages knows, each with an answer of its
own form; which one to ask next is the one whose answer would strike out most. This holds with lost commands, lost
answers and repeated probes, without anything that a modem must echo or support specially.
"""

from __future__ import annotations

from modemgw.at.commands import Command

MAX_UNANSWERED = 256


def _probe(text: str, shape: str, example: str) -> tuple[Command, str]:
    prefix = example.partition(":")[0] + ":" if ":" in example else "+CGSN:"
    bare = "" if ":" in example else r'"?\d{14,17}"?'
    command = Command(text, (prefix,), shape=shape, bare=bare, timeout=2.0, numeric=True, needs_line=True)
    return command, example


# Answerable without a SIM, before the PIN, in any mode; none of these prefixes is used by a URC.
PROBES = (
    _probe("AT+CGSN", r'\+CGSN: *"?\d{14,17}"?', "004999010640000"),
    _probe("AT+CMEE?", r"\+CMEE: *\d", "+CMEE: 1"),
    _probe("AT+CMGF?", r"\+CMGF: *\d", "+CMGF: 0"),
    _probe("AT+CSCS?", r"\+CSCS: *.+", '+CSCS: "GSM"'),
    _probe("AT+CNMI?", r"\+CNMI: *[\d, ]+", "+CNMI: 2,1,0,1,0"),
)


class Ledger:
    """The commands that were written and not answered, oldest first."""

    def __init__(self) -> None:
        self._unanswered: list[Command] = []
        self._order = list(PROBES)

    def __len__(self) -> int:
        return len(self._unanswered)

    @property
    def full(self) -> bool:
        """True when no more may be asked: memory is bounded, and forgetting the oldest would make a proof false."""
        return len(self._unanswered) >= MAX_UNANSWERED

    def owe(self, command: Command) -> None:
        """The command was written; its answer is missing."""
        self._unanswered.append(command)

    def admits(self, line: str, previous: str | None = None) -> bool:
        """True if the line may be part of a missing answer."""
        return any(c.admits(line, previous) or c.admits_bare(line) for c in self._unanswered)

    def credit(self, lines: list[str]) -> Command | None:
        """An answer with these lines came to its end: strikes out what it proves. Returns whose answer it is."""
        first = self._first_for(self._unanswered, lines)
        if first is None:
            return None
        command = self._unanswered[first]
        del self._unanswered[: first + 1]
        return command

    def clear(self) -> None:
        """Nothing can come any more: it is proven, or the modem was silent for longer than it may take for anything."""
        self._unanswered.clear()

    def next_probe(self) -> Command:
        """The probe whose answer would strike out most; among equals the one asked longest ago."""
        best = min(self._order, key=lambda probe: self._left_after(*probe))
        self._order.remove(best)
        self._order.append(best)
        return best[0]

    def _left_after(self, command: Command, example: str) -> int:
        after = [*self._unanswered, command]
        first = self._first_for(after, [example])
        return len(after) - 1 - first if first is not None else len(after)

    @staticmethod
    def _first_for(commands: list[Command], lines: list[str]) -> int | None:
        for position, command in enumerate(commands):
            if any(command.admits(line) or command.admits_bare(line) for line in lines):
                return position
        return None
