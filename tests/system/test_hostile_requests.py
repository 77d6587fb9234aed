"""Requests that no honest client makes, against the real process: refused quickly, in words, and nothing is stored."""

import io
import json
import time
from typing import Any

import pytest
from system.harness import Service

pytestmark = pytest.mark.system

LONG = "x" * (153 * 256)  # 256 segments, one more than a message may have
BAD = {
    "letters in the number": {"to": "+49 call me", "text": "x"},
    "CR in the number": {"to": "+4915112345678\rAT+CMGD=1,4", "text": "x"},
    "Ctrl-Z in the number": {"to": "+4915112345678\x1a", "text": "x"},
    "a quote in the number": {"to": '+4915112345678";+CFUN=0', "text": "x"},
    "an empty number": {"to": "", "text": "x"},
    "digits of another script": {"to": "+49١٥١١٢٣٤٥٦٧٨", "text": "x"},
    "no recipient": {"to": [], "text": "x"},
    "an empty text": {"to": "+4915112345678", "text": ""},
    "no text": {"to": "+4915112345678"},
    "256 segments": {"to": "+4915112345678", "text": LONG},
    "half a character": {"to": "+4915112345678", "text": "\ud800"},
    "an unknown field": {"to": "+4915112345678", "text": "x", "txet": "y"},
    "an unknown class": {"to": "+4915112345678", "text": "x", "class": "urgent"},
    "a number as text": {"to": "+4915112345678", "text": 5},
    "nothing but null": None,
    "a list": [1, 2],
}
RAW = {
    "half a document": b'{"to": "+4915112345678", "text": "x"',
    "no JSON": b"to=+4915112345678&text=x",
    "not UTF-8": b'{"to": "+4915112345678", "text": "\xff\xfe"}',
    "deep": b'{"to": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "nothing": b"",
}


async def refused(service: Service, **body: Any) -> tuple[int, Any, float]:
    began = time.perf_counter()
    status, problem = await service.call("POST", "/v1/messages", **body)
    return status, problem, time.perf_counter() - began


async def test_bad_requests_are_refused_in_words_and_nothing_is_stored(make_lab: Any) -> None:
    async with make_lab(["a"]) as lab:
        async with lab.running() as service:
            await service.modem("a", "registered")
            json_type = {"Content-Type": "application/json"}
            answers = {
                name: await refused(service, data=json.dumps(body), headers=json_type) for name, body in BAD.items()
            }
            answers |= {name: await refused(service, data=body, headers=json_type) for name, body in RAW.items()}
            answers["10 MB"] = await refused(service, data=io.BytesIO(b"{" + b"x" * 10_000_000), headers=json_type)
            assert answers["10 MB"][0] == 413
            for name, (status, problem, seconds) in answers.items():
                assert 400 <= status < 500, (name, status, problem)
                assert problem["status"] == status, (name, problem)
                assert problem["title"], (name, problem)
                assert seconds < 1.0, (name, seconds)
                assert "call me" not in json.dumps(problem), "what was sent is not given back"
            assert (await service.get("/v1/messages"))["items"] == []
            good = await service.send("+4915112345678", "still here")
            await service.message(good, "sent", "delivered")
            assert await service.stop() == 0
        assert "Traceback" not in service.stderr.read_text()
        assert [each["text"] for each in await lab.bank.ask("ledger")] == ["still here"]
        assert (await lab.bank.ask("modems"))["a"]["stray_submits"] == 0
