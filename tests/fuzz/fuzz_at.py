"""Atheris on the target ``at``; see targets.py. Options are those of libFuzzer."""

import sys
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

with atheris.instrument_imports(include=["modemgw"]):
    from fuzz import targets

if __name__ == "__main__":
    atheris.Setup(sys.argv, targets.at)
    atheris.Fuzz()
