"""Finds modems by what they are, not where they are plugged in.

A modem is its IMEI. One that is configured by ``imei`` alone is looked for on every tty that may be a modem's, and
its driver is told where it is; without any ``[[modem]]`` every modem that answers is used, as ``modem-`` and the last
six digits of its IMEI. Ports that the configuration names are not asked: they are somebody's already.

Rules:
- Ask only ttys that nobody uses, and not the one on which the answer to a SUBMIT of an earlier run may still come: that
  one is given to the modem which had it, whose driver listens first and then looks whom it speaks to.
- A modem may take 20 s after it is plugged in until it answers, so a silent tty is asked again, ever more rarely.
- Two modems with one IMEI (copies have it, and one that has none says 000...) are told apart by the place they are
  plugged into where every modem is used; where only one was configured, the second is refused. Either is said.
- The driver compares the IMEI again when it starts: whoever sits on the wrong port is looked for anew.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from modemgw.gateway.fleet import Fleet, Line
from modemgw.modem.identity import same_imei
from modemgw.modem.settings import ModemSettings
from modemgw.modem.states import ModemState, Reason
from modemgw.port.discovery import Place, real
from modemgw.port.errors import PortError
from modemgw.port.opener import Connect
from modemgw.port.probe import probe
from modemgw.store.errors import StoreError

log = logging.getLogger(__name__)
_UNDECIDED_S = 0.5
_NOBODY = (ModemState.ABSENT, ModemState.FAILED, ModemState.DISABLED)  # nobody answers there as that modem
_AGAIN_S = (0.5, 1.0, 2.0, 2.0, 4.0, 4.0, 8.0, 8.0, 15.0, 30.0, 60.0, 300.0)  # after the first, second ... silence


class Changes(Protocol):
    """Tells when something was plugged in: ``port.hotplug``."""

    changed: asyncio.Event

    async def wait(self, seconds: float | None = None) -> None: ...


@dataclass(slots=True)
class _Seen:
    """One place where something is plugged in. ``due``: when to ask it, None: what is there is known."""

    place: Place
    tries: int = 0
    due: float | None = 0.0


class Finder:
    """``run`` until cancelled. ``template``: the settings for modems that nobody configured; None: only those that are
    configured are used. ``connect`` stands in for ttys."""

    def __init__(
        self,
        fleet: Fleet,
        changes: Changes,
        scan: Callable[[], Sequence[Place]],
        *,
        template: ModemSettings | None = None,
        connect: Connect | None = None,
    ) -> None:
        self._fleet = fleet
        self._changes = changes
        self._scan = scan
        self._template = template
        self._connect = connect
        self._seen: dict[str, _Seen] = {}
        self._homes: dict[str, str] = {}  # modem -> place where it was last
        self._warned: set[tuple[str, str]] = set()
        self._roaming = {name for name, line in fleet.lines.items() if not line.modem.settings.port}
        fleet.on_change = self._noticed

    async def run(self) -> None:
        """Looks whenever something changes, and when a silent tty is due."""
        while True:
            try:
                await self._look()
            except (OSError, StoreError) as error:
                log.error("the serial ports can't be looked at: %s", error)
            await self._changes.wait(self._until_due())

    def _noticed(self, line: Line) -> None:
        """A modem that sits where it does not belong is looked for at once."""
        if line.modem.name in self._roaming and line.modem.reason is Reason.WRONG_IDENTITY:
            self._changes.changed.set()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _until_due(self) -> float | None:
        due = [seen.due for seen in self._seen.values() if seen.due is not None]
        return max(min(due) - self._now(), 0.0) if due else None

    async def _look(self) -> None:
        places = {place.name: place for place in self._scan()}
        for name, place in places.items():
            if name not in self._seen or self._seen[name].place != place:
                self._seen[name] = _Seen(place)
        for name in self._seen.keys() - places.keys():
            del self._seen[name]
        self._let_go({real(tty) for place in places.values() for tty in place.ttys})
        used = {real(line.modem.port_path) for line in self._fleet.lines.values() if line.modem.port_path}
        for seen in self._seen.values():
            if used & {real(tty) for tty in seen.place.ttys}:
                seen.due = None
        due = [seen for seen in self._seen.values() if seen.due is not None and seen.due <= self._now()]
        await asyncio.gather(*(self._look_into(seen) for seen in due))

    def _let_go(self, there: set[str]) -> None:
        """Modems whose tty vanished, or that are another one than we thought, are on no port any more."""
        for name in self._roaming:
            line = self._fleet.lines[name]
            path = line.modem.port_path
            if path and (real(path) not in there or line.modem.reason is Reason.WRONG_IDENTITY):
                line.supervisor.move("")
                self._ask_all()

    def _ask_all(self) -> None:
        """A port became free: whoever is there now may be somebody else."""
        for seen in self._seen.values():
            seen.due, seen.tries = self._now(), 0

    async def _look_into(self, seen: _Seen) -> None:
        for tty in seen.place.ttys:
            if await self._awaited(seen, tty):
                return
            try:
                answer = await probe(tty, connect=self._connect)
            except PortError as error:
                log.debug("%s is not asked: %s", tty, error)
                continue
            if answer is not None:
                seen.due = None
                await self._claim(seen, tty, answer.imei)
                return
        seen.due = self._now() + _AGAIN_S[min(seen.tries, len(_AGAIN_S) - 1)]
        seen.tries += 1

    async def _awaited(self, seen: _Seen, tty: str) -> bool:
        """Whether the answer to a SUBMIT may still come here: then its modem gets the port before anybody writes."""
        name = await self._fleet.awaited_on(tty)
        if name is None or (name in self._fleet.lines and name not in self._roaming):
            return False
        if name not in self._fleet.lines:
            if self._template is None:
                return False
            await self._fleet.adopt(replace(self._template, name=name, port=tty), connect=self._connect)
            self._roaming.add(name)
        self._put(name, tty, seen, listen=True)
        return True

    async def _claim(self, seen: _Seen, tty: str, imei: str | None) -> None:
        """A modem answers on ``tty``: whose is it?"""
        place = seen.place.name
        lines = self._fleet.lines
        own = [name for name in sorted(lines) if self._is(name, imei, place)]
        bound = [lines[name].modem for name in own if lines[name].modem.port_path]
        if any(modem.state is ModemState.INITIALIZING for modem in bound):
            seen.due = self._now() + _UNDECIDED_S  # it will turn out who is on that port
            return
        taken = [modem.name for modem in bound if modem.state not in _NOBODY or modem.reason is Reason.NO_SIM]
        free = [name for name in own if name in self._roaming and name not in taken]
        free.sort(key=lambda name: self._homes.get(name) != place)
        if imei is not None and taken:
            self._warn(place, imei, taken[0])
        if free and not (taken and self._template is not None and self._homes.get(free[0]) != place):
            self._put(free[0], tty, seen)
        elif self._template is not None:
            name = self._name(imei, place)
            await self._fleet.adopt(replace(self._template, name=name, port=tty, imei=imei), connect=self._connect)
            self._roaming.add(name)
            self._put(name, tty, seen)
        elif not taken:
            log.info("a modem with IMEI %s at %s is in no [[modem]]: it is not used", imei or "unknown", place)

    def _is(self, name: str, imei: str | None, place: str) -> bool:
        """Whether this line may be the modem with that IMEI, or the one without any at that place."""
        modem = self._fleet.lines[name].modem
        if imei is None:
            return modem.settings.imei is None and self._homes.get(name) == place
        known = modem.settings.imei or (modem.identity.imei if modem.identity else None)
        return known is not None and same_imei(known, imei)

    def _put(self, name: str, tty: str, seen: _Seen, *, listen: bool = False) -> None:
        if self._fleet.lines[name].modem.port_path:
            self._ask_all()
        seen.due, seen.tries = None, 0
        self._homes[name] = seen.place.name
        log.info("%s is at %s (%s)", name, tty, seen.place.name)
        self._fleet.lines[name].supervisor.move(tty, listen=listen)

    def _name(self, imei: str | None, place: str) -> str:
        """Of a modem that nobody named; the place tells those apart that share an IMEI or have none."""
        where = "".join(c if c.isalnum() or c in ".-" else "-" for c in place.removeprefix("/dev/")).strip("-")
        if imei is None:
            log.warning("the modem at %s has no IMEI of its own: it is known by where it is plugged in", place)
            return f"modem-{where}"
        name = f"modem-{imei[-6:]}"
        return name if name not in self._fleet.lines else f"{name}-{where}"

    def _warn(self, place: str, imei: str, other: str) -> None:
        if (place, imei) in self._warned:
            return
        self._warned.add((place, imei))
        what = (
            "it is used under a name of its own" if self._template is not None else "it is not used: give it a `port`"
        )
        text = f"the modem at {place} has the same IMEI {imei} as {other}: one of them is a copy; {what}"
        log.warning(text)
        self._fleet.tell(other, "modem.duplicate", {"imei": imei, "place": place, "detail": text})
