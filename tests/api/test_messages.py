"""Sending, looking up and settling messages over HTTP; every answer is held against the document on the way."""

import asyncio
import base64

import pytest
from support.virtually import virtual

OUTSIDE = "+4915559000001"


@virtual
async def test_one_recipient_gets_the_message_back_and_it_is_delivered(open_api) -> None:
    async with open_api() as api:
        to = api.world.number("b")
        answer = await api.post("/v1/messages?wait=60", {"to": to, "text": "Grüße 👋", "ref": "order 7"})
        assert answer.status == 202
        body = answer.json
        assert (body["status"], body["to"], body["text"], body["ref"]) == ("delivered", to, "Grüße 👋", "order 7")
        assert answer.headers["Location"] == f"/v1/messages/{body['id']}"
        looked_up = (await api.get(f"/v1/messages/{body['id']}")).json
        assert looked_up["timeline"][0]["event"] == "accepted"
        assert looked_up["route"]["sim"] is not None
        assert api.world.copies(to) == 1


@virtual
async def test_without_waiting_202_comes_before_anything_is_sent(open_api) -> None:
    async with open_api() as api:
        answer = await api.post("/v1/messages", {"to": OUTSIDE, "text": "hello"})
        assert (answer.status, answer.json["status"]) == (202, "queued")
        assert api.world.copies(OUTSIDE) == 0
        assert await api.stored() == 1


@virtual
async def test_a_list_is_accepted_whole_in_its_order(open_api) -> None:
    async with open_api() as api:
        numbers = [f"+49155590{n:05d}" for n in range(1, 8)]
        answer = await api.post("/v1/messages?wait=60", {"to": numbers, "text": "hello"})
        assert [each["to"] for each in answer.json["messages"]] == numbers
        assert {each["status"] for each in answer.json["messages"]} <= {"delivered", "sent"}
        single = await api.post("/v1/messages", {"to": [OUTSIDE], "text": "hello"})
        assert list(single.json) == ["messages"]


@virtual
async def test_one_bad_number_in_a_list_refuses_it_whole_and_says_which(open_api) -> None:
    async with open_api() as api:
        answer = await api.post("/v1/messages", {"to": [OUTSIDE, "12", "+49"], "text": "hello"})
        assert answer.status == 422
        assert {path for path, _ in answer.problems} == {"to.1", "to.2"}
        assert await api.stored() == 0


@virtual
async def test_numbers_are_taken_as_people_write_them(open_api) -> None:
    async with open_api() as api:
        answer = await api.post("/v1/messages", {"to": "0155 590-00001", "text": "hello"})
        assert answer.json["to"] == "+4915559000001"


@virtual
async def test_data_goes_to_a_port(open_api) -> None:
    async with open_api() as api:
        octets = bytes(range(256))
        body = {"to": api.world.number("b"), "data": base64.b64encode(octets).decode(), "port": 16000}
        answer = await api.post("/v1/messages?wait=60", body)
        assert (answer.json["encoding"], len(answer.json["segments"])) == ("8bit", 2)
        assert base64.b64decode(answer.json["data"]) == octets
        received = (await api.get("/v1/inbox")).json["items"]
        assert [base64.b64decode(each["data"]) for each in received] == [octets]


