"""TP-ST (23.040 §9.2.3.15): what became of a message, as an outcome, a code for programs and words for people.

00-1F done, 20-3F the network keeps trying, 40-5F given up for good, 60-7F given up though it may work later.
01 (forwarded, the centre cannot confirm) is no delivery. From 80 on everything is reserved: not delivered, as far
as anybody can tell.
"""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["delivered", "unconfirmed", "pending", "undelivered"]


@dataclass(frozen=True, slots=True)
class Status:
    """`retryable`: given up, but the cause may pass, so a new try can make sense. `text` is one plain sentence."""

    outcome: Outcome
    retryable: bool
    code: str
    text: str


_DONE = {
    0x00: ("delivered", "The phone received the message."),
    0x02: ("replaced", "A newer message took this one's place at the network, so this one counts as done."),
}
# Bits 4-0 of the three groups share their meaning: 20-25, 40-45 and 60-65
_CAUSES = {
    0x00: ("congestion", "the network was overloaded"),
    0x01: ("phone_busy", "the phone was busy"),
    0x02: ("no_response", "the phone did not answer"),
    0x03: ("service_rejected", "the service was refused"),
    0x04: ("quality_of_service", "the network could not offer the service that was asked for"),
    0x05: ("phone_error", "the phone reported an error"),
}
_PERMANENT = {
    0x40: ("remote_procedure_error", "The network could not reach the phone because of a technical error."),
    0x41: ("incompatible_destination", "The recipient's phone or line cannot take this kind of message."),
    0x42: ("rejected_by_phone", "The recipient's phone or line rejected the message."),
    0x43: ("not_obtainable", "The number cannot be reached: it may not exist or not take messages."),
    0x44: ("quality_of_service", "The network could not offer the service that was asked for."),
    0x45: ("no_interworking", "The networks on the way do not work together for this message."),
    0x46: ("validity_expired", "The phone was not reached before the message's time was over."),
    0x47: ("deleted_by_sender", "The message was deleted at the sender's request before it was delivered."),
    0x48: ("deleted_by_operator", "The operator deleted the message before it was delivered."),
    0x49: ("unknown_at_centre", "The network no longer knows of the message."),
}


def meaning(st: int) -> Status:
    """What a TP-ST (0-255) means; every value means something."""
    if st == 0x01:
        text = "The network passed the message on and cannot tell whether it arrived."
        return Status("unconfirmed", False, "forwarded_unconfirmed", text)
    if st < 0x20:
        code, text = _DONE.get(st, ("delivered", "The network reports the message as done."))
        return Status("delivered", False, code, text)
    if st < 0x40:
        code, cause = _CAUSES.get(st & 0x1F, ("still_trying", "the phone has not taken it"))
        return Status("pending", False, code, f"Not delivered yet, {cause}; the network keeps trying.")
    if st < 0x60:
        code, text = _PERMANENT.get(st, ("refused_for_good", "The network gave up for a reason of its own."))
        return Status("undelivered", False, code, text)
    if st < 0x80:
        code, cause = _CAUSES.get(st & 0x1F, ("gave_up", "the phone was not reached"))
        return Status("undelivered", True, code, f"The network stopped trying: {cause}.")
    return Status(
        "undelivered", False, "unknown_status", "The network gave up with a status that has no known meaning."
    )
