"""Joins the two lines of ``+CMT``, ``+CDS`` and ``+CBM``: the header, and later the PDU.

Other lines may stand between the two, even the entries of a running list command. A PDU line goes to the header whose
length it fits; one that fits none goes to the oldest header unless the running command wants it, because some
firmware pads reports to a fixed length. Source: 3GPP TS 27.005 3.4.1.
"""

from __future__ import annotations

from collections import deque

from modemgw.at.urc import Direct, DirectLost, PduHeader

_MAX_HEADERS = 4


class Headers:
    """Headers that wait for their PDU, oldest first."""

    def __init__(self) -> None:
        self._waiting: deque[PduHeader] = deque()
        self.opened = 0  # how many ever: tells one wait from the next

    def __len__(self) -> int:
        return len(self._waiting)

    def open(self, header: PduHeader) -> list[DirectLost]:
        """A header came. Returns what had to be given up for it."""
        self.opened += 1
        self._waiting.append(header)
        return [_lost(self._waiting.popleft())] if len(self._waiting) > _MAX_HEADERS else []

    def close(self, pdu: str, *, wanted_elsewhere: bool) -> Direct | None:
        """A PDU line came. None: it belongs to no header."""
        fitting = [header for header in self._waiting if header.length == tpdu_length(pdu)]
        if not self._waiting or (wanted_elsewhere and not fitting):
            return None
        header = fitting[0] if fitting else self._waiting[0]
        self._waiting.remove(header)
        return Direct(header.line, header.kind, header.length, pdu)

    def give_up(self) -> list[DirectLost]:
        """The PDUs did not come."""
        lost = [_lost(header) for header in self._waiting]
        self._waiting.clear()
        return lost


def _lost(header: PduHeader) -> DirectLost:
    return DirectLost(header.line, header.kind)


def tpdu_length(pdu: str) -> int:
    """TPDU octets behind the SMSC field of a PDU line; negative if the line is too short to be one."""
    return len(pdu) // 2 - 1 - int(pdu[:2], 16)