@virtual
async def test_all_fields_are_taken(open_api) -> None:
    async with open_api() as api:
        body = {
            "to": OUTSIDE,
            "text": "hello",
            "class": "otp",
            "priority": -10,
            "send_at": "2026-11-22T09:00:00.5+01:00",
            "ttl": 600,
            "report": False,
            "flash": True,
            "encoding": "ucs2",
            "ref": "r",
            "on_uncertain": "never",
        }
        answer = (await api.post("/v1/messages", body)).json
        assert (answer["class"], answer["priority"], answer["status"]) == ("otp", -10, "scheduled")
        assert (answer["send_at"], answer["expires_at"]) == ("2026-11-22T08:00:00.500Z", "2026-11-22T08:10:00.500Z")
        assert answer["encoding"] == "ucs2"
        nulls = dict.fromkeys(("data", "port", "send_at", "ttl", "sim", "ref", "on_uncertain"))
        assert (await api.post("/v1/messages", {"to": OUTSIDE, "text": "x", **nulls})).status == 202


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"to": None}, {("to", "wrong_type")}),
        ({"to": []}, {("to", "too_short")}),
        ({"to": ""}, {("to", "string_too_short")}),
        ({"to": 491555}, {("to", "wrong_type")}),
        ({"to": [OUTSIDE, 7]}, {("to.1", "wrong_type")}),
        ({"to": [[OUTSIDE]]}, {("to.0", "wrong_type")}),
        ({"to": "+49155\r\nAT+CMGD=1"}, {("to", "control_character")}),
        ({"to": "+49155\x1a"}, {("to", "control_character")}),
        ({"to": [OUTSIDE, "+49\u202e1"]}, {("to.1", "control_character")}),
        ({"to": '+49";AT'}, {("to", "invalid_number")}),
        ({"to": "x" * 1000}, {("to", "string_too_long")}),
        ({"to": "sms:+4915559000001"}, {("to", "invalid_number")}),
        ({"to": [OUTSIDE] * 1001}, {("to", "too_long")}),
        ({"text": None}, {("text", "text_or_data")}),
        ({"text": ""}, {("text", "cannot_be_sent")}),
        ({"text": 7}, {("text", "wrong_type")}),
        ({"text": "x" * 39_016}, {("text", "cannot_be_sent")}),
        ({"text": "x" * 40_001}, {("text", "string_too_long")}),
        ({"text": "ü👋", "encoding": "gsm7"}, {("text", "cannot_be_sent")}),
        ({"data": "aGVsbG8=", "port": 1}, {("text", "text_or_data")}),
        ({"text": None, "data": "aGVsbG8="}, {("port", "missing")}),
        ({"text": None, "data": "aGVsbG8", "port": 1}, {("data", "not_base64")}),
        ({"text": None, "data": "aGVs\nbG8=", "port": 1}, {("data", "not_base64")}),
        ({"text": None, "data": "aGVsbG8=", "port": 65536}, {("port", "less_than_equal")}),
        ({"text": None, "data": "aGVsbG8=", "port": 1, "encoding": "gsm7"}, {("encoding", "not_for_data")}),
        ({"class": "urgent"}, {("class", "literal_error")}),
        ({"priority": 11}, {("priority", "less_than_equal")}),
        ({"priority": "3"}, {("priority", "wrong_type")}),
        ({"priority": 1.5}, {("priority", "wrong_type")}),
        ({"send_at": "2026-11-22T09:00:00"}, {("send_at", "no_offset")}),
        ({"send_at": "2026-11-22"}, {("send_at", "not_a_time")}),
        ({"send_at": 1_795_000_000}, {("send_at", "not_a_time")}),
        ({"send_at": "2026-13-22T09:00:00Z"}, {("send_at", "not_a_time")}),
        ({"send_at": "2036-11-22T09:00:00Z"}, {("send_at", "out_of_range")}),
        ({"ttl": 0}, {("ttl", "greater_than_equal")}),
        ({"ttl": 10**12}, {("ttl", "less_than_equal")}),
        ({"report": "yes"}, {("report", "wrong_type")}),
        ({"flash": 1}, {("flash", "wrong_type")}),
        ({"sim": "no such"}, {("sim", "unknown_sim")}),
        ({"sim": "a\nb"}, {("sim", "control_character")}),
        ({"ref": "x" * 201}, {("ref", "string_too_long")}),
        ({"on_uncertain": "hold"}, {("on_uncertain", "literal_error")}),
        ({"colour": "red"}, {("colour", "unknown_field")}),
        ({"Text": "x"}, {("Text", "unknown_field")}),
        ({"class_": "otp"}, {("class_", "unknown_field")}),
    ],
)
@virtual
async def test_what_is_wrong_is_422_with_its_path_and_stores_nothing(open_api, change, wrong) -> None:
    async with open_api(modems=1) as api:
        answer = await api.post("/v1/messages", {"to": OUTSIDE, "text": "SECRET-4711", **change})
        assert (answer.status, answer.problems) == (422, wrong)
        assert b"SECRET" not in answer.content
        assert await api.stored() == 0


@virtual
async def test_all_errors_come_at_once(open_api) -> None:
    async with open_api(modems=1) as api:
        body = {"to": ["\x00", OUTSIDE, 3], "data": "!", "ttl": -1, "priority": 99, "hello": 1}
        assert (await api.post("/v1/messages", body)).problems == {
            ("to.0", "control_character"),
            ("to.2", "wrong_type"),
            ("data", "not_base64"),
            ("port", "missing"),
            ("ttl", "greater_than_equal"),
            ("priority", "less_than_equal"),
            ("hello", "unknown_field"),
        }
        assert (await api.post("/v1/messages", {})).problems == {("to", "missing"), ("text", "text_or_data")}


