"""Pure: takes a SIM out after a row of sends to different recipients of which none was accepted.

Refused and uncertain count alike: whatever is wrong, the next message would go the same way. After a pause one message
is tried; if it is not accepted either, the pause doubles.
"""

from dataclasses import dataclass, field

FAILURES = 5
FIRST_PAUSE_S = 60.0
LONGEST_PAUSE_S = 3600.0


@dataclass(slots=True)
class Breaker:
    """Of one SIM. Times are seconds of a monotonic clock; the memory is that of the process."""

    peers: list[str] = field(default_factory=list)  # to whom the last sends went, as long as none was accepted
    out_until: float | None = None
    pause_s: float = FIRST_PAUSE_S
    credit: bool = False  # all of them were refused as they are without credit

    def is_out(self, now: float) -> bool:
        """True while nothing may be tried."""
        return self.out_until is not None and now < self.out_until

    def accepted(self) -> bool:
        """A send was accepted; True when that brings the SIM back."""
        was_out = self.out_until is not None
        self.peers.clear()
        self.credit = False
        self.out_until, self.pause_s = None, FIRST_PAUSE_S
        return was_out

    def not_accepted(self, peer: str, now: float, *, credit: bool = False) -> bool:
        """A send was refused, or nobody knows; True when that takes the SIM out (again).

        ``credit``: refused as it is without credit.
        """
        self.credit = credit and (self.credit or not self.peers)
        if self.out_until is not None:
            self.pause_s = min(self.pause_s * 2, LONGEST_PAUSE_S)
            self.out_until = now + self.pause_s
            return True
        if peer not in self.peers:
            self.peers.append(peer)
        if len(self.peers) < FAILURES:
            return False
        self.out_until = now + self.pause_s
        return True

    def try_now(self, now: float) -> bool:
        """The SIM was topped up; True when that ends a rest for want of credit."""
        if not self.credit or not self.is_out(now):
            return False
        self.out_until, self.pause_s = now, FIRST_PAUSE_S
        return True
