"""Persona files: every mistake at once, with the file's name; inheritance; the ones that ship are sound."""

from pathlib import Path

import pytest

from modemgw.emulator.persona import PersonaError, load, names


@pytest.mark.parametrize("name", names())
def test_every_persona_that_ships_can_be_used(name: str) -> None:
    assert load(name).name == name


def test_all_mistakes_come_at_once_with_the_files_name(tmp_path: Path) -> None:
    file = tmp_path / "odd.toml"
    file.write_text(
        """
        inherit = "generic"
        nonsense = 1
        [line]
        prompt = 3
        busy = "dance"
        colour = "red"
        [boot]
        seconds = -1
        radio = true
        [routing]
        ds = ["one"]
        """
    )
    with pytest.raises(PersonaError) as caught:
        load(str(file))
    assert caught.value.file == "odd.toml"
    assert caught.value.mistakes == [
        "odd.toml:3: unknown key nonsense",
        "odd.toml:7: unknown key line.colour",
        "odd.toml:5: line.prompt must be a string, not 3",
        "odd.toml:6: line.busy must be one of 'swallow', 'refuse', 'abort', 'queue', not 'dance'",
        "odd.toml:9: boot.seconds must not be negative",
        "odd.toml:10: boot.radio must be a number, not True",
        "odd.toml:12: routing.ds must be a list, each item a whole number",
    ]


def test_a_file_says_only_what_differs(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('inherit = "generic"\nsummary = "mine"\n[line]\nprompt = "\\r\\n>"\n')
    persona = load(str(file))
    assert (persona.name, persona.summary, persona.line.prompt) == ("mine", "mine", "\r\n>")
    assert persona.line.escape == load("generic").line.escape


def test_a_file_without_all_keys_names_those_that_are_missing(tmp_path: Path) -> None:
    file = tmp_path / "bare.toml"
    file.write_text('summary = "bare"\nline = 3\n')
    with pytest.raises(PersonaError) as caught:
        load(str(file))
    assert "bare.toml:2: [line] must be a table" in caught.value.mistakes
    assert "bare.toml: boot.seconds is missing" in caught.value.mistakes


def test_unknown_unreadable_and_circular_personas_are_named(tmp_path: Path) -> None:
    with pytest.raises(PersonaError, match=r"there is no such persona; known: .*generic"):
        load("nokia3310")
    broken = tmp_path / "broken.toml"
    broken.write_text("a = ")
    with pytest.raises(PersonaError, match=r"^broken\.toml:1: "):
        load(str(broken))
    orphan = tmp_path / "orphan.toml"
    orphan.write_text('inherit = "nobody"\n')
    with pytest.raises(PersonaError, match=r"nobody\.toml: there is no such persona"):
        load(str(orphan))
