"""Profiles: what is particular to a family of modems, as data.

Rules:
- A profile is a TOML file in ``profiles/``. It names the profile it inherits from, says nothing that is the
  same there, and is chosen by what the modem answers to ``AT+CGMI`` and ``AT+CGMM``.
- ``generic`` inherits from nothing, matches nothing, and works on a modem that nobody has described.
- Tables merge key by key and lists are replaced as a whole, but ``[[step]]`` merges by name: a step of the
  same name is replaced, ``skip = true`` drops it, a new one is inserted behind the step named by ``after``.
- What data can't say is a strategy in `strategies`, which a step names.
- An unknown key or a wrong type is refused with the file's name: a typo must not silently mean "generic".
"""

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

DIRECTORY = Path(__file__).parent / "profiles"
_STRICT = ConfigDict(extra="forbid")


class ProfileError(ValueError):
    """A profile that can't be used; the text names the file and what is wrong in it."""


@dataclass(frozen=True, slots=True, config=_STRICT)
class Match:
    """Regular expressions, searched without regard to case; an absent one matches anything."""

    manufacturer: str | None = None
    model: str | None = None

    def fits(self, manufacturer: str | None, model: str | None) -> bool:
        pairs = ((self.manufacturer, manufacturer), (self.model, model))
        asked = [(pattern, text) for pattern, text in pairs if pattern is not None]
        return bool(asked) and all(re.search(pattern, text or "", re.IGNORECASE) for pattern, text in asked)


@dataclass(frozen=True, slots=True, config=_STRICT)
class Step:
    """One step of start-up: either ``send`` (alternatives, the first to get OK wins) or ``do`` (a strategy).

    ``retry_s``/``retry_for_s``: on failure the whole step is tried again at that interval, for that long.
    ``on_error``: ``ignore`` goes on, ``fail`` ends start-up with ``detail`` as the sentence to show.
    """

    name: str
    send: tuple[str, ...] = ()
    do: str | None = None
    timeout: float = 5.0
    retry_s: float = 1.0
    retry_for_s: float = 0.0
    on_error: Literal["ignore", "fail"] = "ignore"
    detail: str = ""


@dataclass(frozen=True, slots=True, config=_STRICT)
class Timing:
    """Seconds, except ``guard_ms``."""

    guard_ms: int = 0  # silence between a result and the next command; 20 for modules on a UART
    net_s: float = 180.0  # from 0x1A to giving up on +CMGS
    prompt_s: float = 10.0
    listen_s: float = 20.0  # after a crash: how long to wait for the answer to a submit, writing nothing
    poll_s: float = 45.0  # signal and registration
    search_poll_s: float = 10.0  # the same, while there is no network
    verify_s: float = 240.0  # read back what a restart would have undone
    glance_s: float = 60.0  # look into the store where messages arrive
    sweep_s: float = 600.0  # look into all stores
    wake_s: float = 40.0  # how long a silent modem is called before it counts as dead
    radio_wait_s: float = 20.0
    pin_settle_s: float = 3.0  # some firmware restarts when it is asked at once after the PIN
    sim_busy_s: float = 30.0
    reattach_s: float = 600.0  # without a network for so long: let the modem choose one anew
    reset_s: float = 1800.0  # still none: restart it


@dataclass(frozen=True, slots=True, config=_STRICT)
class IdentityCommands:
    """Alternatives for each fact, first usable answer wins; ``all`` answers with several lines at once."""

    imei: tuple[str, ...] = ()
    manufacturer: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    revision: tuple[str, ...] = ()
    all: str | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class PinCounter:
    """How many tries of the PIN are left: ``tries`` is a regular expression whose group 1 is the number."""

    send: str
    tries: str


@dataclass(frozen=True, slots=True, config=_STRICT)
class SimCommands:
    iccid: tuple[str, ...] = ()
    pin_counter: tuple[PinCounter, ...] = ()


@dataclass(frozen=True, slots=True, config=_STRICT)
class Routing:
    """How messages reach us: TS 27.005, 3.2.1 ``+CSMS``, 3.4.1 ``+CNMI``, 3.4.4 ``+CNMA``.

    ``rungs``: the parameters of ``AT+CNMI=``, best first. ``confirm``: how a direct message is acknowledged
    where the modem insists (``+CSMS: 1``).
    """

    service: Literal[0, 1] = 0
    rungs: tuple[str, ...] = ()
    confirm: tuple[str, ...] = ("AT+CNMA=0", "AT+CNMA")


@dataclass(frozen=True, slots=True, config=_STRICT)
class Storage:
    """``prefer``: where messages should arrive, the largest of these. ``ignore``: not for messages.

    ``last_index``: where a store can't be listed its slots are read one by one, as far as it has slots; those of some
    stores are numbered beyond that, up to here.
    """

    prefer: tuple[str, ...] = ("ME", "SM")
    ignore: tuple[str, ...] = ("BM",)
    last_index: int = 0
    list_s: float = 30.0
    delete_s: float = 25.0


