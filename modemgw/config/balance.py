"""How a prepaid SIM is to be asked what is left on it: what each value must look like, and what belongs together.

As in ``checks``, each function raises ValueError with a sentence that says what to do.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from modemgw.domain.balance import compile_pattern

_WAYS = {"balance_ussd", "balance_sms_to", "balance_sms_text"}


def ussd(value: str) -> str:
    """A code that is dialled. Those that change or try a PIN are not."""
    if not re.fullmatch(r"[0-9*#+]{1,160}", value):
        raise ValueError(f'`{value}` is not a USSD code: digits, *, # and + only, such as "*100#"')
    if value.startswith("**0"):
        raise ValueError("codes that change or try a PIN are not sent")
    return value


def number(value: str) -> str:
    """A short code, or a number in full."""
    if not re.fullmatch(r"[0-9]{2,8}|\+[1-9][0-9]{5,14}", value):
        raise ValueError(
            f'`{value}` is neither a short code such as "4443" nor a number in full with + and the country'
        )
    return value


def text(value: str) -> str:
    """What the operator wants to read: one message."""
    if not value.strip() or len(value) > 70:
        raise ValueError("give the text that the operator expects, 70 characters at the most")
    return value


def sender(value: str) -> str:
    """Whom the answer comes from: a number or a name."""
    if not 1 <= len(value.strip()) <= 20:
        raise ValueError("give the number or the name that the answer comes from, as the inbox shows it")
    return value.strip()


def amount(value: Any) -> Decimal:
    """An amount as it is written in the file: a number with four decimals at the most."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("it must be a number, such as 5 or 2.50")
    found = Decimal(repr(value))
    if not found.is_finite() or abs(found) >= 10**12 or found != round(found, 4):
        raise ValueError("it must be an amount with four decimals at the most")
    return found if found != found.to_integral_value() else Decimal(int(found))


def pattern(value: str) -> str:
    """The owner's own regular expression."""
    compile_pattern(value)
    return value


def across(table: Mapping[str, Any]) -> Iterable[tuple[tuple[str, ...], str]]:
    """(path, sentence) for what the keys of one ``[[sim]]`` must not be together."""
    if "balance_sms_to" in table and "balance_sms_text" not in table:
        yield ("balance_sms_to",), "give `balance_sms_text` too, the text that asks"
    for key in ("balance_sms_text", "balance_sms_from"):
        if key in table and "balance_sms_to" not in table:
            yield (key,), "give `balance_sms_to` too, the number that is asked"
    for key in ("balance_every", "balance_low", "balance_pattern"):
        if key in table and not _WAYS & table.keys():
            yield (key,), "give `balance_ussd`, or `balance_sms_to` and `balance_sms_text`: how is the SIM asked?"
