"""The tables of states: nothing leads out of an end, and the status of a message follows from its segments."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modemgw.domain.states import (
    FINAL_STATUSES,
    MESSAGE_STATUSES,
    SEGMENT_STATES,
    SEGMENT_TRANSITIONS,
    IllegalTransition,
    MessageFacts,
    advance,
    rollup,
)

EVENTS = sorted({event for row in SEGMENT_TRANSITIONS.values() for event in row})


def test_the_table_knows_every_state_and_leads_only_to_known_ones() -> None:
    assert set(SEGMENT_TRANSITIONS) == set(SEGMENT_STATES)
    assert {to for row in SEGMENT_TRANSITIONS.values() for to in row.values()} <= set(SEGMENT_STATES)


def test_every_state_can_be_reached() -> None:
    reached = {"queued"}
    while True:
        more = {to for state in reached for to in SEGMENT_TRANSITIONS[state].values()} | reached
        if more == reached:
            break
        reached = more
    assert reached == set(SEGMENT_STATES)


@pytest.mark.parametrize("state", ["expired", "cancelled"])
def test_what_ended_unsent_stays_so(state: str) -> None:
    for event in EVENTS:
        with pytest.raises(IllegalTransition):
            advance(state, event)


@pytest.mark.parametrize("state", ["delivered", "undelivered"])
def test_a_report_is_the_last_word(state: str) -> None:
    assert set(SEGMENT_TRANSITIONS[state].values()) == {state}


def test_only_the_intent_makes_a_segment_submitting() -> None:
    ways = [
        (state, event) for state, row in SEGMENT_TRANSITIONS.items() for event, to in row.items() if to == "submitting"
    ]
    assert ways == [("queued", "intend")]


def test_an_uncertain_segment_is_never_called_unsent() -> None:
    assert not {"expired", "cancelled"} & set(SEGMENT_TRANSITIONS["uncertain"].values())
    assert not {"expired", "cancelled"} & set(SEGMENT_TRANSITIONS["submitting"].values())


@pytest.mark.parametrize(
    ("segments", "facts", "status"),
    [
        (["queued"], MessageFacts(), "queued"),
        (["queued"], MessageFacts(scheduled=True), "scheduled"),
        (["queued", "queued"], MessageFacts(held=True), "held"),
        (["submitting"], MessageFacts(), "sending"),
        (["submitted", "queued"], MessageFacts(), "sending"),
        (["submitted", "uncertain", "queued"], MessageFacts(), "uncertain"),
        (["submitted", "submitted"], MessageFacts(), "sent"),
        (["delivered", "submitted"], MessageFacts(), "sent"),
        (["delivered", "delivered"], MessageFacts(), "delivered"),
        (["delivered", "undelivered"], MessageFacts(), "undelivered"),
        (["submitted", "failed"], MessageFacts(), "failed"),
        (["failed", "cancelled"], MessageFacts(), "failed"),
        (["submitted", "unknown"], MessageFacts(), "unknown"),
        (["cancelled", "cancelled"], MessageFacts(ended="cancelled"), "cancelled"),
        (["expired"], MessageFacts(ended="expired"), "expired"),
        (["submitted", "expired"], MessageFacts(ended="expired"), "failed"),
        (["unknown", "queued"], MessageFacts(), "sending"),
    ],
)
def test_rollup(segments: list[str], facts: MessageFacts, status: str) -> None:
    assert rollup(segments, facts) == status


@given(st.lists(st.sampled_from(SEGMENT_STATES), min_size=1, max_size=6), st.booleans(), st.booleans())
def test_rollup_tells_no_lies(segments: list[str], held: bool, scheduled: bool) -> None:
    status = rollup(segments, MessageFacts(held=held, scheduled=scheduled))
    assert status in MESSAGE_STATUSES
    if status == "delivered":
        assert set(segments) == {"delivered"}
    if status in ("expired", "cancelled"):
        assert not {"submitted", "delivered", "undelivered", "uncertain", "unknown", "submitting"} & set(segments)
    if status in FINAL_STATUSES and not held:
        assert not {"submitting", "uncertain"} & set(segments)
    assert status == rollup(list(reversed(segments)), MessageFacts(held=held, scheduled=scheduled))


def test_every_walk_ends_in_a_state_of_the_table() -> None:
    for state, events in itertools.product(SEGMENT_STATES, itertools.permutations(EVENTS, 2)):
        now = state
        for event in events:
            now = SEGMENT_TRANSITIONS[now].get(event, now)
        assert now in SEGMENT_STATES
