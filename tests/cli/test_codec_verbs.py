"""``decode`` and ``encode``: for people, and for programs that talk to them line by line."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

Modemgw = Callable[..., subprocess.CompletedProcess[str]]
HELLO = "0001000C91947111325476000005E8329BFD06"


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_decode_says_it_in_words(modemgw: Modemgw) -> None:
    done = modemgw("decode", HELLO)
    assert done.returncode == 0
    assert "to: +491711234567" in done.stdout
    assert "text: hello" in done.stdout


def test_decode_of_several(modemgw: Modemgw) -> None:
    assert modemgw("decode", HELLO, HELLO).stdout.count("text: hello") == 2


def test_decode_refuses_in_one_line(modemgw: Modemgw) -> None:
    done = modemgw("decode", "0001zz")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("modemgw: not a PDU that can be read: ")
    assert done.stderr.count("\n") == 1


def test_decode_without_anything_says_what_to_give(modemgw: Modemgw) -> None:
    done = modemgw("decode")
    assert done.returncode == 2
    assert "standard input" in done.stderr


def test_decode_json_gives_one_object_for_each_line_whatever_stands_there(modemgw: Modemgw) -> None:
    done = modemgw(
        "decode",
        "--json",
        stdin=f"{HELLO}\n\nnonsense\r\n  {HELLO.lower()}  \n".encode() + b"\xff\xfe\n" + HELLO.encode(),
    )
    answers = objects(done.stdout)
    assert done.returncode == 0
    assert [answer.get("text") for answer in answers] == ["hello", None, None, "hello", None, "hello"]
    assert all(answer["error"] for answer in answers if "text" not in answer)
    assert answers[0]["kind"] == "submit"
    assert answers[0]["tpdu_length"] == 18


@pytest.mark.parametrize(
    ("verb", "line", "expected"),
    [(["decode", "--json"], HELLO, "hello"), (["encode"], '{"to": "+491711234567", "text": "hello"}', "E8329BFD06")],
)
def test_an_answer_comes_before_the_next_question(verb: list[str], line: str, expected: str) -> None:
    """A program that keeps the pipe open gets its answer at once: nothing waits in a buffer."""
    with subprocess.Popen(
        [sys.executable, "-m", "modemgw", *verb], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(2):
            process.stdin.write(line + "\n")
            process.stdin.flush()
            assert expected in process.stdout.readline()
        process.stdin.close()
        assert process.wait(timeout=30) == 0


def test_encode_makes_what_decode_reads(modemgw: Modemgw) -> None:
    text = "Grüße 👋 " * 20
    (made,) = objects(modemgw("encode", stdin=json.dumps({"to": "+491711234567", "text": text, "ref": 7})).stdout)
    parts = objects(modemgw("decode", "--json", stdin="\n".join(pdu["pdu"] for pdu in made["pdus"])).stdout)
    assert "".join(part["text"] for part in parts) == text
    assert [part["concat"]["seq"] for part in parts] == list(range(1, len(parts) + 1))
    assert [part["tpdu_length"] for part in parts] == [pdu["tpdu_length"] for pdu in made["pdus"]]


def test_encode_answers_every_line(modemgw: Modemgw) -> None:
    lines = [
        "{",
        "[]",
        "",
        '{"to": "x", "text": "a"}',
        '{"to": "+4917112345", "txet": "a"}',
        "[" * 100_000,
        '{"to":"123","data":"00ff"}',
    ]
    answers = objects(modemgw("encode", stdin="\n".join(lines)).stdout)
    assert ["error" in answer for answer in answers] == [True] * 6 + [False]
    assert "to" in answers[3]["error"]
    assert "txet" in answers[4]["error"]


def test_a_closed_standard_input_is_an_empty_one() -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "{sys.executable}" -m modemgw decode --json <&-'],
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
