"""Cutting messages: what each segment costs, and what is never cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modemgw.pdu import clusters, gsm7, segment
from modemgw.pdu.address import Address
from modemgw.pdu.concat import join
from modemgw.pdu.dcs import Encoding
from modemgw.pdu.errors import PduError
from modemgw.pdu.segment import RefBits, plan, plan_data, submit_for
from modemgw.pdu.tpdu import Submit
from modemgw.pdu.udh import Ports
from modemgw.pdu.validity import Relative

TO = Address.parse("+491711234567")
FAMILY = "👨‍👩‍👧‍👦"  # 11 UTF-16 units


@pytest.mark.parametrize(
    ("text", "ref_bits", "ports", "lengths", "left"),
    [
        ("x" * 160, 8, None, [160], 0),
        ("x" * 161, 8, None, [153, 8], 145),
        ("x" * 161, 16, None, [152, 9], 143),
        ("ж" * 70, 8, None, [70], 0),
        ("ж" * 71, 8, None, [67, 4], 63),
        ("ж" * 71, 16, None, [66, 5], 61),
        ("x", 8, Ports(1, 2), [1], 151),
        ("x", 8, Ports(1, 2, 8), [1], 153),
        ("x" * 153, 8, Ports(1, 2), [146, 7], 139),
        ("€" * 80, 8, None, [80], 0),
        ("€" * 81, 8, None, [76, 5], 143),
    ],
)
def test_room(text: str, ref_bits: RefBits, ports: Ports | None, lengths: list[int], left: int) -> None:
    made = plan(text, ref_bits=ref_bits, ports=ports)
    assert [len(part) for part in made.segments] == lengths
    assert made.units_left == left


@pytest.mark.parametrize(
    ("octets", "ref_bits", "lengths"), [(140, 8, [140]), (141, 8, [134, 7]), (141, 16, [133, 8]), (1, 8, [1])]
)
def test_room_for_data(octets: int, ref_bits: RefBits, lengths: list[int]) -> None:
    made = plan_data(bytes(octets), ref_bits=ref_bits)
    assert [len(part) for part in made.segments] == lengths
    assert (made.encoding, made.units_used) == (Encoding.OCTETS, octets)


def test_a_plan_says_why_it_costs_more() -> None:
    made = plan("Grüße `😀` für 5 €")
    assert (made.encoding, made.ucs2_because, made.units_used) == (Encoding.UCS2, ("`", "😀"), 18)
    assert plan("Grüße für 5 €").ucs2_because == ()
    assert plan("Grüße", encoding="ucs2").ucs2_because == ()


def test_an_escaped_character_is_not_cut() -> None:
    made = plan("a" * 152 + "€" + "b" * 20)
    assert made.segments == ("a" * 152, "€" + "b" * 20)


def test_forced_gsm_says_what_it_cannot_say() -> None:
    with pytest.raises(PduError, match=r"U\+0436"):
        plan("ж", encoding="gsm7")


@pytest.mark.parametrize("nothing", ["", b""])
def test_nothing_to_send_is_refused(nothing: str | bytes) -> None:
    with pytest.raises(PduError):
        plan(nothing) if isinstance(nothing, str) else plan_data(nothing)


def test_a_family_stays_together_where_it_costs_nothing() -> None:
    made = plan("ж" * 60 + FAMILY + "ж" * 10)
    assert made.segments == ("ж" * 60, FAMILY + "ж" * 10)


def test_a_family_is_parted_where_whole_it_would_cost_a_segment() -> None:
    made = plan("ж" * 59 + FAMILY + "ж" * 64)  # 134 units: two segments exactly
    assert [len(part.encode("utf-16-be")) // 2 for part in made.segments] == [67, 67]


def test_only_those_are_parted_that_must_be() -> None:
    made = plan("ж" * 59 + FAMILY + "ж" * 48 + FAMILY + "ж" * 60)  # room to spare for one family, not for both
    assert len(made.segments) == 3
    assert sum(part.count(FAMILY) for part in made.segments) == 1


def test_a_character_longer_than_a_segment_is_cut_between_code_points() -> None:
    text = "e" + "\u0301" * 200
    made = plan(text)
    assert [len(part) for part in made.segments] == [67, 67, 67]


def test_crlf_stays_together() -> None:
    made = plan("x" * 152 + "\r\n" + "y" * 20)
    assert made.segments == ("x" * 152, "\r\n" + "y" * 20)


_PIECES = st.sampled_from(
    ["a", "€", "ж", "😀", "👍🏽", FAMILY, "🇩🇪", "e\u0301", "한", "क्षि", "\r\n", "x" * 30, "1️⃣", "ж" * 20]
)


def _cost(text: str, encoding: Encoding) -> int:
    return sum(map(gsm7.cost, text)) if encoding is Encoding.GSM7 else len(text.encode("utf-16-be")) // 2


def _greedy(pieces: list[str], room: int, encoding: Encoding) -> int:
    """How many segments it takes when pieces are never cut."""
    count, left = 1, room
    for piece in pieces:
        cost = _cost(piece, encoding)
        if cost > left:
            count, left = count + 1, room
        left -= cost
    return count


def _whole(text: str) -> list[str]:
    bounds = [at for at, begins in enumerate(clusters.starts(text)) if begins]
    return [text[start:end] for start, end in zip(bounds, [*bounds[1:], len(text)], strict=True)]


@given(st.lists(_PIECES, min_size=1, max_size=60).map("".join), st.sampled_from([8, 16]))
def test_any_text(text: str, ref_bits: RefBits) -> None:
    made = plan(text, ref_bits=ref_bits)
    submits = made.submits(TO, ref=200, validity=Relative(3600))
    assert "".join(made.segments) == text
    again = [Submit.from_bytes(submit.encode()) for submit in submits]
    assert "".join(submit.text or "" for submit in again) == text
    assert join(reversed(again)) == text
    if len(made.segments) == 1:
        assert again[0].concat is None
        return
    room = made.units_left + _cost(made.segments[-1], made.encoding)
    assert len(made.segments) == _greedy(list(text), room, made.encoding)
    if _greedy(_whole(text), room, made.encoding) == len(made.segments):
        starts = clusters.starts(text)
        at = 0
        for part in made.segments:
            assert starts[at]
            at += len(part)


@given(st.binary(min_size=1, max_size=600), st.sampled_from([8, 16]))
def test_any_data(data: bytes, ref_bits: RefBits) -> None:
    made = plan_data(data, ref_bits=ref_bits)
    parts = [Submit.from_bytes(submit.encode()) for submit in made.submits(TO, ref=3)]
    assert join(parts) == data


def test_one_segment_can_be_built_again_later() -> None:
    made = plan("ж" * 300)
    all_at_once = made.submits(TO, ref=9, mr=5, validity=Relative(3600), message_class=1)
    third = submit_for(
        made.segments[2],
        destination=TO,
        encoding=made.encoding,
        seq=3,
        parts=len(made.segments),
        ref=9,
        mr=7,
        validity=Relative(3600),
        message_class=1,
    )
    assert third == all_at_once[2]


@pytest.mark.parametrize(("seq", "parts"), [(0, 2), (3, 2), (1, 256), (0, 0)])
def test_an_impossible_segment_is_refused(seq: int, parts: int) -> None:
    with pytest.raises(PduError):
        submit_for("x", destination=TO, encoding=Encoding.GSM7, seq=seq, parts=parts)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [("x", Encoding.OCTETS), (b"x", Encoding.GSM7), ("ж", Encoding.GSM7), ("x" * 161, Encoding.GSM7)],
)
def test_content_that_does_not_fit_is_refused(content: str | bytes, encoding: Encoding) -> None:
    with pytest.raises(PduError):
        submit_for(content, destination=TO, encoding=encoding).encode()


def test_a_reference_must_fit_its_bits() -> None:
    with pytest.raises(PduError, match="8 bits"):
        plan("x" * 300).submits(TO, ref=256)
    with pytest.raises(PduError):
        plan("x" * 300, ref_bits=16).submits(TO, ref=-1)


def test_planning_the_longest_message_is_quick_enough_to_accept_it_in_a_request() -> None:
    assert len(plan("ж" * (67 * segment.MAX_SEGMENTS)).segments) == 255
