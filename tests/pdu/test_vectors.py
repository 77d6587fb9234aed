"""Published and generated PDUs with a meaning that independent decoders agree on (vectors/README.md)."""

import json
from pathlib import Path
from typing import Any

import pytest

from modemgw.pdu.decode import decode, explain
from modemgw.pdu.encode import encode_json
from modemgw.pdu.envelope import unwrap, wrap
from modemgw.pdu.errors import PduError

_FILE = json.loads((Path(__file__).parent / "vectors" / "pdu.json").read_text(encoding="utf-8"))
VECTORS: list[dict[str, Any]] = _FILE["vectors"]
INVALID: list[dict[str, Any]] = _FILE["invalid"]
LENIENT: list[dict[str, Any]] = _FILE["lenient"]
ONE_PART_SUBMITS = [
    v for v in VECTORS if v["kind"] == "submit" and v["id"].startswith("s-") and not v["expect"]["concat"]
]


def _ids(vectors: list[dict[str, Any]]) -> list[str]:
    return [vector["id"] for vector in vectors]


def test_the_file_is_whole() -> None:
    assert (len(VECTORS), len(INVALID), len(LENIENT)) == (386, 49, 12)


@pytest.mark.parametrize("vector", VECTORS, ids=_ids(VECTORS))
def test_decodes_exactly(vector: dict[str, Any]) -> None:
    decoded = decode(vector["pdu"])
    seen = json.loads(json.dumps(explain(decoded)))
    assert seen["kind"] == vector["kind"]
    assert seen["tpdu_length"] == vector["tpdu_length"]
    assert {key: seen.get(key, "no such key") for key in vector["expect"]} == vector["expect"]
    assert decoded.trailing == 0


@pytest.mark.parametrize("vector", VECTORS, ids=_ids(VECTORS))
def test_what_was_decoded_encodes_to_the_same_meaning(vector: dict[str, Any]) -> None:
    decoded = decode(vector["pdu"])
    again = wrap(decoded.tpdu.encode(), decoded.smsc)
    assert len(again.hex) // 2 - len(unwrap(again.hex)[1]) == len(vector["pdu"]) // 2 - vector["tpdu_length"]
    lengths = {"tpdu_length": None}
    assert explain(decode(again.hex)) | lengths == explain(decoded) | lengths


@pytest.mark.parametrize("vector", INVALID, ids=_ids(INVALID))
def test_refuses_what_is_no_pdu(vector: dict[str, Any]) -> None:
    with pytest.raises(PduError) as caught:
        decode(vector["pdu"])
    assert caught.value.field
    assert caught.value.reason


@pytest.mark.parametrize("vector", LENIENT, ids=_ids(LENIENT))
def test_keeps_sender_and_text_of_what_is_out_of_specification(vector: dict[str, Any]) -> None:
    seen = explain(decode(vector["pdu"]))
    assert {key: seen[key] for key in vector["expect"]} == vector["expect"]
    if vector["id"].startswith(("l-ts", "l-tz")):
        assert seen["timestamp"] is None


@pytest.mark.parametrize("vector", ONE_PART_SUBMITS, ids=_ids(ONE_PART_SUBMITS))
def test_one_part_submits_encode_to_the_same_hex(vector: dict[str, Any]) -> None:
    decoded = decode(vector["pdu"])
    again = wrap(decoded.tpdu.encode(), decoded.smsc)
    assert again.hex == vector["pdu"].upper()
    assert again.tpdu_length == vector["tpdu_length"]


def _as_fields(expect: dict[str, Any]) -> dict[str, Any] | None:
    """The vector as input of `modemgw encode`; None for what that has no word for."""
    validity = expect.get("validity")
    ports = expect["ports"]
    plain = expect["pid"] == 0 and not expect["rp"] and expect["dcs"] < 0x20 and "class" in expect
    relative = validity is None or validity["format"] == "relative"
    if not plain or not relative or (ports and ports["bits"] == 8):
        return None
    fields = {key: expect.get(key) for key in ("text", "data", "smsc", "mr", "srr", "rd", "class")}
    fields |= {"to": expect["number"], "ports": ports and [ports["dst"], ports["src"]]}
    return fields | {"validity_seconds": validity and validity["seconds"]}


SPOKEN = [v for v in ONE_PART_SUBMITS if _as_fields(v["expect"])]


def test_most_generated_submits_can_be_said_in_json() -> None:
    assert len(SPOKEN) >= 60


@pytest.mark.parametrize("vector", SPOKEN, ids=_ids(SPOKEN))
def test_json_encodes_to_the_same_hex(vector: dict[str, Any]) -> None:
    fields = _as_fields(vector["expect"])
    assert fields
    expected = {"pdu": vector["pdu"], "tpdu_length": vector["tpdu_length"]}
    assert encode_json(fields) == {"pdus": [expected]}
