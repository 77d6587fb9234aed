"""Registration, operator, signal and radio power (TS 27.007 clauses 7.2, 7.3, 8.2, 8.5, 10.1.20, 10.1.22)."""

from typing import TYPE_CHECKING

from modemgw.emulator.effects import WeakSignal
from modemgw.emulator.lines import PENDING, Ask, Failure, Reply, reply_to
from modemgw.emulator.link import Link

if TYPE_CHECKING:
    from modemgw.emulator.device import Device

_WEAK = 2  # <rssi> of a signal that carries nothing any more
_DOMAINS = {"2g": ("+CREG", "+CGREG"), "2g+4g": ("+CREG", "+CGREG", "+CEREG"), "4g": ("+CREG", "+CGREG", "+CEREG")}


class Radio:
    """The radio of one modem. `stat` is that of 27.007: 0 off, 1 home, 2 searching, 3 denied, 4 unknown, 5 roaming."""

    def __init__(self, device: "Device") -> None:
        self._device = device
        self.link = Link(device)
        self.cfun = 1
        self.stuck = False
        self.weak: WeakSignal | None = None
        self.stat = 0
        self.home_stat = 1
        self.rssi = device.persona.radio.rssi
        self.lac = 0x1A2B
        self.cell = 0x01C3D4E5

    @property
    def attached(self) -> bool:
        """Whether messages can go and come."""
        return self._device.present and self.cfun == 1 and self.stat in (1, 5, 6, 7)

    def domains(self) -> tuple[str, ...]:
        """The registration commands that this modem knows."""
        return _DOMAINS[self._device.persona.radio.domains]

    def set(self, stat: int) -> None:
        """Change the registration, and tell the computer as it asked."""
        changed = stat != self.stat
        self.stat = stat
        if changed:
            for name in self.domains():
                level = self._device.settings.creg.get(name, 0)
                if level:
                    self._device.urc(f"{name}: {self.describe(name, level)}")
        if self.attached:
            self._device.network.attached(self._device)
        else:
            self.link.close()

    def search(self) -> None:
        """Look for the home network; it is found after the persona's time."""
        if self.cfun != 1:
            return
        self.set(2)
        self._device.agenda.after(self._device.persona.boot.radio, self._found)

    def _found(self) -> None:
        if self.stat == 2 and self.cfun == 1 and self._device.card.usable:
            self.set(self.home_stat)

    def lose(self, seconds: float, stat: int = 2) -> None:
        """No network for so long."""
        self.set(stat)
        self._device.agenda.after(seconds, self.search)

    def weaken(self, how: WeakSignal) -> None:
        """Almost no signal for so long."""
        self.weak = how
        self._device.network.at(self._device.network.now.value + how.seconds, self._strong)

    def _strong(self) -> None:
        self.weak = None

    def turn(self, level: int) -> None:
        """`+CFUN` 0 off, 1 on, 4 flight mode."""
        if self.stuck:
            return
        before, self.cfun = self.cfun, level
        if level != 1:
            self.set(0)
        elif before != 1 and self._device.card.usable:
            self.search()

    def power_off(self) -> None:
        """Nothing is registered without power."""
        self.stat = 0
        self.link.close()
        self.cfun = 0 if self.stuck else 1

    def describe(self, name: str, level: int) -> str:
        """<stat>, and with level 2 where and on what."""
        persona = self._device.persona.radio
        stat = self.stat
        if persona.domains == "4g" and name != "+CEREG":
            stat = 0
        if level < 2 or stat not in (1, 5, 6, 7):
            return str(stat)
        return f"{stat},{persona.area_format.format(lac=self.lac, cell=self.cell, access=persona.access)}"


@reply_to("+CREG", "+CGREG", "+CEREG")
def registration(device: "Device", ask: Ask) -> Reply:
    """Registration: query and unsolicited lines."""
    if ask.name not in device.radio.domains():
        raise device.unknown_command()
    if ask.kind == "test":
        return [f"{ask.name}: (0-2)"]
    level = device.settings.creg.get(ask.name, 0)
    if ask.kind == "read":
        return [f"{ask.name}: {level},{device.radio.describe(ask.name, level)}"]
    level = ask.number(0, 0)
    if level > 2:
        raise Failure("CME", 50)
    device.settings.creg[ask.name] = level
    return []


@reply_to("+COPS")
def operator(device: "Device", ask: Ask) -> Reply:
    """The operator; the scan blocks the modem for long."""
    persona = device.persona.radio
    names = {0: persona.operator_long, 1: persona.operator_short, 2: _plmn(device)}
    if ask.kind == "test":
        entry = f'(2,"{names[0]}","{names[1]}","{names[2]}",{persona.access})'
        if device.exchange is not None:
            exchange = device.exchange
            exchange.later(persona.scan_seconds, lambda: exchange.resume([f"+COPS: {entry},,(0-4),(0-2)"]))
        return PENDING
    if ask.kind == "read":
        if not device.radio.attached:
            return ["+COPS: 0"]
        form = device.settings.cops_format
        access = f",{persona.access}" if persona.names_access else ""
        return [f'+COPS: 0,{form},"{names[form]}"{access}']
    mode = ask.number(0, 0)
    if mode == 2:
        device.radio.set(0)
    elif mode == 3:
        device.settings.cops_format = min(ask.number(1, 0), 2)
    elif not device.radio.attached and device.card.usable:
        device.radio.search()
    return []


def _plmn(device: "Device") -> str:
    return device.sim.imsi[:5] if device.sim else "26298"


@reply_to("+CGATT")
def packet_service(device: "Device", ask: Ask) -> Reply:
    """Packet service (TS 27.007 clause 10.1.9): attached with the radio; asking for it changes nothing here."""
    if ask.kind == "test":
        return ["+CGATT: (0,1)"]
    if ask.kind == "read":
        return [f"+CGATT: {int(device.radio.attached)}"]
    if ask.number(0) > 1:
        raise Failure("CME", 50)
    return []


@reply_to("+CSQ")
def signal(device: "Device", ask: Ask) -> Reply:
    """Signal strength; 99 while there is no network."""
    if ask.kind == "test":
        return ["+CSQ: (0-31,99),(0-7,99)"]
    if not device.radio.attached:
        return ["+CSQ: 99,99"]
    return [f"+CSQ: {device.radio.rssi if device.radio.weak is None else _WEAK},99"]


@reply_to("+CFUN")
def power(device: "Device", ask: Ask) -> Reply:
    """Radio power; `=1,1` restarts the modem."""
    if ask.kind == "test":
        return ["+CFUN: (0,1,4),(0,1)"]
    if ask.kind == "read":
        return [f"+CFUN: {device.radio.cfun}"]
    level = ask.number(0, 1)
    if level not in (0, 1, 4):
        raise Failure("CME", 50)
    if ask.number(1, 0) == 1:
        if device.persona.boot.reset_answers and device.exchange is not None:
            device.exchange.resume()
        device.reboot()
        return PENDING
    if level == 1 and device.persona.boot.cfun_1_restarts:
        if device.exchange is not None:
            device.exchange.resume()
        device.reboot()
        return PENDING
    device.radio.turn(level)
    return []
