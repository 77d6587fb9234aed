"""A lab under a manual clock, and `Bench`: one modem spoken to in bytes, everything due done in its order."""

import random
from collections.abc import Callable
from dataclasses import replace
from weakref import WeakKeyDictionary

import pytest

from modemgw.emulator.device import Device
from modemgw.emulator.lab import Lab
from modemgw.emulator.persona import Persona, load
from modemgw.pdu.address import Address
from modemgw.pdu.decode import decode
from modemgw.pdu.envelope import wrap
from modemgw.pdu.segment import plan
from modemgw.pdu.tpdu import StatusReport

UNREAD: WeakKeyDictionary[Lab, dict[str, bytes]] = WeakKeyDictionary()
START_MS = 1_800_000_000_000  # 2027-01-15T08:00:00Z


class ManualClock:
    """Wall time that follows the lab's seconds."""

    boot_id = "test"

    def __init__(self) -> None:
        self.lab: Lab | None = None

    def wall_ms(self) -> int:
        return START_MS + int(self.monotonic() * 1000)

    def monotonic(self) -> float:
        return self.lab.now if self.lab is not None else 0.0

    def trusted(self) -> bool:
        return True


class Bench:
    """The computer's side of one modem."""

    def __init__(self, lab: Lab, device: Device) -> None:
        self.lab = lab
        self.device = device

    def send(self, data: str | bytes, wait: float = 0.0) -> bytes:
        """Write, let `wait` seconds pass, and return what the modem wrote."""
        octets = data.encode("latin-1") if isinstance(data, str) else data
        self.device.receive(octets, self.lab.now)
        return self.wait(wait)

    def wait(self, seconds: float = 0.0) -> bytes:
        """Let time pass; what this modem wrote since it was last asked."""
        unread = UNREAD.setdefault(self.lab, {})
        for port, data in self.lab.run(self.lab.now + seconds).items():
            unread[port] = unread.get(port, b"") + data
        return unread.pop(self.port(), b"")

    def port(self) -> str:
        return next(name for name, device in self.lab.ports.items() if device is self.device)

    def ok(self, *commands: str) -> None:
        """Commands that must be answered by OK alone."""
        for command in commands:
            answer = self.send(command + "\r")
            assert answer.endswith(b"\r\nOK\r\n"), (command, answer)

    def submit(self, number: str, text: str = "hello", *, wait: float = 0.0, srr: bool = True) -> bytes:
        """Send one SUBMIT as a program would: the command, the prompt, the PDU and 0x1A; the answer."""
        line = wrap(plan(text).submits(Address.parse(number), ref=7, srr=srr)[0].encode())
        prompt = self.send(f"AT+CMGS={line.tpdu_length}\r")
        assert prompt.endswith(b"> "), prompt
        return self.send(line.hex.encode() + b"\x1a", wait)

    def incoming(self, text: str = "hello", *, message_class: int | None = None) -> bytes:
        """Somebody outside writes to this modem; what it says."""
        network = self.lab.network
        network.deliver_from_outside("+491761111111", self.device, text, message_class=message_class)
        return self.wait(0.1)

    def reports(self, wire: bytes) -> list[StatusReport]:
        """The status reports that were shown by `+CDS`."""
        lines = wire.split(b"\r\n")
        shown = [lines[i + 1].decode() for i, line in enumerate(lines) if line.startswith(b"+CDS:")]
        return [tpdu for tpdu in (decode(line).tpdu for line in shown) if isinstance(tpdu, StatusReport)]


@pytest.fixture
def make_lab() -> Callable[..., Lab]:
    """Make a lab on a manual clock; options as of Lab."""

    def make(seed: int = 1, **options: object) -> Lab:
        clock = ManualClock()
        lab = Lab(clock, random.Random(seed), **options)  # type: ignore[arg-type]
        clock.lab = lab
        return lab

    return make


@pytest.fixture
def make_bench(make_lab: Callable[..., Lab]) -> Callable[..., Bench]:
    """One modem that has been set up: no echo, numeric errors, messages indicated, reports shown."""

    def make(
        persona: object = "generic", *, lab: Lab | None = None, name: str = "a", raw: bool = False, **options: object
    ) -> Bench:
        lab = lab if lab is not None else make_lab()
        bench = Bench(lab, lab.add(name, persona, **options))  # type: ignore[arg-type]
        if not raw:
            bench.ok("ATE0", "AT+CMEE=1", "AT+CNMI=2,1,0,1,0")
        return bench

    return make


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """One modem of the generic persona, set up."""
    return make_bench()


@pytest.fixture
def variant() -> Callable[..., Persona]:
    """The generic persona with other values: `variant(line={"prompt": "\r\n>"})`."""

    def make(**sections: dict[str, object]) -> Persona:
        persona = load("generic")
        changes = {name: replace(getattr(persona, name), **values) for name, values in sections.items()}
        return replace(persona, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def pair(make_bench: Callable[..., Bench]) -> tuple[Bench, Bench]:
    """Two modems on one network, set up."""
    first = make_bench(name="a")
    return first, make_bench(name="b", lab=first.lab)
