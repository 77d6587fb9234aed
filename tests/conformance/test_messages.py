"""Every family sends all kinds of messages, reports in its own way, and gives up everything that it received."""

import asyncio
import logging
from dataclasses import replace

import pytest
from conformance.bench import OUTSIDE, Case, accepted, all_once, left, reports, send, serving
from modem.rig import Rig

from modemgw.emulator.persona import load
from modemgw.pdu.address import Address
from modemgw.pdu.concat import join
from modemgw.pdu.decode import decode
from modemgw.pdu.envelope import wrap
from modemgw.pdu.segment import plan, plan_data
from modemgw.pdu.tpdu import Deliver, Submit
from modemgw.pdu.udh import Ports

TO = Address.parse(OUTSIDE)
LONG = "The quick brown fox jumps over the lazy dog. " * 8
EMOJI = "Grüße 👋 aus Köln, 3,50 € 🎉 " * 6
DATA = bytes(range(256)) + bytes([0x1A, 0x1B, 0x0D, 0x3E])


def sent(rig: Rig) -> list[Submit]:
    found = [decode(entry.pdu).tpdu for entry in accepted(rig)]
    return [tpdu for tpdu in found if isinstance(tpdu, Submit)]


@pytest.mark.parametrize(
    "submits",
    [
        pytest.param(plan("hello").submits(TO, ref=1), id="single"),
        pytest.param(plan(LONG).submits(TO, ref=2), id="long"),
        pytest.param(plan(EMOJI).submits(TO, ref=3), id="emoji"),
        pytest.param(plan("Fire alarm").submits(TO, ref=4, message_class=0), id="flash"),
        pytest.param(plan_data(DATA, ports=Ports(2948, 9200)).submits(TO, ref=5), id="data"),
    ],
)
async def test_send(case: Case, submits: list[Submit]) -> None:
    rig = case.make(latency=3.0)
    await serving(rig)

    references = await send(rig, submits)

    assert references == list(range(len(submits)))
    assert [tpdu.encode()[2:] for tpdu in sent(rig)] == [tpdu.encode()[2:] for tpdu in submits], "not octet by octet"
    assert [(tpdu.message_class, tpdu.ports) for tpdu in sent(rig)] == [(t.message_class, t.ports) for t in submits]
    assert join(sent(rig)) == join(submits)


async def test_reports(case: Case) -> None:
    rig = case.make(latency=3.0)
    await serving(rig)

    references = await send(rig, [*plan(LONG).submits(TO, ref=2), *plan("short").submits(TO, ref=3)])
    await rig.until(lambda: len(reports(rig)) >= len(references), 300)
    await asyncio.sleep(300)

    assert sorted(report.mr for report in reports(rig)) == references
    assert {report.status for report in reports(rig)} == {0}
    direct = case.routing.split(",")[3] == "1"
    assert {pdu.receipt.kind for pdu in rig.gateway.taken} == {"direct" if direct else "stored"}
    assert left(rig) == 0


async def test_burst(case: Case) -> None:
    """Messages one behind the other share one radio link where the family keeps it; nothing is asked in between."""
    rig = case.make(latency=0.5)
    await serving(rig)
    rig.lab.network.link_setup = 1.0
    rig.device.heard.clear()
    loop = asyncio.get_running_loop()
    began = loop.time()

    references = await send(rig, [plan(f"number {n}").submits(TO, ref=1, srr=False)[0] for n in range(4)])

    assert references == list(range(4))
    took = loop.time() - began - 4 * 0.5
    assert took == pytest.approx(1.0 if case.keeps_link else 4.0, abs=0.5)
    assert len(rig.commands("AT+CMGS")) == 4
    assert rig.commands("AT+CMMS") == []


async def test_receive_stored(case: Case) -> None:
    rig = case.make()
    await serving(rig)

    rig.arrive("hello")
    rig.arrive(LONG)
    await asyncio.sleep(3)
    rig.arrive(EMOJI)
    wanted = 1 + len(plan(LONG).segments) + len(plan(EMOJI).segments)
    await rig.until(lambda: len(set(rig.gateway.texts)) >= wanted and left(rig) == 0, 900)

    parts = [decode(pdu.pdu).tpdu for pdu in rig.gateway.taken]
    for text in (LONG, EMOJI):
        ours = {part.concat.seq: part for part in parts if part.concat and part.text and part.text in text}
        assert join([ours[seq] for seq in sorted(ours)]) == text  # type: ignore[misc]
    assert rig.gateway.texts[0] == "hello"


