"""Recipients: how people write numbers -> how the network wants them, and where messages may go.

A number is refused by its length and its country only: number plans change faster than any table of valid ranges.
Sources: ITU-T E.164; phone number metadata of the phonenumbers package.
"""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import phonenumbers

from modemgw.domain.errors import Problem

_SEPARATORS = re.compile(r"[ \u00a0()./-]")
_IN_FULL = re.compile(r"\+[1-9][0-9]{6,14}")
_DIALLED = re.compile(r"\+?[0-9]{1,20}")
_LONGEST_SHORT_CODE = 6


@dataclass(frozen=True, slots=True)
class DestinationPolicy:
    """Where messages may go. ``countries``: ISO codes, or ("*",) for anywhere; empty: the home country alone.

    ``home_country`` is None until it is known (no configuration, and no SIM seen yet).
    """

    home_country: str | None = None
    countries: tuple[str, ...] = ()
    short_codes: tuple[str, ...] = ()

    @property
    def allowed(self) -> tuple[str, ...]:
        """The countries that count; empty while nothing is known, which is not the same as nowhere."""
        return self.countries or ((self.home_country,) if self.home_country else ())


class InvalidRecipient(ValueError):
    """A recipient that can't be written to; ``code`` and ``text`` say why and what to do."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    def problem(self, path: str) -> Problem:
        return Problem(path, self.code, self.text)


def normalise(raw: str, policy: DestinationPolicy) -> str:
    """``+`` and digits, or a short code as it is. Raises InvalidRecipient."""
    return located(raw, policy)[0]


def located(raw: str, policy: DestinationPolicy) -> tuple[str, str]:
    """The number as ``normalise`` gives it, and its country ("" for a short code). Raises InvalidRecipient."""
    country = _plain(raw)
    if country is not None:
        _check_allowed(country, policy.allowed)
        return raw, country
    number = _normalise(raw, policy)
    return number, country_of(number) or ""


def _normalise(raw: str, policy: DestinationPolicy) -> str:
    written = _SEPARATORS.sub("", raw)
    if not _DIALLED.fullmatch(written):
        raise InvalidRecipient("invalid_number", "This is not a phone number: write it as +49… with digits only.")
    if written.startswith("00"):
        written = "+" + written[2:]
    if not written.startswith("+") and len(written) <= _LONGEST_SHORT_CODE:
        return _short_code(written, policy)
    if not written.startswith("+") and policy.home_country is None:
        raise InvalidRecipient(
            "home_country_unknown",
            "National numbers can't be read yet: write the number with + and country code, or set home_country.",
        )
    number = _parse(written, policy.home_country)
    _check_country(number, policy.allowed)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def check_country(number: str, policy: DestinationPolicy) -> None:
    """Raises InvalidRecipient for a normalised number whose country is not allowed; short codes pass."""
    country = _plain(number)
    if country is not None:
        _check_allowed(country, policy.allowed)
    elif number.startswith("+"):
        _check_country(_parse(number, None), policy.allowed)


def country_of(number: str) -> str | None:
    """The country of a number in E.164 form; None for short codes and unknown country codes."""
    return _regions(_parse(number, None))[0] if number.startswith("+") else None


def _short_code(written: str, policy: DestinationPolicy) -> str:
    if written in policy.short_codes:
        return written
    raise InvalidRecipient(
        "short_code_not_allowed",
        "Short numbers may cost extra, so each one must be allowed: add it to policy.short_codes.",
    )


def _parse(written: str, home_country: str | None) -> phonenumbers.PhoneNumber:
    try:
        number = phonenumbers.parse(written, home_country)
    except phonenumbers.NumberParseException:
        raise InvalidRecipient("invalid_number", "No country has such a number: check the country code.") from None
    match phonenumbers.is_possible_number_with_reason(number):
        case phonenumbers.ValidationResult.TOO_SHORT:
            raise InvalidRecipient("number_too_short", "The number has too few digits for its country.")
        case phonenumbers.ValidationResult.TOO_LONG:
            raise InvalidRecipient("number_too_long", "The number has too many digits for its country.")
        case phonenumbers.ValidationResult.INVALID_COUNTRY_CODE:
            raise InvalidRecipient("invalid_number", "No country has such a number: check the country code.")
        case phonenumbers.ValidationResult.INVALID_LENGTH:
            raise InvalidRecipient("invalid_number", "No number of that country has this many digits.")
    return number


def _regions(number: phonenumbers.PhoneNumber) -> Sequence[str]:
    """The country of a number, or of its country code where the ranges are not known; never empty."""
    exact = phonenumbers.region_code_for_number(number)
    if exact is not None:
        return (exact,)
    return tuple(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(number.country_code or 0, ("001",)))[:1]


def _plain(number: str) -> str | None:
    """The country of a number that is written in full already, where its length alone says that it is good.

    That is so in most countries; None where the number has to be looked at more closely.
    """
    if not _IN_FULL.fullmatch(number):
        return None
    for length in (1, 2, 3):
        country, lengths, trunk = _numbering(int(number[1 : 1 + length]))
        if country:
            national = number[1 + length :]
            return country if len(national) in lengths and not national.startswith(("0", trunk or "0")) else None
    return None


@functools.cache
def _numbering(code: int) -> tuple[str, frozenset[int], str]:
    """(country, possible lengths, trunk prefix) of a country code; no country where a number's form depends on more."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ())
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(regions[0], None) if len(regions) == 1 else None
    if metadata is None or metadata.general_desc is None or metadata.national_prefix_transform_rule:
        return "", frozenset(), ""
    trunk = metadata.national_prefix_for_parsing or ""
    if not (trunk == "" or trunk.isdigit()) or metadata.leading_zero_possible:
        return "", frozenset(), ""
    return regions[0], frozenset(metadata.general_desc.possible_length), trunk


def _check_country(number: phonenumbers.PhoneNumber, allowed: Sequence[str]) -> None:
    if allowed and "*" not in allowed:
        _check_allowed(_regions(number)[0], allowed)


def _check_allowed(country: str, allowed: Sequence[str]) -> None:
    if not allowed or "*" in allowed:
        return
    if country not in allowed:
        raise InvalidRecipient(
            "country_not_allowed",
            f"Messages to {country} are not allowed: add it to policy.countries if they should be.",
        )
