"""The simulated operator: accepts SUBMITs, keeps the truth about them, delivers between SIMs, and reports.

Rules
- `ledger` holds every SUBMIT that the network accepted, in order, and nothing else: tests count lost and doubled
  messages by it.
- A SUBMIT to a number of the lab becomes a DELIVER there, user data and header as they were; other numbers are reported
  delivered, or fail on purpose (magic.py).
- Store and forward: what a modem cannot take now (off, not registered, full) waits, in order, until it can.
- A message counts as delivered when the modem stored it, or showed it, or acknowledged it where that is asked for
  (`delivered`).

Clauses: 23.040 §3.2 (store and forward), §9.2.2 (TPDUs), §9.2.3.26 (status report).
"""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from modemgw.emulator.agenda import Agenda, Now
from modemgw.emulator.ledger import Accepted, Delivered, record
from modemgw.emulator.magic import ORDINARY, Behaviour, behaviour
from modemgw.emulator.mailbox import Mailbox, Mt
from modemgw.emulator.sim import Sim
from modemgw.emulator.tickets import Ticket, canonical
from modemgw.emulator.ussd import MENUS, Menu
from modemgw.pdu import timestamp
from modemgw.pdu.address import Address
from modemgw.pdu.envelope import wrap
from modemgw.pdu.segment import plan
from modemgw.pdu.tpdu import Deliver, StatusReport, Submit
from modemgw.pdu.validity import Relative
from modemgw.seams import Clock

if TYPE_CHECKING:
    from modemgw.emulator.device import Device

_VALIDITY_OVER = 0x46  # TP-ST, permanent: SM validity period expired
Range = float | tuple[float, float]


