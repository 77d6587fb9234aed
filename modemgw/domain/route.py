"""Which SIMs may write to which numbers: the owner's rules. The longest prefix that matches decides alone."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Route:
    """One ``[[route]]``. ``sims`` (names, ICCIDs or numbers) and ``tags`` name those that may; neither: all may.

    ``quiet``: minutes of the day, local time, from which to which only urgent messages go; None: never.
    """

    prefix: str = ""
    sims: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    quiet: tuple[int, int] | None = None

    def allows(self, names: Sequence[str | None], tags: Sequence[str]) -> bool:
        """May a SIM with these names (name, ICCID, number) and tags be used?"""
        if self.sims is None and self.tags is None:
            return True
        return any(each in (self.sims or ()) for each in names) or any(each in (self.tags or ()) for each in tags)

    def is_quiet(self, minute: int) -> bool:
        """True in the quiet hours; ``minute`` of the local day. They may go over midnight."""
        if self.quiet is None:
            return False
        start, end = self.quiet
        return start <= minute < end if start <= end else minute >= start or minute < end


ANY = Route()


def route_for(number: str, routes: Sequence[Route]) -> Route:
    """The rule with the longest prefix of this number; without one every SIM may."""
    return max((each for each in routes if number.startswith(each.prefix)), key=lambda each: len(each.prefix),
               default=ANY)  # fmt: skip


def route_named(prefix: str, routes: Sequence[Route]) -> Route:
    """The rule with exactly this prefix, or that of the numbers that begin with it, should it be gone."""
    return route_for(prefix, routes)
