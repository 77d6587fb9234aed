"""What follows a refusal: the same codes always lead to the same decision, and every chain of tries ends."""

import pytest

from modemgw.gateway.retry import after_not_sent, after_refusal, drop_validity


@pytest.mark.parametrize("policy", ["R", "P"])
def test_a_final_refusal_is_final(policy: str) -> None:
    assert after_refusal(policy, 1, 0).after_s is None


@pytest.mark.parametrize("policy", ["T", "N", "M", "S", "R", "P", "?"])
@pytest.mark.parametrize("cms", [None, 21, 38, 42, 81, 198, 331])
def test_every_chain_ends_and_waits_longer_or_as_long(policy: str, cms: int | None) -> None:
    waits = []
    for failures in range(50):
        decision = after_refusal(policy, cms, failures)
        if decision.after_s is None:
            break
        waits.append(decision.after_s)
    else:
        pytest.fail("never gives up")
    assert waits == sorted(waits)


def test_a_fault_of_the_sim_lets_another_one_try() -> None:
    assert after_refusal("S", 8, 0).unbind
    assert not after_refusal("T", 42, 0).unbind


def test_a_refused_validity_is_tried_once_without() -> None:
    assert after_refusal("P", 198, 0).after_s == 0.0
    assert after_refusal("P", 198, 1).after_s is None
    assert drop_validity(198)
    assert not drop_validity(38)
    assert not drop_validity(None)


def test_a_dead_number_does_not_hold_the_queue_for_long() -> None:
    total = 0.0
    failures = 0
    while (after := after_refusal("T", 38, failures).after_s) is not None:
        total += after
        failures += 1
    assert failures == 3
    assert total <= 3600


def test_what_was_certainly_not_sent_is_tried_again_soon_and_without_end() -> None:
    waits = [after_not_sent(attempts).after_s for attempts in range(1000)]
    assert all(wait is not None and 1 <= wait <= 60 for wait in waits)
