"""From an accepted order to what the network took: the truth is the network's ledger."""

from pathlib import Path

import pytest
from support.virtually import virtual
from support.world import World

from modemgw.domain.errors import Conflict, KeyReused, Rejected
from modemgw.domain.message import Order
from modemgw.emulator.faults import AcceptBut, Command, Drop, Error, Fault, Unplug

OUTSIDE = "+4915559000001"


@virtual
async def test_one_message_all_the_way(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db") as world:
        await world.registered()
        text = "Grüße 👋 " + "long enough for several parts. " * 6
        message = await world.send(world.number("b"), text, sim=None)
        body = await world.until_status(message, "delivered")
        assert len(body["segments"]) > 1
        assert len({each["modem"] for each in body["segments"]}) == 1
        received = await world.until(world.inbox)
        assert [each["text"] for each in received] == [text]
        assert world.copies(world.number("b")) == len(body["segments"])
        await world.until(lambda: "message.delivered" in world.sink.types(message))
        assert world.sink.types(message) == [
            "message.queued", "message.sending", "message.sent", "message.delivered",
        ]  # fmt: skip


@virtual
async def test_two_modems_share_the_work(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=2, latency=3.0) as world:
        await world.registered()
        ids = [await world.send(f"+49155590{n:05d}") for n in range(20)]
        for message in ids:
            await world.until_status(message, "sent", "delivered")
        used = [entry.device for entry in world.lab.network.ledger]
        assert used.count("a") == used.count("b") == 10
        assert len({entry.number for entry in world.lab.network.ledger}) == 20


@virtual
async def test_a_definite_refusal_is_tried_again_and_then_given_up(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        message = await world.send("+4915559099038")
        body = await world.until_status(message, "failed", within=7200)
        assert (body["error"]["code"], body["error"]["cms"]) == ("network_out_of_order", 38)
        assert body["segments"][0]["attempts"] == 4
        assert world.copies("+4915559099038") == 0
        final = await world.send("+4915559099001")
        body = await world.until_status(final, "failed", within=10)
        assert body["segments"][0]["attempts"] == 1


@virtual
async def test_silence_after_ctrl_z_is_uncertain_then_one_copy_more(tmp_path: Path) -> None:
    """98001: the network takes it, and the modem never says so."""
    async with World.of(tmp_path / "w.db", modems=1, latency=1.0) as world:
        await world.registered()
        number = "+4915559098001"
        message = await world.send(number, report=False)
        await world.until_status(message, "uncertain", within=200)
        started = world.clock.wall_ms()
        assert world.copies(number) == 1
        await world.until_status(message, "queued", "sending", within=200)
        assert world.clock.wall_ms() - started >= 119_000
        body = await world.until_status(message, "unknown", within=600)
        assert world.copies(number) == 2
        assert body["error"]["code"] == "outcome_unknown"
        assert "resend" in [step["event"] for step in body["timeline"]]


@virtual
async def test_classes_that_must_not_double_end_unknown(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        for number, class_ in (("+4915559098001", "bulk"), ("+4915559198001", "command")):
            message = await world.send(number, report=False, class_=class_)
            await world.until_status(message, "unknown", within=900)
            assert world.copies(number) == 1


@virtual
async def test_a_report_is_proof_for_a_message_whose_answer_never_came(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, report_delay=200.0, latency=1.0) as world:
        await world.registered()
        world.device("a").faults.add(Fault(Command("AT+CMGS"), Drop("answer")))
        message = await world.send(OUTSIDE)
        await world.until_status(message, "uncertain", within=200)
        body = await world.until_status(message, "delivered", within=300)
        assert "proof_found" in [step["event"] for step in body["timeline"]]
        assert world.copies(OUTSIDE) == 1


@virtual
async def test_an_answer_that_comes_after_the_deadline_is_credited_to_its_message(tmp_path: Path) -> None:
    """98003: answered 200 s after Ctrl-Z, when the gateway had given the answer up and sent the next message."""
    async with World.of(tmp_path / "w.db", modems=1, latency=1.0) as world:
        await world.registered()
        late = await world.send("+4915559098003", report=False)
        other = await world.send(OUTSIDE)
        await world.until_status(late, "uncertain", within=200)
        body = await world.until_status(late, "sent", within=100)
        assert body["segments"][0]["mr"] is not None
        await world.until_status(other, "delivered")
        assert (world.copies("+4915559098003"), world.copies(OUTSIDE)) == (1, 1)


@pytest.mark.parametrize("accepted", [True, False])
@virtual
async def test_unplugged_after_ctrl_z(tmp_path: Path, accepted: bool) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        fault = Fault(Command("AT+CMGS"), Unplug("submitted", accepted=accepted, back=10.0))
        world.device("a").faults.add(fault)
        message = await world.send(OUTSIDE, report=False, class_="bulk")
        await world.until_status(message, "uncertain", within=30)
        body = await world.until_status(message, "unknown", within=300)
        assert world.copies(OUTSIDE) == int(accepted)
        assert body["segments"][0]["attempts"] == 1


@virtual
async def test_unplugged_before_ctrl_z_is_no_copy_and_no_loss(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        for point in ("command", "prompt"):
            world.device("a").faults.add(Fault(Command("AT+CMGS"), Unplug(point, back=10.0)))  # type: ignore[arg-type]
            message = await world.send(OUTSIDE)
            await world.until_status(message, "delivered", within=300)
        assert world.copies(OUTSIDE) == 2


@virtual
async def test_the_number_of_the_message_alone_is_proof_that_it_was_sent(tmp_path: Path) -> None:
    """Unplugged between ``+CMGS: n`` and OK."""
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        world.device("a").faults.add(Fault(Command("AT+CMGS"), Unplug("final", back=10.0)))
        message = await world.send(OUTSIDE, report=False)
        await world.until_status(message, "sent", within=60)
        assert world.copies(OUTSIDE) == 1


@virtual
async def test_no_prompt_means_nothing_was_sent(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        world.device("a").faults.add(Fault(Command("AT+CMGS"), Drop("prompt")))
        message = await world.send(OUTSIDE)
        body = await world.until_status(message, "delivered", within=120)
        assert world.copies(OUTSIDE) == 1
        assert "not_sent" in [step["event"] for step in body["timeline"]]


@virtual
async def test_an_error_that_proves_nothing_is_uncertain(tmp_path: Path) -> None:
    """+CMS ERROR 500 and a bare ERROR after Ctrl-Z: the network may have taken it all the same."""
    async with World.of(tmp_path / "w.db", modems=1, report_delay=5.0) as world:
        await world.registered()
        for text in ("+CMS ERROR: 500", "ERROR"):
            world.device("a").faults.add(Fault(Command("AT+CMGS"), AcceptBut(text)))
            message = await world.send(OUTSIDE)
            await world.until_status(message, "uncertain", "delivered", within=30)
            await world.until_status(message, "delivered", within=60)
        assert world.copies(OUTSIDE) == 2


@virtual
async def test_a_refusal_before_the_prompt_is_counted_and_ends(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        world.device("a").faults.add(Fault(Command("AT+CMGS", every=True), Error("+CMS ERROR: 304", early=True)))
        message = await world.send(OUTSIDE)
        body = await world.until_status(message, "failed", within=7200)
        assert body["error"]["cms"] == 304
        assert world.copies(OUTSIDE) == 0


@virtual
async def test_a_crash_after_ctrl_z_is_never_simply_repeated(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=5.0) as world:
        await world.registered()
        message = await world.send(OUTSIDE, report=False, class_="bulk")
        await world.until_status(message, "sending")
        await world.until(lambda: world.copies(OUTSIDE) == 1)
        await world.crash()
        await world.start()
        body = await world.until_status(message, "uncertain", "sent", "unknown", within=60)
        body = await world.until_status(message, "sent", "unknown", within=600)
        assert world.copies(OUTSIDE) == 1
        assert body["segments"][0]["attempts"] == 1


@virtual
async def test_a_clean_stop_leaves_nothing_uncertain(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=2, latency=8.0) as world:
        await world.registered()
        ids = [await world.send(f"+49155590{n:05d}", report=False) for n in range(6)]
        await world.until(lambda: len(world.gateway.fleet.pool.leased) == 2)
        await world.stop()
        await world.start()
        for message in ids:
            body = await world.until_status(message, "sent", within=200)
            assert "uncertain" not in [step["event"] for step in body["timeline"]]
        assert len(world.lab.network.ledger) == 6


@virtual
async def test_scheduled_cancelled_and_expired(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        now = world.clock.wall_ms()
        later = await world.send(OUTSIDE, send_at_ms=now + 3_600_000)
        gone = await world.send("+4915559000002", send_at_ms=now + 3_600_000)
        await world.gateway.cancel(gone)
        with pytest.raises(Conflict):
            await world.gateway.cancel(gone)
        assert (await world.message(later))["waiting_for"] == "send_at"
        body = await world.until_status(later, "delivered", within=4000)
        assert world.clock.wall_ms() - now >= 3_600_000
        assert (await world.message(gone))["status"] == "cancelled"
        world.device("a").radio.set(2)
        await world.until(lambda: world.gateway.modems()[0]["state"] == "searching", within=120)
        late = await world.send("+4915559000003", ttl_s=600)
        assert (await world.message(late))["waiting_for"] == "modem"
        body = await world.until_status(late, "expired", within=700)
        assert body["error"]["code"] == "expired"
        assert world.copies("+4915559000002") == world.copies("+4915559000003") == 0


@virtual
async def test_the_daily_fuse_holds_and_lets_go_at_midnight(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=2, latency=1.0, daily_cap=5) as world:
        await world.registered()
        ids = [await world.send(f"+49155590{n:05d}", report=False, ttl_s=86400 * 2) for n in range(9)]
        await world.until(lambda: len(world.lab.network.ledger) >= 5, within=60)
        held = await world.until_status(ids[-1], "queued")
        await world.until(lambda: _waits(world, held["id"], "daily_cap"), within=10)
        assert len(world.lab.network.ledger) <= 6  # one more per port, at the most
        for message in ids:
            await world.until_status(message, "sent", within=2 * 86400)


async def _waits(world: World, message: str, reason: str) -> bool:
    return bool((await world.message(message))["waiting_for"] == reason)


@virtual
async def test_the_same_key_makes_the_same_message(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        order = Order(to=(OUTSIDE,), text="once")
        first = await world.gateway.submit(order, key_id="k", idempotency_key="x", fingerprint=b"1")
        again = await world.gateway.submit(order, key_id="k", idempotency_key="x", fingerprint=b"1")
        assert [each["id"] for each in first] == [each["id"] for each in again]
        with pytest.raises(KeyReused):
            await world.gateway.submit(order, key_id="k", idempotency_key="x", fingerprint=b"2")
        await world.until_status(first[0]["id"], "delivered")
        assert world.copies(OUTSIDE) == 1


@virtual
async def test_everything_wrong_is_said_at_once_and_nothing_is_stored(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1) as world:
        await world.registered()
        order = Order(to=("+49155x", OUTSIDE, "\x1a"), text="", class_="fast", ttl_s=0, many=True)
        with pytest.raises(Rejected) as caught:
            await world.gateway.submit(order, key_id="k")
        assert {each.path for each in caught.value.problems} == {"text", "to.0", "to.2", "class", "ttl"}
        with pytest.raises(Rejected):
            await world.gateway.submit(Order(to=(OUTSIDE,), text="x" * 153 * 256), key_id="k")
        assert await world.query("SELECT count(*) FROM messages") == [(0,)]


@virtual
async def test_an_asked_for_sim_is_used_and_nothing_else(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=3, latency=1.0) as world:
        await world.registered()
        for _ in range(5):
            message = await world.send(OUTSIDE, sim=world.number("b"))
            body = await world.until_status(message, "delivered")
            assert body["modem"] == "b"
        with pytest.raises(Rejected, match="No SIM"):
            await world.send(OUTSIDE, sim="nobody")
