"""Status reports that come early, late, twice, for nobody, and for more messages than there are numbers for."""

import asyncio
from pathlib import Path

from support.virtually import virtual
from support.world import World

from modemgw.domain.message import Order
from modemgw.emulator.faults import Command, Drop, Fault
from modemgw.gateway import reports as booking
from modemgw.pdu.address import Address
from modemgw.pdu.tpdu import StatusReport
from modemgw.store import attempts, outcomes, queue, reports
from modemgw.store.attempts import Intent
from modemgw.store.events import Stamp

OUTSIDE = "+4915559000001"
DAY_S = 86_400.0


@virtual
async def test_a_report_that_outruns_the_answer_finds_its_message(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=5.0) as world:
        await world.registered()
        message = await world.send("+4915559098006")  # reported before +CMGS
        body = await world.until_status(message, "delivered", within=60)
        assert await world.query("SELECT count(*) FROM orphan_reports") == [(0,)]
        assert body["segments"][0]["attempts"] == 1


@virtual
async def test_an_early_report_is_proof_where_the_answer_never_comes(tmp_path: Path) -> None:
    """It came while the answer was still waited for, so it was kept, and is looked at again when that is given up."""
    async with World.of(tmp_path / "w.db", modems=1, report_delay=20.0) as world:
        await world.registered()
        world.device("a").faults.add(Fault(Command("AT+CMGS"), Drop("answer")))
        message = await world.send(OUTSIDE, class_="bulk")
        body = await world.until_status(message, "delivered", within=400)
        assert world.copies(OUTSIDE) == 1
        assert body["segments"][0]["mr"] is not None


@virtual
async def test_a_report_for_what_is_being_sent_is_no_proof_for_an_older_message_to_the_same_number(
    tmp_path: Path,
) -> None:
    async with World.of(tmp_path / "w.db", modems=1, report_delay=20.0) as world:
        await world.registered()
        number = "+4915559098002"  # not accepted, no answer at all
        lost = await world.send(number, class_="bulk")
        await world.until_status(lost, "unknown", within=600)
        world.lab.network.magic = False
        world.device("a").faults.add(Fault(Command("AT+CMGS"), Drop("answer")))
        other = await world.send(number, class_="bulk")
        await world.until(lambda: world.copies(number) == 1)
        await asyncio.sleep(400)
        # Which of the two the report is about can't be told: neither is called delivered.
        assert (await world.message(lost))["status"] == "unknown"
        assert (await world.message(other))["status"] in ("uncertain", "unknown")


@virtual
async def test_a_report_after_five_days_is_still_taken(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, report_delay=5 * DAY_S) as world:
        await world.registered()
        message = await world.send(OUTSIDE)
        await world.until_status(message, "sent", within=60)
        await world.gateway.disable("a")
        await asyncio.sleep(3 * DAY_S)
        body = await world.message(message)
        assert (body["status"], body["no_receipt"]) == ("sent", True)
        await asyncio.sleep(1.9 * DAY_S)
        await world.gateway.enable("a")  # nobody was sent anything meanwhile; it is back before the report
        body = await world.until_status(message, "delivered", within=0.2 * DAY_S)
        assert body["finished_at"] is not None


@virtual
async def test_a_report_that_nobody_waits_for_is_kept_for_ten_days(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        report = _report(77, "+4915550000077")
        context, sim_id = world.gateway.context, world.gateway.fleet.lines["a"].sim_id
        assert sim_id is not None
        assert not await context.commit(lambda cur: booking.handle(cur, context, sim_id, report))
        await world.gateway.disable("a")
        await asyncio.sleep(9 * DAY_S)
        assert await world.query("SELECT mr, recipient FROM orphan_reports") == [(77, "+4915550000077")]
        await asyncio.sleep(2 * DAY_S)
        assert await world.query("SELECT count(*) FROM orphan_reports") == [(0,)]


@virtual
async def test_a_thousand_outstanding_messages_share_256_numbers(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        context, sim_id = world.gateway.context, world.gateway.fleet.lines["a"].sim_id
        assert sim_id is not None
        sim = sim_id
        world.device("a").radio.set(2)  # nothing is really sent
        await world.until(lambda: world.gateway.fleet.lines["a"].sender is None, 300)
        order = Order(to=tuple(f"+49155{number:08d}" for number in range(1000)), text="x", class_="bulk", many=True)
        await world.gateway.submit(order, key_id="k")
        for seq, peer in await world.query("SELECT seq, peer FROM messages ORDER BY seq"):
            number = int(peer[-8:])
            stamp = Stamp(context.clock.wall_ms(), context.ids.new())

            def send(cur, seq=seq, peer=peer, token=f"t{number}", stamp=stamp, mr=number % 256):  # type: ignore[no-untyped-def]
                outgoing = queue.next_segment(cur, seq)
                assert outgoing is not None
                intent = Intent(
                    token=token, message_seq=seq, segment_id=outgoing.segment_id, seq=1, sim_id=sim, modem="a",
                    port="p", boot_id="b", peer=peer, resend=False,
                )  # fmt: skip
                attempts.intend(cur, stamp, intent)
                outcomes.accepted(cur, stamp, token, mr, "answer")

            await context.db.write(send)
        for number in (999, 0, 256, 512, 768, 511, 3):
            report = _report(number % 256, f"0155{number:08d}")  # national form
            assert await context.commit(lambda cur, report=report: booking.handle(cur, context, sim, report))  # type: ignore[misc]
            rows = await world.query("SELECT status FROM messages WHERE peer = ?", f"+49155{number:08d}")
            assert rows == [("delivered",)]
        delivered = await world.query("SELECT count(*) FROM messages WHERE status = 'delivered'")
        assert delivered == [(7,)]


def test_a_recipient_is_known_in_every_form_and_not_by_its_last_digits_alone() -> None:
    for form in ("+4915178098001", "015178098001", "004915178098001", "15178098001", "4915178098001"):
        assert reports.same_recipient("+4915178098001", form)
    assert not reports.same_recipient("+4915178098001", "+4915179098001")
    assert reports.same_recipient("80800", "80800")
    assert not reports.same_recipient("80800", "180800")


def _report(mr: int, recipient: str) -> StatusReport:
    return StatusReport(mr=mr, recipient=Address.parse(recipient), scts_raw=bytes(7), discharge_raw=bytes(7), status=0)
