"""What clients get back, as models for the document. The objects themselves are made by store.views and the gateway."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from modemgw.api.codes import CATALOGUE, table
from modemgw.api.requests import Class, Status

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-22T12:00:00.000Z"])]
SegmentStatus = Literal[
    "queued", "submitting", "submitted", "delivered", "undelivered", "failed", "uncertain", "unknown", "expired",
    "cancelled",
]  # fmt: skip
ModemState = Literal[
    "absent", "initializing", "locked", "searching", "registered", "denied", "failed", "disabled"
]  # fmt: skip
Encoding = Literal["gsm7", "ucs2", "8bit", "unknown"]


class Answer(BaseModel):
    """Fields may be added in later versions; those that are here keep their meaning."""

    model_config = ConfigDict(extra="ignore")


class MessageError(Answer):
    """What went wrong with a message."""

    code: str = Field(description=f"One of:\n\n{table(CATALOGUE)}", examples=["absent_subscriber"])
    text: str = Field(description="One plain sentence.")
    retryable: bool = Field(description="Sending it again later can make sense.")
    cms: int | None = Field(description="The number after `+CMS ERROR`, if a modem said one.")
    tp_status: int | None = Field(description="TP-Status of the delivery report, if one came.")


class Segment(Answer):
    """One of the short messages that a message consists of."""

    seq: int
    status: SegmentStatus
    sim: str | None
    modem: str | None
    mr: int | None = Field(description="The message reference that the network knows it by.")
    attempts: int = Field(description="How often it was handed to a modem.")
    submitted_at: Time | None
    finished_at: Time | None
    tp_status: int | None
    cms: int | None
    error: str | None = Field(description="The code of what went wrong with it.")


class Step(Answer):
    """Something that happened to a message; further fields depend on the event."""

    model_config = ConfigDict(extra="allow")

    at: Time
    event: str


class Considered(Answer):
    """A SIM and what spoke for or against it when the message was given to one."""

    sim: str | None
    reason: str


class Routing(Answer):
    """Why this SIM."""

    sim: str | None
    reason: str
    considered: list[Considered] = Field(default=[], description="The other SIMs.")


class Outbound(Answer):
    """A message that is to be sent, or was."""

    id: str
    direction: Literal["outbound"]
    to: str
    text: str | None
    data: str | None = Field(None, description="Base64, where octets were sent.")
    class_: Class = Field(alias="class")
    priority: int
    status: Status
    waiting_for: str | None = Field(description="Why it has not gone out yet.")
    encoding: Encoding
    segments: list[Segment]
    ref: str | None
    sim: str | None
    modem: str | None
    no_receipt: bool = Field(description="The delivery report did not come in time, or says nothing.")
    error: MessageError | None
    resend_of: str | None = Field(description="The message that this one repeats.")
    created_at: Time
    send_at: Time | None
    expires_at: Time | None
    sent_at: Time | None
    finished_at: Time | None
    timeline: list[Step] = Field(default=[], description="Where one message is asked for.")
    route: Routing | None = Field(None, description="Where one message is asked for.")


class Inbound(Answer):
    """A message that was received."""

    id: str
    direction: Literal["inbound"]
    from_: str = Field(alias="from")
    to: str | None = Field(description="The SIM's own number, if it is known.")
    text: str | None
    data: str | None = Field(None, description="Base64, where octets were received.")
    encoding: Encoding
    class_: Annotated[int, Field(ge=0, le=3)] | None = Field(alias="class", description="0 = flash.")
    parts: int
    complete: bool = Field(description="False: some parts never came.")
    sim: str | None
    modem: str | None
    sent_at: Time | None = Field(description="The service centre's time.")
    received_at: Time
    read: bool
    flags: list[str] = Field(description="Such as `possible_duplicate`.")


Message = Annotated[Outbound | Inbound, Field(discriminator="direction")]


class Accepted(Answer):
    """The messages of a list, in its order."""

    messages: list[Outbound]


class Messages(Answer):
    """A page of messages, newest first."""

    items: list[Message]
    next_cursor: str | None = Field(description="For the next page; null on the last one.")


class Inbox(Answer):
    """A page of received messages, newest first."""

    items: list[Inbound]
    next_cursor: str | None


class Preview(Answer):
    """What sending a message would take."""

    encoding: Encoding
    segments: int
    units_used: int = Field(description="Septets, UCS-2 units or octets in all segments.")
    units_left: int = Field(description="In the last segment.")
    ucs2_because: list[str] = Field(description="The characters that force UCS-2.")
    recipients: int
    cost_segments: int = Field(description="Segments that would be paid for, over all recipients.")


class SimInModem(Answer):
    """The SIM that a modem says it has."""

    iccid: str | None
    imsi: str | None
    name: str | None
    number: str | None


class Signal(Answer):
    """What the modem hears."""

    dbm: int | None
    verdict: str | None


class LastRecovery(Answer):
    """The last trouble of a modem that is over: what helped, and after how long."""

    cause: str = Field(description="no_answer, no_network, sends_fail or deaf.")
    step: str
    seconds: float


class Modem(Answer):
    """One modem. `simulated`: it is no hardware, and no message leaves the machine."""

    name: str
    port: str
    simulated: bool
    state: ModemState
    reason: str | None
    detail: str = Field(description="In plain words, with what to do about it.")
    imei: str | None
    manufacturer: str | None
    model: str | None
    revision: str | None
    sim: SimInModem | None
    operator: str | None
    roaming: bool
    signal: Signal
    sending: bool = Field(description="It may send now.")
    recoveries: dict[str, int] = Field(
        description="How often since the start each remedy was applied: resync, reopen, reattach, radio, reset, "
        "usb_reset, power, give_up."
    )
    last_recovery: LastRecovery | None


class Modems(Answer):
    """All modems."""

    items: list[Modem]
    next_cursor: None


class UssdAnswer(Answer):
    """What the network says to a USSD code."""

    modem: str
    text: str = Field(description="Decoded; empty if the network says nothing in words.")
    status: Literal[
        "done", "open", "closed", "ended_by_network", "answered_elsewhere", "not_supported", "network_timeout"
    ] = Field(description="`open`: a menu waits for your choice. `closed`: it was a menu, and nobody wanted to choose.")


class Limit(Answer):
    """A limit of a SIM, in segments or recipients."""

    limit: int
    used: int
    left: int
    until: Time | None = Field(None, description="When it begins anew.")
    forecast: str | None = Field(None, description="When it will be reached if things go on as they did.")


class Balance(Answer):
    """What is left on a prepaid SIM, as its operator said when it was last asked."""

    state: Literal["unknown", "fine", "low", "gone"] = Field(
        description="`low`: below `low_below`, and only urgent messages go out by it. `gone`: the network refuses "
        "messages as it does without credit."
    )
    amount: str | None = Field(description="Exact, with the decimals that the operator writes.", examples=["12.30"])
    currency: str | None = Field(description="ISO 4217, or the sign as it is written where several share it.")
    low_below: str | None
    read_at: Time | None
    text: str | None = Field(description="The last answer as it came, cut at 480 characters.")
    error: str | None = Field(description="Why the last question told no amount; the earlier one is still shown.")
    asked_at: Time | None
    next_at: Time | None = Field(description="When it is asked again.")


class Sim(Answer):
    """A SIM, whether or not it is in a modem now."""

    iccid: str | None
    imsi: str | None
    name: str | None
    number: str | None
    simulated: bool
    modem: str | None = Field(description="The modem that it is in.")
    available: bool = Field(description="It may send now.")
    blocked: str | None = Field(description="Why it may not.")
    sent_today: int = Field(description="Segments.")
    limits: dict[str, Limit] = Field(description="By name: per_hour, per_day, per_month, recipients_per_month.")
    balance: Balance | None = Field(description="Null where it is not asked for.")
    first_seen_at: Time
    last_seen_at: Time


class Sims(Answer):
    """All SIMs ever seen."""

    items: list[Sim]
    next_cursor: None


class Health(Answer):
    """The process answers; that is all this says."""

    status: Literal["ok"]


class Reason(Answer):
    """Why the gateway can't do its work now."""

    code: str
    text: str


class Readiness(Answer):
    """Whether messages can be sent now."""

    ready: bool
    reasons: list[Reason]


OpenApi = dict[str, Any]
