"""What the service centre must remember of an accepted SUBMIT to report on it (23.040 §9.2.2.3)."""

from dataclasses import dataclass

from modemgw.emulator.sim import Sim
from modemgw.pdu.address import Address, TypeOfNumber
from modemgw.pdu.tpdu import StatusReport, Submit

COUNTRY = "49"


@dataclass(frozen=True, slots=True)
class Ticket:
    """One accepted SUBMIT; `answer_at` is the lab time when the computer hears of it."""

    sim: Sim
    submit: Submit
    mr: int
    scts: bytes
    answer_at: float
    national: bool

    def report(self, status: int, discharge: bytes) -> StatusReport:
        """The STATUS-REPORT with that TP-ST and discharge time."""
        recipient = self.submit.destination
        if self.national and recipient.ton is TypeOfNumber.INTERNATIONAL:
            recipient = Address("0" + recipient.text.removeprefix(COUNTRY), TypeOfNumber.UNKNOWN)
        return StatusReport(
            mr=self.mr,
            recipient=recipient,
            scts_raw=self.scts,
            discharge_raw=discharge,
            status=status,
        )


def canonical(address: Address) -> str:
    """The number in international form where it can be told: 0… is of the home country, 00… international."""
    text = address.number
    if text.startswith("00"):
        return "+" + text[2:]
    if text.startswith("0") and len(text) > 3:
        return f"+{COUNTRY}{text[1:]}"
    return text
