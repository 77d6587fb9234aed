"""Secrets in files of their own: ``pin_file`` and ``secret_file``, and the rule for those written inline.

A configuration file is refused where everybody on the machine can read it and a PIN or webhook secret stands in it.
Works on the raw document, before it is checked; what was read takes the place of the key without ``_file``.
"""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Where = tuple[str | int, ...]

_SECRETS = {"modem": "pin", "sim": "pin", "webhook": "secret"}


def too_open(path: Path, document: dict[str, Any]) -> list[tuple[Where, str]]:
    """A finding for each secret in a file that everybody may read."""
    if not path.stat().st_mode & stat.S_IROTH:
        return []
    return [
        (
            (section, index, key),
            f"everybody can read {path}: chmod o-r {path}, or move it to a file and name that in `{key}_file`",
        )
        for section, index, key, table in _tables(document)
        if key in table
    ]


def read_files(document: dict[str, Any], base: Path) -> tuple[dict[Where, Where], list[tuple[Where, str]]]:
    """Puts the files' contents into ``document``; relative names are meant from ``base``.

    Returns where each secret came from, as ("modem", 0, "pin") -> ("modem", 0, "pin_file"), and what could not be read.
    """
    origins: dict[Where, Where] = {}
    findings: list[tuple[Where, str]] = []
    for section, index, key, table in _tables(document):
        source = table.get(f"{key}_file")
        if not isinstance(source, str) or key in table:
            continue
        where = (section, index, f"{key}_file")
        origins[section, index, key] = where
        try:
            table[key] = (base / source).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not text"
            findings.append((where, f"{base / source} cannot be read: {reason}"))
    return origins, findings


def _tables(document: dict[str, Any]) -> Iterator[tuple[str, int, str, dict[str, Any]]]:
    for section, key in _SECRETS.items():
        tables = document.get(section)
        for index, table in enumerate(tables if isinstance(tables, list) else ()):
            if isinstance(table, dict):
                yield section, index, key, table
