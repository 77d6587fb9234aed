"""What clients send: bodies and queries. Unknown fields are errors, types are exact, all errors come at once."""

import base64
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from modemgw.api.fields import Base64, Instant, Name, Number, QueryInstant, QueryNumber, Reference
from modemgw.domain.errors import Problem
from modemgw.domain.message import EncodingChoice, OnUncertain, Order
from modemgw.gateway.accept import LONGEST_TTL_S, MAX_RECIPIENTS
from modemgw.http.body import UNION_TAG, Body, Query

_ONE, _MANY = f"{UNION_TAG}one", f"{UNION_TAG}many"

Class = Literal["otp", "alert", "transactional", "bulk", "command"]
Status = Literal[
    "scheduled", "queued", "sending", "uncertain", "sent", "delivered", "undelivered", "failed", "expired", "cancelled",
    "unknown", "held",
]  # fmt: skip


def _one_or_many(value: object) -> str | None:
    if isinstance(value, str):
        return _ONE
    return _MANY if isinstance(value, list) else None


Recipients = Annotated[
    Annotated[Number, Tag(_ONE)] | Annotated[list[Number], Field(min_length=1, max_length=MAX_RECIPIENTS), Tag(_MANY)],
    Discriminator(
        _one_or_many,
        custom_error_type="wrong_type",
        custom_error_message="This must be a number such as +49…, or a list of them.",
    ),
]


_EXAMPLE: JsonDict = {"example": {"to": "+4915112345678", "text": "Your parcel is ready to be picked up."}}


class Content(Body):
    """What a message consists of, and how it is to be treated."""

    text: Annotated[str, Field(max_length=40_000)] | None = Field(None, description="The text. Either this or `data`.")
    data: Base64 | None = Field(None, description="Octets for an application on the other side; needs `port`.")
    port: Annotated[int, Field(ge=0, le=65535)] | None = Field(None, description="The destination port.")
    class_: Class = Field(
        "transactional", alias="class", description="How urgent it is, and whether it may be repeated."
    )
    priority: Annotated[int, Field(ge=-10, le=10)] = Field(0, description="Inside the class; higher goes first.")
    send_at: Instant | None = Field(None, description="Not before this time.")
    ttl: Annotated[int, Field(ge=1, le=LONGEST_TTL_S)] | None = Field(
        None, description="Seconds after which it is not worth sending; the class has a default."
    )
    report: bool = Field(True, description="Ask the network for a delivery report.")
    flash: bool = Field(False, description="Show it at once on the phone's screen (class 0).")
    encoding: EncodingChoice = Field("auto", description="`gsm7` refuses what does not fit; `ucs2` forces it.")
    sim: Name | None = Field(None, description="Send through this SIM: its name, ICCID or number.")
    ref: Reference | None = Field(None, description="Your own reference; comes back in every answer.")
    on_uncertain: OnUncertain | None = Field(
        None, description="When nobody knows whether a segment was sent: send once more, or never; see `class`."
    )

    @classmethod
    def cross_check(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        has_text, has_data = given.get("text") is not None, given.get("data") is not None
        if has_text == has_data:
            yield Problem("text", "text_or_data", "Exactly one of text and data is needed.")
        if has_data and given.get("port") is None:
            yield Problem("port", "missing", "Data needs the destination port.")
        if has_data and given.get("encoding", "auto") != "auto":
            yield Problem("encoding", "not_for_data", "Data is sent as it is: leave encoding out.")

    def order_to(self, to: str | list[str] | None) -> Order:
        """As the gateway takes it; the recipients stay as they were written."""
        return Order(
            to=tuple(to) if isinstance(to, list) else (to,) if to is not None else (),
            text=self.text,
            data=base64.b64decode(self.data) if self.data is not None else None,
            port=self.port,
            class_=self.class_,
            priority=self.priority,
            send_at_ms=self.send_at,
            ttl_s=self.ttl,
            report=self.report,
            flash=self.flash,
            encoding=self.encoding,
            sim=self.sim,
            ref=self.ref,
            on_uncertain=self.on_uncertain,
            many=isinstance(to, list),
        )


class NewMessage(Content):
    """A message for one recipient or many."""

    model_config = ConfigDict(json_schema_extra=_EXAMPLE)

    to: Recipients = Field(description="One number, or a list: then it is accepted for all of them or for none.")

    def order(self) -> Order:
        return self.order_to(self.to)


class Draft(Content):
    """A message that is only looked at; recipients are optional."""

    model_config = ConfigDict(json_schema_extra=_EXAMPLE)

    to: Recipients | None = Field(None, description="Checked like those of a message that is sent.")

    def order(self) -> Order:
        return self.order_to(self.to)


class Resolution(Body):
    """How an operator closes a message whose fate is unknown."""

    outcome: Literal["sent", "failed"]


def _is_pin(value: str) -> str:
    if not (value.isascii() and value.isdigit() and 4 <= len(value) <= 8):
        raise PydanticCustomError("not_a_pin", "A PIN has four to eight digits.")
    return value


class Pin(Body):
    """The PIN of the SIM in a modem."""

    pin: Annotated[str, AfterValidator(_is_pin)] = Field(
        json_schema_extra={"pattern": "^[0-9]{4,8}$", "writeOnly": True}
    )


def _is_ussd(value: str) -> str:
    if not (1 <= len(value) <= 160 and set(value) <= set("0123456789*#+")):
        raise PydanticCustomError("not_a_ussd_code", "A USSD code has only digits, *, # and +.")
    if value.startswith("**0"):
        raise PydanticCustomError("not_a_ussd_code", "Codes that change or try a PIN are not sent.")
    return value


class Ussd(Body):
    """A USSD code such as `*100#`, or the reply to a menu."""

    code: Annotated[str, AfterValidator(_is_ussd)] = Field(
        json_schema_extra={"pattern": "^[0-9*#+]{1,160}$"}, examples=["*100#"]
    )
    keep_open: bool = Field(False, description="A menu is left open, for the next request to choose from it.")


class Wait(Query):
    """Whether to wait for the end."""

    wait: Annotated[int, Field(ge=0, le=60)] = Field(
        0, description="Answer only when the status is final, or after this many seconds."
    )


class Page(Query):
    """Which part of a list."""

    limit: Annotated[int, Field(ge=1, le=500)] = Field(50, description="How many at the most.")
    cursor: Annotated[str, Field(max_length=100)] | None = Field(
        None, description="`next_cursor` of the page before; opaque."
    )


class MessageFilter(Page):
    """Which messages; all conditions have to hold."""

    direction: Literal["outbound", "inbound"] | None = None
    status: Status | None = Field(None, description="Outbound messages in this status.")
    peer: QueryNumber | None = Field(None, description="To or from this number, as the API writes it.")
    sim: Name | None = Field(None, description="A SIM's name, ICCID or number.")
    ref: Reference | None = None
    q: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(None, description="Text that it contains.")
    since: QueryInstant | None = Field(None, description="Accepted or received at this time or later.")
    until: QueryInstant | None = Field(None, description="Accepted or received before this time.")


class InboxFilter(Page):
    """Which received messages."""

    unread: bool | None = Field(None, description="Only those that are not (or are) marked as read.")
