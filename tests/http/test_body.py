"""Bodies and queries: everything that is wrong at once, in plain words, without a word of the content."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict
from pydantic import Field

from modemgw.domain.errors import Problem
from modemgw.http import body
from modemgw.http.problem import Refusal


class Order(body.Body):
    to: list[str]
    text: str = Field(max_length=10)
    count: int = 1
    loud: bool = False

    @classmethod
    def cross_check(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        if given.get("loud") is True and given.get("count") == 7:
            yield Problem("loud", "not_seven", "Not seven times.")


class Page(body.Query):
    limit: int = Field(default=50, ge=1, le=500)
    unread: bool | None = None


def refused(raw: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        body.parse(Order, raw)
    return caught.value


def found(refusal: Refusal) -> set[tuple[str, str]]:
    return {(each.path, each.code) for each in refusal.errors}


def test_a_good_body_is_read() -> None:
    order = body.parse(Order, b'{"to": ["a"], "text": "b", "count": 3}')
    assert (order.to, order.text, order.count, order.loud) == (["a"], "b", 3, False)


def test_all_errors_come_at_once_also_those_between_fields() -> None:
    refusal = refused(b'{"to": ["a", 1], "text": "far too long a text", "count": 7, "loud": true, "colour": "red"}')
    assert refusal.status == 422
    assert found(refusal) == {
        ("to.1", "wrong_type"),
        ("text", "string_too_long"),
        ("colour", "unknown_field"),
        ("loud", "not_seven"),
    }


def test_types_are_exact() -> None:
    assert found(refused(b'{"to": "a", "text": 1, "count": "3", "loud": 1}')) == {
        ("to", "wrong_type"),
        ("text", "wrong_type"),
        ("count", "wrong_type"),
        ("loud", "wrong_type"),
    }
    assert found(refused(b'{"to": [], "text": "", "count": 1.5}')) == {("count", "wrong_type")}
    assert found(refused(b'{"to": [], "text": "", "count": true}')) == {("count", "wrong_type")}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{]",
        b"nope",
        b'{"text": "\xff"}',
        b'{"text": "\\ud83d"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"count": ' + b"9" * 5000 + b"}",
        b'{"text": "a\nb"}',
        b"NaN",
        b"{'a': 1}",
    ],
)
def test_what_is_not_json_is_400_and_not_a_crash(raw: bytes) -> None:
    assert refused(raw).status in (400, 422)


@pytest.mark.parametrize("raw", [b"[]", b"null", b"7", b'"text"', b"NaN"])
def test_json_that_is_no_object_is_said_so(raw: bytes) -> None:
    assert refused(raw).errors[0].path == ""


def test_broken_json_says_where() -> None:
    assert "line 1 column 9" in refused(b'{"to": nope}').detail


def test_a_body_may_be_left_out_only_where_none_is_wanted() -> None:
    assert body.parse(body.Nothing, b"") == body.parse(body.Nothing, b"{}") == body.Nothing()
    with pytest.raises(Refusal) as caught:
        body.parse(body.Nothing, b'{"outcome": "sent"}')
    assert found(caught.value) == {("outcome", "unknown_field")}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.just("SECRET-4711"),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["to", "text", "count", "loud", "x"]), inner)
    ),
    max_leaves=8,
)


@given(json_values)
def test_no_value_is_ever_repeated(value: object) -> None:
    said = ""
    try:
        body.parse(Order, json.dumps(value).encode())
    except Refusal as refusal:
        said = str(refusal.body())
    assert "SECRET" not in said


def test_a_thousand_errors_are_cut_to_a_hundred() -> None:
    refusal = refused(b'{"text": "", "to": [' + b",".join([b"1"] * 1000) + b"]}")
    assert len(refusal.body()["errors"]) == 100
    assert "1000 things" in refusal.body()["detail"]


def test_a_query_is_read_and_its_errors_are_listed() -> None:
    assert body.parse_query(Page, MultiDict()) == Page()
    assert body.parse_query(Page, MultiDict(limit="7", unread="true")) == Page(limit=7, unread=True)
    query = MultiDict([("limit", "x"), ("unread", "perhaps"), ("limt", "3"), ("limt", "4")])
    with pytest.raises(Refusal) as caught:
        body.parse_query(Page, query)
    assert found(caught.value) == {
        ("limit", "wrong_type"),
        ("unread", "wrong_type"),
        ("limt", "unknown_field"),
        ("limt", "given_twice"),
    }


def test_a_fingerprint_is_of_the_meaning() -> None:
    assert body.fingerprint(b'{"a": 1, "b": "\xc3\xbc"}') == body.fingerprint(b'{ "b":"\\u00fc","a":1 }')
    assert body.fingerprint(b'{"to": "a"}') != body.fingerprint(b'{"to": ["a"]}')
