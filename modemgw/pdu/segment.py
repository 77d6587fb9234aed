"""Text or octets → segments → SUBMITs.

A message that fits goes as one SUBMIT, a longer one as segments with a concatenation header, which costs room in
each. A surrogate pair or an escaped character is never cut. A user-perceived character stays whole wherever that
costs no further segment: every segment costs money.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, Literal, TypeVar

from modemgw.pdu import clusters, gsm7, udh
from modemgw.pdu.address import Address
from modemgw.pdu.dcs import Dcs, Encoding
from modemgw.pdu.errors import PduError
from modemgw.pdu.tpdu import Submit
from modemgw.pdu.udh import Concat, Ports
from modemgw.pdu.userdata import UserData, capacity
from modemgw.pdu.validity import Validity

MAX_SEGMENTS = 255
Choice = Literal["auto", "gsm7", "ucs2"]
RefBits = Literal[8, 16]
Content = TypeVar("Content", str, bytes)


@dataclass(frozen=True, slots=True)
class Plan(Generic[Content]):
    """How a message will be sent, before a number, a reference or a SIM is known.

    Units are septets (gsm7), UTF-16 units (ucs2) or octets (8bit): `units_used` by the whole message, `units_left`
    free in the last segment. `ucs2_because`: the characters that the GSM 7-bit alphabet lacks.
    """

    encoding: Encoding
    segments: tuple[Content, ...]
    units_used: int
    units_left: int
    ucs2_because: tuple[str, ...] = ()
    ref_bits: RefBits = 8
    ports: Ports | None = None

    def submits(
        self,
        destination: Address,
        *,
        ref: int,
        mr: int = 0,
        validity: Validity | None = None,
        srr: bool = True,
        rd: bool = False,
        rp: bool = False,
        message_class: int | None = None,
        pid: int = 0,
    ) -> list[Submit]:
        """All SUBMITs in order. `ref` belongs to the message, `mr` is that of the first and counts up."""
        return [
            submit_for(
                content,
                destination=destination,
                encoding=self.encoding,
                seq=seq,
                parts=len(self.segments),
                ref=ref,
                ref_bits=self.ref_bits,
                ports=self.ports,
                mr=(mr + seq - 1) % 256,
                validity=validity,
                srr=srr,
                rd=rd,
                rp=rp,
                message_class=message_class,
                pid=pid,
            )
            for seq, content in enumerate(self.segments, 1)
        ]


def submit_for(
    content: str | bytes,
    *,
    destination: Address,
    encoding: Encoding,
    seq: int = 1,
    parts: int = 1,
    ref: int = 0,
    ref_bits: RefBits = 8,
    ports: Ports | None = None,
    mr: int = 0,
    validity: Validity | None = None,
    srr: bool = True,
    rd: bool = False,
    rp: bool = False,
    message_class: int | None = None,
    pid: int = 0,
) -> Submit:
    """The SUBMIT of one segment, from what is stored about it. Without further parts `ref` is not used.

    PduError for content that does not fit, or a number that is out of its range.
    """
    return Submit(
        destination=destination,
        user_data=UserData.of(content, encoding, _elements(seq, parts, ref, ref_bits, ports)),
        dcs=Dcs.build(encoding, message_class),
        mr=mr,
        pid=pid,
        validity=validity,
        srr=srr,
        rd=rd,
        rp=rp,
    )


def _elements(seq: int, parts: int, ref: int, ref_bits: int, ports: Ports | None) -> tuple[udh.Element, ...]:
    found = (ports.element(),) if ports else ()
    return (*found, Concat(ref, parts, seq, ref_bits).element()) if parts != 1 or seq != 1 else found


def plan(text: str, *, encoding: Choice = "auto", ref_bits: RefBits = 8, ports: Ports | None = None) -> Plan[str]:
    """Cut a text. `auto` takes GSM 7-bit where it can say everything, else UCS2.

    PduError for an empty text, half a surrogate pair, `gsm7` that cannot say it, or more than 255 segments.
    """
    if not text:
        raise PduError("TP-UD", None, "the text is empty")
    missing = gsm7.missing(text)
    chosen = Encoding.UCS2 if encoding == "ucs2" or (missing and encoding == "auto") else Encoding.GSM7
    UserData.of(text, chosen)  # refuses what cannot be said so
    if chosen is Encoding.GSM7:
        costs = [gsm7.cost(char) for char in text]
    else:
        costs = [2 if char > "\uffff" else 1 for char in text]
    return _plan(text, chosen, costs, missing if encoding == "auto" else (), ref_bits, ports)


def plan_data(data: bytes, *, ref_bits: RefBits = 8, ports: Ports | None = None) -> Plan[bytes]:
    """Cut octets, to be sent as they are. PduError without any, or for more than 255 segments."""
    if not data:
        raise PduError("TP-UD", None, "there is no data")
    return _plan(data, Encoding.OCTETS, [1] * len(data), (), ref_bits, ports)


def _plan(
    content: Content,
    encoding: Encoding,
    costs: list[int],
    because: tuple[str, ...],
    ref_bits: RefBits,
    ports: Ports | None,
) -> Plan[Content]:
    used = sum(costs)
    room = _room(encoding, 1, ref_bits, ports)
    bounds = [0, len(content)]
    if used > room:
        room = _room(encoding, 2, ref_bits, ports)
        if used > room * MAX_SEGMENTS:
            raise _too_long()
        bounds = _cut(costs, room, clusters.starts(content) if isinstance(content, str) else None)
        if len(bounds) > MAX_SEGMENTS + 1:
            raise _too_long()
    segments = tuple(content[start:end] for start, end in pairwise(bounds))
    left = room - sum(costs[bounds[-2] :])
    return Plan(encoding, segments, used, left, because, ref_bits, ports)


def _too_long() -> PduError:
    return PduError("TP-UD", None, f"the message needs more than {MAX_SEGMENTS} segments")


def _room(encoding: Encoding, parts: int, ref_bits: int, ports: Ports | None) -> int:
    return capacity(encoding, len(udh.build(_elements(1, parts, 0, ref_bits, ports))))


def _cut(costs: Sequence[int], room: int, starts: list[bool] | None) -> list[int]:
    """Bounds of the segments, 0 and the end among them: as few as can be, and then as few broken clusters.

    From each position the furthest end is known, and so, from the end backwards, how few segments the rest needs.
    A segment then ends at the last beginning of a cluster within reach if the rest still fits as few segments.
    """
    count = len(costs)
    furthest = _furthest(costs, room)
    if starts is None:
        starts = [True] * count
    needed = [0] * (count + 1)
    for at in range(count - 1, -1, -1):
        needed[at] = 1 + needed[furthest[at]]
    bounds = [0]
    while bounds[-1] < count:
        at = bounds[-1]
        end = whole = furthest[at]
        while whole < count and whole > at and not starts[whole]:
            whole -= 1
        if whole > at and needed[whole] == needed[at] - 1:
            end = whole
        bounds.append(end)
    return bounds


def _furthest(costs: Sequence[int], room: int) -> list[int]:
    """For each position, where a segment that begins there must end at the latest."""
    result = []
    end = left = 0
    left = room
    for cost in costs:
        while end < len(costs) and costs[end] <= left:
            left -= costs[end]
            end += 1
        result.append(end)
        left += cost
    return result
