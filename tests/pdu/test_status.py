"""TP-ST: every value has an outcome and a sentence, and nothing that is not a delivery is called one."""

import re

import pytest

from modemgw.pdu.status import meaning


@pytest.mark.parametrize(
    ("values", "outcome", "retryable"),
    [
        ([0x00, *range(0x02, 0x20)], "delivered", False),
        ([0x01], "unconfirmed", False),
        (range(0x20, 0x40), "pending", False),
        (range(0x40, 0x60), "undelivered", False),
        (range(0x60, 0x80), "undelivered", True),
        (range(0x80, 0x100), "undelivered", False),
    ],
)
def test_outcomes(values: range | list[int], outcome: str, retryable: bool) -> None:
    for value in values:
        status = meaning(value)
        assert (status.outcome, status.retryable) == (outcome, retryable)


def test_every_value_has_a_code_and_one_plain_sentence() -> None:
    for value in range(256):
        status = meaning(value)
        assert re.fullmatch(r"[a-z_]+", status.code)
        assert re.fullmatch(r"[A-Z][^.]+\.", status.text)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (0x00, "delivered"),
        (0x01, "forwarded_unconfirmed"),
        (0x02, "replaced"),
        (0x22, "no_response"),
        (0x30, "still_trying"),
        (0x43, "not_obtainable"),
        (0x46, "validity_expired"),
        (0x50, "refused_for_good"),
        (0x62, "no_response"),
        (0x70, "gave_up"),
        (0xAB, "unknown_status"),
    ],
)
def test_codes(value: int, code: str) -> None:
    assert meaning(value).code == code