@virtual
async def test_what_is_no_json_or_not_said_to_be(open_api) -> None:
    async with open_api(modems=1) as api:
        json = {"Content-Type": "application/json"}
        for raw, status in ((b"{", 400), (b"[" * 100_000, 400), (b"", 400), (b"[]", 422), (b'{"to":"\xff"}', 400)):
            assert (await api.post("/v1/messages", raw=raw, headers=json)).status == status
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert (await api.post("/v1/messages", raw=b"to=1&text=2", headers=form)).status == 415
        assert await api.stored() == 0


@virtual
async def test_an_idempotency_key_makes_one_message_however_often(open_api) -> None:
    async with open_api() as api:
        headers = {"Idempotency-Key": "order-7"}
        body = {"to": OUTSIDE, "text": "hello"}
        answers = await asyncio.gather(*(api.post("/v1/messages", body, headers=headers) for _ in range(50)))
        assert {each.status for each in answers} == {202}
        assert len({each.json["id"] for each in answers}) == 1
        same = b'{ "text":"hello",  "to":"\\u002b4915559000001" }'
        again = await api.post("/v1/messages", raw=same, headers={**headers, "Content-Type": "application/json"})
        assert again.json["id"] == answers[0].json["id"]
        other = await api.post("/v1/messages", {**body, "text": "other"}, headers=headers)
        assert (other.status, other.problems) == (422, {("Idempotency-Key", "idempotency_key_reused")})
        elsewhere = await api.post("/v1/messages", body, headers=headers, key=await api.new_key("two", "send"))
        assert elsewhere.json["id"] != answers[0].json["id"]
        assert await api.stored() == 2


@virtual
async def test_a_key_of_a_refused_request_is_free_again(open_api) -> None:
    async with open_api(modems=1) as api:
        headers = {"Idempotency-Key": "k"}
        assert (await api.post("/v1/messages", {"to": "x", "text": "hello"}, headers=headers)).status == 422
        assert (await api.post("/v1/messages", {"to": OUTSIDE, "text": "hello"}, headers=headers)).status == 202


@pytest.mark.parametrize("key", ["", "x" * 256, "ü", "a\tb"])
@virtual
async def test_odd_idempotency_keys_are_refused(open_api, key: str) -> None:
    async with open_api(modems=1) as api:
        headers = {"Idempotency-Key": key}
        answer = await api.post("/v1/messages", {"to": OUTSIDE, "text": "hello"}, headers=headers)
        assert (answer.status, answer.problems) == (422, {("Idempotency-Key", "idempotency_key")})


@virtual
async def test_waiting_ends_with_the_time(open_api) -> None:
    async with open_api(modems=0) as api:
        loop = asyncio.get_running_loop()
        start = loop.time()
        answer = await api.post("/v1/messages?wait=7", {"to": OUTSIDE, "text": "hello"})
        assert (answer.json["status"], round(loop.time() - start)) == ("queued", 7)
        many = await api.post("/v1/messages?wait=5", {"to": [OUTSIDE] * 3, "text": "hello"})
        assert len(many.json["messages"]) == 3
        assert round(loop.time() - start) == 12
        found = await api.get(f"/v1/messages/{answer.json['id']}?wait=3")
        assert round(loop.time() - start) == 15
        assert found.json["status"] == "queued"
        for wait in ("61", "-1", "x", ""):
            refused = await api.post(f"/v1/messages?wait={wait}", {"to": OUTSIDE, "text": "hello"})
            assert (refused.status, {path for path, _ in refused.problems}) == (422, {"wait"})
        assert await api.stored() == 4


@virtual
async def test_waiting_ends_when_the_server_stops(open_api) -> None:
    async with open_api(modems=0) as api:
        loop = asyncio.get_running_loop()
        start = loop.time()
        waiting = asyncio.ensure_future(api.post("/v1/messages?wait=60", {"to": OUTSIDE, "text": "hello"}))
        await asyncio.sleep(2)
        await api.server.close()
        assert (await waiting).status == 202
        assert loop.time() - start < 5


@virtual
async def test_sent_is_the_end_where_no_report_was_asked_for(open_api) -> None:
    async with open_api(modems=1) as api:
        loop = asyncio.get_running_loop()
        start = loop.time()
        answer = await api.post("/v1/messages?wait=60", {"to": OUTSIDE, "text": "hello", "report": False})
        assert answer.json["status"] == "sent"
        assert loop.time() - start < 30


