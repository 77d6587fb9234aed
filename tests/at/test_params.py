"""The cursor over the parameters of an information line."""

import pytest

from modemgw.at.params import Params, split, strings, values


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('1,"SM",,(0-3)', ("1", '"SM"', "", "(0-3)")),
        ('"a,b",2', ('"a,b"', "2")),
        ('("SM","ME"),("SM")', ('("SM","ME")', '("SM")')),
        ("", ("",)),
        ('"unclosed, quote', ('"unclosed, quote',)),
        ("(0-3),(0,1", ("(0-3)", "(0,1")),
        (")))1,2", (")))1", "2")),
    ],
)
def test_split_keeps_what_belongs_together(text: str, fields: tuple[str, ...]) -> None:
    assert split(text) == fields


def test_the_cursor_reads_missing_fields_as_none() -> None:
    params = Params('+X: 1,"SM",,x,"5"')
    assert (params.integer(), params.string(), params.raw(), params.integer(), params.integer()) == (
        1,
        "SM",
        None,
        None,
        5,
    )
    assert params.at_end
    assert params.integer() is None


@pytest.mark.parametrize(
    ("field", "expected"),
    [("(0-3,5)", (0, 1, 2, 3, 5)), ("(0,2)", (0, 2)), ("2", (2,)), ("()", ()), ("(3-1)", ()), ("(1,1-2)", (1, 2))],
)
def test_ranges(field: str, expected: tuple[int, ...]) -> None:
    assert values(field) == expected


def test_a_range_that_claims_too_much_is_cut() -> None:
    assert len(values("(0-999999)")) == 1001


def test_strings_at_any_depth() -> None:
    assert strings('(("SM","BM","SR"),("SM"))') == ("SM", "BM", "SR", "SM")
