"""What can differ between makes of modems: the sections and keys of a persona file.

What each key means is written beside it in `personas/generic.toml`, which sets them all.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Identity:
    """`[identity]`: what the modem says it is."""

    manufacturer: str
    model: str
    revision: str
    tac: str
    quoted: bool
    prefixed: bool
    iccid_command: str
    iccid_answer: str


@dataclass(frozen=True, slots=True)
class Line:
    """`[line]`: V.250 and the prompt."""

    prompt: str
    echo_payload: bool
    echo_ctrl_z: bool
    escape: Literal["OK", "ERROR", ""]
    bad_length: Literal["error", "hang"]
    busy: Literal["swallow", "refuse", "abort", "queue"]
    hold_urcs: bool
    urc_end: str
    unknown: Literal["ERROR", "CME 100", "CME 3", "CME 4", "COMMAND NOT SUPPORT"]
    answer_seconds: float
    info_start: str
    info_end: str
    lacks: tuple[str, ...]
    dozes_after: float


@dataclass(frozen=True, slots=True)
class Boot:
    """`[boot]`: what happens between power and service."""

    seconds: float
    drops_port: bool
    reset_answers: bool
    urcs: tuple[str, ...]
    urc_seconds: float
    sms_ready: float
    radio: float
    echo: bool
    cmgf: int
    csms: int
    autobaud_lines: int
    garbage: str
    not_ready: str
    stuck_after_reset: bool
    cfun_1_restarts: bool


@dataclass(frozen=True, slots=True)
class Ports:
    """`[ports]`: the ttys beside the first."""

    extra: tuple[Literal["modem", "aux", "diag", "nmea"], ...]
    urcs: Literal["first", "modem", "aux", "all"]


@dataclass(frozen=True, slots=True)
class Noise:
    """`[noise]`: what it says all the time."""

    lines: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Card:
    """`[card]`: the PIN dialogue."""

    busy_seconds: float
    pin_state_ends_with_ok: bool
    retry_command: str
    retry_answer: str


@dataclass(frozen=True, slots=True)
class Store:
    """`[storage]`: message memories."""

    sm: int
    me: int
    sr: int
    read: tuple[str, ...]
    write: tuple[str, ...]
    receive: tuple[str, ...]
    sr_base: int
    index_base: int
    compacts: bool
    default: tuple[str, ...]
    forms: tuple[int, ...]
    bare_ok: bool
    not_ready_times: int
    empty_read: Literal["OK", "0,,0", "321"]
    empty_delete: Literal["OK", "321"]
    list_answer: Literal["list", "303", "empty", "hang"]
    list_reports: bool
    alpha: bool
    report_header: str
    report_padding: int
    twin_every: int
    full_wait: float
    delete_seconds: float
    list_seconds: float
    counter_lag: float
    full_urc: str
    sends_when_full: bool


@dataclass(frozen=True, slots=True)
class Routing:
    """`[routing]`: `+CNMI`, `+CSMS` and acknowledgement."""

    mode: tuple[int, ...]
    mt: tuple[int, ...]
    bm: tuple[int, ...]
    ds: tuple[int, ...]
    bfr: tuple[int, ...]
    refuses: tuple[str, ...]
    error: Literal["ERROR", "303"]
    default: tuple[int, ...]
    csms: tuple[int, ...]
    report_storage: str
    report_indication: str
    cmt_storage: str
    cds_header: str
    cmt_header: str
    cmti: str
    cdsi: str
    class0: Literal["store", "show", "lose"]
    class0_header: str
    mwi_discard: Literal["store", "drop"]
    discard_while_busy: bool
    ack_seconds: float


@dataclass(frozen=True, slots=True)
class Radio:
    """`[radio]`: registration and operator."""

    domains: Literal["2g", "2g+4g", "4g"]
    area_format: str
    operator_long: str
    operator_short: str
    access: int
    names_access: bool
    rssi: int
    scan_seconds: float


@dataclass(frozen=True, slots=True)
class Sending:
    """`[sending]`: `+CMGS`."""

    least: int
    most: int
    answer: str
    longest: float
    too_long: str
    link_seconds: float


@dataclass(frozen=True, slots=True)
class Service:
    """`[service]`: USSD and calls."""

    ussd: Literal["plain", "packed", "ucs2"]
    ussd_seconds: float
    ring_seconds: float
    cvhu: int
    cscs: tuple[str, ...]
    ussd_in_ucs2: bool
    call_missed: str


@dataclass(frozen=True, slots=True)
class Persona:
    """One make of modem."""

    name: str
    summary: str
    identity: Identity
    line: Line
    boot: Boot
    card: Card
    storage: Store
    routing: Routing
    radio: Radio
    sending: Sending
    service: Service
    ports: Ports
    noise: Noise
    codes: dict[str, str]
    answers: dict[str, tuple[str, ...]]
    does: dict[str, str]
