"""What a client asks for, and the classes of traffic that decide how it is treated."""

from dataclasses import dataclass
from typing import Literal

OnUncertain = Literal["resend", "never"]
EncodingChoice = Literal["auto", "gsm7", "ucs2"]


@dataclass(frozen=True, slots=True)
class TrafficClass:
    """How messages of one class are treated.

    ``lane``: 0 goes first. ``on_uncertain``: what to do when a modem took a segment and never said what became of it.
    ``window_s``: how long proof is looked for before that is decided. ``resends``: extra copies at the most.
    ``ttl_s``: how long a message is worth sending.
    """

    name: str
    lane: int
    on_uncertain: OnUncertain
    window_s: int
    resends: int
    ttl_s: int


CLASSES: dict[str, TrafficClass] = {
    each.name: each
    for each in (
        TrafficClass("otp", 0, "resend", 10, 1, 5 * 60),
        TrafficClass("alert", 1, "resend", 30, 1, 6 * 3600),
        TrafficClass("command", 2, "never", 300, 0, 15 * 60),
        TrafficClass("transactional", 3, "resend", 120, 1, 24 * 3600),
        TrafficClass("bulk", 4, "never", 120, 0, 24 * 3600),
    )
}

URGENT_LANES = 2  # otp and alert: they go in quiet hours, and may use what a SIM holds in reserve


@dataclass(frozen=True, slots=True)
class Order:
    """One request to send, as the client wrote it: the numbers are still raw.

    Either ``text`` or ``data`` (with the destination ``port``) is set. ``ttl_s`` and ``on_uncertain`` default
    to what the class says.
    """

    to: tuple[str, ...]
    text: str | None = None
    data: bytes | None = None
    port: int | None = None
    class_: str = "transactional"
    priority: int = 0
    send_at_ms: int | None = None
    ttl_s: int | None = None
    report: bool = True
    flash: bool = False
    encoding: EncodingChoice = "auto"
    sim: str | None = None
    ref: str | None = None
    on_uncertain: OnUncertain | None = None
    many: bool = False
