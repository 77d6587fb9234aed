"""The trace: what a technician sees, and what nobody sees."""

import pytest

from modemgw.port.trace import MAX_LINES, Trace, redact


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('AT+CPIN="4711"', "AT+CPIN=***"),
        ("AT+CPIN?", "AT+CPIN?"),
        ('AT+CLCK="SC",0,"4711"', "AT+CLCK=***"),
        ('+CLIP: "+15550100123",145', '+CLIP: "+155********",145'),
        ('+CUSD: 0,"Balance 3.50",15', '+CUSD: 0,"<16 characters>'),
        ('AT+CUSD=1,"*100#",15', 'AT+CUSD=1,"<9 characters>'),
        ("490154203237518", "490************"),
        ("0031000B915155100021F30000A705E8329BFD06", "<20 octets>"),
        ("+CMGS: 124", "+CMGS: 124"),
        ("+CMGL: 1,1,,24", "+CMGL: 1,1,,24"),
        ("\x1b[2J\u202e", "\\x1b[2J\\x202e"),
        ("x" * 1000, "x" * 160),
    ],
)
def test_redaction(line: str, shown: str) -> None:
    assert redact(line) == shown


def test_a_number_cut_in_two_is_still_redacted() -> None:
    trace = Trace()
    trace.heard(1.0, b'\r\n+CLIP: "+15550')
    trace.wrote(1.1, b"AT\r")
    trace.heard(1.2, b'100123",145\r\n')
    assert "0100123" not in trace.text()
    assert '+CLIP: "+155********"' in trace.text()


def test_the_prompt_is_shown_where_it_came() -> None:
    trace = Trace()
    trace.wrote(1.0, b"AT+CMGS=19\r")
    trace.heard(1.1, b"\r\n> ")
    trace.wrote(1.2, b"0031000B915155100021F3\x1a")
    assert [line.split(maxsplit=1)[1] for line in trace.text().splitlines()] == [
        "> AT+CMGS=19",
        "< > ",
        "> <11 octets>",
        "> <CTRL-Z>",
    ]


def test_only_the_last_lines_are_kept_and_an_endless_line_is_cut() -> None:
    trace = Trace()
    for number in range(1000):
        trace.heard(float(number), b"line %d\r\n" % number)
    trace.heard(0.0, b"y" * 10**6)
    trace.note(1000.0, "the port was closed")
    lines = trace.text().splitlines()
    assert len(lines) == MAX_LINES
    assert lines[-1].endswith("= the port was closed")
