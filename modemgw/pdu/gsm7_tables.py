"""The 7-bit alphabets of 23.038, as data: default alphabet and extension (§6.2.1), national languages (annex A).

A main or locking table is a string of 128 characters, the septet is the index; NUL marks a septet that stands for
nothing. An extension or single-shift table maps the septet behind the escape to a character. The languages are
numbered as in §6.2.1.2.4.

The tables of the Indian scripts are written as what they are: one layout over code charts that run in parallel,
less the letters that a script does not have, plus a few of its own.
"""

ESCAPE = 0x1B
NOTHING = "\0"

DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)

EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

(
    TURKISH, SPANISH, PORTUGUESE, BENGALI, GUJARATI, HINDI, KANNADA, MALAYALAM, ORIYA, PUNJABI, TAMIL, TELUGU, URDU
) = range(1, 14)  # fmt: skip

_TURKISH = (
    "@£$¥€éùıòÇ\nĞğ\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bŞşßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "İABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "çabcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)

_PORTUGUESE = (
    "@£$¥êéúíóç\nÔô\rÁá"
    "Δ_ªÇÀ∞^\\€Ó|\x1bÂâÊÉ"
    " !\"#º%&'()*+,-./"
    "0123456789:;<=>?"
    "ÍABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÃÕÚÜ§"
    "~abcdefghijklmno"
    "pqrstuvwxyzãõ`üà"
)

# First septet, first place in the code chart, how many in a row
_INDIAN_LETTERS = (
    (0x00, 0x01, 3),
    (0x03, 0x05, 7),
    (0x0B, 0x0C, 2),
    (0x0E, 0x0E, 13),
    (0x1C, 0x1B, 4),
    (0x22, 0x1F, 6),
    (0x2A, 0x25, 2),
    (0x2D, 0x27, 1),
    (0x2F, 0x28, 1),
    (0x3C, 0x29, 3),
    (0x40, 0x2C, 14),
    (0x4E, 0x3C, 18),
)
_INDIAN_COMMON = {
    0x0A: "\n", 0x0D: "\r", ESCAPE: chr(ESCAPE), 0x20: " ", 0x21: "!", 0x28: ")", 0x29: "(", 0x2C: ",", 0x2E: ".",
    0x3A: ":", 0x3B: ";", 0x3F: "?",
    **{0x30 + digit: str(digit) for digit in range(10)},
    **{letter: chr(letter) for letter in range(0x61, 0x7B)},
}  # fmt: skip
_INDIAN_OWN = (0x60, 0x7B, 0x7C, 0x7D, 0x7E, 0x7F)

_URDU = {
    septet: chr(code)
    for first, codes in (
        (0x00, (0x627, 0x622, 0x628, 0x67B, 0x680, 0x67E, 0x6A6, 0x62A, 0x6C2, 0x67F)),
        (0x0B, (0x679, 0x67D)),
        (0x0E, (0x67A, 0x67C, 0x62B, 0x62C, 0x681, 0x684, 0x683, 0x685, 0x686, 0x687, 0x62D, 0x62E, 0x62F)),
        (0x1C, (0x68C, 0x688, 0x689, 0x68A)),
        (0x22, (0x68F, 0x68D, 0x630, 0x631, 0x691, 0x693)),
        (0x2A, (0x699, 0x632)),
        (0x2D, (0x696,)),
        (0x2F, (0x698,)),
        (0x3C, (0x69A, 0x633, 0x634)),
        (0x40, (0x635, 0x636, 0x637, 0x638, 0x639, 0x641, 0x642, 0x6A9, 0x6AA, 0x6AB, 0x6AF, 0x6B3, 0x6B1, 0x644)),
        (0x4E, (0x645, 0x646, 0x6BA, 0x6BB, 0x6BC, 0x648, 0x6C4, 0x6D5, 0x6C1, 0x6BE, 0x621, 0x6CC, 0x6D0, 0x6D2)),
        (0x5C, (0x64D, 0x650, 0x64F, 0x657, 0x654)),
        (0x7B, (0x655, 0x651, 0x653, 0x656, 0x670)),
    )
    for septet, code in enumerate(codes, first)
}


def _table(cells: dict[int, str]) -> str:
    return "".join(cells.get(septet, NOTHING) for septet in range(128))


def _indian(chart: int, lacks: str, own: str) -> str:
    """`chart`: where the script begins in Unicode; `lacks`: places in it, in hex; `own`: for the last septets."""
    missing = {int(place, 16) for place in lacks.split()}
    cells = dict(_INDIAN_COMMON)
    for septet, place, count in _INDIAN_LETTERS:
        cells |= {septet + n: chr(chart + place + n) for n in range(count) if place + n not in missing}
    cells |= {septet: chr(chart + int(place, 16)) for septet, place in zip(_INDIAN_OWN, own.split(), strict=True)}
    return _table(cells)


LOCKING = {
    TURKISH: _TURKISH,
    PORTUGUESE: _PORTUGUESE,
    BENGALI: _indian(0x0980, "0D 0E 11 12 29 31 33 34 35 45 46 49 4A", "4E 57 5C 5D 70 71"),
    GUJARATI: _indian(0x0A80, "0E 12 29 31 34 46 4A", "50 60 61 62 63 71"),
    HINDI: _indian(0x0900, "", "50 72 7B 7C 7E 7F"),
    KANNADA: _indian(0x0C80, "01 0D 11 29 34 45 49", "55 56 60 61 62 63"),
    MALAYALAM: _indian(0x0D00, "01 0D 11 29 3C 45 49", "57 60 61 62 63 79"),
    ORIYA: _indian(0x0B00, "0D 0E 11 12 29 31 34 45 46 49 4A", "56 57 60 61 62 63"),
    PUNJABI: _indian(0x0A00, "0B 0C 0D 0E 11 12 29 31 34 37 3D 43 44 45 46 49 4A", "51 70 71 72 73 74"),
    TAMIL: _indian(
        0x0B80,
        "01 0B 0C 0D 11 16 17 18 1B 1D 20 21 22 25 26 27 2B 2C 2D 3C 3D 43 44 45 49",
        "50 57 70 71 72 79",
    ),
    TELUGU: _indian(0x0C00, "0D 11 29 34 3C 45 49", "55 56 60 61 62 63"),
    URDU: _table(_INDIAN_COMMON | _URDU),
}

_SHIFTED_LATIN = (
    dict(enumerate("@£$¥¿\"¤%&'\f*+"))
    | dict(enumerate("-/<=>¡^¡_#*", 0x0E))
    | {code: chr(code) for code in range(0x41, 0x5B)}
    | EXTENSION
)
_SHIFTED_OWN = (0x19, 0x1A, *range(0x1C, 0x28), *range(0x2A, 0x2F), *range(0x30, 0x3C), 0x3F)


def _shifted(own: str) -> dict[int, str]:
    """A single-shift table of this family; `own`: code points for its free septets in order, `-` for nothing.

    `0966..096F` stands for a row of them.
    """
    codes: list[int | None] = []
    for word in own.split():
        first, _, last = word.partition("..")
        codes.extend([None] if word == "-" else range(int(first, 16), int(last or first, 16) + 1))
    cells = zip(_SHIFTED_OWN, codes, strict=False)
    return _SHIFTED_LATIN | {septet: chr(code) for septet, code in cells if code is not None}


SINGLE = {
    TURKISH: EXTENSION | {0x47: "Ğ", 0x49: "İ", 0x53: "Ş", 0x63: "ç", 0x67: "ğ", 0x69: "ı", 0x73: "ş"},
    SPANISH: EXTENSION
    | {0x09: "ç", 0x41: "Á", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú", 0x61: "á", 0x69: "í", 0x6F: "ó", 0x75: "ú"},
    PORTUGUESE: EXTENSION
    | {0x05: "ê", 0x09: "ç", 0x0B: "Ô", 0x0C: "ô", 0x0E: "Á", 0x0F: "á"}
    | {0x12: "Φ", 0x13: "Γ", 0x15: "Ω", 0x16: "Π", 0x17: "Ψ", 0x18: "Σ", 0x19: "Θ", 0x1F: "Ê"}
    | {0x41: "À", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú", 0x5B: "Ã", 0x5C: "Õ", 0x61: "Â"}
    | {0x69: "í", 0x6F: "ó", 0x75: "ú", 0x7B: "ã", 0x7C: "õ", 0x7F: "â"},
    BENGALI: _shifted("09E6..09EF 09DF..09E3 09F2..09FA"),
    GUJARATI: _shifted("0964 0965 0AE6..0AEF"),
    HINDI: _shifted("0964 0965 0966..096F 0951..0954 0958..0963 0970 0971"),
    KANNADA: _shifted("0964 0965 0CE6..0CEF 0CDE 0CF1 0CF2"),
    MALAYALAM: _shifted("0964 0965 0D66..0D6F 0D70..0D75 0D7A..0D7F"),
    ORIYA: _shifted("0964 0965 0B66..0B6F 0B5C 0B5D 0B5F 0B70 0B71"),
    PUNJABI: _shifted("0964 0965 0A66..0A6F 0A59..0A5C 0A5E 0A75"),
    TAMIL: _shifted("0964 0965 0BE6..0BEF 0BF3..0BF8 0BFA"),
    TELUGU: _shifted("- - 0C66..0C6F 0C58 0C59 0C78..0C7F"),
    URDU: _shifted("0600 0601 06F0..06F9 060C..0614 061B 061F 0640 0652 0658 066B 066C 0672 0673 06CD 06D4"),
}
