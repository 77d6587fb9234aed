"""What each order takes, by its JSON keys (`from` is `sender`, `class` is `message_class`)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deliver:
    """Somebody outside writes: a text or the hex line of a DELIVER or STATUS-REPORT; see Network."""

    sender: str = "+4915559000001"
    text: str | None = None
    pdu: str | None = None
    message_class: int | None = None
    parts: list[int] | None = None
    ref: int | None = None
    copies: int = 1


@dataclass(frozen=True, slots=True)
class Report:
    """A status report for whatever was sent or was not."""

    mr: int
    to: str
    status: int = 0


@dataclass(frozen=True, slots=True)
class Ring:
    """Somebody calls; "" withholds the number."""

    sender: str = "+4915559000001"
    seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class Say:
    """An unsolicited line."""

    text: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Unplug:
    """Back after so many seconds (never: null), on another port if named."""

    back: float | None = None
    port: str = ""


@dataclass(frozen=True, slots=True)
class Register:
    """Registration state of TS 27.007, for so many seconds or (null) until told otherwise."""

    stat: int
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Sim:
    """A new card."""

    number: str | None = None
    pin: str | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """Times of the network, in seconds."""

    latency: float | None = None
    link_setup: float | None = None
    report_delay: float | None = None
    forward_delay: float | None = None
    gap: float | None = None
