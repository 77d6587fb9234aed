"""Where a user-perceived character begins: extended grapheme clusters (Unicode annex 29), as far as SMS needs them.

Emoji sequences, skin tones, flags, variation selectors, combining marks, Hangul syllables and conjuncts of the Indian
scripts stay whole. Built on the categories of `unicodedata`; what annex 29 takes from tables that Python lacks is
told by range. Where that is not exact, something stays together that need not.
"""

import unicodedata

_ZWJ = 0x200D
_MARKS = ("Mn", "Me", "Mc")
_CONTROLS = ("Cc", "Cf", "Zl", "Zp")
# Extend or SpacingMark in annex 29, though no marks by category: ZWNJ, ZWJ, Thai and Lao AM, half-width voice marks
_MORE_EXTEND = frozenset((0x200C, _ZWJ, 0x0E33, 0x0EB3, 0xFF9E, 0xFF9F))
_PREPEND = frozenset((*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x0D4E, 0x110BD, 0x110CD))
# Rule GB9c: after one of these a letter of such a script goes on with the cluster
_LINKERS = frozenset((0x094D, 0x09CD, 0x0ACD, 0x0B4D, 0x0C4D, 0x0D4D, 0x1039, 0x17D2))


def starts(text: str) -> list[bool]:
    """For each character of the text, whether a user-perceived character begins there."""
    if text.isascii():  # most of the traffic; only CR LF hangs together there
        return [char != "\n" or before != "\r" for before, char in zip(" " + text, text, strict=False)]
    result = []
    state = _State()
    for char in text:
        code = ord(char)
        extends = _extends(code)
        result.append(state.breaks(code, extends))
        state.add(code, extends)
    return result


class _State:
    """What the rules must remember of the cluster so far."""

    __slots__ = ("before", "flags", "linked", "pictograph")

    def __init__(self) -> None:
        self.before = 0x0A  # as after a line feed, everything may begin
        self.flags = 0  # regional indicators in a row
        self.linked = False  # a linker stood in it, and only marks since
        self.pictograph = False  # it began with a pictograph, and only marks followed

    def add(self, code: int, extends: bool) -> None:
        if not extends:
            self.pictograph = _is_pictograph(code)
        self.linked = extends and (self.linked or code in _LINKERS)
        self.flags = self.flags + 1 if _is_flag(code) else 0
        self.before = code

    def breaks(self, code: int, extends: bool) -> bool:
        """Whether a cluster begins with this code point."""
        before = self.before
        if _is_control(before) or _is_control(code):
            return before != 0x0D or code != 0x0A
        if extends or before in _PREPEND:
            return False
        if before == _ZWJ and self.pictograph and _is_pictograph(code):
            return False
        if _is_flag(code) and self.flags % 2:
            return False
        if self.linked and 0x0900 <= code < 0x1800 and unicodedata.category(chr(code)) == "Lo":
            return False
        return not _hangul_joins(before, code)


def _extends(code: int) -> bool:
    """Whether it clings to what stands before it."""
    if code < 0x300:
        return False
    if code in _MORE_EXTEND or 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F:
        return True
    return unicodedata.category(chr(code)) in _MARKS


def _is_control(code: int) -> bool:
    """Whether nothing clings to it, nor it to anything."""
    if unicodedata.category(chr(code)) not in _CONTROLS:
        return False
    return not (code in _MORE_EXTEND or code in _PREPEND or 0xE0020 <= code <= 0xE007F)


def _is_flag(code: int) -> bool:
    """Regional indicators: two of them are a flag."""
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
