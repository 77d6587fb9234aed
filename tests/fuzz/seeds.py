"""Writes the first files of the corpus, from the vectors and transcripts of our own tests; named by what is in them.

python tests/fuzz/seeds.py
"""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

from at.test_fuzz import COMMANDS  # noqa: E402 - found by the path above
from at.test_transcripts import command, raw, steps  # noqa: E402
from fuzz import targets  # noqa: E402
from pdu.fuzz_mutations import corpus  # noqa: E402

HERE = Path(__file__).parent
_DEEDS = {
    "payload": targets.PAYLOAD, "abandon": targets.ABANDON, "conclude": targets.CONCLUDE, "give_up": targets.GIVE_UP,
}  # fmt: skip


def dialogues() -> Iterator[bytes]:
    """Each transcript as the target takes it."""
    names = [each.name for each in COMMANDS]
    for path in sorted((HERE.parent / "at" / "transcripts").glob("*.txt")):
        data = b""
        for word, rest in steps(path):
            if word == "modem":
                data += bytes(octet for octet in raw(rest) if not targets.SEND <= octet <= targets.CUT)
            elif word == "send":
                name = command(rest).name
                data += bytes((targets.SEND, names.index(name) if name in names else 0))
            elif word in _DEEDS:
                data += bytes((_DEEDS[word],))
        yield data


def main() -> None:
    """Files that are there stay. Every other vector will do: most come in pairs."""
    for folder, seeds in (("pdu", corpus()[::2]), ("at", dialogues())):
        (HERE / "corpus" / folder).mkdir(parents=True, exist_ok=True)
        for seed in seeds:
            (HERE / "corpus" / folder / hashlib.sha1(seed, usedforsecurity=False).hexdigest()[:16]).write_bytes(seed)


if __name__ == "__main__":
    main()
