"""`AT+CMGS`: prompt, PDU, 0x1A, the network, `+CMGS: mr` (TS 27.005 clause 3.5.1).

The 0x1A is the moment of money: from here the network may take the message whatever the computer hears of it. Which
part of the latency passes before it does is the network's `accept_at`; a modem that loses power before that moment
has sent nothing.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from modemgw.emulator import textmode
from modemgw.emulator.faults import AcceptBut, Error, NoCredit, Reboot, Unplug, pick
from modemgw.emulator.lines import PENDING, Ask, Failure, Reply, failure_of, reply_to
from modemgw.emulator.magic import Behaviour
from modemgw.emulator.sim import Sim
from modemgw.pdu import timestamp
from modemgw.pdu.decode import decode
from modemgw.pdu.envelope import wrap
from modemgw.pdu.errors import PduError
from modemgw.pdu.tpdu import Submit

if TYPE_CHECKING:
    from modemgw.emulator.device import Device
    from modemgw.emulator.exchange import Exchange

Reader = Callable[[bytes], tuple[str, Submit]]


@reply_to("+CMGS")
def cmgs(device: "Device", ask: Ask) -> Reply:
    """Send a message. PDU mode: <length> counts the TPDU without the SMSC field. Text mode: the recipient."""
    exchange = device.exchange
    if ask.kind == "test" or exchange is None:
        return []
    device.inbox.usable()
    read = reader(device, ask)
    exchange.prompt(lambda payload: _payload(device, exchange, read, payload))
    return PENDING


def reader(device: "Device", ask: Ask) -> Reader:
    """What makes a SUBMIT of the payload behind this command; Failure if the command itself is wrong."""
    return _text_reader(device, ask) if device.settings.cmgf == 1 else _pdu_reader(device, ask)


def _text_reader(device: "Device", ask: Ask) -> Reader:
    number = textmode.recipient(ask.text(0))

    def read(payload: bytes) -> tuple[str, Submit]:
        submit = textmode.submit(device, number, payload)
        return wrap(submit.encode()).hex, submit

    return read


def _pdu_reader(device: "Device", ask: Ask) -> Reader:
    length = ask.number(0)
    if not device.persona.sending.least <= length <= device.persona.sending.most:
        raise Failure("CMS", 304)
    return lambda payload: _read(payload, length)


def _payload(device: "Device", exchange: "Exchange", read: Reader, payload: bytes) -> None:
    try:
        line, submit = read(payload)
    except Failure as failure:
        if device.persona.line.bad_length == "hang":
            exchange.channel.expect_payload()
        else:
            exchange.fail(failure)
        return
    try:
        send(device, exchange, submit, line)
    except Failure as failure:
        exchange.fail(failure)


def send(
    device: "Device",
    exchange: "Exchange",
    submit: Submit,
    line: str,
    answer: str = "",
    done: Callable[[], None] = lambda: None,
) -> None:
    """Give a SUBMIT to the network and answer the exchange, with `answer` if it is not `+CMGS`; Failure at once."""
    sim = _may_send(device, line)
    _Sending(device, exchange, sim, submit, line, answer or device.persona.sending.answer, done).start()


def _read(payload: bytes, length: int) -> tuple[str, Submit]:
    line = payload.decode("latin-1").strip("\r\n ")
    try:
        decoded = decode(line)
    except PduError:
        raise Failure("CMS", 304) from None
    if not isinstance(decoded.tpdu, Submit) or decoded.tpdu_length != length or decoded.trailing:
        raise Failure("CMS", 304)
    return line, decoded.tpdu


def _may_send(device: "Device", line: str) -> Sim:
    sim = device.card.check()
    if not device.persona.storage.sends_when_full and sim.storage.full:
        raise Failure("CMS", 322)
    if not device.radio.attached:
        raise Failure("CMS", 331)
    if not sim.smsc and line.startswith("00"):
        raise Failure("CMS", 330)
    return sim


class _Sending:
    """One SUBMIT on its way."""

    def __init__(
        self,
        device: "Device",
        exchange: "Exchange",
        sim: Sim,
        submit: Submit,
        line: str,
        answer: str,
        done: Callable[[], None],
    ) -> None:
        self._words = answer
        self._done = done
        self._device = device
        self._exchange = exchange
        self._sim = sim
        self._submit = submit
        self._line = line
        self._mr = sim.next_mr()
        self._how = self._behaviour()
        network = device.network
        self._seconds = device.radio.link.take() + network.draw(network.latency) + self._how.seconds
        self._answer_at = network.now.value + self._seconds

    def _behaviour(self) -> Behaviour:
        error = pick(self._exchange.effects, Error)
        if error is not None:
            return Behaviour(accepts=False, answer=error.text)
        accept_but = pick(self._exchange.effects, AcceptBut)
        if accept_but is not None:
            return Behaviour(answer=accept_but.text)
        weak = self._device.radio.weak
        if weak is not None:
            return Behaviour(accepts=False, answer=weak.answer, seconds=weak.after)
        if self._sim.no_credit != "paid":
            return Behaviour(accepts=False, answer=self._sim.no_credit)
        if self._sim.credit < self._sim.price:
            return Behaviour(accepts=False, answer=NoCredit().answer)
        return self._device.network.behaviour(self._submit)

    def start(self) -> None:
        """The SUBMIT goes to the network."""
        effects = self._exchange.effects
        if pick(effects, Unplug, point="submitted", accepted=True) or pick(
            effects, Reboot, point="submitted", accepted=True
        ):
            self._accept()
        if self._exchange.reach("submitted"):
            return
        if self._seconds <= 0:
            self._accept()
            self._answer()
            return
        self._exchange.later(self._seconds * self._device.network.accept_at, self._accept)
        longest = self._device.persona.sending.longest
        if longest and self._seconds > longest:
            too_long = failure_of(self._device.persona.sending.too_long)
            self._exchange.later(longest, lambda: self._exchange.fail(too_long))
        else:
            self._exchange.later(self._seconds, self._answer)

    def _accept(self) -> None:
        if self._how.accepts:
            network = self._device.network
            self._sim.credit -= self._sim.price
            network.accept(self._device, self._sim, self._submit, self._line, self._mr, answer_at=self._answer_at)

    def _answer(self) -> None:
        self._device.radio.link.answered()
        if self._how.silent:
            self._exchange.channel.free()
        elif self._how.answer:
            self._exchange.fail(Failure(text=self._how.answer))
        else:
            self._done()
            self._exchange.resume([self._words.format(mr=self._mr, scts=self._scts())])

    def _scts(self) -> str:
        if self._device.settings.csms != 1:
            return ""
        return f',"{textmode.time_text(timestamp.decode(self._device.network.stamp()))}"'
