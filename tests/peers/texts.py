"""What the programs are given to send, and what people write to them: every number once, so that texts tell no lies.

Among them every alphabet that matters: GSM with its extension table, letters that need UCS-2, emoji (two UTF-16 units
each), and messages of several parts in both.
"""

SHORT = "Order {} is ready. Grüße, 5 € [x]"
LONG_GSM = "Numbers in a row until it takes three parts: " + ", ".join(map(str, range(1, 100)))
BEYOND_GSM = "Ваш код 日本語"
EMOJI = "Kaffee ist fertig 😀☕🎉 日本"
LONG_EMOJI = "0123456 😀 " * 15  # two parts; no boundary that a program may choose is the same in all of them


def outgoing(count: int, *, emoji: bool = True) -> dict[str, str]:
    """Recipient → text: mostly short ones, and at the end some of each kind. `emoji` False: none outside the BMP."""
    special = [LONG_GSM, BEYOND_GSM, *([EMOJI, LONG_EMOJI] if emoji else [])]
    texts = [SHORT.format(number) for number in range(count - len(special))] + special
    return {f"+4915551200{place:03d}": text for place, text in enumerate(texts)}


def incoming(count: int, *, emoji: bool = True) -> dict[str, str]:
    """Sender → text: short ones, long ones, other alphabets, emoji, and a sender with a name."""
    special = [LONG_GSM, BEYOND_GSM, *([EMOJI, LONG_EMOJI] if emoji else [])]
    texts = [SHORT.format(number) for number in range(count - 1 - len(special))] + special
    return {"BANK": "Your code is 123456", **{f"+4917012300{place:03d}": text for place, text in enumerate(texts)}}


def needs_ucs2(text: str) -> bool:
    """Whether a text of this module does not fit the GSM alphabet."""
    return text in (BEYOND_GSM, EMOJI, LONG_EMOJI)
