"""TP-UDL and TP-UD (23.040 §9.2.3.16, 9.2.3.24): header, then text or octets.

The content is kept as it travelled (septet values, UTF-16 octets, plain octets), so that parts can be joined
before they are read as text: senders do cut a surrogate pair or an escape in two.
"""

from dataclasses import dataclass

from modemgw.pdu import gsm7, septets, udh
from modemgw.pdu.cursor import Cursor
from modemgw.pdu.dcs import Encoding
from modemgw.pdu.errors import PduError

MAX_OCTETS = 140
_FIELD = "TP-UD"


def header_septets(header_octets: int) -> int:
    """How many septets a header takes, with the fill bits that let the text begin at a septet."""
    return (header_octets * 8 + 6) // 7


def capacity(encoding: Encoding, header_octets: int) -> int:
    """How many units (septets, UTF-16 units, octets) fit beside a header of so many octets."""
    room = MAX_OCTETS - header_octets
    if encoding is Encoding.GSM7:
        return room * 8 // 7
    return room // 2 if encoding is Encoding.UCS2 else room


def to_text(content: bytes, encoding: Encoding, languages: tuple[int, int] = (0, 0)) -> str | None:
    """The text of a content; None for 8-bit. Half a surrogate pair is U+FFFD, half a unit is left out."""
    if encoding is Encoding.GSM7:
        return gsm7.decode(content, *languages)
    if encoding is Encoding.UCS2:
        return content[: len(content) & ~1].decode("utf-16-be", "replace")
    return None


@dataclass(frozen=True, slots=True)
class UserData:
    """What one TPDU carries. `content`: septet values (gsm7), UTF-16 big endian (ucs2) or octets (8bit)."""

    encoding: Encoding
    content: bytes = b""
    elements: tuple[udh.Element, ...] = ()

    @staticmethod
    def of(content: str | bytes, encoding: Encoding, elements: tuple[udh.Element, ...] = ()) -> "UserData":
        """From a text (gsm7, ucs2) or octets (8bit). PduError when the encoding cannot say it."""
        if isinstance(content, bytes) or encoding is Encoding.OCTETS:
            if isinstance(content, str) or encoding is not Encoding.OCTETS:
                raise PduError(_FIELD, None, "octets are sent as 8bit, text as gsm7 or ucs2")
            return UserData(encoding, content, elements)
        if encoding is Encoding.GSM7:
            return UserData(encoding, gsm7.encode(content, _FIELD, *udh.languages(elements)), elements)
        try:
            return UserData(encoding, content.encode("utf-16-be"), elements)
        except UnicodeEncodeError:
            raise PduError(_FIELD, None, "the text holds half a surrogate pair") from None

    @property
    def text(self) -> str | None:
        """The text of this part alone; None for 8-bit."""
        return to_text(self.content, self.encoding, udh.languages(self.elements))

    @property
    def data(self) -> bytes | None:
        """The octets of an 8-bit content; None for text."""
        return self.content if self.encoding is Encoding.OCTETS else None

    @property
    def concat(self) -> udh.Concat | None:
        """Which part of which message this is; None when it is whole."""
        return udh.concat(self.elements)

    @property
    def ports(self) -> udh.Ports | None:
        """The application that it is meant for; None for people."""
        return udh.ports(self.elements)

    def encode(self) -> bytes:
        """TP-UDL and TP-UD. PduError above 140 octets."""
        header = udh.build(self.elements)
        units = len(self.content) + 1 >> 1 if self.encoding is Encoding.UCS2 else len(self.content)
        if units > capacity(self.encoding, len(header)):
            raise PduError(_FIELD, None, f"more than {MAX_OCTETS} octets of user data")
        if self.encoding is not Encoding.GSM7:
            return bytes((len(header) + len(self.content),)) + header + self.content
        before = header_septets(len(header))
        fill_bits = before * 7 - len(header) * 8
        return bytes((before + len(self.content),)) + header + septets.pack(self.content, fill_bits)


def decode(cursor: Cursor, encoding: Encoding, has_header: bool) -> UserData:
    """TP-UDL and TP-UD at the cursor; what follows them is left. PduError when either is cut or overrun."""
    length = cursor.octet("TP-UDL")
    start = cursor.at
    gsm = encoding is Encoding.GSM7
    octets = cursor.take((length * 7 + 7) // 8 if gsm else length, _FIELD)
    if not has_header:
        return UserData(encoding, septets.unpack(octets, length) if gsm else octets)
    header = octets[0] + 1 if octets else 1
    if header > len(octets):
        raise PduError("TP-UDH", start, f"a header of {header} octets in {len(octets)} octets of user data")
    elements = udh.parse(octets[1:header], start + 1)
    if not gsm:
        return UserData(encoding, octets[header:], elements)
    before = header_septets(header)
    rest = septets.unpack(octets[header:], max(0, length - before), before * 7 - header * 8)
    return UserData(encoding, rest, elements)
