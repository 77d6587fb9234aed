"""``+CME ERROR`` numbers of the equipment: a word, the same policy letters as ``cms``, one plain sentence, and the
words that a modem uses instead of the number when it ignores ``AT+CMEE=1``.

Numbers overlap with ``+CMS ERROR`` and mean something else there: the family is never dropped. A ``+CME ERROR`` after
a payload proves nothing about the message. Source: 3GPP TS 27.007 9.2.
"""

from __future__ import annotations

from modemgw.at.cms import Meaning


def meaning(code: int) -> Meaning:
    """The table's row for a number; a general row for one that is not listed."""
    known = _TABLE.get(code)
    return known[0] if known else Meaning("modem_specific", "T", f"The modem reported an error of its own ({code}).")


def code_of(words: str) -> int | None:
    """The number for the verbose form of an error; None when the standard does not list these words."""
    return _BY_WORDS.get(" ".join(words.lower().split()))


_TABLE: dict[int, tuple[Meaning, str]] = {
    0: (Meaning("phone_failure", "M", "The modem had a failure."), "phone failure"),
    1: (Meaning("no_connection", "M", "The modem lost the connection to its radio part."), "no connection to phone"),
    2: (Meaning("link_reserved", "T", "The modem is in use by something else."), "phone-adaptor link reserved"),
    3: (Meaning("not_allowed", "N", "The modem does not allow this now."), "operation not allowed"),
    4: (Meaning("not_supported", "P", "The modem does not know this operation."), "operation not supported"),
    5: (Meaning("phone_lock_required", "S", "The modem is locked to another SIM card."), "PH-SIM PIN required"),
    6: (Meaning("phone_lock_required", "S", "The modem is locked to its first SIM card."), "PH-FSIM PIN required"),
    7: (Meaning("phone_lock_required", "S", "The modem is locked to its first SIM card."), "PH-FSIM PUK required"),
    10: (Meaning("sim_not_inserted", "N", "There is no SIM card in the modem."), "SIM not inserted"),
    11: (Meaning("sim_pin_required", "S", "The SIM card wants its PIN."), "SIM PIN required"),
    12: (Meaning("sim_puk_required", "S", "The SIM card is blocked and wants its PUK."), "SIM PUK required"),
    13: (Meaning("sim_failure", "M", "The SIM card cannot be read; take it out and put it back."), "SIM failure"),
    14: (Meaning("sim_busy", "N", "The SIM card is still busy."), "SIM busy"),
    15: (Meaning("sim_wrong", "S", "The modem does not accept this SIM card."), "SIM wrong"),
    16: (Meaning("incorrect_password", "S", "The SIM card says that the PIN is wrong."), "incorrect password"),
    17: (Meaning("sim_pin2_required", "S", "The SIM card wants its PIN2."), "SIM PIN2 required"),
    18: (Meaning("sim_puk2_required", "S", "The SIM card wants its PUK2."), "SIM PUK2 required"),
    20: (Meaning("memory_full", "M", "The memory is full."), "memory full"),
    21: (Meaning("invalid_index", "P", "There is nothing in this place of the memory."), "invalid index"),
    22: (Meaning("not_found", "P", "The modem did not find it."), "not found"),
    23: (Meaning("memory_failure", "M", "The modem's memory has a failure."), "memory failure"),
    24: (Meaning("text_too_long", "P", "A text is too long for the modem."), "text string too long"),
    25: (
        Meaning("invalid_characters", "P", "The modem does not take these characters."),
        "invalid characters in text string",
    ),
    26: (Meaning("number_too_long", "P", "The number is too long for the modem."), "dial string too long"),
    27: (Meaning("invalid_number", "P", "The modem does not take this number."), "invalid characters in dial string"),
    30: (Meaning("no_network_service", "N", "The modem has no network."), "no network service"),
    31: (Meaning("network_timeout", "T", "The network did not answer in time."), "network timeout"),
    32: (
        Meaning("emergency_only", "N", "The network allows emergency calls only."),
        "network not allowed - emergency calls only",
    ),
    40: (
        Meaning("network_lock_required", "S", "The modem is locked to another operator."),
        "network personalization PIN required",
    ),
    41: (
        Meaning("network_lock_required", "S", "The modem is locked to another operator."),
        "network personalization PUK required",
    ),
    50: (Meaning("incorrect_parameters", "P", "The modem does not take these parameters."), "incorrect parameters"),
    100: (Meaning("unknown_error", "T", "The modem reported an error without saying which."), "unknown"),
    515: (
        Meaning("modem_busy", "N", "The modem is busy or still starting."),
        "please wait, init or command processing in progress",
    ),
}
_BY_WORDS: dict[str, int] = {words.lower(): code for code, (_, words) in _TABLE.items()}
_BY_WORDS |= {"network not allowed - emergency call only": 32, "network not allowed, emergency calls only": 32}
