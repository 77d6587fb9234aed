"""The states of segments and messages, as tables.

Everything that decides a state lives here. A segment moves by ``advance`` along ``SEGMENT_TRANSITIONS``; a message
has no life of its own: its status is ``rollup`` over its segments. The words are those of the API; the database
repeats them in its CHECKs, and a test compares.

A segment's life, in the order of the four durable writes: C1 accept (queued), C2 intent (submitting, committed
before Ctrl-Z), C3 outcome (submitted, queued again, failed or uncertain), C4 report (delivered, undelivered).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SEGMENT_STATES = (
    "queued", "submitting", "submitted", "delivered", "undelivered",
    "failed", "uncertain", "unknown", "expired", "cancelled",
)  # fmt: skip
MESSAGE_STATUSES = (
    "scheduled", "queued", "sending", "uncertain", "sent", "delivered", "undelivered",
    "failed", "expired", "cancelled", "unknown", "held",
)  # fmt: skip
# What ?wait= waits for. `sent` and `unknown` may still be improved by late proof.
FINAL_STATUSES = frozenset({"delivered", "undelivered", "failed", "expired", "cancelled", "unknown"})
ATTEMPT_STATES = (
    "submitting", "submitted", "not_sent", "refused", "uncertain", "unknown", "delivered", "undelivered", "cancelled",
)  # fmt: skip

SEGMENT_TRANSITIONS: Mapping[str, Mapping[str, str]] = {
    "queued": {"intend": "submitting", "expire": "expired", "cancel": "cancelled", "give_up": "failed",
               # proof for an earlier, uncertain attempt while its resend still waits
               "accepted": "submitted", "report_delivered": "delivered", "report_undelivered": "undelivered",
               # its earlier attempt may have gone out: "expired" or "cancelled" would say that it did not
               "no_proof": "unknown"},
    "submitting": {"accepted": "submitted", "not_sent": "queued", "retry": "queued", "give_up": "failed",
                   "lost": "uncertain", "no_proof": "unknown",
                   "report_delivered": "delivered", "report_undelivered": "undelivered"},
    "submitted": {"accepted": "submitted", "report_delivered": "delivered", "report_undelivered": "undelivered"},
    "uncertain": {"accepted": "submitted", "report_delivered": "delivered", "report_undelivered": "undelivered",
                  "retry": "queued", "no_proof": "unknown"},
    "unknown": {"accepted": "submitted", "report_delivered": "delivered", "report_undelivered": "undelivered",
                "resolve_sent": "submitted", "resolve_failed": "failed"},
    # An answer may come after its report did.
    "delivered": {"accepted": "delivered"},
    "undelivered": {"accepted": "undelivered"},
    "failed": {"accepted": "submitted", "report_delivered": "delivered", "report_undelivered": "undelivered"},
    "expired": {},
    "cancelled": {},
}  # fmt: skip


class IllegalTransition(ValueError):
    """An event that the present state does not allow; nothing was changed."""

    def __init__(self, state: str, event: str) -> None:
        super().__init__(f"a segment that is {state} can't take the event {event}")


def advance(state: str, event: str) -> str:
    """The state after ``event``; raises IllegalTransition where the table has no entry."""
    try:
        return SEGMENT_TRANSITIONS[state][event]
    except KeyError:
        raise IllegalTransition(state, event) from None


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """What a message's status depends on, beside its segments."""

    held: bool = False
    scheduled: bool = False  # send_at lies in the future
    ended: str | None = None  # `cancelled` or `expired`: what stopped the segments that never went out


# `submitting` and what follows from it: some modem may have taken such a segment.
_TOUCHED = frozenset({"submitting", "submitted", "delivered", "undelivered", "uncertain", "unknown"})


def rollup(segments: Sequence[str], facts: MessageFacts) -> str:
    """The status of a message from the states of its segments: the first rule that matches wins."""
    states = frozenset(segments)
    for status, matches in (
        ("held", facts.held),
        ("cancelled", facts.ended == "cancelled" and not states & _TOUCHED),
        ("expired", facts.ended == "expired" and not states & (_TOUCHED | {"failed"})),
        ("uncertain", "uncertain" in states),
        ("sending", "submitting" in states or ("queued" in states and bool(states & _TOUCHED))),
        ("failed", bool(states & {"failed", "expired", "cancelled"})),
        ("unknown", "unknown" in states),
        ("scheduled", "queued" in states and facts.scheduled),
        ("queued", "queued" in states),
        ("undelivered", "undelivered" in states),
        ("delivered", states == {"delivered"}),
    ):
        if matches:
            return status
    return "sent"
