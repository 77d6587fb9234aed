"""The words that people get to see."""

import pytest

from modemgw.modem.facts import Network, Store, signal
from modemgw.modem.states import SENTENCES, ModemState, Reason, Registration, best, from_registration, status


def test_the_states_are_the_documented_ones() -> None:
    assert [str(state) for state in ModemState] == [
        "absent", "initializing", "locked", "searching", "registered", "denied", "failed", "disabled",
    ]  # fmt: skip


def test_every_reason_is_used_and_every_sentence_can_be_said() -> None:
    assert {reason for _, reason in SENTENCES if reason} == set(Reason)
    for state, reason in SENTENCES:
        shown = status(state, reason, name="front", port="/dev/ttyUSB0", why="because")
        assert "{" not in shown.detail
        assert shown.detail


def test_a_pair_that_no_sentence_describes_cannot_be_shown() -> None:
    with pytest.raises(KeyError):
        status(ModemState.REGISTERED, Reason.NO_SIM)


@pytest.mark.parametrize(
    ("stats", "expected"),
    [
        ({"CREG": 1}, Registration.HOME),
        ({"CREG": 5}, Registration.ROAMING),
        ({"CREG": 6}, Registration.HOME),
        ({"CREG": 7}, Registration.ROAMING),
        ({"CREG": 2, "CEREG": 1}, Registration.HOME),
        ({"CREG": 0, "CEREG": 5, "CGREG": 0}, Registration.ROAMING),
        ({"CREG": 3, "CEREG": 2}, Registration.SEARCHING),
        ({"CREG": 3, "CEREG": 0}, Registration.DENIED),
        ({"CREG": 3, "CGREG": 1}, Registration.HOME),
        ({"CREG": 8}, Registration.NONE),
        ({"CREG": 4}, Registration.UNKNOWN),
        ({"CREG": 99}, Registration.UNKNOWN),
        ({}, Registration.NONE),
    ],
)
def test_the_best_registration_is_the_truth(stats: dict[str, int], expected: Registration) -> None:
    assert best(stats) is expected


def test_each_registration_has_its_state() -> None:
    assert {r: (str(s.state), s.reason) for r in Registration for s in [from_registration(r)]} == {
        Registration.HOME: ("registered", None),
        Registration.ROAMING: ("registered", Reason.ROAMING),
        Registration.SEARCHING: ("searching", None),
        Registration.DENIED: ("denied", None),
        Registration.UNKNOWN: ("searching", Reason.NO_SERVICE),
        Registration.NONE: ("searching", Reason.NO_SERVICE),
    }


def test_only_home_and_roaming_can_send() -> None:
    assert [r for r in Registration if Network(r).registered] == [Registration.HOME, Registration.ROAMING]


@pytest.mark.parametrize(
    ("rssi", "dbm", "verdict"),
    [
        (31, -51, "very good"),
        (19, -75, "very good"),
        (12, -89, "good"),
        (9, -95, "fair"),
        (8, -97, "weak: move the antenna"),
        (4, -105, "weak: move the antenna"),
        (0, -113, "very weak: move the antenna or the modem"),
        (99, None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_a_signal_gets_its_verdict(rssi: int | None, dbm: int | None, verdict: str) -> None:
    assert signal(rssi)[1:] == (dbm, verdict)


@pytest.mark.parametrize(
    ("store", "nearly_full"),
    [
        (Store("SM", 8, 10), True),
        (Store("SM", 7, 10), False),
        (Store("SM", 0, 0), False),
        (Store("SM"), False),
        (Store("SM", 5), False),
    ],
)
def test_a_store_is_nearly_full_at_four_fifths(store: Store, nearly_full: bool) -> None:
    assert store.nearly_full is nearly_full
