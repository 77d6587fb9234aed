"""The catalogue of error codes, gathered from where they are made; it is part of the API document.

``MESSAGE``: what can become of a message. ``REQUEST``: what can be wrong with a request.
"""

from collections.abc import Mapping

from modemgw.at import cms
from modemgw.pdu import status

_GATEWAY = {
    "no_answer": "The modem took the message and never said what became of it.",
    "cut_off": "The service ended while the modem was sending, before it had answered.",
    "outcome_unknown": "Nobody knows whether the message was sent, and no proof was found.",
    "modem_refused": "The modem refused the message without a number.",
    "cannot_be_encoded": "The message can't be put into the form that the network takes.",
    "expired": "The message was not sent in time.",
    "partly_sent": "The time to live was over when only a part of the message had been sent.",
    "resolved_failed": "An operator closed the message as not sent.",
}

RECIPIENT = {
    "invalid_number": "This is not a phone number, or no country has such a number.",
    "number_too_short": "The number has too few digits for its country.",
    "number_too_long": "The number has too many digits for its country.",
    "country_not_allowed": "Messages to this country are not allowed (policy.countries).",
    "short_code_not_allowed": "This short number is not allowed (policy.short_codes).",
    "home_country_unknown": "National numbers can't be read before a SIM is seen or home_country is set.",
}

REQUEST = {
    "missing": "Something that is required is not there.",
    "unknown_field": "There is no such field or parameter.",
    "wrong_type": "The value is of another kind.",
    "given_twice": "A query parameter was given twice.",
    "control_character": "There are control characters where none belong.",
    "not_a_time": "The time is not written as RFC 3339 wants it.",
    "no_offset": "The time has no offset from UTC.",
    "not_base64": "The data is not base64.",
    "empty": "The value is empty.",
    "not_a_pin": "A PIN has four to eight digits.",
    "not_a_ussd_code": "A USSD code has only digits, *, # and +, and does not change or try a PIN.",
    "text_or_data": "Exactly one of text and data is needed.",
    "not_for_data": "Data has no encoding to choose.",
    "cannot_be_sent": "The text or the data can't be sent as it is; the sentence says why.",
    "out_of_range": "The value lies outside of what is possible.",
    "too_many": "There are too many recipients for one request.",
    "unknown_sim": "No SIM has this name, ICCID or number.",
    "unknown_class": "There is no such class.",
    "unknown_cursor": "This cursor was never given out.",
    "idempotency_key": "The Idempotency-Key is not one.",
    "idempotency_key_reused": "The Idempotency-Key came before with another body.",
    **RECIPIENT,
}


def _from_tables() -> dict[str, str]:
    """Codes that networks, modems and delivery reports can bring about."""
    found: dict[str, str] = {}
    for number in range(1, 1024):
        meaning = cms.meaning(number)
        # Numbers without a row of their own share a code, whose sentence then holds the number.
        found.setdefault(meaning.code, meaning.text.replace(f" (cause {number})", "").replace(f" ({number})", ""))
    for value in range(256):
        what = status.meaning(value)
        if what.outcome == "undelivered":
            found.setdefault(what.code, what.text)
    return found


CATALOGUE: Mapping[str, str] = {**_GATEWAY, **_from_tables(), **RECIPIENT}


def table(codes: Mapping[str, str]) -> str:
    """The codes as a list in Markdown."""
    return "\n".join(f"- `{code}`: {text}" for code, text in codes.items())
