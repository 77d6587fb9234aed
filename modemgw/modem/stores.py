"""The message stores of a modem: choose one for what arrives, read from any, delete without harm.

Rules:
- A store other than the home store is selected only within one turn of the dialogue, and the home store is put back
  before the turn ends.
- A slot is deleted only right after it was read and still held the expected PDU, and it is read once more afterwards:
  an index alone proves nothing, since modems reuse and shift indexes, and an OK alone does not prove a deletion.
- Only single slots are deleted. The bulk forms of ``AT+CMGD`` would take messages that nobody has read.
- Submits that somebody stored (status 2 and 3) are not ours and are left alone. An empty slot is no fault.
Sources: 3GPP TS 27.005, 3.2.2 (``+CPMS``), 3.5.4 (``+CMGD``), 4.1 (``+CMGL``), 4.2 (``+CMGR``).
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from modemgw.at import answers, commands
from modemgw.at.answers import StoredPdu
from modemgw.at.errors import CommandFailed
from modemgw.at.events import Reply
from modemgw.modem.dialogue import Dialogue
from modemgw.modem.errors import AcknowledgeFailed
from modemgw.modem.facts import Store
from modemgw.modem.profile import Storage
from modemgw.port.errors import CommandTimeout

log = logging.getLogger(__name__)
_RECEIVED = (None, 0, 1)  # <stat>: received unread, received read; reports may come without one
_EMPTY = frozenset({("cms", 321), ("cme", 21), ("cme", 22)})
_USUAL = ("SM", "ME", "SR")  # where to look if the modem does not list its stores; one too many does no harm
_WALK_BLIND = 50  # slots to look at where a modem neither lists nor counts


@dataclass(frozen=True, slots=True)
class Slot:
    """One received message where it lies."""

    storage: str
    index: int
    pdu: str
    tpdu_length: int | None


class StoreUnavailable(Exception):
    """This store can't be selected, at least not now."""


