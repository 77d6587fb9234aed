"""The truth: every SUBMIT that the simulated network accepted, and every message that a modem took from it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from modemgw.pdu.udh import Concat


@dataclass(frozen=True, slots=True)
class Accepted:
    """One SUBMIT that the network took.

    `number` is the recipient as written, `pdu` the hex line as the modem got it, `mr` the TP-MR that the modem put in.
    """

    at_ms: int
    device: str
    iccid: str
    sender: str
    mr: int
    number: str
    pdu: str
    encoding: str
    text: str | None
    data: bytes | None
    concat: Concat | None
    srr: bool


@dataclass(frozen=True, slots=True)
class Delivered:
    """One message that a modem took from the network. `kind` is deliver or report; `pdu` as the modem shows it."""

    at_ms: int
    device: str
    iccid: str
    kind: str
    sender: str
    pdu: str
    text: str | None
    data: bytes | None


E = TypeVar("E", Accepted, Delivered)


def record(log: list[E], entry: E, listeners: list[Callable[[E], None]], keep: int | None) -> None:
    """Add an entry and tell the listeners; of a log with a limit the oldest go."""
    log.append(entry)
    if keep is not None and len(log) > 2 * keep:
        del log[:-keep]
    for listener in listeners:
        listener(entry)
