"""The life of a segment in the store: intent, answer, refusal, silence, proof, report - and what people are told."""

import asyncio
from typing import Any

import pytest

from modemgw.store import attempts, outbox, outcomes, queue, reports, views
from modemgw.store.errors import StaleState

REFUSAL = {"code": "x", "text": "Refused.", "retryable": True, "cms": 38, "tp_status": None}
SILENCE = {"code": "no_answer", "text": "No answer.", "retryable": False, "cms": None, "tp_status": None}


async def _message(desk: Any, message_id: str) -> dict[str, Any]:
    body = await desk.db.read(lambda cur: views.message(cur, message_id, full=True))
    assert body is not None
    return body  # type: ignore[no-any-return]


async def _announced(desk: Any) -> list[str]:
    return await desk.db.read(lambda cur: [row["type"] for row in cur.execute("SELECT type FROM events ORDER BY seq")])


async def test_accepted_sent_delivered(desk: Any) -> None:
    sim = await desk.sim()
    message = await desk.accept()
    await desk.intend(sim, "t1")
    assert (await _message(desk, message))["status"] == "sending"
    await desk.do(lambda cur, stamp: outcomes.accepted(cur, stamp, "t1", 42, "answer"))
    body = await _message(desk, message)
    assert (body["status"], body["segments"][0]["mr"]) == ("sent", 42)
    attempt = await desk.db.read(lambda cur: reports.match(cur, sim, 42, "015551000002"))
    await desk.do(lambda cur, stamp: outcomes.reported(cur, stamp, attempt, 42, "delivered", 0))
    body = await _message(desk, message)
    assert body["status"] == "delivered"
    assert body["finished_at"] is not None
    assert await _announced(desk) == ["message.queued", "message.sending", "message.sent", "message.delivered"]
    assert [step["event"] for step in body["timeline"]] == [
        "accepted", "submitting", "sending", "sent", "report", "delivered",
    ]  # fmt: skip


async def test_an_intent_is_taken_once(desk: Any) -> None:
    sim = await desk.sim()
    await desk.accept()
    outgoing = await desk.intend(sim, "t1")
    intent = attempts.Intent(
        token="t2", message_seq=outgoing.message_seq, segment_id=outgoing.segment_id, seq=outgoing.seq,
            sim_id=sim, modem="m2",
        port="/dev/x", boot_id="b", peer=outgoing.peer, resend=False,
    )  # fmt: skip
    with pytest.raises(StaleState):
        await desk.do(lambda cur, stamp: attempts.intend(cur, stamp, intent))
    assert await desk.db.read(lambda cur: attempts.used_since(cur, 0)) == 1


async def test_cancelled_at_the_last_moment_is_not_sent(desk: Any) -> None:
    sim = await desk.sim()
    message = await desk.accept()
    head = (await desk.db.read(lambda cur: queue.heads(cur, sim, ())))[0]
    outgoing = await desk.db.read(lambda cur: queue.next_segment(cur, head.seq))
    await desk.do(lambda cur, stamp: outbox.cancel(cur, stamp, message))
    intent = attempts.Intent(
        token="t", message_seq=head.seq, segment_id=outgoing.segment_id, seq=outgoing.seq,
            sim_id=sim, modem="m", port="p",
        boot_id="b", peer=outgoing.peer, resend=False,
    )  # fmt: skip
    with pytest.raises(StaleState):
        await desk.do(lambda cur, stamp: attempts.intend(cur, stamp, intent))
    assert (await _message(desk, message))["status"] == "cancelled"


async def test_cancel_is_refused_once_a_modem_may_have_it(desk: Any) -> None:
    sim = await desk.sim()
    message = await desk.accept()
    await desk.intend(sim, "t1")
    with pytest.raises(StaleState, match="sending"):
        await desk.do(lambda cur, stamp: outbox.cancel(cur, stamp, message))


async def test_a_refusal_waits_for_its_time_and_may_go_by_another_sim(desk: Any) -> None:
    one, other = await desk.sim(), await desk.sim("8949020000000000002")
    message = await desk.accept()
    await desk.intend(one, "t1")
    due = desk.now + 30_000
    await desk.do(lambda cur, stamp: outcomes.refused(cur, stamp, "t1", REFUSAL, retry_ms=due, unbind=True))
    body = await _message(desk, message)
    assert (body["status"], body["waiting_for"], body["error"]["cms"]) == ("queued", "retry", 38)
    assert await desk.db.read(lambda cur: queue.heads(cur, other, ())) == []
    desk.now = due
    await desk.do(queue.promote_due)
    assert len(await desk.db.read(lambda cur: queue.heads(cur, other, ()))) == 1


async def test_a_message_that_can_not_be_whole_costs_no_more_money(desk: Any) -> None:
    sim = await desk.sim()
    message = await desk.accept(segments=("a", "b", "c"))
    await desk.intend(sim, "t1")
    await desk.do(lambda cur, stamp: outcomes.refused(cur, stamp, "t1", REFUSAL, retry_ms=None, unbind=False))
    body = await _message(desk, message)
    assert body["status"] == "failed"
    assert [each["status"] for each in body["segments"]] == ["failed", "cancelled", "cancelled"]


