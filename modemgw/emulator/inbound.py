"""What comes from the network: into storage with an indication, or straight to the computer (TS 27.005 clause 3.4.1).

`+CNMI` <mode> says when lines may be sent, <mt> and <ds> how messages and status reports are routed; with `+CSMS=1`
a message that was shown directly must be acknowledged (clause 3.4.4), else routing falls to 0 and the network keeps
the message.
"""

from typing import TYPE_CHECKING

from modemgw.emulator import textmode
from modemgw.emulator.agenda import Entry
from modemgw.emulator.lines import Failure, failure_of
from modemgw.emulator.mailbox import Mt
from modemgw.emulator.storage import UNREAD, Slot, Storage, Union
from modemgw.pdu.decode import decode
from modemgw.pdu.errors import PduError
from modemgw.pdu.tpdu import Deliver, StatusReport

if TYPE_CHECKING:
    from modemgw.emulator.device import Device

_BUFFER = 32
_SILENT = 0x40  # TP-PID of a short message type 0: taken, and nobody is told
_REPLACES = range(0x41, 0x48)  # TP-PID of replace short message type 1..7


class Inbox:
    """The storages of one modem and the way of a message into them."""

    def __init__(self, device: "Device") -> None:
        self._device = device
        persona = device.persona.storage
        self._base = persona.index_base
        self._compacts = persona.compacts
        self.me = Storage("ME", persona.me, base=persona.index_base, compacts=persona.compacts)
        self.sr = Storage("SR", persona.sr, base=persona.sr_base, compacts=persona.compacts)
        self.ready = True
        self.cpms_refusals = persona.not_ready_times
        self._buffered: list[tuple[str, str]] = []
        self._unacknowledged: Entry | None = None
        self._told_full: set[str] = set()
        self._recent: list[tuple[float, str]] = []
        self._waits_for_room = False
        self._stored = 0

    # ---- storages

    def names(self, of: tuple[str, ...] | None = None) -> list[str]:
        """The storages that this modem has, of those that one parameter of `+CPMS` takes (default the first)."""
        return [name for name in of or self._device.persona.storage.read if self._found(name) is not None]

    def storage(self, name: str) -> Storage | Union:
        """A storage by name; Failure if there is none."""
        found = self._found(name)
        if found is None:
            raise Failure("CMS", 302)
        return found

    def parts(self) -> list[Storage]:
        """The storages themselves."""
        found = [self._found(name) for name in ("SM", "ME", "SR")]
        return [storage for storage in found if isinstance(storage, Storage)]

    def _found(self, name: str) -> Storage | Union | None:
        sim = self._device.sim
        if name in ("SM", "SM_P"):
            if sim is not None:
                sim.storage.base, sim.storage.compacts = self._base, self._compacts
            return sim.storage if sim is not None else None
        if name == "MT":
            parts = (self._found("SM"), self._found("ME"))
            there = tuple(part for part in parts if isinstance(part, Storage))
            return Union("MT", there) if len(there) == 2 else None
        found = {"ME": self.me, "ME_P": self.me, "SR": self.sr}.get(name)
        return found if found is not None and found.capacity else None

    def usable(self) -> None:
        """Failure unless SMS commands work now: card there, unlocked, not busy, service started."""
        self._device.card.check_for_sms()
        if not self.ready:
            raise failure_of(self._device.persona.boot.not_ready)

    def counted(self, name: str) -> int:
        """How many messages `+CPMS` says a storage holds; it may lag behind."""
        storage = self.storage(name)
        lag = self._device.persona.storage.counter_lag
        self._recent = [(at, where) for at, where in self._recent if at + lag > self._device.network.now.value]
        return max(storage.used - sum(where == name for _, where in self._recent), 0)

    def freed(self, storage: Storage | Union) -> None:
        """Messages were deleted: queued mail may come, on some makes after a long while."""
        if storage.full:
            return
        self._told_full -= {storage.name, "MT"} | {part.name for part in self.parts() if not part.full}
        wait = self._device.persona.storage.full_wait if self._waits_for_room else 0.0
        self._device.network.agenda.after(wait, self._room_again)

    def _room_again(self) -> None:
        self._waits_for_room = False
        self._device.network.memory_available(self._device)

    def block(self, seconds: float) -> None:
        """All storages look full for so long."""
        storages = self.parts()
        for storage in storages:
            storage.blocked = True
        self._device.network.at(self._device.network.now.value + seconds, lambda: self._unblock(storages))

    def _unblock(self, storages: list[Storage]) -> None:
        for storage in storages:
            storage.blocked = False
            self.freed(storage)

    # ---- messages

    def receive(self, message: Mt, *, at_once: bool = False) -> bool | None:
        """Route one message. True: taken; False: refused, no room; None: shown, and waits for the acknowledgement."""
        if self._waits_for_room and self._device.persona.storage.full_wait:
            return False
        if isinstance(message.tpdu, StatusReport):
            return self._report(message, at_once=at_once)
        return self._deliver(message, message.tpdu)

    def _deliver(self, message: Mt, tpdu: Deliver) -> bool | None:
        mt = self._device.settings.cnmi[1]
        category = tpdu.message_class
        routing = self._device.persona.routing
        waiting = tpdu.dcs.waiting
        if tpdu.pid == _SILENT:
            return True
        if (mt == 2 and category != 2 and not (waiting and waiting.store)) or (mt == 3 and category == 3):
            return self._direct(routing.cmt_header, message)
        if category == 0 and routing.class0 != "store":
            return self._direct(routing.class0_header, message) if routing.class0 == "show" else True
        if waiting and not waiting.store and routing.mwi_discard == "drop":
            return True
        return self._keep(message, tpdu, "SM" if category == 2 and self._device.sim else self._device.settings.cpms[2])

    def _keep(self, message: Mt, tpdu: Deliver, name: str) -> bool:
        device, routing = self._device, self._device.persona.routing
        index = self._replaced(self.storage(name), message, tpdu)
        if index is None:
            index = self._store(self.storage(name), message)
        if index is None:
            return False
        self._stored += 1
        every = device.persona.storage.twin_every
        indexes = [index]
        if every and self._stored % every == 0 and (twin := self._store(self.storage(name), message)) is not None:
            indexes.append(twin)
        if device.settings.cnmi[1]:
            for each in indexes:
                self._indicate(routing.cmti.format(storage=routing.cmt_storage or name, index=each))
        return True

    def _replaced(self, storage: Storage | Union, message: Mt, tpdu: Deliver) -> int | None:
        """23.040 §9.2.3.9, replace short message type 1..7: over the one of that type from that sender, if there."""
        if tpdu.pid not in _REPLACES:
            return None
        for index, slot in storage.items():
            try:
                there = decode(slot.pdu).tpdu
            except PduError:
                continue
            if isinstance(there, Deliver) and (there.pid, there.originator) == (tpdu.pid, tpdu.originator):
                storage.overwrite(index, Slot(UNREAD, message.pdu, message.length))
                return index
        return None

    def _report(self, message: Mt, *, at_once: bool) -> bool | None:
        ds = self._device.settings.cnmi[3]
        routing = self._device.persona.routing
        if ds == 1:
            return self._direct(routing.cds_header, message, at_once=at_once)
        if ds == 2:
            index = self._store(self.storage(routing.report_storage), message)
            if index is None:
                return False
            text = routing.cdsi.format(storage=routing.report_indication, index=index)
            self._indicate(text, at_once=at_once)
        return True  # ds=0: the modem takes it and says nothing

    def plant(self, line: str, length: int, *, storage: str = "", stat: int = UNREAD) -> int | None:
        """Put any line into a storage as if it had come, be it a PDU or not, and indicate it; its index."""
        name = storage or self._device.settings.cpms[2]
        index = self.storage(name).put(Slot(stat, line, length))
        if index is not None and self._device.settings.cnmi[1]:
            self._indicate(self._device.persona.routing.cmti.format(storage=name, index=index))
        return index

    def _store(self, storage: Storage | Union, message: Mt) -> int | None:
        index = storage.put(Slot(UNREAD, self._padded(message), message.length))
        if index is not None:
            if self._device.persona.storage.counter_lag:
                self._recent.append((self._device.network.now.value, storage.name))
            return index
        text = self._device.persona.storage.full_urc
        unasked = not text.startswith("+CIEV:") or self._device.settings.cmer[3] > 0
        if text and unasked and storage.name not in self._told_full:
            self._device.urc(text.format(storage=storage.name))
        self._told_full.add(storage.name)
        self._waits_for_room = True
        return None

    def _padded(self, message: Mt) -> str:
        width = self._device.persona.storage.report_padding
        return message.pdu.ljust(width, "F") if isinstance(message.tpdu, StatusReport) else message.pdu

    # ---- straight to the computer

    def _direct(self, header: str, message: Mt, *, at_once: bool = False) -> bool | None:
        device = self._device
        if self._discards(at_once=at_once):
            return False  # mode 1 rejects what would be shown, so the network keeps it
        lines = (header.format(length=message.length), self._padded(message))
        if device.settings.cmgf == 1:
            lines = textmode.shown(device, message.tpdu)
        self._indicate(*lines, at_once=at_once)
        if device.settings.csms == 0:
            return True
        self._unacknowledged = device.agenda.after(device.persona.routing.ack_seconds, self._ack_missing)
        return None

    def acknowledge(self, *, taken: bool) -> None:
        """`+CNMA`; Failure when nothing waits for it."""
        self.check_unacknowledged().cancel()
        self._unacknowledged = None
        self._tell_network(taken=taken)

    @property
    def awaits_acknowledgement(self) -> bool:
        """Whether a message was shown that the computer has not acknowledged yet."""
        return self._unacknowledged is not None

    def check_unacknowledged(self) -> Entry:
        """Failure unless a message waits for its acknowledgement."""
        if self._unacknowledged is None:
            raise Failure("CMS", 340)
        return self._unacknowledged

    def _ack_missing(self) -> None:
        self._unacknowledged = None
        mode, _, bm, _, bfr = self._device.settings.cnmi
        self._device.settings.cnmi = (mode, 0, bm, 0, bfr)
        self._tell_network(taken=False)

    def _tell_network(self, *, taken: bool) -> None:
        device = self._device
        device.network.agenda.after(0.0, lambda: device.network.acknowledged(device, taken=taken))

    # ---- indications

    def _indicate(self, text: str, pdu: str = "", *, at_once: bool = False) -> None:
        mode = self._device.settings.cnmi[0]
        busy = self._device.busy
        waits = mode == 2 and busy and not at_once and self._device.persona.line.hold_urcs
        if mode == 0 or waits:
            self._buffered = [*self._buffered, (text, pdu)][-_BUFFER:]
        elif not self._discards(at_once=at_once):
            self._device.urc(text, pdu, at_once=at_once or mode == 3)

    def _discards(self, *, at_once: bool) -> bool:
        device = self._device
        mode_1 = device.settings.cnmi[0] == 1 and device.persona.routing.discard_while_busy
        return mode_1 and device.busy and not at_once

    def routing_changed(self, bfr: int) -> None:
        """`+CNMI` was set: buffered lines are flushed (bfr=0) or cleared (1), unless mode 0 keeps them."""
        if self._device.settings.cnmi[0] == 0:
            return
        if bfr == 1:
            self._buffered.clear()

    def after_command(self) -> None:
        """The link is free again."""
        if self._buffered and self._device.settings.cnmi[0] != 0:
            waiting, self._buffered = self._buffered, []
            for text, pdu in waiting:
                self._device.urc(text, pdu)

    # ---- power

    def power_off(self) -> None:
        """Buffered lines and the wait for an acknowledgement are lost; storages are not."""
        self._buffered.clear()
        self._unacknowledged = None
        self._waits_for_room = False
        self.ready = False

    def booted(self) -> None:
        """SMS commands work a while later."""
        self.cpms_refusals = self._device.persona.storage.not_ready_times
        self._device.agenda.after(self._device.persona.boot.sms_ready, self._become_ready)

    def _become_ready(self) -> None:
        self.ready = True
