"""Parts of one message → its text or octets (23.040 §9.2.3.24.1). Which parts belong together is not decided here."""

from collections.abc import Iterable
from itertools import groupby

from modemgw.pdu import udh
from modemgw.pdu.dcs import Encoding
from modemgw.pdu.tpdu import Deliver, Submit
from modemgw.pdu.userdata import UserData, to_text


def join(parts: Iterable[Deliver | Submit]) -> str | bytes:
    """The whole message, by ascending part number; bytes when any part is 8-bit data.

    Parts of the same encoding are put together before they are read, because some senders cut a surrogate pair or
    an escape in two. A message that mixes data with text is data, its text in UTF-8. Never fails; missing parts
    are simply not there, and a part number that comes twice counts once.
    """
    by_seq = {part.concat.seq if part.concat else 0: part.user_data for part in parts}
    ordered = [by_seq[seq] for seq in sorted(by_seq)]
    runs = [_run(list(run)) for _, run in groupby(ordered, key=_alphabet)]
    if all(isinstance(run, str) for run in runs):
        return "".join(run for run in runs if isinstance(run, str))
    return b"".join(run.encode() if isinstance(run, str) else run for run in runs)


def _alphabet(part: UserData) -> tuple[Encoding, tuple[int, int]]:
    return part.encoding, udh.languages(part.elements)


def _run(run: list[UserData]) -> str | bytes:
    encoding, languages = _alphabet(run[0])
    even = -2 if encoding is Encoding.UCS2 else -1  # half a unit at a part's end must not shift the next part
    content = b"".join(part.content[: len(part.content) & even] for part in run)
    text = to_text(content, encoding, languages)
    return content if text is None else text
