"""Mutated PDUs: whatever is done to a line, the codec answers with a message or a PduError, and quickly.

The suite runs 100,000 of them; the longer form is a command:

    .venv/bin/python tests/pdu/fuzz_mutations.py 1000000 [SEED]

prints what was seen and ends with 1 if anything but a message or a PduError came out, or if one in a thousand took
longer than 5 ms. A run is repeated by its seed.
"""

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from modemgw.pdu.decode import decode, describe, explain
from modemgw.pdu.envelope import wrap
from modemgw.pdu.errors import PduError

SLOWEST_MS = 5.0
_VECTORS = Path(__file__).parent / "vectors" / "pdu.json"
_EDGES = (0x00, 0x01, 0x07, 0x0C, 0x1B, 0x7F, 0x80, 0x8C, 0xA0, 0xD0, 0xFE, 0xFF)


def corpus() -> list[bytes]:
    """The octets of all published PDUs, good and bad."""
    groups = json.loads(_VECTORS.read_text(encoding="utf-8"))
    lines = [vector["pdu"] for name in ("vectors", "invalid", "lenient") for vector in groups[name]]
    return [bytes.fromhex(line) for line in lines if len(line) % 2 == 0 and line.isalnum() and "Z" not in line]


def mutate(rng: random.Random, pool: list[bytes]) -> str:
    """One to four changes to a PDU of the pool, as a line of hex, which now and then is damaged as well."""
    octets = bytearray(rng.choice(pool))
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(octets) + 1)
        kind = rng.randrange(8)
        if kind == 0 and at < len(octets):
            octets[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and at < len(octets):
            octets[at] = rng.choice(_EDGES)
        elif kind == 2 and at < len(octets):
            octets[at] = rng.randrange(256)
        elif kind == 3:
            del octets[at:]
        elif kind == 4:
            del octets[at : at + rng.randint(1, 8)]
        elif kind == 5:
            octets[at:at] = rng.randbytes(rng.randint(1, 8))
        elif kind == 6:
            octets[at:] = rng.choice(pool)[at:]
        else:
            octets += rng.randbytes(rng.randint(1, 300))
    line = octets.hex()
    if rng.random() < 0.02:
        at = rng.randrange(len(line) + 1)
        line = line[:at] + rng.choice((" ", "g", "\0", "+", "é", "\n", "٣")) + line[at:]
    return line


def try_one(line: str) -> str:
    """What came of a line: the kind of message or the field that was refused. Anything else escapes as it is."""
    try:
        decoded = decode(line)
    except PduError as error:
        return f"refused {error.field}"
    fields = explain(decoded)
    said = json.dumps(fields, ensure_ascii=False).encode()
    words = describe(decoded).encode()
    assert max(len(said), len(words)) <= 4096, "an answer of more than 4 KiB"
    try:
        again = wrap(decoded.tpdu.encode(), decoded.smsc)
    except PduError:
        return f"{fields['kind']}, out of specification"
    lengths = {"tpdu_length": 0}
    assert explain(decode(again.hex)) | lengths == fields | lengths, "encoded again it means something else"
    return f"{fields['kind']}"


def run(count: int, seed: int) -> tuple[Counter[str], list[tuple[str, str]], float]:
    """(what was seen how often, lines that failed and why, milliseconds that one in a thousand exceeded)."""
    seen: Counter[str] = Counter()
    failures = []
    times = []
    for line in _lines(count, seed):
        start = time.thread_time()  # of our own work: what else the machine does is not its fault
        try:
            seen[try_one(line)] += 1
        except Exception as error:  # noqa: BLE001  # any exception at all is the finding
            failures.append((line, repr(error)))
        times.append(time.thread_time() - start)
    times.sort()
    return seen, failures, 1000 * times[min(len(times) - 1, int(len(times) * 0.999))]


def _lines(count: int, seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    pool = corpus()
    for _ in range(count):
        yield mutate(rng, pool)


def main(arguments: list[str]) -> int:
    """Run as a command; exit code 1 for any finding."""
    count = int(arguments[0]) if arguments else 1_000_000
    seed = int(arguments[1]) if len(arguments) > 1 else 1
    start = time.perf_counter()
    seen, failures, slow = run(count, seed)
    print(f"{count} mutations, seed {seed}, {time.perf_counter() - start:.0f} s, p99.9 {slow:.2f} ms")  # noqa: T201
    for what, times in seen.most_common():
        print(f"{times:9} {what}")  # noqa: T201
    for line, why in failures[:20]:
        print(f"FAILED {why}\n       {line}")  # noqa: T201
    return 1 if failures or slow > SLOWEST_MS else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
