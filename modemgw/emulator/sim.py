"""What a SIM card remembers, whichever modem it sits in: identity, PIN counters, the last TP-MR, its message slots.

Clauses: ICCID E.118, IMSI E.212, EF_SMSS (last used TP-MR) TS 31.102 clause 4.2.28, PIN and PUK counters TS 31.101.
The object outlives resets, unplugging and a move to another modem, as the card does.
"""

from modemgw.emulator.storage import Storage

HOME_MCC = "262"  # Germany
_MNC = "98"  # not assigned to an operator
_PREFIX = "+4915551"  # reads as a German mobile number; the block is not in use


def luhn(digits: str) -> str:
    """The check digit that makes `digits` + it pass the Luhn test (ICCID, IMEI)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 if place % 2 else 2)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def number_of(serial: int) -> str:
    """The MSISDN of the `serial`-th SIM of a lab, from 1: +49 155 51 000001, …"""
    return f"{_PREFIX}{serial:06d}"


def iccid_of(serial: int) -> str:
    """19 digits with a valid check digit: 89 (telecom), 49 (Germany), 98 (issuer)."""
    body = f"894998{serial:012d}"
    return body + luhn(body)


def imsi_of(serial: int) -> str:
    """15 digits: home MCC, an unassigned MNC, the serial."""
    return f"{HOME_MCC}{_MNC}{serial:010d}"


def imei_of(tac: str, serial: int) -> str:
    """15 digits: the persona's type allocation code (8), the serial (6), the check digit."""
    body = f"{tac}{serial:06d}"
    return body + luhn(body)


class Sim:
    """One card. `pin` None means that no PIN is asked for."""

    def __init__(
        self,
        *,
        number: str,
        iccid: str,
        imsi: str,
        smsc: str | None = "+4915551999999",
        pin: str | None = None,
        puk: str = "12345678",
        slots: int = 20,
    ) -> None:
        self.number = number
        self.iccid = iccid
        self.imsi = imsi
        self.smsc = smsc
        self.pin = pin
        self.puk = puk
        self.pin_tries = 3
        self.puk_tries = 10
        self.attempts: list[str] = []
        self.last_mr = -1
        self.no_credit = "paid"  # else what a SUBMIT is answered; "" like a good one, and nothing is sent
        self.credit = 1234  # in hundredths of an EUR; *100# tells it
        self.price = 0  # of each SUBMIT that the network takes; without that much credit it is refused
        self.storage = Storage("SM", slots)

    def next_mr(self) -> int:
        """The TP-MR of the next SUBMIT: 0..255, going round, kept on the card."""
        self.last_mr = (self.last_mr + 1) % 256
        return self.last_mr

    def try_pin(self, pin: str) -> bool:
        """One attempt; a wrong one costs a try, the third wrong one blocks the card."""
        self.attempts.append(pin)
        if self.pin_tries == 0:
            return False
        if pin == self.pin:
            self.pin_tries = 3
            return True
        self.pin_tries -= 1
        return False

    def try_puk(self, puk: str, new_pin: str) -> bool:
        """One attempt to unblock and set a new PIN; ten wrong ones destroy the card."""
        if self.puk_tries == 0:
            return False
        if puk == self.puk:
            self.pin, self.pin_tries, self.puk_tries = new_pin, 3, 10
            return True
        self.puk_tries -= 1
        return False
