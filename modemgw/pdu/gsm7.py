"""Text ↔ septet values in the GSM 7-bit alphabets (23.038 §6.2.1), with national language tables.

A character costs one septet, or two when it stands behind the escape (0x1B). Decoding never fails: an
escape that means nothing here gives the character of the main table, as §6.2.1.1 asks; an escape with
nothing behind it, or with a second escape, is a space, and so is a septet that the table leaves empty.
"""

import codecs
from functools import lru_cache
from itertools import chain

from modemgw.pdu.errors import PduError
from modemgw.pdu.gsm7_tables import DEFAULT, ESCAPE, EXTENSION, LOCKING, NOTHING, SINGLE


@lru_cache(maxsize=64)
def _main(locking: int) -> str:
    """The table by which plain septets are read. An unknown language has the default one."""
    return LOCKING.get(locking, DEFAULT).replace(NOTHING, " ")


@lru_cache(maxsize=64)
def _codes(locking: int, single: int) -> dict[str, bytes]:
    """Character → its septets. A plain septet is preferred to an escaped one."""
    extension = sorted(SINGLE.get(single, EXTENSION).items(), reverse=True)  # some characters stand there twice
    escaped = ((char, bytes((ESCAPE, code))) for code, char in extension)
    main = enumerate(LOCKING.get(locking, DEFAULT))
    plain = ((char, bytes((code,))) for code, char in main if code != ESCAPE and char != NOTHING)
    return dict(chain(escaped, plain))


_DEFAULT_CODES = _codes(0, 0)


def decode(septets: bytes, locking: int = 0, single: int = 0) -> str:
    """The text of septet values (each below 128)."""
    table = _main(locking)
    if ESCAPE not in septets:
        return codecs.charmap_decode(septets, "strict", table)[0]
    extension = SINGLE.get(single, EXTENSION)
    out = []
    escaped = False
    for septet in septets:
        if escaped:
            escaped = False
            out.append(" " if septet == ESCAPE else extension.get(septet, table[septet]))
        elif septet == ESCAPE:
            escaped = True
        else:
            out.append(table[septet])
    return "".join(out) + " " * escaped


def encode(text: str, field: str, locking: int = 0, single: int = 0) -> bytes:
    """The septet values of a text. PduError when a character has none."""
    codes = _codes(locking, single)
    try:
        return b"".join([codes[char] for char in text])
    except KeyError:
        names = ", ".join(f"U+{ord(char):04X}" for char in missing(text)[:5])
        raise PduError(field, None, f"not in the GSM 7-bit alphabet: {names}") from None


def cost(char: str) -> int:
    """How many septets a character takes in the default alphabet: 1, 2, or 0 when it is not in it."""
    return len(_DEFAULT_CODES.get(char, b""))


def missing(text: str) -> tuple[str, ...]:
    """The characters of a text that the default alphabet lacks, each once, in order of appearance."""
    return tuple(char for char in dict.fromkeys(text) if char not in _DEFAULT_CODES)
