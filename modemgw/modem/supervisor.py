"""Keeps one modem alive: open, listen, start, serve, and begin again, for ever.

Rules:
- Whatever ends a connection, the next one is tried after 1 s, then 2 s, 4 s ... up to 60 s; start-up that succeeds
  resets this. A port that does not exist costs nothing to look at, so it is looked for every second.
- A modem that is known by its IMEI alone has no port until `move` says on which one it was found.
- One that does not answer is helped by the ladder (`ladder`): opening again, restart, USB reset, power.
- On a port whose last submit has no outcome yet, nothing is written before its answer was waited for; not where the
  tty itself had vanished, for then the modem has lost its power and its memory.
- A modem that only waits for a person (PIN, SIM) keeps its port open and is looked at again from time to time.
- A modem that restarts by itself is started anew on the same port, the more slowly the more often it does.
- Cancelling `run` drops the port at once: whoever cancels has waited for what was being sent.
"""

import asyncio
import contextlib
import itertools
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from modemgw.modem import opening, repair, states
from modemgw.modem.dialogue import Dialogue
from modemgw.modem.errors import Blocked, ModemError, NotReady, Restarted, Unresponsive
from modemgw.modem.ladder import Cause, Step
from modemgw.modem.listener import PinGuard
from modemgw.modem.modem import Modem
from modemgw.modem.pin import BUSY, READY
from modemgw.modem.profile import Profile, Profiles
from modemgw.modem.session import Session
from modemgw.modem.startup import start
from modemgw.modem.states import ModemState, Reason
from modemgw.modem.upcalls import heed_cancellation
from modemgw.modem.watch import Watch, restart, wait_for
from modemgw.port.errors import PortError, PortLost, PortUnavailable
from modemgw.port.opener import Connect, open_port
from modemgw.port.port import Port

log = logging.getLogger(__name__)
_PAUSE, _PAUSE_MAX, _PAUSE_ABSENT = 1.0, 60.0, 1.0  # seconds
_LOOK_AGAIN = 15.0  # seconds between looks at a SIM that keeps the modem from serving
_LOOKS_FOR_A_SIM = 40
_RESTART_WINDOW = 600.0  # seconds in which restarts count as many
# What only a person can change, with the modem's port open meanwhile.
_WAITING = frozenset({Reason.NO_SIM, *(reason for state, reason in states.SENTENCES if state is ModemState.LOCKED)})


async def _nothing_pending() -> None:
    return None