async def test_silence_is_uncertain_and_holds_only_its_own_message(desk: Any) -> None:
    sim = await desk.sim()
    message = await desk.accept(segments=("a", "b"))
    await desk.intend(sim, "t1")
    await desk.do(lambda cur, stamp: outcomes.uncertain(cur, stamp, "t1", SILENCE, stamp.now_ms + 120_000))
    body = await _message(desk, message)
    assert (body["status"], body["waiting_for"]) == ("uncertain", "proof")
    assert await desk.db.read(lambda cur: queue.heads(cur, sim, ())) == []
    await desk.accept(to="+4915551000003")
    assert len(await desk.db.read(lambda cur: queue.heads(cur, sim, ()))) == 1


@pytest.mark.parametrize("late", ["answer", "report"])
async def test_proof_takes_back_a_resend_that_no_modem_has(desk: Any, late: str) -> None:
    sim = await desk.sim()
    message = await desk.accept()
    await desk.intend(sim, "t1")
    await desk.do(lambda cur, stamp: outcomes.uncertain(cur, stamp, "t1", SILENCE, stamp.now_ms))
    (attempt,) = await desk.db.read(lambda cur: attempts.undecided(cur, desk.now))
    await desk.do(lambda cur, stamp: outcomes.resend(cur, stamp, attempt))
    assert (await _message(desk, message))["status"] == "queued"
    if late == "answer":
        await desk.do(lambda cur, stamp: outcomes.accepted(cur, stamp, "t1", 9, "late_answer"))
    else:
        proven = await desk.db.read(lambda cur: reports.match(cur, sim, 9, "+4915551000002"))
        await desk.do(lambda cur, stamp: outcomes.reported(cur, stamp, proven, 9, "delivered", 0))
    assert (await _message(desk, message))["status"] == ("sent" if late == "answer" else "delivered")
    assert await desk.db.read(lambda cur: queue.heads(cur, sim, ())) == []


async def test_a_copy_that_expires_or_is_refused_leaves_the_first_one_unknown(desk: Any) -> None:
    sim = await desk.sim()
    for ending in ("expire", "refuse"):
        message = await desk.accept(expires_ms=desk.now + 60_000)
        await desk.intend(sim, f"first-{ending}")
        await desk.do(lambda cur, stamp, e=ending: outcomes.uncertain(cur, stamp, f"first-{e}", SILENCE, stamp.now_ms))
        (attempt,) = await desk.db.read(lambda cur: attempts.undecided(cur, desk.now))
        await desk.do(lambda cur, stamp, a=attempt: outcomes.resend(cur, stamp, a))
        if ending == "expire":
            desk.now += 60_001
            await desk.do(outbox.expire)
        else:
            await desk.intend(sim, "second")
            await desk.do(
                lambda cur, stamp: outcomes.refused(cur, stamp, "second", REFUSAL, retry_ms=None, unbind=False)
            )
        assert (await _message(desk, message))["status"] == "unknown", ending


async def test_unknown_can_be_closed_by_a_person_or_by_late_proof(desk: Any) -> None:
    sim = await desk.sim()
    first, second = await desk.accept(), await desk.accept(to="+4915551000009")
    for token in ("t1", "t2"):
        await desk.intend(sim, token)
        await desk.do(lambda cur, stamp, t=token: outcomes.uncertain(cur, stamp, t, SILENCE, stamp.now_ms))
    for attempt in await desk.db.read(lambda cur: attempts.undecided(cur, desk.now)):
        await desk.do(lambda cur, stamp, a=attempt: outcomes.give_up_proof(cur, stamp, a))
    assert (await _message(desk, first))["status"] == "unknown"
    await desk.do(lambda cur, stamp: outbox.resolve(cur, stamp, first, "failed"))
    assert (await _message(desk, first))["error"]["code"] == "resolved_failed"
    await desk.do(lambda cur, stamp: outcomes.accepted(cur, stamp, "t2", 3, "late_answer"))
    body = await _message(desk, second)
    assert (body["status"], body["error"]) == ("sent", None)


async def test_final_states_are_sticky(desk: Any) -> None:
    sim = await desk.sim()
    message = await desk.accept()
    await desk.intend(sim, "t1")
    await desk.do(lambda cur, stamp: outcomes.accepted(cur, stamp, "t1", 5, "answer"))
    for outcome, tp_status in (("delivered", 0), ("undelivered", 0x46), ("submitted", 0x30), ("delivered", 0)):
        attempt = await desk.db.read(lambda cur: reports.match(cur, sim, 5, "+4915551000002"))
        await desk.do(lambda cur, stamp, a=attempt, o=outcome, s=tp_status: outcomes.reported(cur, stamp, a, 5, o, s))
    body = await _message(desk, message)
    assert (body["status"], body["segments"][0]["tp_status"]) == ("delivered", 0)


