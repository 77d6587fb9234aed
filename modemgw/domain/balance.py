"""Pure: what an operator's answer says is left on a SIM. The wordings are data; here is how they are read.

Rather no amount than a wrong one: an answer counts only where a word for the balance, or nothing else, stands beside
the amount. Dates, times, numbers, volumes and percentages are blanked first. Only the beginning of an answer is looked
at, so that no pattern can work on it for long.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from modemgw.domain.money import Money

LONGEST_ANSWER = 480  # characters; three messages
LONGEST_PATTERN = 200
_BLANK = "¤"
_MARKS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2011": "-", "\u066b": ".", "\u066c": ",", "\u2019": "'"})
_LETTER = r"[^\W\d_]"
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{2,3})*[.,]\d{3}")
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)  # an escape or a class
_WIDE = re.compile(r"\\[DSWw]|\[\^|\[.*?(?:[aA]-[zZ]|\\[DSWw])", re.DOTALL)  # those that take nearly anything
_MOST_WIDE = 2  # repetitions of nearly anything: each one multiplies the time by the length of the answer
_MOST_REPEATS = 5


class Wordings:
    """How operators word a balance, out of a document as ``gateway/balance.toml`` describes it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._codes = {mark.casefold(): code for code, marks in document["currencies"].items() for mark in marks}
        self._codes |= {code.casefold(): code for code in document["currencies"] if code.isalpha()}
        self._thousandths = frozenset(document["thousandths"])
        parts = {name: _either(words) for name, words in document["words"].items()}
        parts["currency"] = _currency(self._codes)
        for name, text in document["parts"].items():
            parts[name] = _filled(text, parts)
        self._skip = [re.compile(_filled(each, parts), re.IGNORECASE) for each in document["skip"]]
        self._patterns = [re.compile(_filled(each, parts), re.IGNORECASE) for each in document["patterns"]]

    def read(self, text: str, own: re.Pattern[str] | None = None) -> Money | None:
        """The balance that an answer tells; None where none can be found.

        ``own``: the owner's pattern, if there is one; its group ``currency`` is used where it has one.
        """
        cleaned = _cleaned(text)
        if own is not None:
            found = own.search(cleaned)
            return self._money(found, found.groupdict().get("currency") or "") if found else None
        for skip in self._skip:
            cleaned = skip.sub(_BLANK, cleaned)
        for pattern in self._patterns:
            found = pattern.search(cleaned)
            if found is not None:
                return self._money(found, found["before"] or found["after"] or "")
        return None

    def _money(self, found: re.Match[str], mark: str) -> Money | None:
        code = self._codes.get(mark.casefold()) or self._codes.get(mark.casefold().removesuffix("."))
        currency = code or mark.strip() or None
        groups = found.groupdict()
        amount = read_amount(groups["amount"] or "", thousandths=currency in self._thousandths)
        if amount is None:
            return None
        return Money(-amount if groups.get("minus") or groups.get("minus_too") else amount, currency)


def read_amount(written: str, *, thousandths: bool = False) -> Decimal | None:
    """``1.234,56``, ``1,23,456.7`` or ``- 5`` as a number; None where it is none.

    With both signs the last one is the decimal sign. One alone with three digits behind it separates thousands, unless
    a zero stands before it or the currency has ``thousandths``.
    """
    digits = re.sub(r"[\s']", "", _cleaned(written))
    minus = digits.startswith("-")
    digits = digits.removeprefix("-").removeprefix("+")
    last = max(digits.rfind("."), digits.rfind(","))
    if last >= 0:
        sign, before, behind = digits[last], digits[:last], digits[last + 1 :]
        grouped = _GROUPED.fullmatch(digits) and (before.count(sign) or not (thousandths or before == "0"))
        if len({".", ","} & set(digits)) == 1 and grouped:
            digits = digits.replace(sign, "")
        elif before.count(sign):
            return None
        else:
            digits = re.sub(r"[.,]", "", before) + "." + behind
    if not re.fullmatch(r"\d{1,12}(\.\d{1,4})?", digits):
        return None
    amount = Decimal(digits)
    return -amount if minus else amount


def compile_pattern(text: str) -> re.Pattern[str]:
    """The owner's own pattern. Raises ValueError with a sentence.

    One that could take for ever on an answer that nearly fits is refused.
    """
    if len(text) > LONGEST_PATTERN:
        raise ValueError(f"the pattern is longer than {LONGEST_PATTERN} characters")
    try:
        pattern = re.compile(text, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"this is no regular expression: {error}") from None
    if "amount" not in pattern.groupindex:
        raise ValueError("it needs a group for the amount, such as (?P<amount>[0-9.,]+)")
    if _can_run_away(text):
        raise ValueError(
            "it could search for ever: repeat no group that has + or * or | in it, and write .{0,40} in place of .*"
        )
    return pattern


def _can_run_away(text: str) -> bool:
    """Does a repeated group hold a repetition or a choice, or do too many repetitions take nearly anything?"""
    signs = _TOKEN.sub(lambda token: "." if _WIDE.match(token[0]) else "a", text).replace("(?", "(")
    wide, repeats = re.findall(r"\.(?:[*+]|\{\d*,\})", signs), re.findall(r"[*+]|,\}", signs)
    if len(wide) > _MOST_WIDE or len(repeats) > _MOST_REPEATS:
        return True
    open_groups: list[bool] = []
    for place, sign in enumerate(signs):
        if sign == "(":
            open_groups.append(False)
        elif sign == ")" and open_groups:
            inside = open_groups.pop()
            if inside and signs[place + 1 : place + 2] in ("*", "+", "{"):
                return True
            if open_groups:
                open_groups[-1] |= inside
        elif sign in "*+{|" and open_groups:
            open_groups[-1] = True
    return False


def _cleaned(text: str) -> str:
    """One kind of space, minus and digit; the beginning alone."""
    return unicodedata.normalize("NFKC", text[:LONGEST_ANSWER]).translate(_MARKS)[:LONGEST_ANSWER]


def _filled(text: str, parts: Mapping[str, str]) -> str:
    """Puts the parts in place of their names in double braces."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], text)


def _either(words: Sequence[str]) -> str:
    return rf"(?<!\w)(?:{'|'.join(sorted(words, key=len, reverse=True))})(?!{_LETTER})"


def _currency(marks: Mapping[str, str]) -> str:
    """Any of the marks; a Latin letter alone stands right before the digits."""
    return rf"(?<!{_LETTER})(?:{'|'.join(_mark(each) for each in sorted(marks, key=len, reverse=True))})"


def _mark(mark: str) -> str:
    if not mark[-1].isalpha():
        return re.escape(mark)
    return re.escape(mark) + (r"(?=-?\d)" if len(mark) == 1 and mark.isascii() else rf"\.?(?!{_LETTER})")