class Network:
    """One operator with its service centre. Seconds unless said otherwise; a range is drawn from `rng`.

    `latency`: 0x1A to the answer; 0 answers at once. `link_setup`: as much more where there is no link yet (link.py).
    `report_delay`: that answer to the report; negative: before it.
    `accept_at`: which part of the latency is over when the network takes the message. `pending_first`: every report is
    preceded by "still trying". `gap`: between two messages to one SIM; the radio takes a second or so, and programs
    that count on it lose what comes at once. `keep`: how many entries the two logs keep, None for all.
    """

    def __init__(
        self,
        clock: Clock,
        rng: random.Random,
        *,
        latency: Range = 0.0,
        link_setup: Range = 0.0,
        report_delay: Range = 1.0,
        forward_delay: Range = 0.0,
        gap: Range = 0.0,
        accept_at: float = 0.5,
        pending_first: bool = False,
        magic: bool = True,
        keep: int | None = None,
    ) -> None:
        self.clock = clock
        self.rng = rng
        self.latency = latency
        self.link_setup = link_setup
        self.report_delay = report_delay
        self.forward_delay = forward_delay
        self.gap = gap
        self.accept_at = accept_at
        self.pending_first = pending_first
        self.magic = magic
        self.now = Now(clock.monotonic())
        self.agenda = Agenda(self.now, self._due_earlier)
        self.on_due: Callable[[], None] | None = None
        self.ledger: list[Accepted] = []
        self.delivered: list[Delivered] = []
        self.on_accepted: list[Callable[[Accepted], None]] = []
        self.on_delivered: list[Callable[[Delivered], None]] = []
        self.menus: dict[str, Menu] = dict(MENUS)
        self.time_zone = timezone(timedelta(hours=1))
        self.devices: list[Device] = []
        self.driver: object | None = None
        self._keep = keep
        self._mailboxes: dict[str, Mailbox] = {}

    # ---- driving it

    def due(self) -> float | None:
        """When `tick` should be called next."""
        return self.agenda.due()

    def tick(self, now: float) -> None:
        """Do what is due at `now`; modems that get something say so by their `on_due`."""
        self.agenda.run(now)

    def at(self, time: float, action: Callable[[], None]) -> None:
        """Plan something at a lab time; it happens even while every modem is unplugged."""
        self.agenda.after(time - self.now.value, action)

    def _due_earlier(self) -> None:
        if self.on_due is not None:
            self.on_due()

    def draw(self, value: Range) -> float:
        """A fixed number of seconds, or one out of a range."""
        return self.rng.uniform(*value) if isinstance(value, tuple) else value

    # ---- SIM cards

    def register(self, sim: Sim) -> None:
        """Give a SIM its number and its mailbox. ValueError if the number is taken."""
        if sim.number in self._mailboxes:
            raise ValueError(f"{sim.number} is the number of another SIM of this lab")
        self._mailboxes[sim.number] = Mailbox(self, sim)

    def attached(self, device: "Device") -> None:
        """A modem is on the network: what waited for its SIM comes now."""
        mailbox = self.mailbox(device.sim)
        if mailbox is not None:
            mailbox.attach(device)

    def memory_available(self, device: "Device") -> None:
        """A modem has room again (23.040 §3.3.2 SM-MT memory available)."""
        self.attached(device)

    def acknowledged(self, device: "Device", *, taken: bool) -> None:
        """The computer acknowledged a message that was shown directly, or did not."""
        mailbox = self.mailbox(device.sim)
        if mailbox is not None:
            mailbox.settle(taken=taken)

    def mailbox(self, sim: Sim | None) -> Mailbox | None:
        """The mailbox of a SIM of this network."""
        return self._mailboxes.get(sim.number) if sim is not None else None

    # ---- from the modems

    def behaviour(self, submit: Submit) -> Behaviour:
        """What will happen to this SUBMIT."""
        number = canonical(submit.destination)
        if not self.magic or number in self._mailboxes:
            return ORDINARY
        return behaviour(number)

    def accept(self, device: "Device", sim: Sim, submit: Submit, pdu: str, mr: int, *, answer_at: float) -> Accepted:
        """Take a SUBMIT: it is in the ledger from now on, and will be delivered and reported.

        `answer_at`: the lab time when the modem says so to the computer.
        """
        entry = Accepted(
            at_ms=self.clock.wall_ms(),
            device=device.name,
            iccid=sim.iccid,
            sender=sim.number,
            mr=mr,
            number=submit.destination.number,
            pdu=pdu,
            encoding=str(submit.encoding),
            text=submit.text,
            data=submit.data,
            concat=submit.concat,
            srr=submit.srr,
        )
        record(self.ledger, entry, self.on_accepted, self._keep)
        how = self.behaviour(submit)
        number = canonical(submit.destination)
        ticket = Ticket(sim, submit, mr, self.stamp(), answer_at, national=how.national)
        there = self._mailboxes.get(number)
        if there is None:
            self._report(ticket, how.statuses, early=how.early)
        else:
            self._forward(there, ticket)
        return entry

    def _forward(self, there: Mailbox, ticket: Ticket) -> None:
        """To a SIM of the lab: delivered and reported when it can take it, or dropped when its validity is over."""
        message = self._mt(self.deliver_of(ticket.submit, ticket.sim.number), lambda: self._report(ticket, (0,)))
        self.agenda.after(self.draw(self.forward_delay), lambda: self._offer(there, message, ticket))

    def _offer(self, there: Mailbox, message: Mt, ticket: Ticket) -> None:
        there.put(message)
        validity = ticket.submit.validity
        if isinstance(validity, Relative) and there.holds(message):
            self.agenda.after(validity.seconds, lambda: self._expire(there, message, ticket))

    def _expire(self, there: Mailbox, message: Mt, ticket: Ticket) -> None:
        if there.drop(message):
            self._report(ticket, (_VALIDITY_OVER,))

    def _report(self, ticket: Ticket, statuses: tuple[int, ...], *, early: bool = False) -> None:
        mailbox = self.mailbox(ticket.sim)
        if mailbox is None or not ticket.submit.srr:
            return
        concat = ticket.submit.concat
        behind = concat.parts - concat.seq if concat is not None else 0
        how = self.behaviour(ticket.submit)
        if how.last_part_only and behind:
            return
        if self.pending_first and statuses == (0,):
            statuses = (0x30, 0)
        delay = -1.0 if early else self.draw(self.report_delay)
        wait = max(ticket.answer_at - self.now.value, 0.0) + delay + (how.backwards * behind)
        for place, status in enumerate(statuses):
            self._plan_report(mailbox, ticket, status, wait + 5.0 * place, before_answer=delay < 0 and place == 0)

    def _plan_report(self, mailbox: Mailbox, ticket: Ticket, status: int, wait: float, *, before_answer: bool) -> None:
        if before_answer and wait <= 0:
            mailbox.put(self._mt(ticket.report(status, self.stamp())), at_once=True)
        else:
            self.agenda.after(
                wait, lambda: mailbox.put(self._mt(ticket.report(status, self.stamp())), at_once=before_answer)
            )

    # ---- to the modems

    def deliver_from_outside(
        self,
        sender: str,
        device: "Device",
        text: str | None = None,
        *,
        pdu: str | None = None,
        message_class: int | None = None,
        parts: Sequence[int] | None = None,
        ref: int | None = None,
    ) -> None:
        """Somebody with another operator writes to the SIM in `device`: a text, or a DELIVER or STATUS-REPORT as a hex
        line.

        `sender` is a number (+…) or a name of up to 11 characters; a long text comes in parts with the number `ref`.
        `parts`: which of them come, from 1, in that order: [3, 1, 1] leaves out the second and doubles the first.
        """
        mailbox = self.mailbox(device.sim)
        if mailbox is None:
            raise ValueError(f"{device.name} has no SIM of this network")
        if pdu is not None:
            mailbox.put(Mt.from_line(pdu))
            return
        origin = Address.parse(sender) if sender.lstrip("+").isdigit() else Address.alphanumeric(sender)
        number = self.rng.randrange(256) if ref is None else ref
        made = plan(text or "").submits(Address.parse("0"), ref=number, message_class=message_class)
        for place in parts if parts is not None else range(1, len(made) + 1):
            if not 1 <= place <= len(made):
                raise ValueError(f"there is no part {place}: the text has {len(made)}")
            mailbox.put(self._mt(self.deliver_of(made[place - 1], origin)))

    def report_to(self, device: "Device", mr: int, number: str, status: int) -> None:
        """A status report comes to the SIM in `device`, for whatever TP-MR and recipient, sent or not."""
        mailbox = self.mailbox(device.sim)
        if mailbox is None:
            raise ValueError(f"{device.name} has no SIM of this network")
        stamp = self.stamp()
        to = Address.parse(number)
        report = StatusReport(mr=mr, recipient=to, scts_raw=stamp, discharge_raw=stamp, status=status)
        mailbox.put(self._mt(report))

    def deliver_of(self, submit: Submit, sender: str | Address) -> Deliver:
        """The DELIVER that a SUBMIT becomes."""
        origin = Address.parse(sender) if isinstance(sender, str) else sender
        return Deliver(
            originator=origin,
            user_data=submit.user_data,
            dcs=submit.dcs,
            pid=submit.pid,
            scts_raw=self.stamp(),
            rp=submit.rp,
        )

    def _mt(self, tpdu: Deliver | StatusReport, done: Callable[[], None] | None = None) -> Mt:
        line = wrap(tpdu.encode(), Address.parse("+4915551999999"))
        return Mt(tpdu, line.hex, line.tpdu_length, done)

    def took(self, device: "Device", message: Mt) -> None:
        """A modem took a message: log it."""
        tpdu = message.tpdu
        entry = Delivered(
            at_ms=self.clock.wall_ms(),
            device=device.name,
            iccid=device.sim.iccid if device.sim else "",
            kind="report" if isinstance(tpdu, StatusReport) else "deliver",
            sender=tpdu.recipient.number if isinstance(tpdu, StatusReport) else tpdu.originator.number,
            pdu=message.pdu,
            text=tpdu.text,
            data=tpdu.data,
        )
        record(self.delivered, entry, self.on_delivered, self._keep)

    def stamp(self) -> bytes:
        """The network's time as a TP-SCTS."""
        moment = datetime.fromtimestamp(self.clock.wall_ms() / 1000, UTC).astimezone(self.time_zone)
        return timestamp.encode(moment, "TP-SCTS")
