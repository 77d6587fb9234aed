"""How people write numbers, and where messages may go."""

import random

import pytest

from modemgw.domain import msisdn
from modemgw.domain.mcc import country_of as home_of
from modemgw.domain.msisdn import DestinationPolicy, InvalidRecipient, check_country, country_of, normalise

GERMAN = DestinationPolicy("DE")
ANYWHERE = DestinationPolicy("DE", ("*",))


@pytest.mark.parametrize(
    ("raw", "policy", "number"),
    [
        ("+49 155 51000001", GERMAN, "+4915551000001"),
        ("0155/51000001", GERMAN, "+4915551000001"),
        ("0049 (0)155-51000001".replace("(0)", ""), GERMAN, "+4915551000001"),
        ("06 12 34 56 78", DestinationPolicy("FR"), "+33612345678"),
        ("+12125550123", ANYWHERE, "+12125550123"),
        ("36665", DestinationPolicy("DE", (), ("36665",)), "36665"),
        ("+4915551000001", DestinationPolicy(), "+4915551000001"),
    ],
)
def test_normalised(raw: str, policy: DestinationPolicy, number: str) -> None:
    assert normalise(raw, policy) == number


@pytest.mark.parametrize(
    ("raw", "policy", "code"),
    [
        ("call me", GERMAN, "invalid_number"),
        ("+49155510000a1", GERMAN, "invalid_number"),
        ("+4915551000001\r", GERMAN, "invalid_number"),
        ("+4915551000001\x1a", GERMAN, "invalid_number"),
        ('+49155";+CMGD=1,4', GERMAN, "invalid_number"),
        ("+49١٥٥٥١٠٠٠٠٠١", GERMAN, "invalid_number"),
        ("", GERMAN, "invalid_number"),
        ("+", GERMAN, "invalid_number"),
        ("+4", GERMAN, "invalid_number"),
        ("+999123456789", GERMAN, "invalid_number"),
        ("+4915551000001555100", GERMAN, "number_too_long"),
        ("+12125550123", GERMAN, "country_not_allowed"),
        ("+1868", ANYWHERE, "number_too_short"),
        ("+18681234567", DestinationPolicy("US"), "country_not_allowed"),
        ("+77011234567", DestinationPolicy("RU"), "country_not_allowed"),
        ("36665", GERMAN, "short_code_not_allowed"),
        ("110", GERMAN, "short_code_not_allowed"),
        ("015551000001", DestinationPolicy(), "home_country_unknown"),
    ],
)
def test_refused_in_words(raw: str, policy: DestinationPolicy, code: str) -> None:
    with pytest.raises(InvalidRecipient) as caught:
        normalise(raw, policy)
    assert caught.value.code == code
    assert caught.value.text.endswith(".")
    assert len(raw) < 4 or raw not in caught.value.text


def test_numbers_that_no_table_knows_are_judged_by_length_and_country_alone() -> None:
    assert normalise("+4915999999999", GERMAN) == "+4915999999999"


def test_a_number_accepted_before_home_was_known_is_checked_again() -> None:
    with pytest.raises(InvalidRecipient):
        check_country("+12125550123", GERMAN)
    check_country("+4915551000001", GERMAN)
    check_country("36665", GERMAN)


def test_countries() -> None:
    assert country_of("+447911123456") == "GG"
    assert country_of("36665") is None
    assert (home_of("262011234567890"), home_of("310150123456789"), home_of("999"), home_of(None)) == (
        "DE", "US", None, None,
    )  # fmt: skip


def test_numbers_written_in_full_are_read_the_short_way_with_the_same_result() -> None:
    rng = random.Random(3)
    short = 0
    for _ in range(2000):
        national = "".join(rng.choice("0123456789") for _ in range(rng.randrange(4, 12)))
        number = f"+{rng.choice(sorted(msisdn.phonenumbers.COUNTRY_CODE_TO_REGION_CODE))}{national}"
        country = msisdn._plain(number)
        if country is not None:
            short += 1
            assert (msisdn._normalise(number, ANYWHERE), country_of(number)) == (number, country)
    assert short > 200
