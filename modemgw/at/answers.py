"""What came back: one function per command that turns a ``Reply`` into a value.

Rules: firmware leaves fields out, quotes numbers and adds fields, so only what is needed must be there; what cannot
be read raises ``UnexpectedReply``, and nothing is guessed. Sources: 3GPP TS 27.005 and 27.007, and field reports for
the variants.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from modemgw.at.direct import tpdu_length
from modemgw.at.errors import UnexpectedReply
from modemgw.at.events import Reply
from modemgw.at.params import Params, body, is_quoted, number, strings, unquote, values


@dataclass(frozen=True, slots=True)
class Registration:
    """``stat`` as in 3GPP TS 27.007 7.2: 1 home, 5 roaming, 6 and 7 likewise for SMS only, 2 searching, 3 denied."""

    stat: int
    area: str | None = None
    cell: str | None = None
    technology: int | None = None

    @property
    def registered(self) -> bool:
        """True where messages can be sent."""
        return self.stat in {1, 5, 6, 7}

    @property
    def roaming(self) -> bool:
        """True in another operator's network."""
        return self.stat in {5, 7}


@dataclass(frozen=True, slots=True)
class Operator:
    """``name`` is a number such as 26201 when ``format`` is 2; None while there is no network."""

    mode: int
    format: int | None
    name: str | None
    technology: int | None


@dataclass(frozen=True, slots=True)
class StorageUse:
    """One storage: ``name`` is None in answers that give only the numbers."""

    name: str | None
    used: int
    total: int


@dataclass(frozen=True, slots=True)
class Signal:
    """``rssi`` 0-31 and ``ber`` 0-7; None = unknown."""

    rssi: int | None
    ber: int | None

    @property
    def dbm(self) -> int | None:
        """Received power, from -113 (or less) to -51 (or more)."""
        return None if self.rssi is None else -113 + 2 * self.rssi


@dataclass(frozen=True, slots=True)
class StoredPdu:
    """A message in a storage. ``length`` counts TPDU octets; ``intact`` is False where PDU and header disagree."""

    index: int | None
    status: int | None
    length: int | None
    pdu: str

    @property
    def intact(self) -> bool:
        """True if the PDU has the length that its header says; a padded report is longer and fine."""
        return self.length is None or tpdu_length(self.pdu) >= self.length


def _line(reply: Reply) -> str:
    if not reply.lines:
        raise UnexpectedReply(reply.command.name, reply.lines)
    return reply.lines[-1]


def _params(reply: Reply) -> Params:
    return Params(_line(reply))


def _required(reply: Reply, value: int | None) -> int:
    if value is None:
        raise UnexpectedReply(reply.command.name, reply.lines)
    return value


def text(reply: Reply) -> str:
    """Free text such as the manufacturer's name: prefix and quotes removed, lines joined by a blank."""
    own = reply.command.expects
    return " ".join(unquote(body(line) if own and line.startswith(own) else line) for line in reply.lines).strip()


def digits(reply: Reply) -> str:
    """IMEI or IMSI: the digits alone."""
    found = re.search(r"\d{6,17}", body(_line(reply)))
    if not found:
        raise UnexpectedReply(reply.command.name, reply.lines)
    return found[0]


def iccid(reply: Reply) -> str:
    """The SIM's serial number: padding removed, and swapped digits put right (it always begins with 89)."""
    found = re.search(r"[0-9A-Fa-f]{16,22}", body(_line(reply)))
    if not found:
        raise UnexpectedReply(reply.command.name, reply.lines)
    serial = found[0].upper()
    if serial.startswith("98"):
        serial = "".join(serial[i + 1 : i + 2] + serial[i] for i in range(0, len(serial), 2))
    return serial.rstrip("F")


def functionality(reply: Reply) -> int:
    """``+CFUN: 1``."""
    return _required(reply, _params(reply).integer())


def pin_state(reply: Reply) -> str:
    """``READY``, ``SIM PIN``, ``SIM PUK``, …"""
    return (_params(reply).string() or "").strip().upper()


def pin_retries(reply: Reply) -> dict[str, int]:
    """Tries left for each code: ``{"SIM PIN": 3}``."""
    left: dict[str, int] = {}
    for line in reply.lines:
        params = Params(line)
        name, tries = params.string(), params.integer()
        if name and tries is not None:
            left[name.upper()] = tries
    return left


def registration(reply: Reply) -> Registration:
    """The solicited form, which begins with the reporting level."""
    params = _params(reply)
    params.integer()
    stat = _required(reply, params.integer())
    return Registration(stat, params.string(), params.string(), params.integer())


