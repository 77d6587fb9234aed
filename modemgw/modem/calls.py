"""Calls to the SIM: told to the owner once, and hung up, since nobody would ever pick up.

``RING`` comes every few seconds, ``+CLIP`` with the number after the first. A call is hung up after its second ring,
and never while a message is being sent. Sources: V.250, 6.3.2; 3GPP TS 27.007, 7.11 (``+CLIP``), 6.5 (``+CHUP``).
"""

_SAME_CALL = 10.0  # seconds between two rings of one call, at most
_RINGS = 2


class Calls:
    """The call that rings now, if any. Times are the loop's seconds."""

    def __init__(self) -> None:
        self._rings = 0
        self._last = float("-inf")
        self._number: str | None = None
        self._told = False

    def rang(self, now: float) -> None:
        """``RING``."""
        if now - self._last > _SAME_CALL:
            self.ended()
        self._rings += 1
        self._last = now

    def caller(self, number: str | None, now: float) -> None:
        """``+CLIP``; None = withheld."""
        if now - self._last > _SAME_CALL:
            self.rang(now)
        self._number = number or ""

    def ended(self) -> None:
        """``NO CARRIER``, or we hung up."""
        self._rings = 0
        self._number = None
        self._told = False
        self._last = float("-inf")

    def news(self) -> str | None:
        """The number to tell about, once per call: as soon as it is known, or without it at the second ring."""
        if self._told or not (self._number is not None or self._rings >= _RINGS):
            return None
        self._told = True
        return self._number or ""

    def to_hang_up(self, now: float) -> bool:
        """True while a call goes on that rang often enough."""
        return self._rings >= _RINGS and now - self._last <= _SAME_CALL
