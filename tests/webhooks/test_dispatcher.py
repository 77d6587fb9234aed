"""The outbox is emptied: at least once, in order per message, with back-off, and no target delays another."""

import asyncio
import itertools
import json
import sqlite3
from datetime import UTC, datetime

from standardwebhooks import Webhook
from support.virtual import START_MS

from modemgw.store import deliveries
from modemgw.store.errors import StoreFull

from .conftest import SECRET, Box, target

DAY = 86_400.0
A, B = "https://hook.example/a", "https://other.example/b"


def test_an_event_is_posted_signed_and_noted(play) -> None:
    async def scenario(box: Box) -> None:
        await box.announce("message.delivered")
        await asyncio.sleep(1)
        assert await box.rows("state, attempts, http_status, error") == [("delivered", 1, 204, None)]

    (post,) = play(scenario).posts
    body = json.loads(post.body)
    assert body == {
        "type": "message.delivered",
        "timestamp": "2026-11-22T06:00:00.000Z",
        "data": {"n": 1, "text": "Grüße 😀"},
    }
    assert post.headers["webhook-timestamp"] == str(START_MS // 1000)
    assert post.headers["Content-Type"] == "application/json"
    assert "webhook-clock" not in post.headers
    signed = Webhook(SECRET).sign(post.id, datetime.fromtimestamp(START_MS / 1000, UTC), post.body.decode())
    assert post.headers["webhook-signature"] == signed


def test_failures_back_off_as_documented_and_the_tenth_is_the_last(play) -> None:
    async def scenario(box: Box) -> None:
        box.sink.default = 500
        await box.announce()
        await asyncio.sleep(10 * DAY)
        assert await box.rows("state, attempts, http_status, error") == [
            ("dead", 10, 500, "The webhook's host answered 500.")
        ]

    sink = play(scenario)
    waits = [later - earlier for earlier, later in zip(sink.times(), sink.times()[1:], strict=False)]
    hour = 3600
    for wait, least in zip(
        waits, (5, 300, 1800, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour), strict=True
    ):
        assert least <= wait <= least * 1.1 + 2
    assert len(set(sink.ids())) == 1


def test_each_try_is_signed_with_its_own_time(play) -> None:
    async def scenario(box: Box) -> None:
        box.sink.answers[A] = [500]
        await box.announce()
        await asyncio.sleep(60)

    first, second = play(scenario).posts
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) in (5, 6)
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_a_redirect_and_an_error_without_answer_are_failures(play) -> None:
    async def scenario(box: Box) -> None:
        box.sink.answers[A] = [302, 0]
        await box.announce()
        await asyncio.sleep(6)
        assert (await box.rows("state, http_status, error"))[0][0] == "pending"
        await asyncio.sleep(600)
        assert await box.rows("state, attempts") == [("delivered", 3)]

    assert len(play(scenario).posts) == 3


def test_the_events_of_a_message_stay_in_order_while_others_pass(play) -> None:
    async def scenario(box: Box) -> None:
        box.sink.answers[A] = [500]
        await box.announce(message_seq=1)
        await asyncio.sleep(1)
        await box.announce(message_seq=1)
        await box.announce(message_seq=2)
        await asyncio.sleep(60)

    ids = play(scenario).ids()
    assert ids == ["evt_1_1", "evt_3_1", "evt_1_1", "evt_2_1"]


def test_a_dead_event_lets_the_later_ones_of_its_message_go(play) -> None:
    async def scenario(box: Box) -> None:
        box.sink.answers[A] = [500] * 10
        await box.announce(message_seq=1)
        await box.announce(message_seq=1)
        await asyncio.sleep(10 * DAY)
        assert await box.rows("state") == [("dead",), ("delivered",)]

    assert play(scenario).ids()[-1] == "evt_2_1"


def test_waiting_behind_a_failed_one_does_not_spin(play) -> None:
    async def scenario(box: Box) -> None:
        box.sink.default = 500
        await box.announce(message_seq=1)
        await box.announce(message_seq=1)
        real, reads = box.db.read, 0

        async def read(query):
            nonlocal reads
            reads += 1
            return await real(query)

        box.db.read = read
        await asyncio.sleep(3600)
        assert reads < 3600 / 60 + 20  # it looks once a minute, whatever the clock does

    play(scenario)


def test_a_silent_target_is_given_ten_seconds_and_delays_nobody(play) -> None:
    async def scenario(box: Box) -> None:
        box.sink.answers[A] = [3600.0] * 5
        await box.announce(times=5)
        await asyncio.sleep(2)
        assert len(box.sink.ids(B)) == 5
        await asyncio.sleep(10)
        assert ("The webhook's host did not answer within 10 s.", None) in await box.rows("error, http_status")

    sink = play(scenario, target(A), target(B))
    assert sink.times(A)[:2] == [0, 10]


def test_gone_ends_the_target_is_announced_to_the_others_and_registering_brings_it_back(play) -> None:
    async def scenario(box: Box) -> None:
        box.sink.answers[A] = [410]
        await box.announce(times=3)
        await asyncio.sleep(1)
        await box.announce()
        await asyncio.sleep(60)
        states = await box.rows("state, error")
        assert states.count(("dead", "The webhook's host answered 410.")) == 3
        assert len(box.sink.ids(A)) == 1
        told = [json.loads(post.body) for post in box.sink.posts if post.target == B]
        assert [each["data"]["url"] for each in told if each["type"] == "webhook.disabled"] == [A]
        await box.dispatcher.register()
        await box.announce()
        assert len(await box.rows("state")) == len(states) + 2

    play(scenario, target(A), target(B))


