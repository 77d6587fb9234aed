"""The three TPDUs of a gateway (23.040 §9.2.2): SUBMIT, DELIVER, STATUS-REPORT, each to octets and back.

`from_bytes` reads by the length octets and ignores what follows; `read` leaves the cursor there, so that a
caller can tell how much that was. `encode` raises PduError for what the format cannot say.
"""

from dataclasses import dataclass
from datetime import datetime

from modemgw.pdu import address, timestamp, userdata, validity
from modemgw.pdu.address import Address
from modemgw.pdu.cursor import Cursor
from modemgw.pdu.dcs import Dcs, Encoding
from modemgw.pdu.errors import PduError
from modemgw.pdu.udh import Concat, Ports
from modemgw.pdu.userdata import UserData
from modemgw.pdu.validity import Validity

# TP-MTI, bits 1-0 of the first octet
DELIVER, SUBMIT, STATUS_REPORT, RESERVED = range(4)


class _Content:
    """What all TPDUs answer about the message they carry."""

    __slots__ = ()
    user_data: UserData | None
    dcs: Dcs | None

    @property
    def text(self) -> str | None:
        """The text of this TPDU alone; None for 8-bit data."""
        return self.user_data.text if self.user_data else None

    @property
    def data(self) -> bytes | None:
        """The octets of 8-bit data; None for text."""
        return self.user_data.data if self.user_data else None

    @property
    def encoding(self) -> Encoding | None:
        """gsm7, ucs2 or 8bit."""
        return self.dcs.encoding if self.dcs else None

    @property
    def message_class(self) -> int | None:
        """0 flash, 1 phone, 2 SIM, 3 terminal equipment, or None."""
        return self.dcs.message_class if self.dcs else None

    @property
    def concat(self) -> Concat | None:
        """Which part of which message; None when it is whole."""
        return self.user_data.concat if self.user_data else None

    @property
    def ports(self) -> Ports | None:
        """Application ports, or None."""
        return self.user_data.ports if self.user_data else None


def _octet(value: int, field: str) -> int:
    if not 0 <= value <= 255:
        raise PduError(field, None, f"{value} is not in 0 to 255")
    return value


def _flags(mti: int, user_data: UserData | None, **bits: bool) -> int:
    first = mti | (0x40 if user_data and user_data.elements else 0)
    return first | sum(_BITS[name] for name, on in bits.items() if on)


