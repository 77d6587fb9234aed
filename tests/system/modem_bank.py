"""The modems' process: simulated modems on PTYs, the network's ledger, and a control channel on standard in and output.

It outlives every gateway that a test kills. The slave sides stay open here, so what a modem says to a dead gateway
waits in the tty for the next one. ``python modem_bank.py OPTIONS`` with one JSON object; one JSON object a line is
asked (``{"do": …}``) and one is answered. What is asked is a method of ``Bank``. Ends with its standard input.
"""

import asyncio
import json
import random
import sys
from pathlib import Path
from typing import Any

from modemgw.emulator.device import Device
from modemgw.emulator.lab import Lab
from modemgw.emulator.pty import PtyLab
from modemgw.emulator.storage import UNREAD, Slot
from modemgw.seams import SystemClock


class Bank:
    """``{"dir", "modems": [{"name", "persona", "pin", …}], "latency", "report_delay", "seed"}``."""

    def __init__(self, options: dict[str, Any]) -> None:
        rng = random.Random(options.get("seed", 1))
        self.lab = Lab(
            SystemClock(),
            rng,
            latency=_range(options.get("latency", 0.0)),
            report_delay=_range(options.get("report_delay", 0.2)),
            magic=False,
        )
        self.directory = Path(options["dir"])
        self._ctrl_z: dict[str, int] = {}
        self._commands: dict[str, list[str]] = {}
        self._seen_ctrl_z = asyncio.Event()
        for modem in options["modems"]:
            device = self.lab.add(**modem)
            device.on_submit_byte = self._saw_ctrl_z
            self._commands[device.name] = []
            device.on_command = self._commands[device.name].append

    def _saw_ctrl_z(self, device: Device, _payload: bytes) -> None:
        self._ctrl_z[device.name] = self._ctrl_z.get(device.name, 0) + 1
        self._seen_ctrl_z.set()

    def _device(self, name: str) -> Device:
        return next(device for device in self.lab.network.devices if device.name == name)

    def deliver(self, modem: str, sender: str, **content: Any) -> None:
        """Somebody writes to the SIM in ``modem``: ``text``, or a DELIVER as ``pdu``."""
        self.lab.network.deliver_from_outside(sender, self._device(modem), **content)

    def plant(self, modem: str, pdu: str) -> None:
        """Puts a hex line into the modem's storage as it is, decodable or not."""
        device = self._device(modem)
        assert device.sim is not None
        device.sim.storage.put(Slot(UNREAD, pdu, len(pdu) // 2 - 1))

    def unplug(self, modem: str) -> None:
        """Pulls the stick: the PTY hangs up."""
        self._device(modem).unplug()

    def plug(self, modem: str, port: str) -> None:
        """Puts it in again, on a port of that name."""
        self.lab.replug(self._device(modem), port)

    def hang(self, modem: str, seconds: float) -> None:
        """It neither hears nor speaks for so long."""
        self._device(modem).hang(seconds)

    def swap_sims(self, one: str, other: str) -> None:
        """Two sticks, pulled, get each other's SIM."""
        first, second = self._device(one), self._device(other)
        card = first.sim
        first.card.swap(None)
        first_card, second_card = second.sim, card
        second.card.swap(None)
        first.card.swap(first_card)
        second.card.swap(second_card)

    async def wait_ctrl_z(self) -> None:
        """Answers when the next 0x1A comes."""
        self._seen_ctrl_z.clear()
        await self._seen_ctrl_z.wait()

    def ledger(self) -> list[dict[str, Any]]:
        """Every SUBMIT that the network accepted."""
        return [
            {
                "to": each.number,
                "seq": each.concat.seq if each.concat else 1,
                "text": each.text,
                "modem": each.device,
                "at_ms": each.at_ms,
            }
            for each in self.lab.network.ledger
        ]

    def delivered(self) -> list[dict[str, Any]]:
        """Every DELIVER that a modem took from the network."""
        return [
            {"modem": each.device, "text": each.text, "pdu": each.pdu}
            for each in self.lab.network.delivered
            if each.kind == "deliver"
        ]

    def commands(self, modem: str) -> list[str]:
        """Every command line that a modem has heard."""
        return self._commands[modem]

    def modems(self) -> dict[str, dict[str, Any]]:
        """What each modem has seen: see the keys."""
        return {
            device.name: {
                "ctrl_z": self._ctrl_z.get(device.name, 0),
                "unknown": dict(device.unknown),
                "overlaps": device.intake.overlaps,
                "stray_submits": device.intake.stray_submits,
                "pins": device.sim.attempts if device.sim else [],
                "stored": sum(device.inbox.storage(name).used for name in device.inbox.names()),
                "imei": device.imei,
                "iccid": device.sim.iccid if device.sim else None,
                "number": device.sim.number if device.sim else None,
            }
            for device in self.lab.network.devices
        }


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _range(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


async def serve(options: dict[str, Any]) -> None:
    """Until standard input ends."""
    reader = asyncio.StreamReader(limit=1 << 20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    bank = Bank(options)
    async with PtyLab(bank.lab, bank.directory):
        _say("ready")
        while line := await reader.readline():
            asked = json.loads(line)
            answer = getattr(bank, asked.pop("do"))(**asked)
            if asyncio.iscoroutine(answer):
                answer = await answer
            _say(json.dumps(answer))


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[1])))
