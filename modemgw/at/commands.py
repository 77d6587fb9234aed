"""Commands as data: the text, the lines that answer it, its deadline. One factory per command that the gateway uses.

Rules: a text is printable ASCII and nothing else, so no parameter can ever smuggle in a line end, a Ctrl-Z or an ESC
(``UnsafeText``); parameters that come from outside are checked against a list of allowed characters besides; one
command per line, never chained. Timeouts are seconds, from manuals and field reports. Parsers of the answers:
``answers``.
Sources: ITU-T V.250, 3GPP TS 27.005, 3GPP TS 27.007.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from modemgw.at.errors import UnsafeText
from modemgw.at.urc import looks_unsolicited

T_NET = 180.0  # seconds that a modem may take for one SUBMIT: above every manual's maximum
PROMPT_TIMEOUT = 10.0

_TEXT = re.compile(r"[\x20-\x7e]{1,512}")
_PDU = re.compile(rb"(?:[0-9A-F]{2}){2,400}")
_PDU_LINE = re.compile(r"(?:[0-9A-Fa-f]{2}){7,400}")


@functools.lru_cache(maxsize=256)
def _pattern(source: str) -> re.Pattern[str]:
    return re.compile(source, re.DOTALL)


@dataclass(frozen=True, slots=True, repr=False)
class Command:
    """One command line. It never contains its CR; a payload never contains its Ctrl-Z."""

    text: str
    expects: tuple[str, ...] = ()  # beginnings of the information lines that answer it
    timeout: float = 5.0  # seconds until the final result; for a payload, counted from the payload
    payload: bytes | None = None  # the PDU in hex, written after the prompt
    shape: str = ""  # what an expected line must also match as a whole, to be told from a URC of the same name
    bare: str = ""  # what a line without a prefix must match as a whole to be an answer
    pdu_lines: bool = False  # each expected line is followed by a PDU line
    info_final: bool = False  # some firmware sends no OK after the information line
    numeric: bool = False  # a bare 0 or 4 is a final result: the modem may still be in V0
    needs_line: bool = False  # an OK without an information line cannot be the answer
    prompt: bool = True  # False: the modem takes the payload without a prompt, in the same write
    prompt_timeout: float = PROMPT_TIMEOUT
    idle: float | None = None  # seconds without a byte after which there is no point in waiting on
    token: str | None = None  # the caller's name for a SUBMIT, given back with late results

    def __post_init__(self) -> None:
        if not _TEXT.fullmatch(self.text):
            raise UnsafeText("a command may hold printable ASCII only")
        if self.payload is not None and not _PDU.fullmatch(self.payload):
            raise UnsafeText("a payload must be upper-case hex")

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @property
    def name(self) -> str:
        """The command without its parameters, fit for logs: no number and no PIN."""
        return re.split(r"[=?\"]", self.text, maxsplit=1)[0]

    def admits(self, line: str, previous: str | None = None) -> bool:
        """True if the line is information that this command asks for; ``previous``: the information line before."""
        if self.expects and line.startswith(self.expects):
            return not self.shape or _pattern(self.shape).fullmatch(line) is not None
        return self.pdu_lines and previous is not None and previous.startswith(self.expects) and is_pdu_line(line)

    def admits_bare(self, line: str) -> bool:
        """True if the line, which nobody else wants, may be the plain text that this command asks for."""
        return bool(self.bare) and not looks_unsolicited(line) and _pattern(self.bare).fullmatch(line) is not None


def is_pdu_line(line: str) -> bool:
    """True for whole octets in hex, as many as a PDU may have."""
    return _PDU_LINE.fullmatch(line) is not None


def _checked(pattern: str, value: str, what: str) -> str:
    if not re.fullmatch(pattern, value, re.ASCII):
        raise UnsafeText(f"{what} holds a character that is not allowed")
    return value


# -- first contact -----------------------------------------------------------------------------------------------------
AT = Command("AT", timeout=1.0, numeric=True)
ECHO_OFF = Command("ATE0", timeout=3.0, numeric=True)
VERBOSE = Command("ATV1", timeout=3.0, numeric=True)
RESULTS_ON = Command("ATQ0", timeout=3.0, numeric=True)
RESET = Command("ATZ", timeout=5.0, numeric=True)

# -- identity ----------------------------------------------------------------------------------------------------------
_ANY_TEXT = r".{1,200}"
MANUFACTURER = Command("AT+CGMI", ("+CGMI:",), bare=_ANY_TEXT, needs_line=True)
MODEL = Command("AT+CGMM", ("+CGMM:",), bare=_ANY_TEXT, needs_line=True)
REVISION = Command("AT+CGMR", ("+CGMR:",), bare=_ANY_TEXT, needs_line=True)
INFORMATION = Command("ATI", bare=r".{1,200}", needs_line=True)
SERIAL_NUMBER = Command("AT+CGSN", ("+CGSN:",), bare=r'"?\d{14,17}"?', needs_line=True)
SERIAL_NUMBER_OLD = Command("AT+GSN", ("+GSN:",), bare=r'"?\d{14,17}"?', needs_line=True)
IMSI = Command("AT+CIMI", ("+CIMI:",), bare=r'"?\d{6,15}"?', needs_line=True, timeout=10.0)
ICCID_COMMANDS = ("AT+CCID", "AT+QCCID", "AT^ICCID?", "AT+ICCID", "AT+ZGETICCID", "AT#CCID")


def iccid(text: str = "AT+CCID") -> Command:
    """One of the many spellings of the query for the SIM's serial number."""
    prefix = text.removeprefix("AT").rstrip("?") + ":"
    # Some answer under another name than they are asked by.
    return Command(text, (prefix, "+ICCID:"), bare=r'"?[0-9A-Fa-f]{16,22}"?', needs_line=True, timeout=10.0)


