"""One modem: the parts joined, and what the gateway sees of them.

The supervisor opens ports and drives start-up; here is what outlives a port: the state and its reason, the last known
identity, SIM and network, the messages on their way up, and the doors `submit`, `acknowledge`, `unlock` and `ussd`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from modemgw.at import urc
from modemgw.modem import sending, states
from modemgw.modem.calls import Calls
from modemgw.modem.errors import NotReady, SubmitFailed, SubmitFailure
from modemgw.modem.facts import Handed, Identity, Network, Receipt, Received, SimCard, Store, UssdReply
from modemgw.modem.inbox import Inbox
from modemgw.modem.listener import ModemListener
from modemgw.modem.profile import Profile
from modemgw.modem.proof import Proof
from modemgw.modem.recovery import Recovery
from modemgw.modem.session import Session
from modemgw.modem.settings import ModemSettings
from modemgw.modem.states import ModemState, Reason, Registration, Status
from modemgw.modem.upcalls import Upcalls
from modemgw.modem.ussd import UssdSession
from modemgw.port.errors import PortError
from modemgw.port.port import BeforePayload


class Modem:
    """See the module. Public attributes are for reading; ``listener.changed`` tells when they change."""

    def __init__(self, settings: ModemSettings, listener: "ModemListener[Modem]") -> None:
        self.settings = settings
        self.name = settings.name
        self.port_path = settings.port
        self.identity: Identity | None = None
        self.sim: SimCard | None = None
        self.network = Network()
        self.stores: tuple[Store, ...] = ()
        self.restarts = 0  # since this program began
        self.inbox = Inbox(settings.name, self._received)
        self.upcalls = Upcalls(settings.name)
        self.calls = Calls()
        self.recovery = Recovery(self._tell, lambda: asyncio.get_running_loop().time(), settings.name)
        self.proof = Proof(settings.name, self.upcalls, self._late_submit)
        self.on_submit: Callable[[Handed], None] = lambda _: None  # for who measures
        self._listener = listener
        self._status = states.status(ModemState.ABSENT, name=settings.name, port=settings.port)
        self._session: Session | None = None
        self._ussd = UssdSession()

    # -- what is shown -------------------------------------------------------------------------------------------------
    @property
    def state(self) -> ModemState:
        return self._status.state

    @property
    def reason(self) -> Reason | None:
        return self._status.reason

    @property
    def detail(self) -> str:
        """What is the matter and what to do, in one plain sentence."""
        return self._status.detail

    @property
    def profile(self) -> Profile | None:
        """How it is treated; None while no port is open."""
        return self._session.profile if self._session is not None else None

    def show(self, status: Status) -> None:
        """The supervisor's word; while the modem serves, the network's."""
        before = self._snapshot()
        self._status = status
        if self._snapshot() != before:
            self._listener.changed(self)

    def publish(self) -> None:
        """Take over what the session has learnt."""
        session = self._session
        if session is None:
            return
        before = self._snapshot()
        self.identity = session.identity or self.identity
        self.sim = session.sim
        self.network = session.radio.network
        self.stores = session.counted()
        if session.serving:
            if session.doubtful and self.network.registered:
                self.network = replace(self.network, registration=Registration.SEARCHING)
            self._status = states.from_registration(self.network.registration, *self._remarks())
        if self._snapshot() != before:
            self._listener.changed(self)

    def _remarks(self) -> list[str]:
        """What a person should see to although the modem works."""
        remarks = []
        if self.network.dbm is not None and ":" in self.network.verdict:
            remarks.append(f"the signal is {self.network.verdict}")
        if self.sim is not None and self.sim.smsc is None:
            remarks.append("the SIM holds no number of a service centre: set smsc in [[modem]]")
        remarks.extend(f"the message store {store.name} is nearly full" for store in self.stores if store.nearly_full)
        return remarks

    def _snapshot(self) -> tuple[object, ...]:
        return self._status, self.identity, self.sim, self.network

    # -- the supervisor's side -----------------------------------------------------------------------------------------
    def moved(self, path: str) -> None:
        """It is on another port, or (empty) on none."""
        self.settings = replace(self.settings, port=path)
        self.port_path = path
        self._listener.changed(self)

    def connected(self, session: Session) -> None:
        """A port is open: hear what it says."""
        self._session = session
        port = session.dialogue.port
        port.on_urc = lambda line: self._heard(session, line)
        self.proof.attach(port)

    def serve(self, session: Session) -> None:
        """Start-up is done: messages may go both ways."""
        session.serving = True
        session.doubtful = False
        self.publish()
        self.inbox.attach(session)

    def pause(self) -> None:
        """The modem can't be used for now; its port may still be open."""
        if self._session is not None:
            self._session.serving = False
        self.network = Network()
        self.inbox.detach()
        self.calls.ended()

    def disconnected(self) -> None:
        """The port is gone."""
        self.pause()
        self._session = None

    # -- sending -------------------------------------------------------------------------------------------------------
    async def submit(self, pdu_hex: str, tpdu_length: int, *, token: str, before_payload: BeforePayload) -> int | None:
        """Send one TPDU: hex with its SMSC field, ``tpdu_length`` octets without it. The TP-MR, None if not told.

        ``before_payload`` is awaited at the modem's prompt; the message is written only if it returns within 2 s.
        Raises SubmitFailed.
        """
        session = self._serving()
        async with session.dialogue.turn():
            self._serving()
            await session.ask_sim()
            self.proof.began()
            try:
                mr = await sending.submit(
                    session.dialogue,
                    session.profile,
                    pdu_hex,
                    tpdu_length,
                    token=token,
                    before_payload=before_payload,
                    on_end=self.on_submit,
                )
            except SubmitFailed as failure:
                if failure.kind is SubmitFailure.UNCERTAIN:
                    self.proof.uncertain(token)
                if self.recovery.send_failed(failure):
                    session.dialogue.attention.set()
                raise
        self.proof.answered(mr)
        self.recovery.sent()
        return mr

    async def _late_submit(self, token: str | None, mr: int | None) -> None:
        await self._listener.late_submit(self, token, mr)

    def _serving(self) -> Session:
        session = self._session
        if session is None or not session.serving or not self.network.registered:
            raise SubmitFailed(SubmitFailure.NOT_SENT, f"the modem is not ready: {self.detail}", policy="N")
        return session

    # -- receiving -----------------------------------------------------------------------------------------------------
    async def _received(self, message: Received) -> None:
        await self._listener.received(self, message)

    async def acknowledge(self, receipt: Receipt) -> None:
        """The message is durable: take it off the modem. Raises AcknowledgeFailed; it is then offered again later."""
        await self.inbox.acknowledge(receipt)

    async def sweep(self) -> None:
        """Look into every message store now. Raises NotReady."""
        await self.inbox.sweep()

    # -- operators -----------------------------------------------------------------------------------------------------
    async def unlock(self, pin: str) -> None:
        """Give the SIM its PIN. Raises UnlockFailed with the tries left, NotReady."""
        session = self._session
        if session is None or self.state is not ModemState.LOCKED:
            raise NotReady(f"{self.name} does not wait for a PIN: {self.detail}")
        try:
            async with session.dialogue.turn():
                await session.locksmith.unlock(pin)
        except PortError as error:
            raise NotReady(f"the modem was lost: {error}") from error
        session.dialogue.attention.set()

    async def ussd(self, code: str, *, dcs: int | None = 15, keep_open: bool = False) -> UssdReply:
        """One request to the network, by the SIM that start-up found. Raises ModemError, UssdFailed."""
        session = self._session
        if session is None or not session.serving:
            raise NotReady(f"{self.name} is not ready: {self.detail}")
        return await self._ussd.ask(session.dialogue, code, dcs, keep_open=keep_open, then=session.ask_sim)

    # -- what the modem says unasked -----------------------------------------------------------------------------------
    def _heard(self, session: Session, line: urc.Urc) -> None:
        if session is not self._session:
            return
        handler = _HANDLERS.get(type(line))
        if handler is not None:
            handler(self, session, line)

    def _on_stored(self, _: Session, line: urc.Stored) -> None:
        self.inbox.hint(line.storage, line.index)

    def _on_direct(self, session: Session, line: urc.Direct) -> None:
        if line.kind != "+CBM":
            self.inbox.direct(line.pdu, line.length, confirm=session.service == 1)

    def _on_direct_lost(self, session: Session, _: urc.DirectLost) -> None:
        self.inbox.sweep_soon()
        session.check_soon()

    def _on_full(self, _: Session, line: urc.StorageFull) -> None:
        self.inbox.sweep_soon()
        self._tell("modem.storage_full", {"storage": line.storage or ""})

    def _on_registration(self, session: Session, line: urc.RegistrationChanged) -> None:
        session.radio.registration_changed(line.domain, line.stat)
        session.registration_seen()
        self.publish()

    def _on_signal(self, session: Session, line: urc.SignalChanged) -> None:
        session.radio.signal_changed(line.rssi)
        self.publish()

    def _on_restart(self, session: Session, line: urc.ModemRestarted) -> None:
        if line.line.startswith(session.profile.lines.soft):
            session.check_soon()
        else:
            session.dialogue.restart_seen(line.line, cut=True)

    def _on_sim(self, session: Session, line: urc.SimStateChanged) -> None:
        if line.state in {"READY", ""}:
            session.check_soon()
        elif session.serving:
            session.dialogue.restart_seen(f"the SIM's state became {line.state}")
        else:
            session.dialogue.attention.set()

    def _on_ring(self, session: Session, _: urc.Ringing) -> None:
        self.calls.rang(asyncio.get_running_loop().time())
        self._call_news(session)

    def _on_caller(self, session: Session, line: urc.CallerId) -> None:
        self.calls.caller(line.number, asyncio.get_running_loop().time())
        self._call_news(session)

    def _call_news(self, session: Session) -> None:
        number = self.calls.news()
        if number is not None:
            self._tell("call.received", {"number": number})
        if self.calls.to_hang_up(asyncio.get_running_loop().time()):
            session.dialogue.attention.set()

    def _on_call_end(self, _: Session, __: urc.CallEnded) -> None:
        self.calls.ended()

    def _on_ussd(self, _: Session, line: urc.Ussd) -> None:
        self._ussd.heard(line)

    def _tell(self, kind: str, detail: dict[str, str]) -> None:
        self.upcalls.add(lambda: self._listener.event(self, kind, detail))


_HANDLERS: dict[type[urc.Urc], Callable[..., None]] = {
    urc.Stored: Modem._on_stored,
    urc.Direct: Modem._on_direct,
    urc.DirectLost: Modem._on_direct_lost,
    urc.StorageFull: Modem._on_full,
    urc.RegistrationChanged: Modem._on_registration,
    urc.SignalChanged: Modem._on_signal,
    urc.ModemRestarted: Modem._on_restart,
    urc.SimStateChanged: Modem._on_sim,
    urc.Ringing: Modem._on_ring,
    urc.CallerId: Modem._on_caller,
    urc.CallEnded: Modem._on_call_end,
    urc.Ussd: Modem._on_ussd,
}