class Stores:
    """The stores of one session. ``hangs``: those where ``AT+CMGL`` never came back; outlives the session."""

    def __init__(self, dialogue: Dialogue, how: Storage, hangs: set[str]) -> None:
        self._dialogue = dialogue
        self._how = how
        self._form = 0  # how many parameters AT+CPMS takes; 0 = it can't be used
        self._current: str | None = None
        self._hangs = hangs
        self.home: str | None = None
        self.names: tuple[str, ...] = ("",)  # what to sweep; until `choose`: whatever the modem has selected
        self._chosen: tuple[str | None, ...] | None = None  # the selection as the modem reads it back
        self._known: dict[str, Store] = {}

    # -- start-up ------------------------------------------------------------------------------------------------------
    async def choose(self) -> None:
        """Find the stores and make the larger of the preferred ones the home. Raises StoreUnavailable."""
        self._form, self.home, self.names = 0, None, ("",)
        self._current = self._chosen = None
        readable, receiving = await self._supported()
        candidates = [name for name in self._how.prefer if name in receiving]
        sizes: dict[str, int] = {}
        for name in candidates or receiving:
            if await self._ladder(name):
                sizes[name] = self.known(name).total or 0
            if len(sizes) == 2:
                break
        if not sizes:
            raise StoreUnavailable
        # max() keeps the first of equals, and they are in order of preference.
        self.home = max(sizes, key=lambda name: sizes[name])
        await self._select(self.home)
        self._current = self.home
        self.names = _to_sweep(readable, self.home)
        self._chosen = await self._read_back()

    def known(self, name: str) -> Store:
        """The store as last counted."""
        return self._known.get(name, Store(name))

    async def still_as_chosen(self) -> bool:
        """False if the modem reads back other stores than after `choose`. Within a turn."""
        return self._chosen is None or await self._read_back() in (None, self._chosen)

    async def _read_back(self) -> tuple[str | None, ...] | None:
        reply = await self._dialogue.attempt(commands.STORAGES)
        return tuple(use.name for use in answers.storage_use(reply)) or None if reply else None

    async def _supported(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Stores to read from, and stores that can receive."""
        reply = await self._dialogue.attempt(commands.STORAGES_SUPPORTED)
        listed = answers.storages_supported(reply) if reply and reply.lines else ()
        if not listed:
            return _USUAL, self._how.prefer
        readable = tuple(name for name in listed[0] if name not in self._how.ignore)
        receiving = tuple(name for name in listed[-1] if name in readable)
        return readable, receiving or readable

    async def _ladder(self, name: str) -> bool:
        """Three parameters, two, one: the first form that the modem takes is kept."""
        for form in (self._form,) if self._form else (3, 2, 1):
            reply = await self._dialogue.attempt(commands.storages(*[name] * form))
            if reply is not None:
                self._form = form
                await self._count(name, reply)
                return True
        return False

    # -- within a turn -------------------------------------------------------------------------------------------------
    @contextlib.asynccontextmanager
    async def _at(self, name: str) -> AsyncIterator[None]:
        """The store is selected inside; the home store afterwards."""
        await self._select(name)
        try:
            yield
        except asyncio.CancelledError:
            raise  # the port is being dropped; an error of one more command would hide that from whoever cancels
        except BaseException:
            await self._restore()
            raise
        await self._restore()

    async def _select(self, name: str) -> None:
        if self._form == 0 or name == self._current:
            return
        self._current = None
        others = [self.home or name] * (self._form - 1)
        try:
            reply = await self._dialogue.ask(commands.storages(name, *others))
        except (CommandFailed, CommandTimeout) as error:
            raise StoreUnavailable(name) from error
        self._current = name
        await self._count(name, reply)

    async def _restore(self) -> None:
        if self.home is None or self._current == self.home:
            return
        try:
            await self._select(self.home)
        except StoreUnavailable:
            # The next use of any store selects anew, and the periodic check restarts what is lost for good.
            log.warning("%s: the message store %s can't be selected again", self._dialogue.port.name, self.home)

    async def _count(self, name: str, reply: Reply) -> None:
        uses = answers.storage_use(reply)
        if not uses:
            asked = await self._dialogue.attempt(commands.STORAGES)
            uses = answers.storage_use(asked) if asked else ()
        self._known[name] = Store(name, uses[0].used, uses[0].total) if uses else Store(name)

    async def _read(self, index: int) -> StoredPdu | None:
        """What lies in this slot of the selected store. Raises CommandFailed if that can't be found out."""
        try:
            found = answers.stored(await self._dialogue.ask(commands.cmgr(index)))
            if found is None or found.intact:
                return found
        except CommandFailed as error:
            if _means_empty(error):
                return None
        # A PDU shorter than its header says was garbled on the way, and some stores are slow at first.
        try:
            return answers.stored(await self._dialogue.ask(commands.cmgr(index)))
        except CommandFailed as error:
            if _means_empty(error):
                return None
            raise

    # -- turns ---------------------------------------------------------------------------------------------------------
    async def read(self, name: str | None, index: int) -> Slot | None:
        """The received message in this slot; None if there is none. Raises StoreUnavailable, CommandFailed."""
        name = name or self.home or ""
        async with self._dialogue.turn(), self._at(name):
            found = await self._read(index)
        return _slot(name, index, found) if found else None

    async def listing(self, name: str) -> list[Slot]:
        """All received messages of a store. Raises StoreUnavailable."""
        async with self._dialogue.turn():
            if name == self._current:
                asked = await self._dialogue.attempt(commands.STORAGES)
                if asked:
                    await self._count(name, asked)
            async with self._at(name):
                return [] if self.known(name).used == 0 else await self._list(name)

    async def _list(self, name: str) -> list[Slot]:
        used = self.known(name).used
        try:
            reply = None if name in self._hangs else await self._dialogue.ask(commands.cmgl())
        except CommandFailed:
            reply = None
        except CommandTimeout:
            # Some firmware never recovers from a list without a restart: it is not asked for one again.
            self._hangs.add(name)
            raise
        found = answers.listed(reply) if reply else ()
        if reply is None or (used and not found):
            return await self._walk(name)
        slots = [_slot(name, one.index, one) for one in found if one.index is not None]
        return [slot for slot in slots if slot is not None]

    async def _walk(self, name: str) -> list[Slot]:
        """Slot by slot, until as many messages were seen as the modem counts."""
        store = self.known(name)
        slots: list[Slot] = []
        seen = 0
        for index in range(max(store.total if store.total is not None else _WALK_BLIND, self._how.last_index) + 1):
            try:
                found = await self._read(index)
            except CommandFailed:
                continue
            seen += found is not None
            slot = _slot(name, index, found) if found else None
            if slot is not None:
                slots.append(slot)
            if store.used is not None and seen >= store.used:
                break
        return slots

    async def delete(self, name: str, index: int, pdu: str) -> None:
        """Remove this very message. Returns when it is certainly gone; raises AcknowledgeFailed otherwise."""
        try:
            async with self._dialogue.turn(), self._at(name):
                await self._delete(name, index, pdu)
        except StoreUnavailable as error:
            raise AcknowledgeFailed(f"the message store {name} can't be selected") from error
        except (CommandFailed, CommandTimeout) as error:
            raise AcknowledgeFailed(f"the modem does not delete a message: {error}") from error

    async def _delete(self, name: str, index: int, pdu: str) -> None:
        if not await self._holds(index, pdu):
            moved = [slot.index for slot in await self._list(name) if slot.pdu == pdu]
            if not moved:
                return
            index = moved[0]
            if not await self._holds(index, pdu):
                raise AcknowledgeFailed("the modem moves messages while they are being deleted")
        try:
            await self._dialogue.ask(replace(commands.cmgd(index), timeout=self._how.delete_s))
        except CommandFailed as error:
            if not _means_empty(error):
                raise
        with contextlib.suppress(CommandFailed):  # an empty slot has many names
            if await self._holds(index, pdu):
                raise AcknowledgeFailed("the modem says that it deleted a message, and still has it")

    async def _holds(self, index: int, pdu: str) -> bool:
        found = await self._read(index)
        return found is not None and found.pdu.upper() == pdu


def _slot(name: str, index: int, found: StoredPdu) -> Slot | None:
    if found.status not in _RECEIVED:
        return None
    return Slot(name, index, found.pdu.upper(), found.length)


def _means_empty(error: CommandFailed) -> bool:
    return ("cms", error.result.cms) in _EMPTY or ("cme", error.result.cme) in _EMPTY


def _to_sweep(readable: tuple[str, ...], home: str) -> tuple[str, ...]:
    """Each message once: ``MT`` is only a view of ``SM`` and ``ME``, and the "preferred" stores are views as well."""
    views = {"SM", "ME"} if home == "MT" else {"MT"} if {"SM", "ME"} & set(readable) else set()
    real = tuple(name for name in readable if name not in views and not name.endswith("_P"))
    return real if home in real else (home, *real)