async def test_receive_direct(case: Case) -> None:
    """Another program made the modem show messages at once: they are taken, and the routing is put right."""
    rig = case.make()
    await serving(rig)

    mode, _, *rest = rig.device.settings.cnmi
    rig.device.settings.cnmi = (mode, 2, *rest)  # type: ignore[assignment]
    rig.arrive("shown at once")
    await rig.until(lambda: rig.gateway.texts == ["shown at once"], 60)

    assert rig.gateway.taken[0].receipt.kind == "direct"
    await rig.until(lambda: ",".join(map(str, rig.device.settings.cnmi)) == case.routing, 400)


async def test_receive_flash(case: Case) -> None:
    rig = case.make()
    await serving(rig)

    rig.lab.network.deliver_from_outside("+4915559000009", rig.device, "Fire alarm", message_class=0)

    await rig.until(lambda: rig.gateway.texts == ["Fire alarm"], 120)
    await asyncio.sleep(60)
    assert rig.gateway.texts == ["Fire alarm"]
    assert left(rig) == 0


async def test_storage_full_and_drained(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody takes messages for a while, more come than fit: later all are there, each once."""
    caplog.set_level(logging.CRITICAL)
    kind = load(case.persona)
    wait = min(kind.storage.full_wait, 600.0)
    small = replace(kind, storage=replace(kind.storage, me=min(kind.storage.me, 12), full_wait=wait))
    rig = case.make(small, slots=12)
    await serving(rig)
    assert rig.modem.profile is not None

    rig.gateway.taking = False
    wanted = [f"number {n}" for n in range(30)]
    for text in wanted:
        rig.arrive(text)
        await asyncio.sleep(2)
    await asyncio.sleep(120)
    assert rig.gateway.taken == []
    assert left(rig) >= 12, "it should be full"
    assert await rig.submit("out all the same") is not None

    rig.gateway.taking = True
    await rig.until(lambda: len(set(rig.gateway.texts)) == len(wanted), 4 * 3600)
    await rig.until(lambda: left(rig) == 0, 3 * 3600)
    doubled = kind.storage.twin_every > 0
    assert all_once(sorted(set(rig.gateway.texts)) if doubled else rig.gateway.texts, wanted)  # type: ignore[type-var]


async def test_sweep(case: Case) -> None:
    """What lies in any storage when we come, be it a message or a report, is taken; what others stored stays."""
    rig = case.make()
    network = rig.lab.network
    deliver = plan("found in a storage").submits(Address.parse("0"), ref=1)[0]
    line = wrap(network.deliver_of(deliver, "+4915559000009").encode(), Address.parse("+4915551999999"))
    own = wrap(plan("a draft of somebody's").submits(TO, ref=1)[0].encode())
    places = [part.name for part in rig.device.inbox.parts()]
    for name in places:
        for _ in range(3):
            rig.device.inbox.plant(line.hex, line.tpdu_length, storage=name)
    draft = rig.device.inbox.plant(own.hex, own.tpdu_length, storage=places[0], stat=3)

    await serving(rig)

    await rig.until(lambda: left(rig) == 1, 900)
    assert rig.gateway.texts == ["found in a storage"] * 3 * len(places)
    assert draft is not None
    assert [slot.pdu for _, slot in rig.device.inbox.storage(places[0]).items()] == [own.hex]


async def test_delete(case: Case) -> None:
    """A message leaves the modem only after it was taken, and never another one in its stead."""
    rig = case.make()
    await serving(rig)
    lost: list[str] = []
    total = 12
    rig.gateway.on_received = lambda _: lost.append("gone early") if left(rig) == 0 else None

    for n in range(total):
        rig.arrive(f"number {n}")
        if n % 3 == 2:
            await asyncio.sleep(4)

    await rig.until(lambda: len(set(rig.gateway.texts)) == total and left(rig) == 0, 900)
    assert lost == []
    came = [decode(entry.pdu).tpdu for entry in rig.lab.network.delivered]
    assert {tpdu.text for tpdu in came if isinstance(tpdu, Deliver)} == set(rig.gateway.texts)
