"""Profiles: inherited, matched by what the modem says it is, and strict about what they may say."""

import re
from pathlib import Path

import pytest
from modem.rig import MakeRig

from modemgw.modem.profile import DIRECTORY, Profile, ProfileError, Profiles
from modemgw.modem.strategies import STRATEGIES

BASE = """
[timing]
poll_s = 10
net_s = 200
[[step]]
name = "one"
send = ["AT1"]
[[step]]
name = "two"
send = ["AT2"]
[[step]]
name = "three"
do = "wake"
"""


def load(tmp_path: Path, **files: str) -> Profiles:
    for name, text in {"generic": BASE, **files}.items():
        (tmp_path / f"{name}.toml").write_text(text)
    return Profiles.load(tmp_path)


def steps(profile: Profile) -> list[tuple[str, tuple[str, ...]]]:
    return [(step.name, step.send) for step in profile.step]


def test_every_strategy_that_a_shipped_profile_names_exists() -> None:
    profiles = Profiles.load()
    names = [path.stem for path in DIRECTORY.glob("*.toml")]

    assert len(names) > 10
    for step in (step for name in names for step in profiles[name].step):
        assert step.do is None or step.do in STRATEGIES
        assert bool(step.send) != bool(step.do)


def test_patterns_of_shipped_profiles_can_be_read() -> None:
    for path in DIRECTORY.glob("*.toml"):
        profile = Profiles.load()[path.stem]
        for counter in profile.sim.pin_counter:
            assert re.compile(counter.tries).groups == 1, (path.name, counter)
        for pattern in (profile.match.manufacturer, profile.match.model):
            re.compile(pattern or "")
        assert profile.routing.rungs, path.name


def test_a_child_says_only_what_differs(tmp_path: Path) -> None:
    child = load(tmp_path, child='inherit = "generic"\n[timing]\npoll_s = 5\n')["child"]

    assert (child.timing.poll_s, child.timing.net_s) == (5, 200)
    assert [step.name for step in child.step] == ["one", "two", "three"]


def test_a_child_replaces_inserts_and_drops_steps(tmp_path: Path) -> None:
    child = load(
        tmp_path,
        child="""
inherit = "generic"
[[step]]
name = "two"
send = ["ATX"]
[[step]]
name = "extra"
after = "one"
send = ["ATY"]
[[step]]
name = "three"
skip = true
""",
    )["child"]

    assert steps(child) == [("one", ("AT1",)), ("extra", ("ATY",)), ("two", ("ATX",))]


def test_grandchildren_inherit_through_their_parents(tmp_path: Path) -> None:
    profiles = load(
        tmp_path,
        maker='inherit = "generic"\n[match]\nmanufacturer = "acme"\n[timing]\npoll_s = 5\n',
        model='inherit = "maker"\n[match]\nmanufacturer = "acme"\nmodel = "^T1000"\n[timing]\nnet_s = 300\n',
    )

    assert (profiles["model"].timing.poll_s, profiles["model"].timing.net_s) == (5, 300)


def test_the_modem_chooses_its_profile_and_the_model_goes_before_the_maker(tmp_path: Path) -> None:
    profiles = load(
        tmp_path,
        maker='inherit = "generic"\n[match]\nmanufacturer = "acme"\n',
        model='inherit = "maker"\n[match]\nmanufacturer = "acme"\nmodel = "^T1000"\n',
        silent='inherit = "maker"\n',
    )

    assert profiles.choose("ACME Inc.", "T1000-E").name == "model"
    assert profiles.choose("ACME Inc.", "T2000").name == "maker"
    assert profiles.choose("Other", "T1000").name == "generic"
    assert profiles.choose(None, None).name == "generic"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[timing]\npol_s = 5\n", "pol_s"),
        ("poll_s = 5\n", "poll_s"),
        ('[timing]\npoll_s = "often"\n', "poll_s"),
        ('[[step]]\nname = "x"\non_error = "panic"\n', "on_error"),
        ('[[step]]\nname = "x"\nafter = "nowhere"\n', "nowhere"),
        ('inherit = "nobody"\n', "nobody"),
        ('inherit = "child"\n', "child"),
        ("[timing\n", "child.toml"),
    ],
)
def test_a_mistake_in_a_profile_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load(tmp_path, child=text)

    assert "child" in str(caught.value)
    assert complaint in str(caught.value)


def test_a_profile_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"'acme'.*generic"):
        _ = load(tmp_path)["acme"]


async def test_a_modem_is_treated_by_its_own_profile_from_the_moment_it_said_who_it_is(
    make_rig: MakeRig, tmp_path: Path
) -> None:
    generic = (Path(__file__).parents[2] / "modemgw/modem/profiles/generic.toml").read_text()
    own = """
inherit = "generic"
[match]
manufacturer = "^simulated"
[routing]
rungs = ["1,1,0,2,0"]
[[step]]
name = "chatter"
after = "identity"
send = ["AT^CURC=0"]
"""
    rig = make_rig()
    rig.profiles = load(tmp_path, generic=generic, own=own)

    await rig.ready()

    assert rig.device.settings.cnmi == (1, 1, 0, 2, 0)
    commands = rig.commands()
    assert commands.index("AT+CGMR") < commands.index("AT^CURC=0") < commands.index("AT+CFUN?")


async def test_a_profile_can_be_forced(make_rig: MakeRig, tmp_path: Path) -> None:
    generic = (Path(__file__).parents[2] / "modemgw/modem/profiles/generic.toml").read_text()
    rig = make_rig(settings={"profile": "own"})
    rig.profiles = load(tmp_path, generic=generic, own='inherit = "generic"\n[routing]\nrungs = ["2,1,0,0,0"]\n')

    await rig.ready()

    assert rig.device.settings.cnmi == (2, 1, 0, 0, 0)
