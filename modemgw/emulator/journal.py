"""What the simulated network took and gave, as JSON: one object per line, flushed per line.

{"event": "accepted", "at": "2026-11-01T12:00:00.000Z", "modem": …, "iccid": …, "from": …, "to": …, "mr": …,
"encoding": …,
 "text": … | null, "data": hex | null, "concat": {"ref", "parts", "seq", "bits"} | null, "report": bool, "pdu": …}
{"event": "delivered", "at": …, "modem": …, "iccid": …, "kind": "deliver" | "report", "from": …, "text": …, "data":
…, "pdu": …}
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from modemgw.emulator.ledger import Accepted, Delivered
from modemgw.emulator.network import Network

if TYPE_CHECKING:
    from io import TextIOWrapper


class Journal:
    """A file that grows by a line for each accepted SUBMIT and each delivered message."""

    def __init__(self, path: Path) -> None:
        self._file: TextIOWrapper = path.open("a", encoding="utf-8", buffering=1)

    def attach(self, network: Network) -> None:
        """Write down what this network does from now on."""
        network.on_accepted.append(self.accepted)
        network.on_delivered.append(self.delivered)

    def accepted(self, entry: Accepted) -> None:
        """One SUBMIT was accepted."""
        self._write(accepted_json(entry))

    def delivered(self, entry: Delivered) -> None:
        """One message was delivered to a modem."""
        self._write(delivered_json(entry))

    def _write(self, entry: dict[str, object]) -> None:
        self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Write no more."""
        self._file.close()


def accepted_json(entry: Accepted) -> dict[str, object]:
    """An accepted SUBMIT as it is written."""
    concat = entry.concat
    return {
        "event": "accepted",
        "at": _time(entry.at_ms),
        "modem": entry.device,
        "iccid": entry.iccid,
        "from": entry.sender,
        "to": entry.number,
        "mr": entry.mr,
        "encoding": entry.encoding,
        "text": entry.text,
        "data": _hex(entry.data),
        "concat": None if concat is None else _concat(concat.ref, concat.parts, concat.seq, concat.bits),
        "report": entry.srr,
        "pdu": entry.pdu,
    }


def delivered_json(entry: Delivered) -> dict[str, object]:
    """A delivered message as it is written."""
    return {
        "event": "delivered",
        "at": _time(entry.at_ms),
        "modem": entry.device,
        "iccid": entry.iccid,
        "kind": entry.kind,
        "from": entry.sender,
        "text": entry.text,
        "data": _hex(entry.data),
        "pdu": entry.pdu,
    }


def _concat(ref: int, parts: int, seq: int, bits: int) -> dict[str, int]:
    return {"ref": ref, "parts": parts, "seq": seq, "bits": bits}


def _time(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _hex(data: bytes | None) -> str | None:
    return None if data is None else data.hex()
