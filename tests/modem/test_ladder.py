"""The ladder of remedies: which one when, never fast in a loop; and a modem that is helped by it."""

import asyncio
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modem.rig import MakeRig, Rig

from modemgw.emulator.faults import Command, Error, Fault
from modemgw.modem.errors import SubmitFailed
from modemgw.modem.ladder import HEAVY, LADDERS, Cause, Step, Taken, next_step
from modemgw.modem.repair import RepairFailed, from_outside
from modemgw.modem.settings import ModemSettings

ALL = tuple(Step)


def climb(cause: Cause, hours: float, can: Sequence[Step] = ALL, every: float = 10.0) -> list[Taken]:
    """What is done about a trouble that never ends, asked every ten seconds."""
    history: list[Taken] = []
    now = 0.0
    while now < hours * 3600:
        step = next_step(history, now, cause, can)
        if step is not None:
            history.append(Taken(step, cause, now))
        now += every
    return history


def test_a_silent_modem_is_helped_the_mildest_first() -> None:
    steps = [each.step for each in climb(Cause.NO_ANSWER, 1)]

    assert steps[:6] == [Step.REOPEN, Step.REOPEN, Step.RESET, Step.USB_RESET, Step.POWER, Step.GIVE_UP]


def test_a_modem_without_network_is_told_to_choose_one_before_anything_is_restarted() -> None:
    taken = climb(Cause.NO_NETWORK, 2)

    assert [each.step for each in taken[:3]] == [Step.REATTACH, Step.RADIO, Step.RESET]
    assert [each.at for each in taken[:3]] == [0.0, 300.0, 1200.0]


def test_what_is_not_to_be_had_is_passed_over() -> None:
    steps = [each.step for each in climb(Cause.NO_ANSWER, 0.2, (Step.REOPEN, Step.POWER))]

    assert steps == [Step.REOPEN, Step.REOPEN, Step.POWER, Step.GIVE_UP]


def test_a_trouble_that_comes_back_goes_on_where_it_stopped() -> None:
    history = [Taken(Step.RADIO, Cause.SENDS_FAIL, 0.0)]

    assert next_step(history, 1800.0, Cause.SENDS_FAIL, ALL) is Step.RESET
    assert next_step(history, 3 * 3600.0, Cause.SENDS_FAIL, ALL) is Step.RADIO


def test_after_giving_up_it_rests_ever_longer_and_begins_anew() -> None:
    taken = climb(Cause.NO_ANSWER, 24)
    rests = [later.at - each.at for each, later in itertools.pairwise(taken) if each.step is Step.GIVE_UP]

    assert rests[0] == 600
    assert rests == sorted(rests)
    assert max(rests) <= 6 * 3600
    assert [each.step for each in taken].count(Step.GIVE_UP) >= 4


@pytest.mark.parametrize("cause", list(Cause))
def test_nothing_heavy_loops_fast_whatever_the_cause(cause: Cause) -> None:
    heavy = [each.at for each in climb(cause, 24) if each.step in HEAVY]

    assert all(later - earlier >= 60 for earlier, later in itertools.pairwise(heavy))
    for start in heavy:
        assert sum(start <= at < start + 3600 for at in heavy) <= 6


@given(
    st.lists(st.tuples(st.sampled_from(list(Step)), st.sampled_from(list(Cause)), st.floats(0, 50_000)), max_size=30),
    st.sampled_from(list(Cause)),
    st.sets(st.sampled_from(list(Step))),
)
def test_any_history_gives_a_step_that_is_to_be_had(
    past: list[tuple[Step, Cause, float]], cause: Cause, can: set[Step]
) -> None:
    history = [Taken(*each) for each in sorted(past, key=lambda each: each[2])]
    now = 50_000.0
    step = next_step(history, now, cause, can)

    assert step is None or step is Step.GIVE_UP or (step in can and step in LADDERS[cause])
    last = [each.at for each in history if each.step in HEAVY]
    if step in HEAVY and last:
        assert now - last[-1] >= 60


# -- a modem -----------------------------------------------------------------------------------------------------------
def told(rig: Rig, outcome: str) -> list[tuple[str, str]]:
    """(cause, step) of what was told about remedies."""
    events = [detail for kind, detail in rig.gateway.events if kind == "modem.recovery"]
    return [(detail["cause"], detail["step"]) for detail in events if detail["outcome"] == outcome]


async def test_a_modem_that_falls_silent_is_restarted_and_it_is_told_how_long_it_took(rig: Rig) -> None:
    await rig.ready()
    rig.device.hang(300.0)
    await rig.until_state("failed", 200)
    assert rig.modem.reason == "no_answer"

    await rig.until_state("registered", 600)

    assert ("no_answer", "reopen") in told(rig, "begun")
    assert told(rig, "recovered")[-1][0] == "no_answer"
    assert rig.modem.recovery.counts[Step.REOPEN] >= 1
    assert rig.modem.recovery.last is not None
    assert 0 < rig.modem.recovery.last.seconds < 600
    assert await rig.submit() is not None


