"""Messages on their way up: hints, sweeps and direct PDUs, handed over one at a time, then taken off the modem.

Rules:
- A hint (``+CMTI``, ``+CDSI``) says where to look, not what is true: storage and index may be wrong, late, or missing.
  Whatever does not fit makes a sweep of all stores.
- A message leaves the modem only by `acknowledge`, which the listener calls once it is durable. If the listener raises,
  the message stays where it is and is offered again.
- What was offered is remembered by slot and content until it is gone, so that a message that can't be deleted is
  offered seldom and ever more seldom, and a new message in the same slot at once.
- Direct messages exist nowhere but here: they wait in memory until the listener takes them.
- URCs only leave a note here; the work is done by `run`.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from modemgw.at.errors import CommandFailed
from modemgw.modem import queries
from modemgw.modem.errors import AcknowledgeFailed, ModemError, NotReady, NotTaken
from modemgw.modem.facts import Receipt, Received
from modemgw.modem.session import Session
from modemgw.modem.stores import Slot, StoreUnavailable
from modemgw.modem.upcalls import heed_cancellation
from modemgw.port.errors import CommandTimeout, PortError

log = logging.getLogger(__name__)
_MAX_HINTS = 64
_NO_ACK_EXPECTED = 340
_SOON, _SOON_MAX = 5.0, 60.0  # seconds, doubling: the listener could not take a message
_SELDOM, _SELDOM_MAX = 60.0, 3600.0  # seconds, doubling: the modem does not let go of it


@dataclass(frozen=True, slots=True)
class _Hint:
    number: int
    storage: str | None
    index: int


@dataclass(frozen=True, slots=True)
class _Direct:
    received: Received
    tries: int
    due: float


@dataclass(frozen=True, slots=True)
class _Offer:
    pdu: str
    tries: int
    again_at: float


class Inbox:
    """One modem's way up. Outlives its sessions."""

    def __init__(self, name: str, hand_over: Callable[[Received], Awaitable[None]]) -> None:
        self._name = name
        self._hand_over = hand_over
        self._session: Session | None = None
        self._wake = asyncio.Event()
        self._hints: deque[_Hint] = deque()
        self._direct: deque[_Direct] = deque()
        self._offers: dict[tuple[str, int], _Offer] = {}
        self._sweep_at: float | None = None
        self._glance_due = False
        self._swept: list[asyncio.Future[None]] = []
        self._noted = 0  # hints so far
        self._covered = 0  # hints that came before the last sweep began

    # -- notes from URCs and timers ------------------------------------------------------------------------------------
    def attach(self, session: Session) -> None:
        """Start-up is done: look everywhere."""
        self._session = session
        self._hints.clear()
        self._offers.clear()
        self.sweep_soon()

    def detach(self) -> None:
        """The modem can't be asked now."""
        self._session = None

    def hint(self, storage: str | None, index: int | None) -> None:
        """Something was stored."""
        self._noted += 1
        if index is None or len(self._hints) >= _MAX_HINTS:
            self.sweep_soon()
        elif all((hint.storage, hint.index) != (storage, index) for hint in self._hints):
            self._hints.append(_Hint(self._noted, storage, index))
        self._wake.set()

    def direct(self, pdu: str, tpdu_length: int | None, *, confirm: bool) -> None:
        """A whole message came; ``confirm``: the modem waits for ``+CNMA``."""
        pdu = pdu.upper()
        receipt = Receipt("direct", pdu, confirm=confirm)
        self._direct.append(_Direct(Received(pdu, tpdu_length, receipt), 0, 0.0))
        self._wake.set()

    def sweep_soon(self, after: float = 0.0) -> None:
        """Look into every store, in so many seconds at the latest."""
        at = asyncio.get_running_loop().time() + after
        self._sweep_at = at if self._sweep_at is None else min(self._sweep_at, at)
        self._wake.set()

    def glance(self) -> None:
        """Look into the store where messages arrive. The others are left out, since some modems keep in flash memory
        which store is selected."""
        self._glance_due = True
        self._wake.set()

    async def sweep(self) -> None:
        """Look into every store now, and return when everything found was offered. Raises NotReady."""
        if self._session is None:
            raise NotReady("the modem is not ready")
        done = asyncio.get_running_loop().create_future()
        self._swept.append(done)
        self.sweep_soon()
        await done

    # -- the worker ----------------------------------------------------------------------------------------------------
    async def run(self) -> None:
        """Works off the notes, for ever."""
        while True:
            heed_cancellation()
            work = self._next()
            if work is None:
                await self._sleep()
            else:
                await self._do(work)

    def _next(self) -> Callable[[], Awaitable[None]] | None:
        now = asyncio.get_running_loop().time()
        for direct in self._direct:
            if direct.due <= now:
                self._direct.remove(direct)
                return lambda: self._offer_direct(direct)
        session = self._session
        if session is None:
            return None
        if self._hints:
            hint = self._hints.popleft()
            return lambda: self._follow(session, hint)
        if self._sweep_at is not None and self._sweep_at <= now:
            self._sweep_at = None
            self._glance_due = False
            return lambda: self._sweep(session)
        if self._glance_due:
            self._glance_due = False
            return lambda: self._sweep_store(session, session.stores.home or "")
        return None

    async def _sleep(self) -> None:
        times = [direct.due for direct in self._direct]
        if self._session is not None and self._sweep_at is not None:
            times.append(self._sweep_at)
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(min(times, default=None)):
                await self._wake.wait()

    async def _do(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except (PortError, ModemError) as error:
            # The session is at its end, or will be looked after; the next one begins with a sweep.
            log.debug("%s: reading messages was cut short: %s", self._name, error)
        except Exception:
            # A fault of ours, of one modem: it must not end the others. What was not read is still in the modem.
            log.exception("%s: reading messages failed; trying again in a minute", self._name)
            self.sweep_soon(_SOON_MAX)

    # -- reading -------------------------------------------------------------------------------------------------------
    async def _follow(self, session: Session, hint: _Hint) -> None:
        try:
            slot = await session.stores.read(hint.storage, hint.index)
        except (StoreUnavailable, CommandFailed, CommandTimeout):
            slot = None
        if slot is not None:
            told = 1 + sum(other.storage == hint.storage for other in self._hints)
            known = session.stores.known(slot.storage)
            await self._offer(slot)
            # In a mode that throws indications away while a command runs, one stands for all those before it.
            if slot.storage != session.stores.home and known.used is not None and known.used > told:
                await self._sweep_store(session, slot.storage)
        elif hint.number > self._covered:
            self.sweep_soon()

    async def _sweep(self, session: Session) -> None:
        waiting, self._swept = self._swept, []
        try:
            self._covered = self._noted
            for name in session.stores.names:
                await self._sweep_store(session, name)
        finally:
            for done in waiting:
                if not done.done():
                    done.set_result(None)

    async def _sweep_store(self, session: Session, name: str) -> None:
        try:
            slots = await session.stores.listing(name)
        except (StoreUnavailable, CommandFailed, CommandTimeout) as error:
            log.debug("%s: the message store %s can't be read now: %s", self._name, name, error)
            self.sweep_soon(_SOON_MAX)
            return
        there = {slot.index for slot in slots}
        for key in [key for key in self._offers if key[0] == name and key[1] not in there]:
            del self._offers[key]
        for slot in slots:
            await self._offer(slot)

    # -- handing over --------------------------------------------------------------------------------------------------
    async def _offer(self, slot: Slot) -> None:
        now = asyncio.get_running_loop().time()
        key = slot.storage, slot.index
        before = self._offers.get(key)
        if before is not None and before.pdu != slot.pdu:
            before = None
        if before is not None and now < before.again_at:
            return
        tries = before.tries + 1 if before else 0
        self._offers[key] = _Offer(slot.pdu, tries, now + _seldom(tries))
        receipt = Receipt("stored", slot.pdu, slot.storage, slot.index)
        try:
            await self._hand_over(Received(slot.pdu, slot.tpdu_length, receipt))
        except AcknowledgeFailed as error:
            log.warning("%s: a message was taken, but stays in the modem: %s", self._name, error)
        except Exception as error:  # noqa: BLE001 - logged there
            self._not_taken(error, "stays in the modem")
            wait = min(_SOON * 2.0**tries, _SOON_MAX)
            self._offers[key] = _Offer(slot.pdu, tries, now + wait)
            asyncio.get_running_loop().call_later(wait, self.hint, *key)

    async def _offer_direct(self, direct: _Direct) -> None:
        try:
            await self._hand_over(direct.received)
        except AcknowledgeFailed as error:
            log.warning("%s: a message was taken, but not acknowledged: %s", self._name, error)
        except Exception as error:  # noqa: BLE001 - logged there
            self._not_taken(error, "waits in memory")
            due = asyncio.get_running_loop().time() + min(2.0**direct.tries, _SOON_MAX)
            self._direct.append(_Direct(direct.received, direct.tries + 1, due))

    def _not_taken(self, error: Exception, where: str) -> None:
        if isinstance(error, NotTaken):
            log.info("%s: a received message %s for a moment: %s", self._name, where, error)
        else:
            log.error("%s: a message could not be taken; it %s", self._name, where, exc_info=error)

    # -- acknowledging -------------------------------------------------------------------------------------------------
    async def acknowledge(self, receipt: Receipt) -> None:
        """Take a durable message off the modem. AcknowledgeFailed: it is still there and will be offered again."""
        if receipt.kind == "direct" and not receipt.confirm:
            return
        session = self._session
        if session is None:
            raise AcknowledgeFailed("the modem is not ready")
        try:
            if receipt.kind == "direct":
                await self._confirm(session)
            else:
                await session.stores.delete(receipt.storage or "", receipt.index, receipt.pdu)
        except AcknowledgeFailed:
            raise
        except (PortError, ModemError) as error:
            raise AcknowledgeFailed(f"the modem was lost: {error}") from error
        self._offers.pop((receipt.storage or "", receipt.index), None)

    async def _confirm(self, session: Session) -> None:
        async with session.dialogue.turn():
            for text in session.profile.routing.confirm:
                try:
                    await session.dialogue.ask(queries.plain(text))
                except CommandFailed as error:
                    if error.result.cms == _NO_ACK_EXPECTED:
                        break
                except CommandTimeout:
                    continue
                else:
                    return
        # Too late or refused: the modem may have switched its routing off by now.
        session.check_soon()
        raise AcknowledgeFailed("the modem did not take the acknowledgement")


def _seldom(tries: int) -> float:
    return min(_SELDOM * 2.0**tries, _SELDOM_MAX)