@virtual
async def test_lists_are_filtered_and_paged(open_api) -> None:
    async with open_api() as api:
        for number in range(5):
            await api.post("/v1/messages?wait=60", {"to": api.world.number("b"), "text": f"hello {number}", "ref": "r"})
        await api.post("/v1/messages?wait=60", {"to": OUTSIDE, "text": "other"})

        async def found(query: str) -> list[str]:
            return [each["text"] for each in (await api.get(f"/v1/messages?{query}")).json["items"]]

        assert len(await found("")) == 11
        assert await found("direction=outbound&limit=2") == ["other", "hello 4"]
        assert len(await found("direction=inbound")) == 5
        assert len(await found("ref=r&status=delivered")) == 5
        assert await found("q=lo 3&direction=outbound") == ["hello 3"]
        assert await found("peer=%2B4915559000001") == await found("peer=+4915559000001") == ["other"]
        assert await found("until=2026-01-01T00:00:00+01:00") == []
        assert len(await found("since=2026-01-01T00:00:00Z&until=2027-01-01T00:00:00%2B01:00")) == 11

        seen, cursor = [], ""
        while cursor is not None:
            page = (await api.get(f"/v1/messages?limit=3{cursor and '&cursor=' + cursor}")).json
            seen += [each["id"] for each in page["items"]]
            cursor = page["next_cursor"]
        assert len(seen) == len(set(seen)) == 11
        assert sorted(seen, reverse=True) == seen


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("limit=0", ("limit", "greater_than_equal")),
        ("limit=501", ("limit", "less_than_equal")),
        ("limit=x", ("limit", "wrong_type")),
        ("limit=1&limit=2", ("limit", "given_twice")),
        ("limt=1", ("limt", "unknown_field")),
        ("cursor=x", ("cursor", "unknown_cursor")),
        ("cursor=-1", ("cursor", "unknown_cursor")),
        ("direction=up", ("direction", "literal_error")),
        ("status=gone", ("status", "literal_error")),
        ("since=yesterday", ("since", "not_a_time")),
        ("since=1795000000", ("since", "not_a_time")),
        ("until=2026-01-01T00:00:00", ("until", "no_offset")),
        ("peer=%00", ("peer", "control_character")),
        ("q=", ("q", "string_too_short")),
    ],
)
@virtual
async def test_wrong_filters_are_422(open_api, query: str, wrong: tuple[str, str]) -> None:
    async with open_api(modems=0) as api:
        answer = await api.get(f"/v1/messages?{query}")
        assert (answer.status, answer.problems) == (422, {wrong})


@virtual
async def test_cancel_before_it_is_sent_and_not_after(open_api) -> None:
    async with open_api() as api:
        later = await api.post("/v1/messages", {"to": OUTSIDE, "text": "x", "send_at": "2026-11-23T00:00:00Z"})
        assert (await api.post(f"/v1/messages/{later.json['id']}/cancel")).json["status"] == "cancelled"
        again = await api.post(f"/v1/messages/{later.json['id']}/cancel")
        assert (again.status, again.json["type"]) == (409, "urn:modemgw:wrong_status")
        sent = await api.post("/v1/messages?wait=60", {"to": OUTSIDE, "text": "x"})
        assert (await api.post(f"/v1/messages/{sent.json['id']}/cancel")).status == 409
        assert api.world.copies(OUTSIDE) == 1


@virtual
async def test_resend_makes_a_new_message_that_names_the_old_one(open_api) -> None:
    async with open_api() as api:
        first = (await api.post("/v1/messages?wait=60", {"to": OUTSIDE, "text": "x", "ref": "r"})).json
        answer = await api.post(f"/v1/messages/{first['id']}/resend")
        assert (answer.status, answer.json["resend_of"], answer.json["ref"]) == (202, first["id"], "r")
        assert (await api.post(f"/v1/messages/{answer.json['id']}/resend")).status == 409