async def test_a_modem_that_stays_silent_is_given_up_on_and_found_again_when_it_speaks(rig: Rig) -> None:
    await rig.ready()
    rig.device.hang(3 * 3600.0)

    await rig.until(lambda: rig.modem.recovery.given_up, 1800)
    await rig.until(lambda: "modem.failed" in [kind for kind, _ in rig.gateway.events], 10)
    await rig.until_state("failed", 60)

    await rig.until_state("registered", 4 * 3600)
    assert not rig.modem.recovery.given_up


async def test_a_network_that_went_away_is_found_by_choosing_anew(rig: Rig) -> None:
    await rig.ready()
    rig.device.radio.lose(3 * 3600.0)

    await rig.until(lambda: told(rig, "recovered") == [("no_network", "reattach")], 900)


async def test_a_network_that_stays_away_is_looked_for_with_ever_heavier_means(rig: Rig) -> None:
    await rig.ready()
    rig.device.radio.home_stat = 2
    rig.device.radio.set(2)

    await rig.until(lambda: rig.modem.recovery.counts[Step.RADIO] == 1, 1200)
    assert rig.modem.recovery.counts[Step.REATTACH] == 1
    assert len(rig.commands("AT+CFUN=4")) == 1
    await rig.until(lambda: rig.modem.recovery.counts[Step.RESET] == 1, 1500)
    await rig.until(lambda: rig.modem.recovery.counts[Step.GIVE_UP] == 1, 1500)
    assert "modem.failed" in [kind for kind, _ in rig.gateway.events]

    rig.device.radio.home_stat = 1
    rig.device.radio.search()
    await rig.until(lambda: told(rig, "recovered") == [("no_network", "reset")], 120)


async def test_a_network_that_says_no_is_not_answered_with_restarts(rig: Rig) -> None:
    await rig.ready()
    rig.device.radio.home_stat = 3
    rig.device.radio.set(3)
    await asyncio.sleep(4 * 3600)

    assert rig.modem.state == "denied"
    assert Step.RESET not in rig.modem.recovery.counts


async def test_failing_sends_switch_the_radio_off_and_on_and_a_success_ends_it(rig: Rig) -> None:
    await rig.ready()
    for nth in range(1, 6):
        rig.device.faults.add(Fault(Command("AT+CMGS", nth=nth), Error("+CMS ERROR: 38")))
    for n in range(5):
        with pytest.raises(SubmitFailed):
            await rig.submit(token=f"t-{n}")

    await rig.until(lambda: rig.modem.recovery.counts[Step.RADIO] == 1, 60)
    await rig.until_state("registered", 60)
    assert await rig.submit(token="t-9") is not None
    await rig.until(lambda: told(rig, "recovered") == [("sends_fail", "radio")], 5)
    assert rig.device.settings.cnmi == (2, 1, 0, 1, 0), "its settings are made anew"


async def test_refusals_of_recipients_are_no_fault_of_the_modem(rig: Rig) -> None:
    await rig.ready()
    for n in range(12):
        rig.device.faults.add(Fault(Command("AT+CMGS"), Error("+CMS ERROR: 1")))
        with pytest.raises(SubmitFailed):
            await rig.submit(token=f"t-{n}")
    await asyncio.sleep(120)

    assert not rig.modem.recovery.counts


async def test_a_modem_never_heard_of_gets_no_commands_of_repair(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.device.hang(1800.0)
    rig.start()
    await asyncio.sleep(1500)

    assert not rig.modem.recovery.counts


# -- power -------------------------------------------------------------------------------------------------------------
def settings(*argv: str) -> ModemSettings:
    return ModemSettings(name="a", port="emulator:a", power_command=argv)


def test_power_is_switched_by_the_owners_command_as_it_is_given(tmp_path: Path) -> None:
    out = tmp_path / "it's $HOME.txt"
    code = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"

    asyncio.run(from_outside(settings(sys.executable, "-c", code, str(out), "; rm -rf /"), Step.POWER))

    assert out.read_text() == "; rm -rf /"


def test_a_power_command_that_fails_says_so() -> None:
    with pytest.raises(RepairFailed, match="ended with 3: no such hub"):
        asyncio.run(
            from_outside(
                settings(sys.executable, "-c", "import sys; sys.stderr.write('no such hub'); sys.exit(3)"), Step.POWER
            )
        )
    with pytest.raises(RepairFailed, match="can't be run"):
        asyncio.run(from_outside(settings("/nowhere/uhubctl"), Step.POWER))


def test_a_power_command_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modemgw.modem.repair._POWER_LIMIT_S", 0.3)

    with pytest.raises(RepairFailed, match="did not end"):
        asyncio.run(from_outside(settings("sleep", "60"), Step.POWER))