@dataclass(frozen=True, slots=True, config=_STRICT)
class Results:
    """Codes that are a definite answer from this family, uncertain in general; written as ``CMS 512``, ``CME 30``."""

    refused: tuple[str, ...] = ()
    not_sent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, config=_STRICT)
class Lines:
    """Unsolicited lines by their beginning, beside those that every modem has.

    ``boot``: said by a modem that starts or stops. ``soft``: those of all such lines that can also come at other
    times, or long after a start: they call for a check of the settings, and never end an exchange. ``full``: a message
    store is full. ``direct``: headers like ``+CMT``, with a message on the next line. ``ignored``: chatter.
    """

    boot: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()
    full: tuple[str, ...] = ()
    direct: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, config=_STRICT)
class Profile:
    """Everything the driver wants to know about a family of modems."""

    name: str
    match: Match = Field(default_factory=Match)
    timing: Timing = Field(default_factory=Timing)
    identity: IdentityCommands = Field(default_factory=IdentityCommands)
    sim: SimCommands = Field(default_factory=SimCommands)
    routing: Routing = Field(default_factory=Routing)
    storage: Storage = Field(default_factory=Storage)
    results: Results = Field(default_factory=Results)
    lines: Lines = Field(default_factory=Lines)
    prompt: bool = True  # False: the modem takes the PDU without asking for it
    hang_up: tuple[str, ...] = ("AT+CHUP", "ATH")
    reset: str = "AT+CFUN=1,1"
    ussd_packed: bool = False  # USSD strings are packed septets in hex, whatever +CSCS says
    step: tuple[Step, ...] = ()


class Profiles:
    """All profiles of a directory, resolved."""

    def __init__(self, profiles: Mapping[str, Profile]) -> None:
        self._profiles = dict(profiles)

    @classmethod
    def load(cls, directory: Path = DIRECTORY) -> "Profiles":
        """Read and resolve every ``*.toml``; ProfileError names the first that is wrong."""
        raw = {}
        for path in sorted(directory.glob("*.toml")):
            try:
                raw[path.stem] = tomllib.loads(path.read_text(encoding="utf-8"))
            except tomllib.TOMLDecodeError as error:
                raise ProfileError(f"{path.name}: {error}") from error
        adapter = TypeAdapter(Profile)
        profiles = {}
        for name in raw:
            try:
                profiles[name] = adapter.validate_python({**_resolve(name, raw, ()), "name": name})
            except ValidationError as error:
                raise ProfileError(f"{name}.toml: {error}") from error
        return cls(profiles)

    @classmethod
    @functools.cache
    def shipped(cls) -> "Profiles":
        """Those that come with the program; read once."""
        return cls.load()

    def __getitem__(self, name: str) -> Profile:
        try:
            return self._profiles[name]
        except KeyError:
            known = ", ".join(sorted(self._profiles))
            raise ProfileError(f"no profile '{name}': there are {known}") from None

    @property
    def generic(self) -> Profile:
        return self["generic"]

    def choose(self, manufacturer: str | None, model: str | None) -> Profile:
        """The profile that describes this modem: one that looks at the model goes first."""
        fitting = [profile for profile in self._profiles.values() if profile.match.fits(manufacturer, model)]
        fitting.sort(key=lambda profile: (profile.match.model is None, profile.name))
        return fitting[0] if fitting else self.generic


def _resolve(name: str, raw: Mapping[str, dict[str, Any]], seen: tuple[str, ...]) -> dict[str, Any]:
    if name in seen or name not in raw:
        raise ProfileError(f"{(*seen, name)[0]}.toml: can't inherit from '{name}'")
    own = dict(raw[name])
    parent = own.pop("inherit", None)
    base = {} if parent is None else _resolve(parent, raw, (*seen, name))
    base.pop("match", None)  # a child that forgets its own match must not catch its parent's modems
    steps = _merge_steps(base.pop("step", []), own.pop("step", []), name)
    return {**_merge(base, own), "step": steps}


def _merge(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _merge_steps(base: Iterable[dict[str, Any]], own: Iterable[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    steps = list(base)
    for step in own:
        entry = dict(step)
        after, skip = entry.pop("after", None), entry.pop("skip", False)
        names = [known["name"] for known in steps]
        at = names.index(entry["name"]) if entry["name"] in names else None
        if at is not None:
            steps[at : at + 1] = [] if skip else [entry]
        elif after is None:
            steps.append(entry)
        elif after in names:
            steps.insert(names.index(after) + 1, entry)
        else:
            raise ProfileError(f"{name}.toml: step '{entry['name']}' comes after '{after}', which is no step")
    return steps
