"""User-perceived characters: what stays together, and what does not."""

import pytest

from modemgw.pdu import clusters


def split(text: str) -> list[str]:
    """The text cut where clusters begin."""
    bounds = [at for at, begins in enumerate(clusters.starts(text)) if begins]
    return [text[start:end] for start, end in zip(bounds, [*bounds[1:], len(text)], strict=True)]


@pytest.mark.parametrize(
    "whole",
    [
        "\r\n",
        "👨‍👩‍👧‍👦",
        "👍🏽",
        "👩🏽‍🚀",
        "❤️‍🔥",
        "🏴‍☠️",
        "🏳️‍🌈",
        "🧑‍⚕️",
        "1️⃣",
        "©️",
        "🇩🇪",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "e\u0301\u0323",
        "ก็",
        "กำ",
        "नि",
        "க்",
        "क्ष",
        "क्‍ष",
        "ক্ষ",
        "\u1112\u1161\u11ab",
        "\uac00\u11a8",
        "한",
        "a\u200c",
        "ｶ\uff9e",
        "\u0600١",
        "葛󠄀",
    ],
)
def test_stays_whole(whole: str) -> None:
    assert split(whole) == [whole]
    assert split(f"x{whole}y") == ["x", whole, "y"]
    assert split(whole * 3) == [whole] * 3


@pytest.mark.parametrize(
    "parts",
    [
        ["🇩🇪", "🇫🇷", "🇪"],
        ["a", "b"],
        ["\n", "\r"],
        ["\r", "a"],
        ["\n", "\u0301"],
        ["👍", "👍"],
        ["a\u200d", "b"],
        ["a\u200d", "👩"],
        ["👩", "🇩🇪"],
        ["க்", "ஷ"],
        ["한", "국", "어"],
        ["a", "€", "ж"],
        ["क्", "x"],
        ["\u00ad", "\u0301"],
        ["\u200b", "\u0301"],
        ["\u0600", "\n"],
    ],
)
def test_comes_apart(parts: list[str]) -> None:
    assert split("".join(parts)) == parts


def test_an_empty_text_has_none() -> None:
    assert clusters.starts("") == []
