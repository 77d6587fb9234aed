"""What a sender and a modem's driver have to do with each other: the port that a sender needs, and the PDU it gives."""

from typing import Protocol

from modemgw.gateway import retry
from modemgw.pdu import envelope
from modemgw.pdu.address import Address
from modemgw.pdu.dcs import Encoding
from modemgw.pdu.segment import submit_for
from modemgw.pdu.udh import Ports
from modemgw.pdu.validity import Relative
from modemgw.store.queue import Outgoing

_SHORTEST_VALIDITY_S = 300


class SubmitPort(Protocol):
    """What a sender needs of a modem."""

    name: str
    port_path: str

    async def submit(
        self, pdu_hex: str, tpdu_length: int, *, token: str, before_payload: "BeforePayload"
    ) -> int | None: ...


class BeforePayload(Protocol):
    """Called at the prompt; Ctrl-Z is written only after it returned."""

    async def __call__(self) -> None: ...


def pdu_of(outgoing: Outgoing, now_ms: int) -> envelope.Pdu:
    """The SUBMIT of a segment; it is valid for as long as the message is worth sending. Raises PduError."""
    left_s = max(_SHORTEST_VALIDITY_S, (outgoing.expires_ms - now_ms) / 1000)
    submit = submit_for(
        outgoing.content,
        destination=Address.parse(outgoing.peer),
        encoding=Encoding(outgoing.encoding),
        seq=outgoing.seq,
        parts=outgoing.parts,
        ref=outgoing.concat_ref,
        ports=Ports(outgoing.port, 0) if outgoing.port is not None else None,
        validity=None if retry.drop_validity(outgoing.last_cms) else Relative(int(left_s)),
        srr=outgoing.report,
        message_class=0 if outgoing.flash else None,
    )
    return envelope.wrap(submit.encode())