async def test_partly_sent_when_the_time_is_over(desk: Any) -> None:
    sim = await desk.sim()
    message = await desk.accept(segments=("a", "b"), expires_ms=desk.now + 1000)
    await desk.intend(sim, "t1")
    await desk.do(lambda cur, stamp: outcomes.accepted(cur, stamp, "t1", 5, "answer"))
    desk.now += 2000
    await desk.do(outbox.expire)
    body = await _message(desk, message)
    assert (body["status"], body["error"]["code"]) == ("failed", "partly_sent")


async def test_the_same_mr_means_the_newest_message_to_that_number(desk: Any) -> None:
    sim = await desk.sim()
    first = await desk.accept(to="+4915551000011")
    await desk.intend(sim, "t1")
    await desk.do(lambda cur, stamp: outcomes.accepted(cur, stamp, "t1", 5, "answer"))
    second = await desk.accept(to="+4915551000022")
    await desk.intend(sim, "t2")
    await desk.do(lambda cur, stamp: outcomes.accepted(cur, stamp, "t2", 5, "answer"))
    for recipient, expected in (("015551000011", first), ("015551000022", second)):
        attempt = await desk.db.read(lambda cur, r=recipient: reports.match(cur, sim, 5, r))
        assert attempt.message_id == expected
    assert await desk.db.read(lambda cur: reports.match(cur, sim, 5, "015551000033")) is None


async def test_reports_after_the_mr_wrapped_find_their_messages(desk: Any) -> None:
    sim = await desk.sim()
    sent = []
    for number in range(600):
        to = f"+49155520{number:05d}"
        sent.append((to, await desk.accept(to=to)))
        await desk.intend(sim, f"t{number}")
        await desk.do(lambda cur, stamp, n=number: outcomes.accepted(cur, stamp, f"t{n}", n % 256, "answer"))
    for number, (to, message) in enumerate(sent):
        attempt = await desk.db.read(lambda cur, n=number, t=to: reports.match(cur, sim, n % 256, t))
        assert attempt.message_id == message


async def test_lanes_and_priority_decide_who_is_next(desk: Any) -> None:
    sim = await desk.sim()
    bulk = await desk.accept(class_="bulk", lane=4)
    low = await desk.accept(priority=-3)
    high = await desk.accept(priority=3)
    otp = await desk.accept(class_="otp", lane=0)
    order = []
    for number in range(4):
        outgoing = await desk.db.read(
            lambda cur: queue.next_segment(cur, min(queue.heads(cur, sim, ()), key=lambda h: (h.lane, -h.priority)).seq)
        )
        order.append(outgoing.message_id)
        intent = attempts.Intent(
            token=f"t{number}", message_seq=outgoing.message_seq, segment_id=outgoing.segment_id, seq=outgoing.seq,
            sim_id=sim,
            modem="m", port="p", boot_id="b", peer=outgoing.peer, resend=False,
        )  # fmt: skip
        await desk.do(lambda cur, stamp, i=intent: attempts.intend(cur, stamp, i))
    assert order == [otp, high, low, bulk]


async def test_a_scheduled_message_becomes_ready_at_its_time(desk: Any) -> None:
    sim = await desk.sim()
    message = await desk.accept(send_at_ms=desk.now + 5000)
    assert (await _message(desk, message))["status"] == "scheduled"
    await desk.do(queue.promote_due)
    assert await desk.db.read(lambda cur: queue.heads(cur, sim, ())) == []
    desk.now += 5000
    await asyncio.gather(desk.do(queue.promote_due))
    assert (await _message(desk, message))["status"] == "queued"
    assert await _announced(desk) == ["message.queued"]


async def test_certainly_not_sent_gives_the_money_back(desk: Any) -> None:
    sim = await desk.sim()
    message = await desk.accept()
    await desk.intend(sim, "t1")
    await desk.do(lambda cur, stamp: outcomes.not_sent(cur, stamp, "t1", "no prompt", stamp.now_ms + 1000))
    assert await desk.db.read(lambda cur: attempts.used_since(cur, 0, sim)) == 0
    assert (await _message(desk, message))["status"] == "queued"


async def test_news_of_one_segment_does_not_shorten_the_wait_of_another(desk: Any) -> None:
    sim = await desk.sim()
    message = await desk.accept(segments=("a", "b"))
    await desk.intend(sim, "t1")
    await desk.do(lambda cur, stamp: outcomes.accepted(cur, stamp, "t1", 5, "answer"))
    await desk.intend(sim, "t2")
    due = desk.now + 600_000
    await desk.do(lambda cur, stamp: outcomes.refused(cur, stamp, "t2", REFUSAL, retry_ms=due, unbind=False))
    attempt = await desk.db.read(lambda cur: reports.match(cur, sim, 5, "+4915551000002"))
    await desk.do(lambda cur, stamp: outcomes.reported(cur, stamp, attempt, 5, "delivered", 0))
    assert (await _message(desk, message))["waiting_for"] == "retry"
    assert await desk.db.read(lambda cur: queue.heads(cur, sim, ())) == []
    assert await desk.db.read(queue.next_due_ms) == due
