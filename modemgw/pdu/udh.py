"""User data header (23.040 §9.2.3.24): information elements, and the four that the gateway understands.

An element whose own length is wrong, or that names an impossible part, is kept and means nothing, as the
clause says. A header whose elements overrun it is a PduError: nobody can tell where the text begins. Of
several elements that contradict each other, the last one counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from modemgw.pdu.errors import PduError

CONCAT_8, PORTS_8, PORTS_16, CONCAT_16 = 0x00, 0x04, 0x05, 0x08
SINGLE_SHIFT, LOCKING_SHIFT = 0x24, 0x25


@dataclass(frozen=True, slots=True)
class Element:
    """One information element as it stands."""

    identifier: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Concat:
    """Part `seq` of `parts` of the message that the sender calls `ref`, a number of 8 or 16 `bits`."""

    ref: int
    parts: int
    seq: int
    bits: int = 8

    def element(self) -> Element:
        """PduError when the reference does not fit its bits or the part is not one of 1 to 255."""
        if self.bits not in (8, 16) or not 0 <= self.ref < 1 << self.bits:
            raise PduError("TP-UDH", None, f"a reference of {self.bits} bits cannot be {self.ref}")
        if not 1 <= self.seq <= self.parts <= 255:
            raise PduError("TP-UDH", None, f"part {self.seq} of {self.parts}: a message has 1 to 255 parts")
        identifier = CONCAT_8 if self.bits == 8 else CONCAT_16
        return Element(identifier, self.ref.to_bytes(self.bits // 8, "big") + bytes((self.parts, self.seq)))


@dataclass(frozen=True, slots=True)
class Ports:
    """Application ports: destination and source, both of 8 or of 16 bits."""

    dst: int
    src: int
    bits: int = 16

    def element(self) -> Element:
        """PduError when a port does not fit its bits."""
        if self.bits not in (8, 16) or not all(0 <= port < 1 << self.bits for port in (self.dst, self.src)):
            raise PduError("TP-UDH", None, f"ports {self.dst} and {self.src} do not fit {self.bits} bits")
        octets = self.bits // 8
        data = self.dst.to_bytes(octets, "big") + self.src.to_bytes(octets, "big")
        return Element(PORTS_8 if self.bits == 8 else PORTS_16, data)


def parse(header: bytes, offset: int) -> tuple[Element, ...]:
    """The elements of a header without its length octet; `offset` is where it begins, for the PduError."""
    elements = []
    at = 0
    while at < len(header):
        start = at + 2
        if start > len(header) or start + header[at + 1] > len(header):
            raise PduError("TP-UDH", offset + at, "an information element runs past the header")
        at = start + header[start - 1]
        elements.append(Element(header[start - 2], header[start:at]))
    return tuple(elements)


def build(elements: Iterable[Element]) -> bytes:
    """The header with its length octet; empty without elements. PduError above 255 octets."""
    header = b"".join(bytes((e.identifier, min(len(e.data), 255))) + e.data for e in elements)
    if len(header) > 255:
        raise PduError("TP-UDH", None, f"a header of {len(header)} octets")
    return bytes((len(header),)) + header if header else b""


def concat(elements: Iterable[Element]) -> Concat | None:
    """The concatenation that holds, or None."""
    found = None
    for element in elements:
        octets = {CONCAT_8: 1, CONCAT_16: 2}.get(element.identifier)
        if octets is None or len(element.data) != octets + 2:
            continue
        parts, seq = element.data[-2:]
        if 1 <= seq <= parts:
            found = Concat(int.from_bytes(element.data[:octets], "big"), parts, seq, 8 * octets)
    return found


def ports(elements: Iterable[Element]) -> Ports | None:
    """The application ports that hold, or None."""
    found = None
    for element in elements:
        octets = {PORTS_8: 1, PORTS_16: 2}.get(element.identifier)
        if octets is not None and len(element.data) == 2 * octets:
            dst, src = element.data[:octets], element.data[octets:]
            found = Ports(int.from_bytes(dst, "big"), int.from_bytes(src, "big"), 8 * octets)
    return found


def languages(elements: Iterable[Element]) -> tuple[int, int]:
    """The national language of the locking shift and of the single shift (23.038 §6.2.1.2.4); 0 = default."""
    locking = single = 0
    for element in elements:
        if len(element.data) == 1:
            if element.identifier == LOCKING_SHIFT:
                locking = element.data[0]
            elif element.identifier == SINGLE_SHIFT:
                single = element.data[0]
    return locking, single