_BITS = {"rd": 0x04, "no_more": 0x04, "lp": 0x08, "srr": 0x20, "sri": 0x20, "srq": 0x20, "rp": 0x80}


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit(_Content):
    """SMS-SUBMIT: from here to the service centre. `mr` is only a proposal, the modem puts its own."""

    destination: Address
    user_data: UserData
    dcs: Dcs
    mr: int = 0
    pid: int = 0
    validity: Validity | None = None
    srr: bool = False  # a status report is asked for
    rd: bool = False  # the centre shall reject a duplicate
    rp: bool = False  # reply path

    def encode(self) -> bytes:
        """The TPDU; PduError for what it cannot say."""
        vpf, period = validity.encode(self.validity)
        first = _flags(SUBMIT, self.user_data, rd=self.rd, srr=self.srr, rp=self.rp) | vpf << 3
        head = bytes((first, _octet(self.mr, "TP-MR"))) + self.destination.encode("TP-DA")
        return head + bytes((_octet(self.pid, "TP-PID"), self.dcs.octet)) + period + self.user_data.encode()

    @staticmethod
    def read(cursor: Cursor) -> "Submit":
        """The SUBMIT at the cursor."""
        first = cursor.octet("TP-MTI")
        mr = cursor.octet("TP-MR")
        destination = address.decode(cursor, "TP-DA")
        pid = cursor.octet("TP-PID")
        dcs = Dcs.from_octet(cursor.octet("TP-DCS"))
        vpf = first >> 3 & 3
        period = cursor.take(validity.octets_of(vpf), "TP-VP")
        return Submit(
            destination=destination,
            user_data=userdata.decode(cursor, dcs.encoding, bool(first & 0x40)),
            dcs=dcs,
            mr=mr,
            pid=pid,
            validity=validity.decode(vpf, period),
            srr=bool(first & 0x20),
            rd=bool(first & 0x04),
            rp=bool(first & 0x80),
        )

    @staticmethod
    def from_bytes(octets: bytes) -> "Submit":
        """Decode one; PduError when it is cut or overrun."""
        return Submit.read(Cursor(octets))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver(_Content):
    """SMS-DELIVER: from the service centre to here."""

    originator: Address
    user_data: UserData
    dcs: Dcs
    scts_raw: bytes  # seven octets as they came; they may be no time at all
    pid: int = 0
    sri: bool = False  # the centre will be told what becomes of it
    rp: bool = False  # reply path
    more_messages: bool = False  # more wait at the centre
    lp: bool = False  # loop prevention

    @property
    def scts(self) -> datetime | None:
        """When the service centre got it, with the offset that it named; None when it named no time."""
        return timestamp.decode(self.scts_raw)

    def encode(self) -> bytes:
        """The TPDU; PduError for what it cannot say."""
        bits = {"no_more": not self.more_messages, "lp": self.lp, "sri": self.sri, "rp": self.rp}
        head = bytes((_flags(DELIVER, self.user_data, **bits),)) + self.originator.encode("TP-OA")
        middle = bytes((_octet(self.pid, "TP-PID"), self.dcs.octet)) + _stamp(self.scts_raw, "TP-SCTS")
        return head + middle + self.user_data.encode()

    @staticmethod
    def read(cursor: Cursor) -> "Deliver":
        """The DELIVER at the cursor."""
        first = cursor.octet("TP-MTI")
        originator = address.decode(cursor, "TP-OA")
        pid = cursor.octet("TP-PID")
        dcs = Dcs.from_octet(cursor.octet("TP-DCS"))
        scts_raw = cursor.take(timestamp.LENGTH, "TP-SCTS")
        return Deliver(
            originator=originator,
            user_data=userdata.decode(cursor, dcs.encoding, bool(first & 0x40)),
            dcs=dcs,
            scts_raw=scts_raw,
            pid=pid,
            sri=bool(first & 0x20),
            rp=bool(first & 0x80),
            more_messages=not first & 0x04,
            lp=bool(first & 0x08),
        )

    @staticmethod
    def from_bytes(octets: bytes) -> "Deliver":
        """Decode one; PduError when it is cut or overrun."""
        return Deliver.read(Cursor(octets))


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport(_Content):
    """SMS-STATUS-REPORT: what became of the SUBMIT that went out as `mr` to `recipient`."""

    mr: int
    recipient: Address
    scts_raw: bytes  # of the message that was sent
    discharge_raw: bytes  # when it was delivered, or last tried
    status: int  # TP-ST, see the module `status`
    srq: bool = False  # answers a COMMAND, not a SUBMIT
    more_messages: bool = False
    lp: bool = False
    pid: int | None = None
    dcs: Dcs | None = None
    user_data: UserData | None = None

    @property
    def scts(self) -> datetime | None:
        """When the service centre got the message; None when it named no time."""
        return timestamp.decode(self.scts_raw)

    @property
    def discharge(self) -> datetime | None:
        """When the message was delivered, or the centre last tried; None when it named no time."""
        return timestamp.decode(self.discharge_raw)

    def encode(self) -> bytes:
        """The TPDU; PduError for what it cannot say."""
        bits = {"no_more": not self.more_messages, "lp": self.lp, "srq": self.srq}
        head = bytes((_flags(STATUS_REPORT, self.user_data, **bits), _octet(self.mr, "TP-MR")))
        stamps = _stamp(self.scts_raw, "TP-SCTS") + _stamp(self.discharge_raw, "TP-DT")
        status = bytes((_octet(self.status, "TP-ST"),))
        return head + self.recipient.encode("TP-RA") + stamps + status + self._optional()

    def _optional(self) -> bytes:
        present = (self.pid is not None, self.dcs is not None, self.user_data is not None)
        indicator = sum(1 << bit for bit, there in enumerate(present) if there)
        if not indicator:
            return b""
        pid = b"" if self.pid is None else bytes((_octet(self.pid, "TP-PID"),))
        dcs = b"" if self.dcs is None else bytes((self.dcs.octet,))
        return bytes((indicator,)) + pid + dcs + (self.user_data.encode() if self.user_data else b"")

    @staticmethod
    def read(cursor: Cursor) -> "StatusReport":
        """The STATUS-REPORT at the cursor."""
        first = cursor.octet("TP-MTI")
        mr = cursor.octet("TP-MR")
        recipient = address.decode(cursor, "TP-RA")
        scts_raw = cursor.take(timestamp.LENGTH, "TP-SCTS")
        discharge_raw = cursor.take(timestamp.LENGTH, "TP-DT")
        status = cursor.octet("TP-ST")
        pid, dcs, user_data = _read_optional(cursor, bool(first & 0x40))
        return StatusReport(
            mr=mr,
            recipient=recipient,
            scts_raw=scts_raw,
            discharge_raw=discharge_raw,
            status=status,
            srq=bool(first & 0x20),
            more_messages=not first & 0x04,
            lp=bool(first & 0x08),
            pid=pid,
            dcs=dcs,
            user_data=user_data,
        )

    @staticmethod
    def from_bytes(octets: bytes) -> "StatusReport":
        """Decode one; PduError when it is cut or overrun."""
        return StatusReport.read(Cursor(octets))


def _stamp(raw: bytes, field: str) -> bytes:
    if len(raw) != timestamp.LENGTH:
        raise PduError(field, None, f"a time stamp has {timestamp.LENGTH} octets")
    return raw


def _read_optional(cursor: Cursor, has_header: bool) -> tuple[int | None, Dcs | None, UserData | None]:
    """TP-PI and what it announces (§9.2.3.27). What does not fit is no part of the report but filler.

    Some modems fill the line up to a record of fixed size, and the status is known by then: so this never
    fails.
    """
    start = cursor.at
    try:
        indicator = cursor.octet("TP-PI")
        pid = cursor.octet("TP-PID") if indicator & 0x01 else None
        dcs = Dcs.from_octet(cursor.octet("TP-DCS")) if indicator & 0x02 else None
        if not indicator & 0x04:
            return pid, dcs, None
        encoding = dcs.encoding if dcs else Encoding.GSM7
        return pid, dcs, userdata.decode(cursor, encoding, has_header)
    except PduError:
        cursor.at = start
        return None, None, None
