"""Standard input, line by line, whatever stands in it and also when it is closed."""

import sys
from collections.abc import Iterator


def from_stdin() -> Iterator[str]:
    """Every line as it comes, empty ones too; what is not UTF-8 is replaced."""
    if sys.stdin is not None:
        for line in sys.stdin.buffer:
            yield line.decode("utf-8", "replace").rstrip("\r\n")