class Supervisor:
    """One modem's life. ``pending_submit``: for how many seconds a submit on this port has had no outcome."""

    def __init__(
        self,
        modem: Modem,
        *,
        profiles: Profiles,
        guard: PinGuard,
        connect: Connect | None = None,
        pending_submit: Callable[[], Awaitable[float | None]] = _nothing_pending,
    ) -> None:
        self.modem = modem
        self._profiles = profiles
        self._guard = guard
        self._connect = connect
        self._pending_submit = pending_submit
        self._enabled = modem.settings.enabled
        self._told = asyncio.Event()  # an operator changed something
        self._session: Session | None = None
        self._hangs: set[str] = set()
        self._no_link: set[str] = set()
        self._failures = 0
        self._mute = False  # it did not answer any more
        self._vanished = False  # its tty was away, so the modem lost its power, and with it the answers that it owed
        self._profile = self._first_profile()
        self._restarts: deque[float] = deque(maxlen=8)

    # -- operators -----------------------------------------------------------------------------------------------------
    async def enable(self) -> None:
        """Use the modem again."""
        if not self._enabled:
            self._enabled = True
            self._failures = 0
            self._told.set()

    async def disable(self) -> None:
        """Let go of the modem, after what is being sent right now."""
        if self._enabled:
            self._enabled = False
            self.modem.pause()
            self._show(ModemState.DISABLED)
            self._told.set()

    async def reset(self) -> None:
        """Restart the modem by its own command, and start it anew. Raises NotReady."""
        session = self._session
        if session is None:
            raise NotReady(f"{self.modem.name} can't be reset: {self.modem.detail}")
        with contextlib.suppress(PortLost):  # some leave without an answer
            async with session.dialogue.turn():
                await restart(session, "an operator reset it")

    def move(self, path: str, *, listen: bool = False) -> None:
        """The modem is on another port now; empty: it is on none, as far as anybody knows.

        ``listen``: nothing was written there yet, and the answer to a submit of an earlier run may still come.
        """
        if path != self.modem.port_path:
            self._vanished = not listen
            self.modem.moved(path)
            self._failures = 0
            self._told.set()

    def trouble(self, cause: Cause) -> None:
        """Somebody found out that the modem does not do its work; the ladder is climbed while it serves."""
        self.modem.recovery.report(cause)
        if self._session is not None:
            self._session.dialogue.attention.set()

    # -- life ----------------------------------------------------------------------------------------------------------
    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.modem.inbox.run(), name=f"inbox-{self.modem.name}")
            group.create_task(self.modem.upcalls.run(), name=f"upcalls-{self.modem.name}")
            while True:
                try:
                    await self._connect_once()
                except Exception as error:
                    heed_cancellation()
                    # Whatever it is, it is this modem's trouble alone: the others go on, and it is tried again.
                    log.exception("%s: the driver failed", self.modem.name)
                    self._show(ModemState.FAILED, why=f"the driver failed and tries again: {error}")
                    await asyncio.sleep(_PAUSE_ABSENT)

    async def _connect_once(self) -> None:
        """One connection from opening to its end, and the pause after it."""
        self._told.clear()
        if not self._enabled:
            self._show(ModemState.DISABLED)
            await self._told.wait()
            return
        if not self.modem.port_path:
            self.modem.show(states.not_found(self.modem.name, self.modem.settings.imei))
            await self._told.wait()
            return
        if self._mute and self.modem.identity is not None:
            await self._mend()
        longest = _PAUSE_MAX
        try:
            port = await self._open()
        except PortUnavailable as error:
            self.modem.show(opening.unavailable(error, self.modem.name, self.modem.port_path))
            if error.reason == "missing":
                self.modem.recovery.away()
                self._vanished = True
                longest = _PAUSE_ABSENT
        except PortLost:
            self._show(ModemState.ABSENT)
        else:
            await self._use(port)
        if self._enabled:
            pause = min(_PAUSE * 2.0**self._failures, longest)
            self._failures = min(self._failures + 1, 10)
            await wait_for(self._told, pause)

    async def _mend(self) -> None:
        """One rung for a modem that does not answer, if it is time for one."""
        recovery, settings = self.modem.recovery, self.modem.settings
        step = recovery.next(Cause.NO_ANSWER, repair.possible(settings))
        if step is None:
            return
        recovery.took(step, Cause.NO_ANSWER)
        try:
            if step is Step.RESET:
                await repair.shout(await self._open(), self._profile.reset)
            else:
                await repair.from_outside(settings, step)
        except (PortError, ModemError) as error:
            recovery.failed(step, Cause.NO_ANSWER, str(error))

    async def _open(self) -> Port:
        return await open_port(self.modem.port_path, Port(self.modem.name), connect=self._connect)

    async def _use(self, port: Port) -> None:
        """Until the port is lost, the modem fails, or an operator wants something else."""
        session = Session(
            Dialogue(port),
            self.modem.settings,
            self._profiles,
            self._first_profile(),
            self._guard,
            self.modem.publish,
            hangs=self._hangs,
            no_link=self._no_link,
        )
        self._session = session
        session.dialogue.on_resynced = self.modem.recovery.resynced
        self.modem.connected(session)
        live = asyncio.create_task(self._live(session), name=f"modem-{self.modem.name}-live")
        others = [asyncio.create_task(port.lost.wait()), asyncio.create_task(self._told.wait())]
        try:
            await asyncio.wait([live, *others], return_when=asyncio.FIRST_COMPLETED)
            if port.lost_reason is None and not live.done():
                async with session.dialogue.turn():
                    pass  # what is being sent right now ends first
        finally:
            self._session = None
            self._profile = session.profile
            self.modem.disconnected()
            for task in (live, *others):
                task.cancel()
            [outcome, *_] = await asyncio.gather(live, *others, return_exceptions=True)
            port.abort()
        if self._enabled:
            self._show_end(port, outcome)

    def _show_end(self, port: Port, outcome: object) -> None:
        blocked = outcome.status.reason if isinstance(outcome, Blocked) else None
        self._mute = port.lost_reason is None and (isinstance(outcome, Unresponsive) or blocked is Reason.NO_ANSWER)
        if port.lost_reason is not None or isinstance(outcome, PortLost):
            self._show(ModemState.ABSENT)
        elif isinstance(outcome, Unresponsive):
            self._show(ModemState.FAILED, Reason.NO_ANSWER)
        elif isinstance(outcome, Blocked):
            self.modem.show(outcome.status)
        elif isinstance(outcome, Exception):
            log.error("%s: the driver failed", self.modem.name, exc_info=outcome)
            self._show(ModemState.FAILED, why=f"the driver failed and tries again: {outcome}")

    def _first_profile(self) -> Profile:
        settings = self.modem.settings
        return self._profiles[settings.profile] if settings.profile else self._profiles.generic

    def _show(self, state: ModemState, reason: Reason | None = None, *, why: str = "") -> None:
        self.modem.show(states.status(state, reason, name=self.modem.name, port=self.modem.port_path, why=why))

    # -- one open port -------------------------------------------------------------------------------------------------
    async def _live(self, session: Session) -> None:
        """Raises what ends the use of this port."""
        self._show(ModemState.INITIALIZING)
        proof = self.modem.proof
        vanished, self._vanished = self._vanished, False
        if not vanished:
            age = 0.0 if proof.open_token else await self._pending_submit()
            if age is not None:
                await proof.listen(session.dialogue.port, session.profile.timing.listen_s, age)
        while True:
            try:
                await start(session)
                self._failures = 0
                self._mute = False
                self.modem.recovery.over(Cause.NO_ANSWER)
                self.modem.serve(session)
                await Watch(session, self.modem).run()
            except Blocked as blocked:
                if blocked.status.reason not in _WAITING:
                    raise
                self.modem.show(blocked.status)
                await self._wait_for_a_person(session, blocked.status.reason)
            except Restarted as sign:
                await self._calm_down(sign)
            self._show(ModemState.INITIALIZING)

    async def _wait_for_a_person(self, session: Session, reason: Reason | None) -> None:
        """Returns when the SIM's state is another, or the modem restarted."""
        dialogue = session.dialogue
        before = None
        for looks in itertools.count():
            if dialogue.restarted is not None:
                return
            if reason is Reason.NO_SIM and looks == _LOOKS_FOR_A_SIM and not session.restarted_for_sim:
                session.restarted_for_sim = True
                async with dialogue.turn():
                    await restart(session, "some modems see a new SIM only then")
                return
            async with dialogue.turn():
                state = await session.locksmith.state()
            if state in READY or (before is not None and state not in (before, BUSY)):
                return
            before = before or state
            dialogue.attention.clear()
            await wait_for(dialogue.attention, _LOOK_AGAIN)

    async def _calm_down(self, sign: Restarted) -> None:
        """Start again at once, unless the modem keeps restarting."""
        self.modem.pause()
        self._show(ModemState.INITIALIZING)
        log.warning("%s: the modem has restarted (%s)", self.modem.name, sign.text)
        self.modem.restarts += 1
        now = asyncio.get_running_loop().time()
        recent = sum(1 for at in self._restarts if now - at < _RESTART_WINDOW)
        self._restarts.append(now)
        if recent:
            await asyncio.sleep(min(2.0**recent, _PAUSE_MAX))
