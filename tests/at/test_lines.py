"""Bytes to lines and prompts: every form that modems write, cut anywhere, with bounded memory."""

import random

import pytest

from modemgw.at.lines import MAX_LINE, PROMPT, LineReader

FORMS = [
    (b"\r\nOK\r\n", ["OK"]),
    (b"AT+CSQ\r\r\n+CSQ: 20,99\r\n\r\nOK\r\n", ["AT+CSQ", "+CSQ: 20,99", "OK"]),
    (b"\r\na\r\nb\r\n\r\nOK\r\n", ["a", "b", "OK"]),
    (b"^RSSI: 12\r\r\n\r\r\r\n", ["^RSSI: 12"]),
    (b"a\nb\n\n", ["a", "b"]),
    (b"+CSQ: 20,99\r\n0\r", ["+CSQ: 20,99", "0"]),
    (b"\0\0\xff\r\nRDY\r\n", ["RDY"]),
    (b"\x1b\r\nO\0K\r\n", ["OK"]),
    (b"  +CMTI: \"SM\",3  \r\n", ['+CMTI: "SM",3']),
    (b"\r\n> ", [PROMPT]),
    (b"\r\n>", [PROMPT]),
    (b"\r\n>\r\n", [PROMPT]),
    (b"AT+CMGS=24\r\r\n> ", ["AT+CMGS=24", PROMPT]),
    (b"AT+CMGS=24\r> ", ["AT+CMGS=24", PROMPT]),
    (b"\xff\0> ", [PROMPT]),
    (b"\r\n> 0791AB\x1a\r\n\r\n+CMGS: 4\r\n", [PROMPT, "0791AB", "+CMGS: 4"]),
    (b"\r\na > b\r\n", ["a > b"]),
    (b'+CUSD: 0,"one\r\ntwo",15\r\n', ['+CUSD: 0,"one\ntwo",15']),
    (b'+CUSD: 1,"menu\r\n> 1 balance\r\n> 2 help",15\r\nOK\r\n', ['+CUSD: 1,"menu\n> 1 balance\n> 2 help",15', "OK"]),
    (b'+CUSD: 0,"cut off\r\nand lost\r\n\r\nOK\r\n', ['+CUSD: 0,"cut off\nand lost', "OK"]),
    (b'+CUSD: 0,"cut off\r\n+CMTI: "SM",1\r\n', ['+CUSD: 0,"cut off', '+CMTI: "SM",1']),
    (b'+CUSD: 0,"a\0b",15\r\n', ['+CUSD: 0,"a\0b",15']),
    (b'+COPS: 0,0,"odd\r\nOK\r\n', ['+COPS: 0,0,"odd', "OK"]),
    ("+CUSD: 0,\"é\",15\r\n".encode("latin-1"), ['+CUSD: 0,"é",15']),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), FORMS)
def test_form_gives_the_same_tokens_whole_and_byte_by_byte(data: bytes, expected: list[object]) -> None:
    assert list(LineReader().feed(data)) == expected
    slow = LineReader()
    assert [token for i in range(len(data)) for token in slow.feed(data[i : i + 1])] == expected


def test_all_forms_in_a_row_survive_any_cut() -> None:
    data = b"\r\n".join(data for data, _ in FORMS)
    whole = list(LineReader().feed(data))
    rng = random.Random(1)
    for _ in range(300):
        reader, tokens, position = LineReader(), [], 0
        while position < len(data):
            step = rng.choice([1, 2, 3, 7, 40])
            tokens += reader.feed(data[position : position + step])
            position += step
        assert tokens == whole


@pytest.mark.parametrize("chunk", [1, 100, 10**6])
def test_a_line_without_end_is_dropped_and_reading_resumes(chunk: int) -> None:
    reader = LineReader()
    data = b"x" * 200_000 + b"\r\nOK\r\n"
    tokens = []
    for position in range(0, len(data), chunk):
        tokens += reader.feed(data[position : position + chunk])
        assert reader.buffered <= MAX_LINE
    assert tokens == ["OK"]
    assert reader.garbage == 200_000


def test_a_line_of_exactly_the_limit_is_kept() -> None:
    assert list(LineReader().feed(b"x" * MAX_LINE + b"\r\n")) == ["x" * MAX_LINE]


def test_a_quote_that_never_closes_is_bounded() -> None:
    reader = LineReader()
    tokens = list(reader.feed(b'+CUSD: 0,"' + b"text of a menu\r\n" * 1000 + b"OK\r\n"))
    assert tokens[-1] == "OK"
    assert reader.garbage > 0
    assert not reader.quote_open


def test_closing_a_quote_by_hand_frees_the_prompt_behind_it() -> None:
    reader = LineReader()
    assert list(reader.feed(b'+CUSD: 0,"cut off\r\n> ')) == []
    assert list(reader.close_quote()) == ['+CUSD: 0,"cut off', PROMPT]
    assert list(reader.close_quote()) == []
