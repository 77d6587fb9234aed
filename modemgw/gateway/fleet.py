"""Modems and their SIMs: who is there, who may send, and the two ways that a modem talks to the gateway.

One line per modem. A line's identity is its SIM (ICCID, else IMSI): counters, MR and history follow the SIM into
another modem, and nothing is sent before the SIM in the modem is known.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from modemgw.domain.mcc import country_of
from modemgw.gateway import incoming, limits, recovery, reports
from modemgw.gateway.context import Context
from modemgw.gateway.onesim import OneSim
from modemgw.gateway.pins import PinMemory
from modemgw.gateway.pool import Pool
from modemgw.gateway.sender import Sender
from modemgw.modem.errors import NotTaken
from modemgw.modem.facts import Received, SimCard
from modemgw.modem.modem import Modem
from modemgw.modem.profile import Profiles
from modemgw.modem.settings import ModemSettings
from modemgw.modem.states import ModemState
from modemgw.modem.supervisor import Supervisor
from modemgw.port.opener import Connect
from modemgw.seams import crash_point
from modemgw.store import attempts, events, sims
from modemgw.store.errors import StoreError

log = logging.getLogger(__name__)
_STORE_PAUSE_S = 5.0


@dataclass(slots=True)
class Line:
    """One modem with what the gateway knows of it. ``simulated``: it is no hardware, and says so everywhere."""

    supervisor: Supervisor
    simulated: bool
    sim: SimCard | None = None
    sim_id: int | None = None
    sender: Sender | None = None
    card: OneSim | None = None  # the SIM for which the sender sends
    sending: asyncio.Task[None] | None = None
    told: tuple[str, str | None] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def modem(self) -> Modem:
        return self.supervisor.modem


class Fleet:
    """All modems of the gateway; implements what the driver calls back (ModemListener)."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.lines: dict[str, Line] = {}
        self.pool = Pool(context)
        self._profiles = Profiles.shipped()
        self.held = False  # nothing new goes out
        self._group: asyncio.TaskGroup | None = None
        self.on_change: Callable[[Line], None] = lambda _: None  # for the finder

    # What the modem's driver calls.

    async def received(self, modem: Modem, pdu: Received) -> None:
        """Durable first, then off the SIM. NotTaken while the SIM is not known: it stays where it is."""
        line = self.lines[modem.name]
        sim_id = await self._identify(line)
        if sim_id is None and pdu.receipt.kind == "direct" and incoming.is_report(pdu.pdu):
            sim_id = await self._sim_of_open_attempt(modem.port_path)
        if sim_id is None:
            raise NotTaken("which SIM it came to is not known yet")
        received_id = await incoming.handle(self._context, sim_id=sim_id, modem=modem.name, pdu=pdu.pdu)
        crash_point("before_cmgd")
        await modem.acknowledge(pdu.receipt)
        crash_point("after_cmgd")
        await incoming.acknowledged(self._context, received_id)

    async def _sim_of_open_attempt(self, port: str) -> int | None:
        """While a port only listens, its SIM is not known; a report there speaks of what a crash left open. It exists
        nowhere but in our memory, so it is not kept waiting: another crash would lose the proof."""
        attempt = await self._context.db.read(lambda cur: attempts.newest_open_on_port(cur, port))
        return attempt.sim_id if attempt else None

    async def late_submit(self, modem: Modem, token: str | None, mr: int | None) -> None:
        """An answer for a SUBMIT that had been given up."""
        context = self._context
        if token is None:
            port = modem.port_path
            attempt = await context.db.read(lambda cur: attempts.newest_open_on_port(cur, port))
            if attempt is None:
                return
            token = attempt.token
        proven = token
        await context.commit(lambda cur: reports.accepted(cur, context, proven, mr, "late_answer"), urgent=True)

    def changed(self, modem: Modem) -> None:
        """State, SIM or signal is another; ``run`` looks at it."""
        line = self.lines.get(modem.name)
        if line is not None:
            line.changed.set()
            self.on_change(line)

    async def event(self, modem: Modem, kind: str, detail: dict[str, str]) -> None:
        """Something worth telling, such as a call."""
        context = self._context
        body = {"modem": modem.name, **detail}
        await context.commit(lambda cur: events.announce(cur, context.stamp(), kind, body))

    # The gateway's side.

    def add(self, settings: ModemSettings, *, connect: Connect | None = None, simulated: bool = False) -> Line:
        """Takes a modem in; ``run`` runs it. ``connect`` stands in for the tty of a modem that is no hardware."""
        modem = Modem(settings, self)
        supervisor = Supervisor(
            modem,
            profiles=self._profiles,
            guard=PinMemory(self._context),
            connect=connect,
            pending_submit=lambda: recovery.unanswered_for(self._context, modem.port_path),
        )
        line = Line(supervisor, simulated)
        self.lines[settings.name] = line
        if self._group is not None:
            self._start(line, self._group)
        return line

    async def adopt(self, settings: ModemSettings, *, connect: Connect | None = None) -> Line:
        """The same for a modem that was found, which an operator may have switched off earlier."""
        switched_off = await self._context.db.read(sims.disabled_modems)
        return self.add(replace(settings, enabled=settings.name not in switched_off), connect=connect)

    async def awaited_on(self, port: str) -> str | None:
        """The modem that had this port in an earlier run, if the answer to its last SUBMIT may still come there."""
        if await recovery.unanswered_for(self._context, port) is None:
            return None
        attempt = await self._context.db.read(lambda cur: attempts.newest_open_on_port(cur, port))
        return attempt.modem if attempt else None

    def tell(self, name: str, kind: str, detail: dict[str, str]) -> None:
        """Announces something about a modem, in its own time."""
        modem = self.lines[name].modem
        modem.upcalls.add(lambda: self.event(modem, kind, detail))

    def wake(self) -> None:
        """There may be something to send."""
        self.pool.wake()

    async def run(self) -> None:
        """Runs every modem and reacts to their changes, until cancelled (after ``stop``)."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for line in self.lines.values():
                self._start(line, group)
            group.create_task(asyncio.Event().wait(), name="fleet")  # without a modem so far

    def _start(self, line: Line, group: asyncio.TaskGroup) -> None:
        group.create_task(line.supervisor.run(), name=f"modem-{line.modem.name}")
        group.create_task(self._watch(line), name=f"line-{line.modem.name}")

    def go(self) -> None:
        """Messages may be sent, where that was ``held`` until now."""
        self.held = False
        for line in self.lines.values():
            line.changed.set()

    async def stop(self) -> None:
        """Nothing new goes out; returns when every segment under way has its outcome on disk."""
        self.held = True
        await asyncio.gather(*(self._stop_sending(line) for line in self.lines.values()))

    async def _watch(self, line: Line) -> None:
        while True:
            await line.changed.wait()
            line.changed.clear()
            try:
                await self._update(line)
            except StoreError as problem:
                log.error("%s: its state can't be noted yet: %s", line.modem.name, problem)
                line.changed.set()
                await asyncio.sleep(_STORE_PAUSE_S)

    async def _update(self, line: Line) -> None:
        modem = line.modem
        now = (str(modem.state), str(modem.reason) if modem.reason else None)
        if modem.sim != line.sim or (line.card is not None and not line.card.present):
            await self._stop_sending(line)
            line.sim_id = None
            line.sim = modem.sim
        if now[0] == ModemState.REGISTERED:
            await self._identify(line)
        may_send = line.sim_id is not None and not self.held and self.allowed(line) and not self._twin(line)
        if may_send and line.sender is None:
            await self._start_sending(line)
        elif not may_send and line.sender is not None:
            await self._stop_sending(line)
        if now != line.told:
            line.told = now
            await self._tell(line, now)
        self._context.bus.publish()

    async def _tell(self, line: Line, now: tuple[str, str | None]) -> None:
        context, modem = self._context, line.modem
        log.info("%s%s: %s - %s", modem.name, " (simulated)" if line.simulated else "", now[0], modem.detail)
        body = {"name": modem.name, "state": now[0], "reason": now[1], "detail": modem.detail}
        await context.commit(lambda cur: events.announce(cur, context.stamp(), "modem.state", body))

    def allowed(self, line: Line) -> bool:
        """Registered, and at home or allowed to roam."""
        modem = line.modem
        if modem.state != ModemState.REGISTERED:
            return False
        settings = self._context.settings.sims.get((modem.sim.iccid if modem.sim else None) or "")
        return not modem.network.roaming or line.simulated or bool(settings and settings.roaming)

    def _twin(self, line: Line) -> bool:
        """Another modem sends for the same SIM, as it seems: never two at once for one card."""
        twins = [
            each for each in self.lines.values() if each is not line and each.sim_id == line.sim_id and each.sender
        ]
        for twin in twins:
            log.warning("%s: %s has the same SIM: it sends, and this one does not", line.modem.name, twin.modem.name)
        return bool(twins)

    async def _identify(self, line: Line) -> int | None:
        """The row number of the SIM in the modem; None while the modem does not say which one it is."""
        sim = line.modem.sim
        if sim is None or (sim.iccid is None and sim.imsi is None):
            return None
        if line.sim_id is not None and sim == line.sim:
            return line.sim_id
        context = self._context
        settings = context.settings.sims.get(sim.iccid or "")
        context.learn_home("DE" if line.simulated else country_of(sim.imsi))
        line.sim = sim
        line.sim_id = await context.commit(
            lambda cur: sims.upsert(
                cur,
                iccid=sim.iccid,
                imsi=sim.imsi,
                name=settings.name if settings else None,
                number=(settings.number if settings else None) or sim.number,
                simulated=line.simulated,
                now_ms=context.clock.wall_ms(),
            )
        )
        for other in self.lines.values():  # the SIM was moved: history and limits go with it
            if other is not line and other.sim_id == line.sim_id and other.sender is None:
                other.sim_id = None
        return line.sim_id

    async def _start_sending(self, line: Line) -> None:
        assert line.sim_id is not None
        sim_id = line.sim_id
        assert line.sim is not None
        await self._context.commit(lambda cur: limits.show(cur, sim_id, limits.Hold()))
        if self.held:
            return  # the stop came meanwhile, and would not wait for a sender that it could not see
        self.pool.join(sim_id, line.sim, lambda: line.sender.wake() if line.sender else None)
        line.card = OneSim(line.modem, line.sim)
        line.sender = Sender(self._context, line.card, sim_id, self.pool)
        line.sending = asyncio.create_task(line.sender.run(), name=f"sender-{line.modem.name}")

    async def _stop_sending(self, line: Line) -> None:
        sender, task, sim_id = line.sender, line.sending, line.sim_id
        if sender is None or task is None:
            return
        sender.stop()
        await task
        line.sender = line.sending = line.card = None
        if sim_id is not None:
            self.pool.leave(sim_id)
        await self._context.commit(lambda cur: sims.set_available(cur, sim_id, available=False))
        for other in self.lines.values():
            if other is not line and other.sim_id == sim_id:
                other.changed.set()
