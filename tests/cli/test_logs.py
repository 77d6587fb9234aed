"""Log lines stay one line each, cannot be forged from outside, and do not give away whom one writes to."""

import contextlib
import json
import logging
import os
from collections.abc import Iterator

import pytest

from modemgw import logs


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    yield logging.getLogger("modemgw.gateway.sender")
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising
    logging.captureWarnings(capture=False)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\nFAKE", "\\x1b[2J\\nFAKE"),
        ("a\r\nb\x00c", "a\\r\\nb\\x00c"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202edcba", "abc\\u202edcba"),
        ("x\u2028y\u200bz", "x\\u2028y\\u200bz"),
        ("\ud83d", "\\ud83d"),
        ("Grüße 👋\tschön", "Grüße 👋\tschön"),
    ],
)
def test_what_could_act_on_a_terminal_is_shown_escaped(text: str, shown: str) -> None:
    assert logs.escape(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to +491711234567: sent", "to +49171…7 hidden: sent"),
        ("(0171123456789)", "(01711…8 hidden)"),
        ("IMSI 262011234567890, ICCID 8949000000000000001.", "IMSI 26201…10 hidden, ICCID 89490…14 hidden."),
        ("message 01JD0123456789012345ABCDEF took 1234567 ms", "message 01JD0123456789012345ABCDEF took 1234567 ms"),
        ("short code 11833, modem-237518, 127.0.0.1:8025", "short code 11833, modem-237518, 127.0.0.1:8025"),
        ("pdu 0001000C91947111325476000005E8329BFD06", "pdu 0001000C91947111325476000005E8329BFD06"),
    ],
)
def test_numbers_lose_their_end_and_nothing_else_does(text: str, shown: str) -> None:
    assert logs.redact(text) == shown


def test_text_on_a_terminal(logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("INFO", environ={})
    logger.debug("not shown")
    logger.info("from %s:\n%s", "+491711234567", "\x1b[31mred")
    (line,) = capsys.readouterr().err.splitlines()
    time, rest = line.split(" ", 1)
    assert rest == "INFO gateway.sender: from +49171…7 hidden:\\n\\x1b[31mred"
    assert time.endswith("Z")


def test_the_journal_gets_the_priority_and_no_second_time(
    logger: logging.Logger, capfd: pytest.CaptureFixture[str]
) -> None:
    error = os.fstat(2)
    logs.setup("INFO", environ={"JOURNAL_STREAM": f"{error.st_dev}:{error.st_ino}"})
    logger.warning("modem front does not answer")
    assert capfd.readouterr().err == "<4>gateway.sender: modem front does not answer\n"


def test_a_terminal_that_inherited_the_variable_is_no_journal(
    logger: logging.Logger, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.setup("INFO", environ={"JOURNAL_STREAM": "8:1"})
    logger.warning("modem front does not answer")
    assert "WARNING gateway.sender" in capfd.readouterr().err


def test_an_exception_is_one_line_too(logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("INFO", environ={})
    try:
        raise ValueError("bad\nthing for +491711234567")
    except ValueError:
        logger.exception("failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert "failed | Traceback" in line
    assert "test_logs.py" in line
    assert "1234567" not in line


def test_json_is_one_object_a_line(logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("INFO", json=True, environ={})
    logger.error('say "hi"\nto %s', "+491711234567")
    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert event | {"time": ""} == {
        "time": "",
        "level": "error",
        "source": "gateway.sender",
        "message": 'say "hi"\\nto +49171…7 hidden',
    }


def test_a_full_disk_does_not_stop_the_gateway(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    full = open("/dev/full", "w", encoding="utf-8")  # noqa: PTH123, SIM115  # closing it fails as well
    monkeypatch.setattr("sys.stderr", full)
    logs.setup("INFO", environ={})
    logger.info("lost, and that is all")
    monkeypatch.undo()
    with contextlib.suppress(OSError):
        full.close()
    assert capsys.readouterr().err == ""