# -- the equipment and its SIM -----------------------------------------------------------------------------------------
NUMERIC_ERRORS = Command("AT+CMEE=1")
FUNCTIONALITY = Command("AT+CFUN?", ("+CFUN:",), needs_line=True, timeout=10.0)
PIN_STATE = Command("AT+CPIN?", ("+CPIN:",), info_final=True, needs_line=True, timeout=10.0)
PIN_RETRIES = Command("AT+CPINR", ("+CPINR:",), timeout=10.0)
NUMBER = Command("AT+CNUM", ("+CNUM:",), timeout=10.0)
SIGNAL = Command("AT+CSQ", ("+CSQ:",), needs_line=True)


def functionality(level: int, *, reset: bool = False) -> Command:
    """``AT+CFUN``: 1 full, 4 radio off, 0 minimum; ``reset`` restarts the modem, which may not answer any more."""
    return Command(f"AT+CFUN={level},1" if reset else f"AT+CFUN={level}", timeout=20.0)


def enter_pin(pin: str) -> Command:
    """``AT+CPIN="…"``. Wrong three times, it blocks the SIM: callers count."""
    return Command(f'AT+CPIN="{_checked(r"[0-9]{4,8}", pin, "the PIN")}"', ("+CPIN:",), timeout=30.0)


# -- the network -------------------------------------------------------------------------------------------------------
# Solicited: <n>,<stat>[,…]; unsolicited: <stat>[,<area>,…]. An area is quoted or longer than two digits.
_SOLICITED = r'\+C[EG]?REG: *[0-5] *, *"?(?:1[01]|\d)"? *(?:,.*)?'
REGISTRATION_DOMAINS = ("CREG", "CGREG", "CEREG")
OPERATOR = Command("AT+COPS?", ("+COPS:",), timeout=10.0)
OPERATOR_NUMERIC = Command("AT+COPS=3,2")
OPERATOR_NAME = Command("AT+COPS=3,0")
OPERATOR_AUTOMATIC = Command("AT+COPS=0", timeout=180.0)


def registration(domain: str) -> Command:
    """``AT+CREG?`` and its sisters; ``domain`` is one of REGISTRATION_DOMAINS."""
    return Command(f"AT+{domain}?", (f"+{domain}:",), shape=_SOLICITED, needs_line=True)


# -- messages ----------------------------------------------------------------------------------------------------------
SERVICE = Command("AT+CSMS?", ("+CSMS:",))
PDU_MODE = Command("AT+CMGF=0")
MESSAGE_FORMAT = Command("AT+CMGF?", ("+CMGF:",), needs_line=True)
STORAGES = Command("AT+CPMS?", ("+CPMS:",), timeout=10.0)
STORAGES_SUPPORTED = Command("AT+CPMS=?", ("+CPMS:",), timeout=10.0)
ROUTING = Command("AT+CNMI?", ("+CNMI:",))
ROUTING_SUPPORTED = Command("AT+CNMI=?", ("+CNMI:",))
KEEP_LINK = Command("AT+CMMS=2")
LINK = Command("AT+CMMS?", ("+CMMS:",), needs_line=True)
SMSC = Command("AT+CSCA?", ("+CSCA:",), timeout=10.0)
ACKNOWLEDGE = Command("AT+CNMA", timeout=5.0)
ACKNOWLEDGE_ZERO = Command("AT+CNMA=0", timeout=5.0)


