"""USSD strings in every coding that modems use, and what broken firmware makes of them."""

import pytest

from modemgw.gateway.ussd import decode, encode
from modemgw.pdu.errors import PduError


@pytest.mark.parametrize(
    ("code", "packed"),
    [
        ("*100#", "AA180C3602"),
        ("*101#", "AA182C3602"),
        ("*123#", "AA986C3602"),
        ("*12345#", "AA986C46AB8D1A"),  # seven septets: a CR fills the spare bits
    ],
)
def test_a_code_is_packed_where_the_profile_says_so(code: str, packed: str) -> None:
    assert encode(code, packed=True) == packed
    assert encode(code, packed=False) == code
    assert decode(packed, 15, packed=True) == code


def test_what_the_alphabet_lacks_is_refused() -> None:
    with pytest.raises(PduError):
        encode("*100ж", packed=True)


@pytest.mark.parametrize(
    ("raw", "dcs", "packed", "text"),
    [
        ("Balance: 3,50", 15, False, "Balance: 3,50"),
        ("12345678", 15, False, "12345678"),  # digits, not hex
        ("AA180C3602F", 15, True, "*100#"),  # cut off in the middle of an octet
        ("00470072006A00FC00DF0065", 72, False, "Grjüße"),
        ("00470072006A00FC00DF0065", 72, True, "Grjüße"),
        ("00470072006", 72, False, "Gr"),
        ("656E00480069", 0x11, False, "Hi"),  # the language first
        ("D83DDC4B", 72, False, "👋"),
        ("not hex at all", 15, True, "not hex at all"),
        ("3,50 \x1be", 15, False, "3,50 €"),  # the GSM alphabet's own bytes
        ("caf\xe9", 15, False, "café"),
        ("caf\xc3\xa9", 15, False, "café"),
        ("", 15, True, ""),
        ("", None, False, ""),
        ("AA" * 4000, 15, True, None),
        ("D83D", 72, False, "\ufffd"),
    ],
)
def test_answers(raw: str, dcs: int | None, packed: bool, text: str | None) -> None:
    found = decode(raw, dcs, packed=packed)

    assert found == text if text is not None else 0 < len(found) < 200
