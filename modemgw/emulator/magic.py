"""Recipients outside the lab that fail on purpose: the last five digits say how. Any number of at least eight digits.

    99ccc   refused with `+CMS ERROR: ccc` (99038, 99500, …); 99000 is a bare ERROR. Nothing is accepted.
    97sss   accepted; reported with TP-ST sss in decimal (97070 = 0x46, validity expired; 97048 = 0x30, pending). A
    status
            that says "still trying" (32..63) is followed by "delivered".
    98001   accepted, no answer at all           98002   not accepted, no answer at all
    98003   accepted, answered 200 s later       98004   accepted, answered +CMS ERROR: 500
    98005   accepted, never reported             98006   reported before +CMGS
    98007   reported twice                       98008   reported with the number in national form
    98009   accepted, answered after 30 s        98010   accepted, answered +CMS ERROR: 332 after 30 s
    98011   of a text in parts only the last one is reported
    98012   the parts are reported in reverse order, ten seconds apart
All others are accepted and reported delivered.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the network does with one SUBMIT.

    `answer` replaces `+CMGS` and OK; `silent`: no answer; `seconds` are added to the latency; `statuses` are the TP-STs
    reported one after the other, `()` for never; `early`: reported before the answer; `national`: reported number
    without +CC; `last_part_only`: of a long text; `backwards`: seconds that a report waits for each part behind it.
    """

    accepts: bool = True
    answer: str = ""
    silent: bool = False
    seconds: float = 0.0
    statuses: tuple[int, ...] = (0,)
    early: bool = False
    national: bool = False
    last_part_only: bool = False
    backwards: float = 0.0


ORDINARY = Behaviour()
_AGREED = {
    "98001": Behaviour(silent=True),
    "98002": Behaviour(silent=True, accepts=False),
    "98003": Behaviour(seconds=200.0),
    "98004": Behaviour(answer="+CMS ERROR: 500"),
    "98005": Behaviour(statuses=()),
    "98006": Behaviour(early=True),
    "98007": Behaviour(statuses=(0, 0)),
    "98008": Behaviour(national=True),
    "98009": Behaviour(seconds=30.0),
    "98010": Behaviour(seconds=30.0, answer="+CMS ERROR: 332"),
    "98011": Behaviour(last_part_only=True),
    "98012": Behaviour(backwards=10.0),
}


def behaviour(number: str) -> Behaviour:
    """What happens to a SUBMIT to this number."""
    digits = number.removeprefix("+")
    if len(digits) < 8 or not digits.isdigit():
        return ORDINARY
    kind, code = digits[-5:-3], int(digits[-3:])
    if kind == "99":
        return Behaviour(accepts=False, answer=f"+CMS ERROR: {code}" if code else "ERROR")
    if kind == "97" and code <= 0xFF:
        return Behaviour(statuses=(code, 0) if 0x20 <= code <= 0x3F else (code,))
    return _AGREED.get(digits[-5:], ORDINARY)
