"""Clock, ids and randomness: the only door to time and chance. And the named places where a test lets us die.

Everything that decides something gets these objects passed in, so that a whole gateway can run in virtual time
and a run can be repeated from its seed. Nothing else in the package calls ``time.time()``, ``uuid4()`` or ``random``.
"""

import ctypes
import functools
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [one + two for one in _CROCKFORD for two in _CROCKFORD]
# No wall clock may honestly be earlier than this build (2026-11-01T00:00:00Z); a Pi starts in the past.
BUILD_MS = 1_793_491_200_000
_TIMESYNCD = Path("/run/systemd/timesync/synchronized")
_TIME_ERROR = 5

# Each lies between two steps of which a crash must not undo, repeat or forget one: C1 accept, C2 intent, C3 outcome,
# C4 report; and the moments when a message leaves a SIM, when the world is told, and when the schema changes.
CRASH_POINTS = (
    "before_c1", "after_c1", "before_c2", "after_c2", "after_ctrl_z", "before_c3", "after_c3", "before_c4", "after_c4",
    "before_cmgd", "after_cmgd", "before_webhook", "after_webhook", "in_migration",
)  # fmt: skip
_crash_at: list[str] = []  # the passes that are still to come, all of one name; empty: none was asked for


class Clock(Protocol):
    """Wall time for people and records, monotonic time for deadlines within one run."""

    boot_id: str

    def wall_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z, as the machine believes it to be."""

    def monotonic(self) -> float:
        """Seconds; never goes back; only differences mean something."""

    def elapsed(self) -> float:
        """Seconds since the machine started, its sleep included; what the wall clock should have moved by."""

    def trusted(self) -> bool:
        """False while the wall clock cannot be right, so that nothing expires by it."""

    def synchronised(self) -> bool:
        """True while a time server keeps the wall clock."""


class SystemClock:
    """The machine's own clocks. Source of the boot id: random(4), /proc/sys/kernel/random/boot_id."""

    def __init__(self) -> None:
        path = Path("/proc/sys/kernel/random/boot_id")
        self.boot_id = path.read_text(encoding="ascii").strip() if path.exists() else "unknown"

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    def elapsed(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def trusted(self) -> bool:
        return self.wall_ms() >= BUILD_MS or self.synchronised()  # the cheap question first

    def synchronised(self) -> bool:
        """True while a time server keeps the clock: the kernel says so, or systemd-timesyncd does."""
        return _kernel_is_synchronised() or _TIMESYNCD.exists()


@functools.cache
def _adjtimex() -> Callable[..., int] | None:
    try:
        return cast("Callable[..., int]", ctypes.CDLL(None).adjtimex)
    except (OSError, AttributeError):
        return None


def _kernel_is_synchronised() -> bool:
    """man 2 adjtimex: with no mode set it changes nothing and returns TIME_ERROR while nobody disciplines the clock."""
    adjtimex = _adjtimex()
    if adjtimex is None:
        return False  # no Linux
    state: int = adjtimex(ctypes.create_string_buffer(512))
    return 0 <= state < _TIME_ERROR


class Ids:
    """Opaque ids that sort by age (ULID: 48 bits of milliseconds, 80 random bits, Crockford base 32).

    The time part never goes back, not even when the wall clock does: a boot in 1970 still sorts behind what is stored.
    """

    def __init__(self, clock: Clock, rng: random.Random, *, last: str | None = None) -> None:
        self._clock = clock
        self._rng = rng
        self._last = _value(last) if last else 0

    def new(self) -> str:
        """A fresh id of 26 characters, greater than every one given before."""
        value = (self._clock.wall_ms() << 80) | self._rng.getrandbits(80)
        if value <= self._last:
            value = self._last + 1 + self._rng.getrandbits(40)
        self._last = value
        return "".join([_PAIRS[(value >> shift) & 1023] for shift in range(120, -1, -10)])


def _value(text: str) -> int:
    value = 0
    for character in text:
        value = value << 5 | _CROCKFORD.index(character)
    return value


def arm_crash(setting: str) -> None:
    """``NAME`` or ``NAME:n``: the process kills itself at the n-th pass of that point. For tests of recovery alone."""
    name, _, count = setting.partition(":")
    if name not in CRASH_POINTS or not (count or "1").isdecimal():
        names = ", ".join(CRASH_POINTS)
        raise SystemExit(f"modemgw: MODEMGW_CRASH={setting} is not NAME or NAME:n, with one of {names}")
    _crash_at[:] = [name] * int(count or "1")


def crash_is_armed() -> bool:
    """Whether this process is to die at one of its crash points."""
    return bool(_crash_at)


def crash_point(name: str) -> None:
    """A place where ``MODEMGW_CRASH`` may end the process as a power cut would: nothing is closed or tidied up."""
    if _crash_at and _crash_at[0] == name:
        _crash_at.pop()
        if not _crash_at:
            os.kill(os.getpid(), signal.SIGKILL)


if "MODEMGW_CRASH" in os.environ:
    arm_crash(os.environ["MODEMGW_CRASH"])
