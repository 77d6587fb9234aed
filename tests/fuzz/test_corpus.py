"""Every input that was ever of interest to the fuzzers, through the same targets; see targets.py."""

from pathlib import Path

import pytest
from fuzz import targets

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.parametrize(("name", "least"), [("pdu", 100), ("at", 20)])
def test_the_corpus_breaks_nothing(name: str, least: int) -> None:
    files = sorted((CORPUS / name).iterdir())
    assert len(files) >= least
    for file in files:
        try:
            getattr(targets, name)(file.read_bytes())
        except Exception as error:
            raise AssertionError(f"{file}: {error!r}") from error
