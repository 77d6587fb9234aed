"""Line numbers in a configuration are right, whatever TOML the user writes."""

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from modemgw.config.locate import line_of, lines_of

TRICKY = '''\
# [http]
[gateway]
note = """
[http]
listen = "not here"
"""
[http]
listen = [   # [modem]
  "127.0.0.1:8025",  # ]
  "[::1]:8025",
]
[[modem]]
"na me" = 'a # b'
options = { deep = [1, 2], "}" = 3 }
[[modem]]
port.path = "x"
[modem.extra]
k = 1
[[modem.part]]
[[modem.part]]
k = 2
'''


def test_headers_inside_strings_lists_and_comments_are_not_headers() -> None:
    lines = lines_of(TRICKY)
    assert lines["http",] == 7
    assert lines["http", "listen"] == 8
    assert lines["modem", 0] == 12
    assert lines["modem", 0, "na me"] == 13
    assert lines["modem", 1] == 15
    assert lines["modem", 1, "port", "path"] == 16
    assert lines["modem", 1, "extra", "k"] == 18
    assert lines["modem", 1, "part", 1, "k"] == 21


def test_what_has_no_line_is_found_at_what_holds_it() -> None:
    lines = lines_of(TRICKY)
    assert line_of(lines, ("http", "listen", 1)) == 8
    assert line_of(lines, ("modem", 0, "options", "deep", 0)) == 14
    assert line_of(lines, ("modem", 1, "missing")) == 15
    assert line_of(lines, ("nothing",)) is None


_KEY = st.from_regex(r"[a-z][a-z0-9_-]{0,5}|\"[^\"\\\x00-\x1f\x7f]{0,5}\"", fullmatch=True)
_VALUE = st.sampled_from(
    [
        "1",
        '"a#b"',
        "'''\n[x]\ny = 1\n'''",
        '"""\\"""\n[[z]]\n"""',
        "[1, # ]\n 2]",
        "{ a = 'b' }",
        "1979-05-27",
        "'\"'",
        '"\\""',
    ]
)


@given(
    st.lists(
        st.tuples(_KEY, _VALUE, st.sampled_from(["", "# [no]\n", "\n\n"])),
        max_size=8,
        unique_by=lambda row: row[0].strip('"'),
    )
)
def test_every_key_that_the_parser_sees_has_its_line(rows: list[tuple[str, str, str]]) -> None:
    text = "[[t]]\n" + "".join(f"{gap}{key} = {value} # end\n" for key, value, gap in rows)
    expected: dict[str, int] = {}
    at = 2
    for key, value, gap in rows:
        at += gap.count("\n")
        expected[key.strip('"')] = at
        at += value.count("\n") + 1
    document: dict[str, Any] = tomllib.loads(text)
    assert set(document["t"][0]) == set(expected)
    lines = lines_of(text)
    assert {key: lines["t", 0, key] for key in expected} == expected


@given(st.text(alphabet="ab=.[]\"'# \n\\{},", max_size=60))
def test_it_never_fails_on_text_that_the_parser_accepts(text: str) -> None:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = lines_of(text)
    assert all((key,) in lines for key in document)
