"""`modemgw encode`: JSON in, hex lines out, and one clear error for each thing that is wrong."""

from typing import Any

import pytest

from modemgw.pdu.concat import join
from modemgw.pdu.decode import decode, explain
from modemgw.pdu.encode import encode_json
from modemgw.pdu.errors import PduError
from modemgw.pdu.tpdu import Submit

TO = "+15550100123"


def test_all_that_can_be_said_of_one_segment() -> None:
    fields = {
        "to": TO,
        "text": "hello port",
        "smsc": "+15550109999",
        "mr": 200,
        "srr": True,
        "rd": True,
        "class": 1,
        "validity_seconds": 86400,
        "ports": [5000, 5001],
    }
    answer = encode_json(fields)
    assert len(answer["pdus"]) == 1
    seen = explain(decode(answer["pdus"][0]["pdu"]))
    assert seen == {
        "kind": "submit",
        "tpdu_length": answer["pdus"][0]["tpdu_length"],
        "smsc": "+15550109999",
        "number": TO,
        "type_of_number": "international",
        "mr": 200,
        "pid": 0,
        "dcs": 0x11,
        "encoding": "gsm7",
        "class": 1,
        "text": "hello port",
        "concat": None,
        "ports": {"dst": 5000, "src": 5001, "bits": 16},
        "srr": True,
        "rd": True,
        "rp": False,
        "validity": {"format": "relative", "seconds": 86400},
    }


@pytest.mark.parametrize(("bits", "ref", "said"), [(None, None, 8), (None, 7, 8), (None, 256, 16), (16, 7, 16)])
def test_segments(bits: int | None, ref: int | None, said: int) -> None:
    text = "Привет, мир! 😀 " * 20
    answer = encode_json({"to": TO, "text": text, "ref": ref, "ref_bits": bits, "mr": 255})
    submits = [decode(pdu["pdu"]).tpdu for pdu in answer["pdus"]]
    assert join(s for s in submits if isinstance(s, Submit)) == text
    concats = [submit.concat for submit in submits]
    assert [c.seq for c in concats if c] == list(range(1, len(submits) + 1))
    assert {c.bits for c in concats if c} == {said}
    assert {c.ref for c in concats if c} == {ref} or ref is None
    assert [s.mr for s in submits if isinstance(s, Submit)][:2] == [255, 0]


def test_data() -> None:
    answer = encode_json({"to": TO, "data": "00ff" * 100})
    submits = [decode(pdu["pdu"]).tpdu for pdu in answer["pdus"]]
    assert join(s for s in submits if isinstance(s, Submit)) == b"\x00\xff" * 100


def test_null_is_absent() -> None:
    fields = dict.fromkeys(("smsc", "mr", "ref", "ref_bits", "srr", "rd", "class", "validity_seconds", "ports", "data"))
    assert encode_json({"to": TO, "text": "x", **fields}) == encode_json({"to": TO, "text": "x"})


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"to": None}, "to"),
        ({"to": "+44 7700 900123"}, "to"),
        ({"to": 4917}, "to"),
        ({"smsc": "SMSC"}, "smsc"),
        ({"text": None}, "text"),
        ({"data": "00"}, "text"),
        ({"text": 5}, "text"),
        ({"text": None, "data": "0"}, "data"),
        ({"text": None, "data": "0g"}, "data"),
        ({"text": None, "data": "é"}, "data"),
        ({"text": None, "data": [1]}, "data"),
        ({"text": "\ud83d"}, "TP-UD"),
        ({"text": "x" * 40000}, "TP-UD"),
        ({"mr": 256}, "mr"),
        ({"mr": True}, "mr"),
        ({"mr": "1"}, "mr"),
        ({"mr": 1.0}, "mr"),
        ({"ref": 65536}, "ref"),
        ({"ref": -1}, "ref"),
        ({"ref_bits": 12}, "ref_bits"),
        ({"ref_bits": "8"}, "ref_bits"),
        ({"srr": 1}, "srr"),
        ({"rd": "yes"}, "rd"),
        ({"class": 4}, "class"),
        ({"validity_seconds": 0}, "TP-VP"),
        ({"validity_seconds": -5}, "validity_seconds"),
        ({"validity_seconds": 99999999}, "TP-VP"),
        ({"ports": 5000}, "ports"),
        ({"ports": [5000]}, "ports"),
        ({"ports": [5000, True]}, "ports"),
        ({"ports": [5000, 70000]}, "TP-UDH"),
        ({"txt": "x"}, "txt"),
    ],
)
def test_what_is_wrong_is_named(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(PduError) as caught:
        encode_json({"to": TO, "text": "x", **wrong})
    assert caught.value.field == field


def test_a_reference_that_is_too_large_for_the_bits_asked_for() -> None:
    with pytest.raises(PduError, match="8 bits"):
        encode_json({"to": TO, "text": "x" * 200, "ref": 300, "ref_bits": 8})
