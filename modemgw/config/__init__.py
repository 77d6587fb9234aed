"""The configuration: one TOML file, the environment over it, checked whole before anything starts.

| module | what it is |
|---|---|
| ``models`` | every section and key with its default |
| ``checks`` | what a single value must look like, and what several must not be together |
| ``balance`` | the same for how a prepaid SIM is asked what is left on it |
| ``locate`` | on which line a key stands |
| ``overlay`` | ``MODEMGW__SECTION__KEY`` variables |
| ``secrets`` | ``pin_file``, ``secret_file``, and who may read the file itself |
| ``plain`` | pydantic's findings as sentences |

Why all errors at once: someone who edits a file on a headless box restarts a service for each try.
Why no settings library: it would double the memory and the start-up time of the whole model layer for twenty lines.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from modemgw.config import checks, locate, overlay, plain, secrets
from modemgw.config.models import DEFAULT_STATE_DIR, Alerts, Config, Gateway, Http, Modem, Policy, Sim, Webhook

__all__ = [
    "DEFAULT_STATE_DIR", "Alerts", "Config", "ConfigError", "ConfigErrors", "Gateway", "Http", "Modem", "Policy", "Sim",
    "Webhook", "load",
]  # fmt: skip

_PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")


@dataclass(frozen=True, slots=True)
class ConfigError:
    """One thing to mend. ``line`` from 1, None when it is not in the file; ``path`` as in ``("modem", 1, "port")``."""

    line: int | None
    path: locate.Path
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text


class ConfigErrors(Exception):
    """Everything that is wrong with a configuration, in the order of the file."""

    def __init__(self, file: Path | None, errors: list[ConfigError]) -> None:
        self.file = file
        self.errors = tuple(sorted(errors, key=lambda error: error.line or 0))
        super().__init__(str(self))

    def __str__(self) -> str:
        count = "1 error" if len(self.errors) == 1 else f"{len(self.errors)} errors"
        where = f" in {self.file}" if self.file else ""
        return "\n".join([f"configuration: {count}{where}", *(f"  {error}" for error in self.errors)])


def load(path: Path | None, environ: Mapping[str, str], *, state_dir: Path = DEFAULT_STATE_DIR) -> Config:
    """Reads and checks a configuration; without a path, defaults and ``environ``.

    ``state_dir``: the default of that key. Raises ConfigErrors with everything that is wrong.
    """
    text = _read(path) if path else ""
    document = _parse(path, text)
    findings = secrets.too_open(path, document) if path else []
    _settle_state_dir(document, path, state_dir)
    origins = overlay.apply(document, environ, {each.alias or name: each for name, each in Config.model_fields.items()})
    findings += checks.across(document)
    sources, unreadable = secrets.read_files(document, path.parent if path else Path())
    problems = [(where, plain.about(where, sentence)) for where, sentence in [*findings, *unreadable]]
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        problems += plain.sentences(error, document)
    if not problems:
        return config.read_from(path)
    lines = locate.lines_of(text)
    raise ConfigErrors(path, [_error(sources.get(where, where), text, lines, origins) for where, text in problems])


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigErrors(path, [ConfigError(line, (), "the file is not UTF-8 text")]) from None
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise ConfigErrors(path, [ConfigError(None, (), f"it cannot be read: {reason}")]) from None


def _parse(path: Path | None, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        # The parser notices a missing quote only where the file ends.
        line = locate.unclosed_string(text) or (int(place[1]) if place and place[1] else text.count("\n") + 1)
        reason = _PLACE.sub("", str(error))
        twice = (
            "is written twice" if reason.startswith(("Cannot overwrite", "Cannot declare")) else "cannot be understood"
        )
        raise ConfigErrors(path, [ConfigError(line, (), f"what stands here {twice} ({reason})")]) from None


def _settle_state_dir(document: dict[str, Any], path: Path | None, default: Path) -> None:
    """Written in the file, it is meant from where the file is: every verb then finds the same directory."""
    gateway = document.setdefault("gateway", {})
    if not isinstance(gateway, dict):
        return
    written = gateway.setdefault("state_dir", str(default))
    if path and isinstance(written, str) and written.strip():
        gateway["state_dir"] = str(path.absolute().parent / Path(written).expanduser())


def _error(path: locate.Path, text: str, lines: dict[locate.Path, int], origins: dict[locate.Path, str]) -> ConfigError:
    variable = origins.get(path[:2]) or origins.get(path[:1])
    if variable:
        return ConfigError(None, path, f"environment variable {variable}: {text}")
    return ConfigError(locate.line_of(lines, path), path, text)
