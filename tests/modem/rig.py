"""A modem of the lab in virtual time, its driver, and a listener that keeps what it is told."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from support.virtual import VirtualClock

from modemgw.emulator.device import Device
from modemgw.emulator.lab import Lab
from modemgw.emulator.persona import Persona, load
from modemgw.emulator.transport import connect_port
from modemgw.modem.facts import Received
from modemgw.modem.modem import Modem
from modemgw.modem.profile import Profiles
from modemgw.modem.settings import ModemSettings
from modemgw.modem.states import ModemState
from modemgw.modem.supervisor import Supervisor
from modemgw.pdu.address import Address
from modemgw.pdu.decode import decode
from modemgw.pdu.envelope import Pdu, wrap
from modemgw.pdu.segment import plan
from modemgw.pdu.tpdu import Deliver
from modemgw.port.opener import Connect

PROFILES = Profiles.load()
Before = Callable[[], Awaitable[None]]


@dataclass
class Memory:
    """A PinGuard on paper; outlives a driver as a store outlives a process."""

    tried: list[tuple[str, str]] = field(default_factory=list)
    wrong: list[tuple[str, str]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    async def may_try(self, sim_key: str, pin: str) -> bool:
        return (sim_key, pin) not in self.tried

    async def clean(self, sim_key: str) -> bool:
        return all(key != sim_key for key, _ in self.tried)

    async def record(self, sim_key: str, pin: str) -> None:
        self.tried.append((sim_key, pin))
        self.log.append("recorded")

    async def accepted(self, sim_key: str, pin: str) -> None:
        self.tried.remove((sim_key, pin))

    async def refused(self, sim_key: str, pin: str) -> None:
        self.wrong.append((sim_key, pin))

    async def found_open(self, sim_key: str, pin: str) -> None:
        if (sim_key, pin) in self.tried and (sim_key, pin) not in self.wrong:
            self.tried.remove((sim_key, pin))


@dataclass
class Gateway:
    """A listener that takes each message, once `taking`, and acknowledges it as the gateway does."""

    taken: list[Received] = field(default_factory=list)
    refused: int = 0
    refusal: Exception = field(default_factory=lambda: RuntimeError("the disk is full"))
    taking: bool = True
    acknowledging: bool = True
    late: list[tuple[str | None, int | None]] = field(default_factory=list)
    events: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    states: list[tuple[float, str, str | None]] = field(default_factory=list)
    on_received: Callable[[Received], None] | None = None

    async def received(self, modem: Modem, pdu: Received) -> None:
        if not self.taking:
            self.refused += 1
            raise self.refusal
        if self.on_received is not None:
            self.on_received(pdu)
        await asyncio.sleep(0.01)  # a commit
        self.taken.append(pdu)
        if self.acknowledging:
            await modem.acknowledge(pdu.receipt)

    async def late_submit(self, modem: Modem, token: str | None, mr: int | None) -> None:
        self.late.append((token, mr))

    def changed(self, modem: Modem) -> None:
        now = (str(modem.state), str(modem.reason) if modem.reason else None)
        if not self.states or self.states[-1][1:] != now:
            self.states.append((asyncio.get_running_loop().time(), *now))

    async def event(self, modem: Modem, kind: str, detail: dict[str, str]) -> None:
        self.events.append((kind, detail))

    @property
    def texts(self) -> list[str | None]:
        """The messages among what was taken, without reports."""
        found = [decode(pdu.pdu).tpdu for pdu in self.taken]
        return [tpdu.text for tpdu in found if isinstance(tpdu, Deliver)]

    @property
    def state_words(self) -> list[str]:
        return [f"{state}/{reason}" if reason else state for _, state, reason in self.states]


@dataclass
class Rig:
    """One simulated modem and its driver."""

    lab: Lab
    device: Device
    gateway: Gateway
    memory: Memory
    settings: ModemSettings
    pending: float | None = None  # seconds since the submit whose answer may still come
    profiles: Profiles = PROFILES
    supervisor: Supervisor = field(init=False)
    task: asyncio.Task[None] | None = None

    @property
    def modem(self) -> Modem:
        return self.supervisor.modem

    def start(
        self, connect: Connect | None = None, pending: Callable[[], Awaitable[float | None]] | None = None
    ) -> None:
        """Begin, as a fresh process would."""
        modem = Modem(self.settings, self.gateway)
        self.supervisor = Supervisor(
            modem,
            profiles=self.profiles,
            guard=self.memory,
            connect=connect or self._connect,
            pending_submit=pending or self._pending,
        )
        self.task = asyncio.create_task(self.supervisor.run())

    async def _connect(self, path: str, protocol: asyncio.Protocol) -> asyncio.Transport:
        return await connect_port(self.lab, path.removeprefix("emulator:"), protocol)

    async def _pending(self) -> float | None:
        return self.pending

    async def stop(self) -> None:
        """Stop as a process does on SIGTERM."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            self.task = None

    async def until(self, condition: Callable[[], bool], seconds: float = 120.0) -> float:
        """Wait for something to become true; the virtual seconds that it took."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        while not condition():
            assert loop.time() - start < seconds, f"not within {seconds} s: {self.modem.state} {self.modem.detail}"
            await asyncio.sleep(0.05)
        return loop.time() - start

    async def until_state(self, state: ModemState, seconds: float = 120.0) -> float:
        return await self.until(lambda: self.modem.state == state, seconds)

    async def ready(self) -> None:
        """Start, and wait until messages can go both ways."""
        self.start()
        await self.until_state(ModemState.REGISTERED)
        await self.modem.sweep()

    def submit(
        self, text: str = "hello", to: str = "+4915559000001", *, token: str | None = None, before: Before | None = None
    ) -> Awaitable[int | None]:
        pdu = submit_pdu(text, to)
        return self.modem.submit(pdu.hex, pdu.tpdu_length, token=token or "t-1", before_payload=before or _nothing)

    def arrive(self, text: str) -> None:
        """A message from outside for this SIM."""
        self.lab.network.deliver_from_outside("+4915559000009", self.device, text)

    def commands(self, prefix: str = "AT") -> list[str]:
        """What the driver has written so far."""
        return [heard.line for heard in self.device.heard if heard.line.startswith(prefix)]

    @property
    def sent(self) -> list[str | None]:
        return [accepted.text for accepted in self.lab.network.ledger]


def make(
    kind: Persona | str = "generic", *, latency: float = 2.0, settings: dict[str, Any] | None = None, **sim: Any
) -> Rig:
    """A lab with one modem of that persona, and the driver that a configuration with ``settings`` gives it."""
    lab = Lab(VirtualClock(asyncio.get_running_loop()), random.Random(7), latency=latency)
    device = lab.add("a", kind, **sim)
    chosen = {"name": "front", "port": "emulator:a", **(settings or {})}
    return Rig(lab, device, Gateway(), Memory(), ModemSettings(**chosen))


async def _nothing() -> None:
    return


def submit_pdu(text: str, to: str) -> Pdu:
    [submit] = plan(text).submits(Address.parse(to), ref=1)
    return wrap(submit.encode())


def persona(base: str = "generic", **sections: dict[str, Any]) -> Persona:
    """A persona that differs from ``base`` in the given keys."""
    kind = load(base)
    return replace(kind, **{name: replace(getattr(kind, name), **keys) for name, keys in sections.items()})


MakeRig = Callable[..., Rig]