def operator(reply: Reply) -> Operator:
    """``+COPS: 0,0,"name",7``, or ``+COPS: 0`` without a network."""
    params = _params(reply)
    mode = _required(reply, params.integer())
    return Operator(mode, params.integer(), params.string() or None, params.integer())


def signal(reply: Reply) -> Signal:
    """``+CSQ: 20,99``; 99 is unknown, and so is anything beyond the scale."""
    params = _params(reply)
    rssi, ber = params.integer(), params.integer()
    return Signal(
        rssi if rssi is not None and 0 <= rssi <= 31 else None, ber if ber is not None and 0 <= ber <= 7 else None
    )


def service(reply: Reply) -> int:
    """The service in ``+CSMS: <service>,<mt>,<mo>,<bm>``: the query only, the answer to a setting has no service."""
    return _required(reply, _params(reply).integer())


def message_format(reply: Reply) -> int:
    """``+CMGF: 0`` is PDU mode."""
    return _required(reply, _params(reply).integer())


def link_mode(reply: Reply) -> int:
    """``+CMMS: <n>``: 2 keeps the radio link between messages for as long as the modem runs."""
    return _required(reply, _params(reply).integer())


def storage_use(reply: Reply) -> tuple[StorageUse, ...]:
    """One to three storages from ``"SM",3,10,…`` or from bare numbers; empty where the modem only says OK."""
    if not reply.lines:
        return ()
    uses: list[StorageUse] = []
    name: str | None = None
    numbers: list[int] = []
    for field in _params(reply).fields:
        value = None if is_quoted(field) else number(field)
        if value is None:
            name, numbers = unquote(field) or None, []
            continue
        numbers.append(value)
        if len(numbers) == 2:
            uses.append(StorageUse(name, numbers[0], numbers[1]))
            name, numbers = None, []
    return tuple(uses)


def storages_supported(reply: Reply) -> tuple[tuple[str, ...], ...]:
    """The names allowed for each of the storages; one more pair of parentheses around all is tolerated."""
    fields = _params(reply).fields
    if len(fields) == 1 and fields[0].startswith("(("):
        fields = Params(fields[0][1:-1]).fields
    return tuple(names for names in map(strings, fields) if names)


def routing(reply: Reply) -> tuple[int, ...]:
    """``+CNMI: <mode>,<mt>,<bm>,<ds>,<bfr>``, as many as the modem gives."""
    return tuple(value for value in map(number, _params(reply).fields) if value is not None)


def routing_supported(reply: Reply) -> tuple[tuple[int, ...], ...]:
    """The values allowed for each field of ``AT+CNMI``."""
    return tuple(values(field) for field in _params(reply).fields)


def smsc(reply: Reply) -> str | None:
    """The service centre's number; None when the SIM holds none."""
    params = _params(reply)
    found, kind = (params.string() or "").strip(), params.integer()
    if not found.strip("+"):
        return None
    return f"+{found}" if kind == 145 and not found.startswith("+") else found


def numbers(reply: Reply) -> tuple[str, ...]:
    """The SIM's own numbers from ``+CNUM: "name","number",type``; often none."""
    found: list[str] = []
    for line in reply.lines:
        params = Params(line)
        params.raw()
        own, kind = params.string(), params.integer()
        if own and own.strip("+"):
            found.append(f"+{own}" if kind == 145 and not own.startswith("+") else own)
    return tuple(found)


def listed(reply: Reply) -> tuple[StoredPdu, ...]:
    """The messages of ``AT+CMGL``: ``+CMGL: <index>,<stat>,[<alpha>],<length>``, with or without the alpha field."""
    found: list[StoredPdu] = []
    for header, pdu in _pairs(reply):
        known = [value for value in map(number, Params(header).fields) if value is not None]
        found.append(StoredPdu(known[0], known[1] if len(known) > 2 else None, known[-1], pdu) if len(known) > 1
                     else StoredPdu(known[0] if known else None, None, None, pdu))  # fmt: skip
    return tuple(found)


def stored(reply: Reply) -> StoredPdu | None:
    """The message of ``AT+CMGR``; None for an empty place (OK alone, or ``+CMGR: 0,,0``)."""
    for header, pdu in _pairs(reply):
        fields = Params(header).fields
        known = [value for value in map(number, fields) if value is not None]
        return StoredPdu(None, number(fields[0]) if len(fields) > 1 else None, known[-1] if known else None, pdu)
    return None


def _pairs(reply: Reply) -> list[tuple[str, str]]:
    """Headers with the PDU line that follows; a header without one says that the place is empty."""
    return [
        (header, pdu)
        for header, pdu in zip(reply.lines, reply.lines[1:], strict=False)
        if header.startswith(reply.command.expects) and not pdu.startswith(reply.command.expects)
    ]
