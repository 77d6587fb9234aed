"""Where a user-perceived character begins: extended grapheme clusters (Unicode annex 29), as far as SMS needs them.

Emoji sequences, skin tones, flags, variation selectors, combining marks, Hangul syllables and Indic conjuncts stay
whole. Built on the categories of `unicodedata`; what annex 29 takes from tables that Python lacks is told by range.
"""

import unicodedata

_ZWJ = 0x200D
_MARKS = ("Mn", "Me", "Mc")
# Extend or SpacingMark in annex 29, though no marks by category
_MORE_EXTEND = frozenset((0x200C, _ZWJ, 0x0E33, 0x0EB3, 0xFF9E, 0xFF9F))
_PREPEND = frozenset((*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x0D4E))
# Scripts whose virama binds the next consonant (rule GB9c): 128 code points each
_CONJUNCT_BLOCKS = frozenset((0x0900, 0x0980, 0x0A80, 0x0B00, 0x0C00, 0x0D00))


def starts(text: str) -> list[bool]:
    """For each character of the text, whether a user-perceived character begins there."""
    if text.isascii():  # most of the traffic; only CR LF hangs together there
        return [char != "\n" or before != "\r" for before, char in zip(" " + text, text, strict=False)]
    result = []
    state = _State()
    for char in text:
        code = ord(char)
        result.append(state.breaks(code))
        state.add(code)
    return result


class _State:
    """What the rules must remember of the cluster so far."""

    __slots__ = ("before", "flags", "pictograph", "virama")

    def __init__(self) -> None:
        self.before = 0
        self.flags = 0  # regional indicators in a row
        self.pictograph = False  # the cluster began with a pictograph, and only marks followed
        self.virama = 0  # block of a virama after which only marks followed

    def add(self, code: int) -> None:
        if not _extends(code):
            self.pictograph = _is_pictograph(code)
            self.virama = 0
        elif code & ~0x7F in _CONJUNCT_BLOCKS and unicodedata.combining(chr(code)) == 9:
            self.virama = code & ~0x7F
        self.flags = self.flags + 1 if _is_flag(code) else 0
        self.before = code

    def breaks(self, code: int) -> bool:
        """Whether a cluster begins with this code point."""
        before = self.before
        if before in (0x0A, 0x0D) or before < 0x20:
            return not (before == 0x0D and code == 0x0A)
        if _extends(code) or before in _PREPEND:
            return code < 0x20
        if before == _ZWJ and self.pictograph and _is_pictograph(code):
            return False
        if _is_flag(code) and self.flags % 2:
            return False
        if self.virama and self.virama == code & ~0x7F and unicodedata.category(chr(code)) == "Lo":
            return False
        return not _hangul_joins(before, code)


def _extends(code: int) -> bool:
    """Whether it clings to what stands before it."""
    if code < 0x300:
        return False
    if code in _MORE_EXTEND or 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F:
        return True
    return unicodedata.category(chr(code)) in _MARKS


def _is_flag(code: int) -> bool:
    return 0x1F1E6 <= code <= 0x1F1FF


def _is_pictograph(code: int) -> bool:
    """Extended_Pictographic, near enough: the symbols that emoji sequences are made of."""
    if 0x1F000 <= code <= 0x1FAFF:
        return not (_is_flag(code) or 0x1F3FB <= code <= 0x1F3FF)
    return code in (0xA9, 0xAE, 0x203C, 0x2049, 0x3030, 0x303D) or (
        0x2100 <= code <= 0x32FF and unicodedata.category(chr(code)) in ("So", "Sm")
    )


def _hangul(code: int) -> str:
    """L, V, T, LV, LVT as annex 29 calls the kinds of jamo and syllables; empty for all else."""
    if 0xAC00 <= code <= 0xD7A3:
        return "LVT" if (code - 0xAC00) % 28 else "LV"
    if 0x1100 <= code <= 0x115F or 0xA960 <= code <= 0xA97C:
        return "L"
    if 0x1160 <= code <= 0x11A7 or 0xD7B0 <= code <= 0xD7C6:
        return "V"
    return "T" if 0x11A8 <= code <= 0x11FF or 0xD7CB <= code <= 0xD7FB else ""


_HANGUL_NEXT = {"L": ("L", "V", "LV", "LVT"), "LV": ("V", "T"), "V": ("V", "T"), "LVT": ("T",), "T": ("T",)}


def _hangul_joins(before: int, code: int) -> bool:
    return code >= 0x1100 and _hangul(code) in _HANGUL_NEXT.get(_hangul(before), ())
