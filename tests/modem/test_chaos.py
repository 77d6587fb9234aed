"""Hours of everything going wrong at random, and what must hold all the same.

The truth is the simulated network's: what it accepted (`ledger`) and what it delivered (`delivered`). The seed decides
everything, so a failing seed can be run again.
"""

import asyncio
import logging
import random

import pytest
from modem.rig import Rig, make, persona
from support.virtual import run_virtual

from modemgw.emulator import faults
from modemgw.emulator.faults import Command, Fault, Urc
from modemgw.modem.errors import SubmitFailed, SubmitFailure

HOURS = 1
PERSONAS = (
    {},
    {"line": {"busy": "swallow", "hold_urcs": False}, "storage": {"compacts": True}},
    {"line": {"busy": "refuse", "echo_payload": True, "escape": ""}, "storage": {"empty_read": "321", "forms": (3,)}},
    {"line": {"busy": "queue", "answer_seconds": 0.05}, "storage": {"list_answer": "303", "me": 0}},
    {"routing": {"ds": (0, 2), "report_indication": "SM"}, "boot": {"drops_port": True, "cmgf": 1}},
    {"boot": {"urcs": ()}, "routing": {"refuses": ("2,*,*,*,*",)}, "storage": {"delete_seconds": 4.0}},
)


def mishap(rng: random.Random) -> Fault:
    """Something goes wrong with one of the next commands or lines."""
    command = rng.choice(["AT+CMGS", "AT+CMGR", "AT+CMGD", "AT+CMGL", "AT+CPMS", "AT+CSQ", "AT+CREG?", "AT+CNMI"])
    when = Command(command, nth=rng.randint(1, 3))
    point = rng.choice(["command", "prompt", "payload", "submitted", "final", "end"])
    accepted = rng.random() < 0.5
    do = rng.choice(
        [
            faults.Drop("answer"),
            faults.Drop("final"),
            faults.Drop("prompt"),
            faults.Delay(rng.uniform(1, 250)),  # a modem is slow at times, but answers in order
            faults.Delay(rng.uniform(1, 30), "prompt"),
            faults.Duplicate("answer"),
            faults.Duplicate("final"),
            faults.Error(rng.choice(["ERROR", "+CMS ERROR: 38", "+CMS ERROR: 331", "+CMS ERROR: 500"])),
            faults.AcceptBut(rng.choice(["ERROR", "+CMS ERROR: 332", "+CME ERROR: 100"])),
            faults.Unplug(point, accepted=accepted, back=rng.uniform(1, 60)),  # type: ignore[arg-type]
            faults.Reboot(point, accepted=accepted),  # type: ignore[arg-type]
            faults.Stray("RING", "info"),
            faults.Stray("SMS Ready", "final"),
            faults.Ignore(),
            faults.Lose(),
            faults.Hang(rng.uniform(1, 120)),
            faults.Hold(rng.uniform(1, 10)),
            faults.Flood("^RSSI: 14"),
            faults.RegisterLoss(rng.uniform(1, 300)),
            faults.SwapSim(rng.uniform(1, 120)),
            faults.Ring("+4915559000009"),
        ]
    )
    if rng.random() < 0.25:
        return Fault(Urc(rng.choice(["+CMTI", "+CDSI", "+CREG"])), rng.choice([faults.Drop(), faults.Duplicate()]))
    return Fault(when, do)


class Trial:
    """One rig under one seed, and the books kept about it."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.rig: Rig = make(persona(**self.rng.choice(PERSONAS)), latency=3.0)
        self.sim = self.rig.device.sim
        self.sent: dict[str, int | None] = {}
        self.failed: dict[str, SubmitFailed] = {}

    async def run(self) -> None:
        self.rig.start()
        loop = asyncio.get_running_loop()
        end = loop.time() + HOURS * 3600
        sender = asyncio.ensure_future(self._send())
        arrived = 0
        while loop.time() < end:
            await asyncio.sleep(self.rng.expovariate(1 / 40))
            if self.rng.random() < 0.5:
                self.rig.device.faults.add(mishap(self.rng))
            if self.rng.random() < 0.4 and self.rig.device.sim is not None:
                arrived += 1
                self.rig.arrive(f"in {arrived}")
            if self.rng.random() < 0.01:
                self.rig.device.reboot()
            if self.rng.random() < 0.1:
                self._put_sim_back()
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
        self.rig.device.faults.clear()
        if not self.rig.device.present:
            self.rig.device.plug()
        self._put_sim_back()
        await self.rig.until_state("registered", 900)
        await asyncio.sleep(1300)  # two sweeps of everything, and every answer that was still owed
        await self.rig.stop()
        self.check(arrived)

    def _put_sim_back(self) -> None:
        """A card that was pulled while it was out already does not come back by itself."""
        if self.rig.device.sim is None and self.rig.device.present:
            self.rig.device.card.swap(self.sim)

    async def _send(self) -> None:
        number = 0
        while True:
            await asyncio.sleep(self.rng.expovariate(1 / 15))
            if self.rig.modem.state != "registered":
                continue
            number += 1
            text = f"out {number}"
            try:
                self.sent[text] = await self.rig.submit(text, token=text)
            except SubmitFailed as failure:
                self.failed[text] = failure

    def check(self, arrived: int) -> None:
        rig = self.rig
        copies = [accepted.text for accepted in rig.lab.network.ledger]
        assert len(copies) == len(set(copies)), "nothing is ever sent twice"
        references = {accepted.text: accepted.mr for accepted in rig.lab.network.ledger}
        for text, mr in self.sent.items():
            assert text in references, f"{text} is said to be sent"
            assert mr in (None, references[text]), f"{text} got the reference of another message"
        for text, failure in self.failed.items():
            if failure.kind is not SubmitFailure.UNCERTAIN:
                assert text not in references, f"{text} is said to be {failure}"
        for token, mr in rig.gateway.late:
            if token is not None:
                assert references.get(token) == mr, f"late proof for {token} that is not its own"
        expected = sorted(f"in {n + 1}" for n in range(arrived))
        assert sorted(set(map(str, rig.gateway.texts))) == expected, "every message came up"
        assert all(not rig.device.inbox.storage(name).used for name in ("SM", "ME", "SR") if _has(rig, name))
        assert not rig.device.sim or not rig.device.sim.attempts
        assert len(self.sent) > 10, "the modem was of some use all the same"


def _has(rig: Rig, name: str) -> bool:
    return name in rig.device.inbox.names()


@pytest.mark.parametrize("seed", range(8))
def test_hours_of_mishaps(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)

    async def trial() -> None:
        await Trial(seed).run()

    run_virtual(trial)