def service(level: int) -> Command:
    """``AT+CSMS``: 0 the modem acknowledges to the network, 1 we do with ``AT+CNMA``."""
    return Command(f"AT+CSMS={level}", ("+CSMS:",))


def storages(*names: str) -> Command:
    """``AT+CPMS`` with one, two or three storages. The answer has 2, 4 or 6 numbers, or none."""
    listed = ",".join(f'"{_checked(r"[A-Z_]{2,8}", name, "the storage")}"' for name in names)
    return Command(f"AT+CPMS={listed}", ("+CPMS:",), timeout=10.0)


def routing(*modes: int) -> Command:
    """``AT+CNMI=<mode>[,<mt>[,<bm>[,<ds>[,<bfr>]]]]``."""
    return Command("AT+CNMI=" + ",".join(str(int(mode)) for mode in modes))


def set_smsc(number: str) -> Command:
    """``AT+CSCA``: the service centre's number; 145 = international."""
    kind = 145 if _checked(r"\+?[0-9]{3,20}", number, "the SMSC").startswith("+") else 129
    return Command(f'AT+CSCA="{number}",{kind}', timeout=10.0)


def cmgs(
    length: int,
    pdu_hex: str,
    *,
    token: str | None = None,
    timeout: float = T_NET,
    prompt: bool = True,
    prompt_timeout: float = PROMPT_TIMEOUT,
) -> Command:
    """Submit one TPDU. ``length`` counts its octets without the SMSC field that ``pdu_hex`` begins with."""
    payload = pdu_hex.upper().encode("ascii", "replace")
    return Command(
        f"AT+CMGS={int(length)}", ("+CMGS:",), timeout=timeout, payload=payload, token=token, prompt=prompt,
        prompt_timeout=prompt_timeout,
    )  # fmt: skip


def cmgl(status: int = 4, *, keep_unread: bool = False) -> Command:
    """List messages: 0 unread, 1 read, 2 unsent, 3 sent, 4 all. ``keep_unread``: a form that not every modem has."""
    text = f"AT+CMGL={int(status)},1" if keep_unread else f"AT+CMGL={int(status)}"
    return Command(text, ("+CMGL:",), pdu_lines=True, timeout=60.0, idle=20.0)


def cmgr(index: int) -> Command:
    """Read one message."""
    return Command(f"AT+CMGR={int(index)}", ("+CMGR:",), pdu_lines=True, timeout=10.0)


def cmgd(index: int) -> Command:
    """Delete one message. The forms that delete many are not offered: they take messages that nobody has read."""
    return Command(f"AT+CMGD={int(index)}", timeout=30.0)


# -- USSD and calls ----------------------------------------------------------------------------------------------------
USSD_CANCEL = Command("AT+CUSD=2", timeout=10.0)
SHOW_CALLERS = Command("AT+CLIP=1", timeout=10.0)
HANGUP_WITH_ATH = Command("AT+CVHU=0")
NO_AUTO_ANSWER = Command("ATS0=0")
HANG_UP = Command("AT+CHUP", timeout=10.0)
HANG_UP_OLD = Command("ATH", timeout=10.0)


def alphabet(name: str, *, quoted: bool = True) -> Command:
    """``AT+CSCS``: the alphabet of texts outside PDUs."""
    _checked(r"[A-Z0-9-]{2,12}", name, "the alphabet")
    return Command(f'AT+CSCS="{name}"' if quoted else f"AT+CSCS={name}")


def ussd(code: str, *, dcs: int | None = 15) -> Command:
    """``AT+CUSD=1``: digits, ``*``, ``#``, ``+``, or the hex that a modem wants instead. The answer comes as a URC."""
    _checked(r"[0-9A-Fa-f*#+]{1,320}", code, "the USSD code")
    return Command(f'AT+CUSD=1,"{code}"' + (f",{dcs}" if dcs is not None else ""), timeout=30.0)
