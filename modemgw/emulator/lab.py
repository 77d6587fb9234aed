"""A lab: modems with their SIM cards on one simulated network, under port names. The way in.

    lab = Lab(clock, random.Random(1), latency=(2.0, 6.0))
    front = lab.add("a")
    lab.network.deliver_from_outside("+4915559000001", front, "hello")
    lab.network.ledger            # what was really sent

Deterministic: given the same clock, random numbers and input at the same times, everything happens alike.
Drive it with transport.py or pty.py, or by hand: `lab.run(until)` steps through everything that is due and returns,
per modem, what it wrote.
"""

import random
from collections.abc import Callable

from modemgw.emulator.device import Device
from modemgw.emulator.network import Network, Range
from modemgw.emulator.persona import Persona, load
from modemgw.emulator.sim import Sim, iccid_of, imei_of, imsi_of, number_of
from modemgw.seams import Clock


class Lab:
    """Modems by port name, on one network. See Network for the times."""

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
        magic: bool = True,
        keep: int | None = None,
    ) -> None:
        self.clock = clock
        self.rng = rng
        self.network = Network(
            clock,
            rng,
            latency=latency,
            link_setup=link_setup,
            report_delay=report_delay,
            forward_delay=forward_delay,
            gap=gap,
            magic=magic,
            keep=keep,
        )
        self.ports: dict[str, Device] = {}
        self._made = 0
        self._sims = 0

    def add(
        self,
        name: str,
        persona: str | Persona = "generic",
        *,
        number: str | None = None,
        pin: str | None = None,
        with_sim: bool = True,
        slots: int | None = None,
    ) -> Device:
        """A modem that has been running for a while, on the port of that name.

        With a new SIM, of the persona's size unless `slots` says otherwise, or without one (`with_sim` False).
        """
        if name in self.ports:
            raise ValueError(f"there is a modem on port {name} already")
        self._made += 1
        kind = persona if isinstance(persona, Persona) else load(persona)
        sim = self.new_sim(number=number, pin=pin, slots=slots or kind.storage.sm) if with_sim else None
        device = Device(name, kind, sim, self.network, imei=imei_of(kind.identity.tac, self._made), rng=self.rng)
        device.plug_into = lambda port: self.replug(device, port or self.port_of(device))
        self.ports[name] = device
        if device.card.usable:
            device.radio.set(device.radio.home_stat)
        return device

    def new_sim(self, *, number: str | None = None, pin: str | None = None, slots: int = 20) -> Sim:
        """A card of the lab's operator, in nobody's modem yet."""
        self._sims += 1
        serial = self._sims
        sim = Sim(
            number=number or number_of(serial),
            iccid=iccid_of(serial),
            imsi=imsi_of(serial),
            pin=pin,
            slots=slots,
        )
        self.network.register(sim)
        return sim

    def port_of(self, device: Device) -> str:
        """The port that a modem is, or was last, plugged into."""
        return next(name for name, there in self.ports.items() if there is device)

    def replug(self, device: Device, port: str) -> None:
        """Put a modem that was pulled into a port, the same or another; it starts. ValueError if that cannot be."""
        if device.present:
            raise ValueError(f"{device.name} is still plugged in")
        if port in self.ports and self.ports[port] is not device:
            raise ValueError(f"there is a modem on port {port} already")
        self.ports = {name: there for name, there in self.ports.items() if there is not device}
        self.ports[port] = device
        device.plug()

    # ---- driving it by hand

    @property
    def now(self) -> float:
        """The lab's time in seconds."""
        return self.network.now.value

    def due(self) -> float | None:
        """When anything happens next."""
        times = [self.network.due(), *(device.due() for device in self.ports.values())]
        return min((time for time in times if time is not None), default=None)

    def run(self, until: float, step: Callable[[float], None] | None = None) -> dict[str, bytes]:
        """Let everything happen that is due by `until`, each at its time; what each port wrote.

        `step` sees every moment.
        """
        written = dict.fromkeys(self.ports, b"")
        while (due := self.due()) is not None and due <= until:
            moment = max(due, self.now)
            if step is not None:
                step(moment)
            self.network.tick(moment)
            for name, device in list(self.ports.items()):
                written[name] = written.get(name, b"") + device.tick(moment)
                for tty in device.ttys:
                    if tty:
                        written[f"{name}.{tty}"] = written.get(f"{name}.{tty}", b"") + device.spoken(tty)
        self.network.tick(until)
        return written