def test_that_a_target_is_gone_is_told_at_once_whatever_else_happens(play) -> None:
    async def scenario(box: Box) -> None:
        box.sink.answers[A] = [410]
        await box.announce("message.sent")
        await asyncio.sleep(120)

    sink = play(scenario, target(A), target(B, ("webhook.disabled",)))
    assert sink.times(B) == [0]


def test_a_target_gets_what_it_asked_for(play) -> None:
    async def scenario(box: Box) -> None:
        for kind in ("message.sent", "message.received", "modem.state", "sim.limit"):
            await box.announce(kind)
        await asyncio.sleep(1)

    sink = play(scenario, target(A, ("message.*",)), target(B, ("modem.state", "message.sent")))
    kinds = {url: [json.loads(post.body)["type"] for post in sink.posts if post.target == url] for url in (A, B)}
    assert kinds == {A: ["message.sent", "message.received"], B: ["message.sent", "modem.state"]}


def test_a_full_disk_does_not_make_it_post_again_and_again(play) -> None:
    async def scenario(box: Box) -> None:
        await box.announce()
        real, refusals = box.db.write, 0

        async def full(unit):
            nonlocal refusals
            refusals += 1
            if refusals <= 20:
                raise StoreFull("The disk is full.")
            return await real(unit)

        box.db.write = full
        await asyncio.sleep(300)
        assert await box.rows("state") == [("delivered",)]

    assert len(play(scenario).posts) == 1


def test_a_restart_goes_on_where_it_stopped(play) -> None:
    async def scenario(box: Box) -> None:
        box.sink.answers[A] = [3600.0]
        await box.announce()
        await asyncio.sleep(5)  # the first try is under way
        other = type(box.dispatcher)(box.db, box.clock, box.dispatcher._rng, [target()], sender=type(box.sink)())
        again = asyncio.ensure_future(other.run())
        await asyncio.sleep(1)
        assert await box.rows("state") == [("delivered",)]
        again.cancel()
        await asyncio.wait([again])
        assert other._sender.ids() == ["evt_1_1"]

    play(scenario)


def test_a_clock_that_was_set_back_for_years_does_not_hold_the_queue(play) -> None:
    async def scenario(box: Box) -> None:
        box.sink.answers[A] = [500]
        await box.announce()
        await asyncio.sleep(2)
        box.clock.offset_ms -= 40 * 365 * 86_400_000
        await asyncio.sleep(120)
        assert await box.rows("state") == [("delivered",)]

    play(scenario)


def test_without_the_time_signing_waits_ten_minutes_and_then_says_so(play) -> None:
    async def scenario(box: Box) -> None:
        await box.announce()
        await asyncio.sleep(3600)

    (post,) = play(scenario, trusted=False).posts
    assert 600 <= post.at_s <= 610
    assert post.headers["webhook-clock"] == "unsynced"


def test_the_time_coming_ends_the_wait(play) -> None:
    async def scenario(box: Box) -> None:
        await box.announce()
        await asyncio.sleep(30)
        box.clock.is_trusted = True
        await asyncio.sleep(10)

    (post,) = play(scenario, trusted=False).posts
    assert 30 <= post.at_s <= 40
    assert "webhook-clock" not in post.headers


def test_the_same_seed_makes_the_same_days(play) -> None:
    async def scenario(box: Box) -> None:
        box.sink.default = 503
        for number in range(5):
            await box.announce(message_seq=number % 2 + 1)
            await asyncio.sleep(7)
        await asyncio.sleep(2 * DAY)

    one, two, other = (play(scenario, seed=seed) for seed in (7, 7, 8))
    assert [(post.at_s, post.id) for post in one.posts] == [(post.at_s, post.id) for post in two.posts]
    assert [post.at_s for post in one.posts] != [post.at_s for post in other.posts]


def test_a_long_queue_takes_no_longer_for_each(play) -> None:
    """What counts is how many steps SQLite takes, which no busy machine changes."""

    def steps_for_each(times: int) -> float:
        steps = itertools.count()

        async def scenario(box: Box) -> None:
            box.sink.answers[A] = [3600.0]
            await box.announce(times=times)
            for connection in (box.db._reader, box.db._writer):
                await connection.run(lambda raw: raw.set_progress_handler(lambda: next(steps) < 0, 100))
            await asyncio.sleep(60)
            assert len(box.sink.posts) == times + 1

        play(scenario)
        return next(steps) / times

    assert steps_for_each(4000) < 1.5 * steps_for_each(400)


def test_what_piled_up_for_a_dead_target_costs_nothing_to_look_past(play) -> None:
    """Also what waits behind a delivery that was put off is not read before that one is due."""

    async def scenario(box: Box) -> None:
        box.sink.default = 500
        for number in range(1, 101):
            await box.announce(message_seq=number)
        await asyncio.sleep(60)
        for number in range(1, 101):
            await box.announce(message_seq=number, times=20)
        await asyncio.sleep(1)
        assert len(await box.rows("1")) == 2100
        (target_id,) = {row[0] for row in await box.rows("target_id")}
        steps = 0

        def count() -> None:
            nonlocal steps
            steps += 1

        def look(cur: sqlite3.Cursor) -> None:
            cur.connection.set_progress_handler(count, 10)
            assert deliveries.due(cur, target_id, box.clock.wall_ms(), 20) == []
            assert deliveries.next_due_ms(cur, target_id) > box.clock.wall_ms()
            cur.connection.set_progress_handler(None, 0)

        await box.db.read(look)
        assert steps < 100

    play(scenario)
