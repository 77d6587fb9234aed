"""Clients that hang up anywhere, and clients that send anything."""

import asyncio
import json
import random
from urllib.parse import urlencode

from support.virtually import virtual

OUTSIDE = "+4915559000001"


@virtual
async def test_a_client_that_hangs_up_anywhere_and_asks_again_gets_one_message(open_api) -> None:
    async with open_api(modems=0) as api:
        body = json.dumps({"to": OUTSIDE, "text": "hello"}).encode()
        host, _, port = api.server.urls[0].removeprefix("http://").rpartition(":")

        def request(number: int) -> bytes:
            head = (
                f"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {api.key}\r\n"
                f"Idempotency-Key: cut-{number}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n"
            )
            return head.encode() + body

        cuts = range(1, len(request(100)))
        for number in cuts:
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(request(number)[:number])
            await writer.drain()
            writer.transport.abort()
        await asyncio.sleep(60)
        assert await api.stored() == 0
        for number in cuts[::10]:
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(request(number))
            writer.write_eof()
            writer.transport.abort()  # it is all there, but nobody waits for the answer
            answer = await api.post(
                "/v1/messages", {"to": OUTSIDE, "text": "hello"}, headers={"Idempotency-Key": f"cut-{number}"}
            )
            assert answer.status == 202
        assert await api.stored() == len(cuts[::10])


NASTY = (
    None,
    True,
    0,
    -1,
    10**30,
    1.5,
    "",
    " ",
    "\x00",
    "\r\nAT+CMGD=1,4\r",
    "\x1a",
    "\x1b",
    '";AT',
    "'",
    "%s%n",
    "../../etc/passwd",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "$(reboot)",
    "\u202e",
    "\ufeff",
    "𝟜𝟡",
    "٤٩",
    "+49",
    "*100#",
    "+491555900000１",
    "x" * 5000,
    "👋" * 500,
    [],
    {},
    [[]],
    [None],
    {"$ref": "#"},
    "2026-11-22T12:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    OUTSIDE,
    [OUTSIDE, OUTSIDE],
    "otp",
    "never",
    "gsm7",
    "aGVsbG8=",
    16000,
    60,
    "a",
)
FIELDS = (
    "to",
    "text",
    "data",
    "port",
    "class",
    "priority",
    "send_at",
    "ttl",
    "report",
    "flash",
    "encoding",
    "sim",
    "ref",
    "on_uncertain",
    "x",
)


@virtual
async def test_whatever_is_sent_is_answered_as_documented_and_stored_only_when_accepted(open_api) -> None:
    async with open_api(modems=1) as api:
        rng = random.Random(7)
        seen: dict[int, int] = {}
        accepted = 0
        for _ in range(1500):
            body = {"to": OUTSIDE, "text": "hello"} if rng.random() < 0.7 else {}
            body |= {rng.choice(FIELDS): rng.choice(NASTY) for _ in range(rng.randint(0, 3))}
            path = rng.choice(("/v1/messages", "/v1/messages", "/v1/preview"))
            answer = await api.post(path, body)
            seen[answer.status] = seen.get(answer.status, 0) + 1
            if answer.status == 202:
                accepted += len(answer.json.get("messages", [1]))
        assert set(seen) == {200, 202, 422}
        assert await api.stored() == accepted > 100
        await asyncio.sleep(3600)
        sent = {entry.number for entry in api.world.lab.network.ledger}
        assert sent == {OUTSIDE}


@virtual
async def test_whatever_is_asked_for_is_answered_as_documented(open_api) -> None:
    async with open_api(modems=1) as api:
        rng = random.Random(11)
        names = (
            "limit",
            "cursor",
            "direction",
            "status",
            "peer",
            "sim",
            "ref",
            "q",
            "since",
            "until",
            "unread",
            "wait",
            "x",
        )
        paths = (
            "/v1/messages",
            "/v1/inbox",
            "/v1/messages/x",
            "/v1/modems",
            "/v1/modems/a",
            "/v1/sims",
            "/readyz",
            "/docs/x",
        )
        texts = [each for each in NASTY if isinstance(each, str) and len(each) < 1000]
        for _ in range(600):
            query = {rng.choice(names): rng.choice(texts) for _ in range(rng.randint(0, 2))}
            answer = await api.ask("GET", _url(rng.choice(paths), query))
            assert answer.status in (200, 404, 422), (answer.status, query)


def _url(path: str, query: dict[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
