"""Signatures as the reference library makes them; secrets as it writes them."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from modemgw.webhooks.signature import decode_secret, sign


@given(
    secret=st.binary(min_size=24, max_size=64),
    id_=st.from_regex(r"evt_[0-9A-Z]{4,30}_[0-9]{1,3}", fullmatch=True),
    seconds=st.integers(min_value=0, max_value=4_000_000_000),
    text=st.text(),
)
def test_equal_to_the_reference_implementation(secret: bytes, id_: str, seconds: int, text: str) -> None:
    written = "whsec_" + base64.b64encode(secret).decode()
    reference = Webhook(written).sign(id_, datetime.fromtimestamp(seconds, UTC), text)
    assert sign(decode_secret(written), id_=id_, timestamp=seconds, body=text.encode()) == reference


def test_a_receiver_accepts_it_and_refuses_another_body() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    now = int(datetime.now(UTC).timestamp())
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(now),
        "webhook-signature": sign(decode_secret(secret), id_="evt_1", timestamp=now, body=b'{"a":1}'),
    }
    assert Webhook(secret).verify(b'{"a":1}', headers) == {"a": 1}
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(secret).verify(b'{"a":2}', headers)


@pytest.mark.parametrize(
    "written", ["", "whsec_", "whsec_???", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_abc", "whsec_ü"]
)
def test_what_is_no_secret_is_refused_without_repeating_it(written: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        decode_secret(written)
    assert written.removeprefix("whsec_") == "" or written not in str(caught.value)
