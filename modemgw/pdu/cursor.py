"""Reading octets by length. Every step past the end is a PduError that names the field and the octet."""

from modemgw.pdu.errors import PduError


class Cursor:
    """A position in octets that only moves forward."""

    __slots__ = ("at", "octets")

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.at = 0

    def octet(self, field: str) -> int:
        """The next octet as a number; PduError at the end."""
        at = self.at
        if at >= len(self.octets):
            raise PduError(field, at, "the PDU ends before this field")
        self.at = at + 1
        return self.octets[at]

    def take(self, count: int, field: str) -> bytes:
        """The next `count` octets, all of them; PduError when fewer are left."""
        at = self.at
        end = at + count
        if end > len(self.octets):
            raise PduError(field, at, f"{count} octets announced, {len(self.octets) - at} left")
        self.at = end
        return self.octets[at:end]

    def left(self) -> int:
        """How many octets have not been read."""
        return len(self.octets) - self.at