@virtual
async def test_resolve_and_release_need_their_status(open_api) -> None:
    async with open_api(modems=0) as api:
        message = (await api.post("/v1/messages", {"to": OUTSIDE, "text": "x"})).json["id"]
        assert (await api.post(f"/v1/messages/{message}/resolve", {"outcome": "sent"})).status == 409
        assert (await api.post(f"/v1/messages/{message}/release")).status == 409
        assert (await api.post(f"/v1/messages/{message}/resolve", {"outcome": "lost"})).status == 422
        assert (await api.post(f"/v1/messages/{message}/resolve")).status == 400
        await api.world.gateway.db.write(lambda cur: cur.execute("UPDATE segments SET state = 'unknown'").rowcount)
        await api.world.gateway.db.write(lambda cur: cur.execute("UPDATE messages SET status = 'unknown'").rowcount)
        settled = await api.post(f"/v1/messages/{message}/resolve", {"outcome": "failed"})
        assert (settled.json["status"], settled.json["error"]["code"]) == ("failed", "resolved_failed")


@virtual
async def test_erase_leaves_nothing_to_find(open_api) -> None:
    async with open_api() as api:
        message = (await api.post("/v1/messages?wait=60", {"to": OUTSIDE, "text": "x"})).json["id"]
        answer = await api.ask("DELETE", f"/v1/messages/{message}")
        assert (answer.status, answer.content) == (204, b"")
        assert (await api.get(f"/v1/messages/{message}")).status == 404
        assert (await api.ask("DELETE", f"/v1/messages/{message}")).status == 404
        waiting = (await api.post("/v1/messages", {"to": OUTSIDE, "text": "x", "send_at": "2026-12-01T00:00:00Z"})).json
        assert (await api.ask("DELETE", f"/v1/messages/{waiting['id']}")).status == 409


@virtual
async def test_what_is_not_there_is_404(open_api) -> None:
    async with open_api(modems=0) as api:
        for method, path in (
            ("GET", "/v1/messages/nope"),
            ("POST", "/v1/messages/nope/cancel"),
            ("POST", "/v1/messages/nope/resend"),
            ("POST", "/v1/messages/nope/release"),
            ("DELETE", "/v1/messages/nope"),
            ("POST", "/v1/inbox/nope/read"),
            ("GET", "/v1/modems/nope"),
            ("POST", "/v1/modems/nope/reset"),
            ("GET", "/v1/messages/%00"),
            ("GET", "/v1/messages/" + "x" * 3000),
        ):
            answer = await api.ask(method, path)
            assert (answer.status, answer.json["type"]) == (404, "urn:modemgw:not_found"), path
        assert (await api.post("/v1/messages/nope/resolve", {"outcome": "sent"})).status == 404
        assert (await api.ask("PUT", "/v1/messages/nope")).headers["Allow"] == "DELETE,GET,HEAD"


@virtual
async def test_preview_counts_and_stores_nothing(open_api) -> None:
    async with open_api(modems=0) as api:
        answer = await api.post("/v1/preview", {"text": "ü" * 160})
        assert (answer.json["encoding"], answer.json["segments"], answer.json["units_left"]) == ("gsm7", 1, 0)
        emoji = (await api.post("/v1/preview", {"to": [OUTSIDE] * 3, "text": "👋" * 36})).json
        assert (emoji["encoding"], emoji["segments"], emoji["ucs2_because"]) == ("ucs2", 2, ["👋"])
        assert (emoji["recipients"], emoji["cost_segments"]) == (3, 6)
        assert (await api.post("/v1/preview", {"to": "x", "text": "hello"})).problems == {("to", "invalid_number")}
        assert await api.stored() == 0


@virtual
async def test_received_messages_are_listed_and_marked_as_read(open_api) -> None:
    async with open_api(modems=1) as api:
        network, device = api.world.lab.network, api.world.device("a")
        network.deliver_from_outside(OUTSIDE, device, "hello from outside")
        network.deliver_from_outside("+4915559000002", device, "another")
        await api.world.until(api.world.inbox)
        await asyncio.sleep(60)
        items = (await api.get("/v1/inbox?unread=true")).json["items"]
        assert {(each["from"], each["text"], each["read"]) for each in items} == {
            (OUTSIDE, "hello from outside", False),
            ("+4915559000002", "another", False),
        }
        answer = await api.post(f"/v1/inbox/{items[0]['id']}/read")
        assert (answer.status, answer.json["read"]) == (200, True)
        assert len((await api.get("/v1/inbox?unread=true")).json["items"]) == 1
        assert len((await api.get("/v1/inbox?limit=1&unread=false")).json["items"]) == 1
        assert (await api.get(f"/v1/messages/{items[0]['id']}?wait=9")).json["direction"] == "inbound"
