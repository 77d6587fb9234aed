"""The form of API keys, and that nothing but exactly one well-formed key is read from a header."""

import random
import re
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modemgw.http import keys


def test_a_key_has_the_documented_form_and_is_found_by_its_prefix() -> None:
    key = keys.new_key(secrets.token_bytes)
    assert re.fullmatch(r"mgw_[a-z0-9]{8}_[A-Za-z0-9_-]{43}", key.text)
    presented = keys.from_header(f"Bearer {key.text}")
    assert presented is not None
    assert presented.prefix == key.prefix
    assert presented.matches(key.digest)


def test_what_is_stored_does_not_hold_the_key() -> None:
    key = keys.new_key(random.Random(1).randbytes)
    assert key.text.rpartition("_")[2].encode() not in key.digest
    assert len(key.digest) == 32


def test_another_key_does_not_match() -> None:
    one, other = keys.new_key(random.Random(1).randbytes), keys.new_key(random.Random(2).randbytes)
    presented = keys.from_header(f"Bearer {one.text}")
    assert presented is not None
    assert not presented.matches(other.digest)


KEY = keys.new_key(random.Random(3).randbytes).text


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer  {KEY}",
        f"Bearer {KEY} ",
        f" Bearer {KEY}",
        KEY,
        f"Basic {KEY}",
        f"Bearer {KEY}\n",
        f"Bearer {KEY[:-1]}",
        f"Bearer {KEY}A",
        f"Bearer {KEY}, Bearer {KEY}",
        f"Bearer {KEY}\x00",
        f"Bearer {KEY.upper()}",
        f"Bearer {KEY.replace('_', '-', 1)}",
        f"Bearer\t{KEY}",
        "Bearer null",
        "Bearer mgw__",
        "Basic Og==",
        f"Bearer {KEY[:-1]}\u00e9",
    ],
)
def test_odd_headers_hold_no_key(value: str) -> None:
    assert keys.from_header(value) is None


@given(st.text())
def test_no_text_at_all_breaks_the_reader(value: str) -> None:
    assert keys.from_header(value) is None
    assert keys.from_header(f"Bearer {value}") is None
