"""What can be told to a lab while it runs: one JSON object in, one out. No I/O.

Each order names a modem and one thing to do with it; `about()` is the list that people are shown. Mistakes are answered
by {"error": "…"} and change nothing.
"""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from modemgw.emulator.faults import Fault
from modemgw.emulator.journal import accepted_json, delivered_json
from modemgw.emulator.lab import Lab
from modemgw.emulator.ledger import Accepted, Delivered
from modemgw.emulator.script import JSON, ScriptError, made, read
from modemgw.emulator.wishes import Deliver, Register, Report, Ring, Say, Sim, Times, Unplug

if TYPE_CHECKING:
    from modemgw.emulator.device import Device

_KEPT = 10_000
_KEYS = {"from": "sender", "class": "message_class"}


class Orders:
    """Carries out orders on one lab."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._entries: deque[tuple[int, JSON]] = deque(maxlen=_KEPT)
        self._count = 0
        lab.network.on_accepted.append(self._accepted)
        lab.network.on_delivered.append(self._delivered)
        self._verbs: dict[str, Callable[[Device, object], JSON]] = {
            "fault": self._fault,
            "faults": self._clear_faults,
            "deliver": self._deliver,
            "report": self._report,
            "ring": self._ring,
            "hang_up": self._hang_up,
            "say": self._say,
            "unplug": self._unplug,
            "plug": self._plug,
            "restart": self._restart,
            "register": self._register,
            "signal": self._signal,
            "sim": self._sim,
            "heard": self._heard,
        }

    def obey(self, order: object) -> JSON:
        """Carry out one order; the answer."""
        try:
            return {"ok": True, **self._obey(order)}
        except ValueError as error:  # ScriptError, PduError and what the lab says itself
            return {"ok": False, "error": str(error)}

    def _obey(self, order: object) -> JSON:
        if not isinstance(order, dict):
            raise ScriptError("an order is a JSON object")
        if "ledger" in order:
            return self._ledger(order["ledger"])
        if "modems" in order:
            return {"modems": [self._described(name, device) for name, device in self._lab.ports.items()]}
        if "network" in order:
            return self._network(order["network"])
        verbs = [key for key in order if key in self._verbs]
        unknown = [key for key in order if key not in self._verbs and key != "modem"]
        if len(verbs) != 1 or unknown:
            known = ", ".join([*self._verbs, "ledger", "modems", "network"])
            raise ScriptError(f"an order has exactly one of: {known}" + f"; not {', '.join(unknown)}" * bool(unknown))
        return self._verbs[verbs[0]](self._device(order.get("modem")), order[verbs[0]])

    def _device(self, name: object) -> "Device":
        for port, device in self._lab.ports.items():
            if name in (port, device.name):
                return device
        raise ScriptError(f"modem must be one of {', '.join(self._lab.ports)}, not {name!r}")

    # ---- of one modem

    def _fault(self, device: "Device", data: object) -> JSON:
        fault = read(data, self._lab.now)
        if isinstance(fault, Fault):
            device.faults.add(fault)
        else:
            device.suffer(fault)
        return {}

    def _clear_faults(self, device: "Device", data: object) -> JSON:
        if data != "clear":
            raise ScriptError('faults takes "clear" only')
        device.faults.clear()
        return {}

    def _deliver(self, device: "Device", data: object) -> JSON:
        wish = _wish(Deliver, data, "deliver")
        if (wish.text is None) == (wish.pdu is None):
            raise ScriptError("deliver needs text or pdu")
        for _ in range(min(wish.copies, 1000)):
            self._lab.network.deliver_from_outside(
                wish.sender,
                device,
                wish.text,
                pdu=wish.pdu,
                message_class=wish.message_class,
                parts=wish.parts,
                ref=wish.ref,
            )
        return {}

    def _report(self, device: "Device", data: object) -> JSON:
        wish = _wish(Report, data, "report")
        self._lab.network.report_to(device, wish.mr % 256, wish.to, wish.status % 256)
        return {}

    def _ring(self, device: "Device", data: object) -> JSON:
        wish = _wish(Ring, data, "ring")
        device.calls.ring(wish.sender, wish.seconds)
        return {}

    def _hang_up(self, device: "Device", data: object) -> JSON:  # noqa: ARG002
        device.calls.hang_up()
        return {}

    def _say(self, device: "Device", data: object) -> JSON:
        wish = _wish(Say, {"text": data} if isinstance(data, str) else data, "say")
        for _ in range(min(wish.times, 100_000)):
            device.urc(wish.text, at_once=True)
        return {}

    def _unplug(self, device: "Device", data: object) -> JSON:
        wish = _wish(Unplug, {} if data is True else data, "unplug")
        if wish.port and wish.port in self._lab.ports and self._lab.ports[wish.port] is not device:
            raise ScriptError(f"there is a modem on port {wish.port} already")
        device.unplug(back=wish.back, port=wish.port)
        return {}

    def _plug(self, device: "Device", data: object) -> JSON:
        port = data if isinstance(data, str) and data else self._lab.port_of(device)
        self._lab.replug(device, port)
        return {"port": port}

    def _restart(self, device: "Device", data: object) -> JSON:  # noqa: ARG002
        device.reboot()
        return {}

    def _register(self, device: "Device", data: object) -> JSON:
        wish = _wish(Register, {"stat": data} if isinstance(data, int) else data, "register")
        if wish.stat > 7:
            raise ScriptError("register.stat must be 0 to 7 (TS 27.007 clause 7.2)")
        if wish.seconds is None:
            device.radio.home_stat = wish.stat if wish.stat in (1, 5) else 1
            device.radio.set(wish.stat)
        else:
            device.radio.lose(wish.seconds, wish.stat)
        return {}

    def _signal(self, device: "Device", data: object) -> JSON:
        if not isinstance(data, int) or not (0 <= data <= 31 or data == 99):
            raise ScriptError("signal must be an <rssi>: 0 to 31, or 99")
        device.radio.rssi = data
        return {}

    def _sim(self, device: "Device", data: object) -> JSON:
        if data is None:
            device.card.swap(None)
            return {}
        wish = _wish(Sim, {} if data == "new" else data, "sim")
        sim = self._lab.new_sim(number=wish.number, pin=wish.pin, slots=device.persona.storage.sm)
        device.card.swap(sim)
        return {"number": sim.number, "iccid": sim.iccid}

    def _heard(self, device: "Device", data: object) -> JSON:
        last = data if isinstance(data, int) and not isinstance(data, bool) and data > 0 else 20
        return {"heard": [heard.line for heard in device.heard][-last:]}

    # ---- of the whole lab

    def _network(self, data: object) -> JSON:
        wish = _wish(Times, data, "network")
        network = self._lab.network
        for name in ("latency", "link_setup", "report_delay", "forward_delay", "gap"):
            value = getattr(wish, name)
            if value is not None:
                setattr(network, name, value)
        return {"latency": network.latency, "report_delay": network.report_delay}

    def _ledger(self, data: object) -> JSON:
        since = data if isinstance(data, int) and not isinstance(data, bool) else 0
        return {"ledger": [entry for number, entry in self._entries if number >= since], "next": self._count}

    def _accepted(self, entry: Accepted) -> None:
        self._entries.append((self._count, accepted_json(entry)))
        self._count += 1

    def _delivered(self, entry: Delivered) -> None:
        self._entries.append((self._count, delivered_json(entry)))
        self._count += 1

    def _described(self, port: str, device: "Device") -> JSON:
        sim = device.sim
        return {
            "modem": device.name,
            "port": port,
            "ttys": [".".join(filter(None, (port, tty))) for tty in device.ttys],
            "persona": device.persona.name,
            "plugged": device.present,
            "registered": device.radio.attached,
            "imei": device.imei,
            "number": sim.number if sim else None,
            "iccid": sim.iccid if sim else None,
        }


W = TypeVar("W")


def _wish(kind: type[W], data: object, name: str) -> W:
    if not isinstance(data, dict):
        raise ScriptError(f"{name} takes an object")
    renamed: JSON = {_KEYS.get(str(key), str(key)): value for key, value in data.items()}
    return cast("W", made(kind, renamed, name))
