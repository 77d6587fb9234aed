"""Keys and scopes on a real server: nothing answers without a key but what is open."""

import asyncio
import random
import sqlite3
import threading
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request

from modemgw.http import route
from modemgw.http.auth import Authenticator, new_key
from modemgw.http.problem import Refusal
from modemgw.seams import SystemClock
from modemgw.store import keys
from modemgw.store.database import Database

KEYED = [("POST", "/v1/echo"), ("POST", "/v1/items/7/do"), ("GET", "/v1/fails/bug"), ("GET", "/v1/big")]


async def raw_status(open_wire, url: str, method: str, target: str, headers: str = "") -> int:
    async with open_wire(url) as wire:
        await wire.send(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n".encode())
        return int((await wire.answer())[9:12])


async def test_every_route_and_method_wants_a_key(make_site, run_site, open_wire) -> None:
    site = make_site()
    async with run_site(site) as server:
        for _, path in KEYED:
            for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"):
                assert await raw_status(open_wire, server.urls[0], method, path) == 401, (method, path)
    assert site.handled == []


@pytest.mark.parametrize(
    "target",
    [
        "//v1/echo",
        "/v1//echo",
        "/v1/echo/",
        "/v1/./echo",
        "/open/../v1/echo",
        "/v1/%65cho",
        "/v1%2fecho",
        "/v1/echo;x=1",
        "/v1/echo%00",
        "/%2e%2e/v1/echo",
        "/open/%2e%2e/v1/echo",
        "/V1/ECHO",
        "/v1/echo%20",
        "/open;/v1/echo",
        "/v1/echo?open",
        "http://localhost/v1/echo",
        "/open%2f..%2fv1%2fecho",
        "/v1/items/%2e%2e/do",
        "/v1/items/a%2f..%2f..%2fopen/do",
        "\\v1\\echo",
        "/open/..;/v1/echo",
    ],
)
async def test_no_way_of_writing_a_path_gets_past_the_key(make_site, run_site, open_wire, target: str) -> None:
    site = make_site()
    async with run_site(site) as server:
        headers = "Content-Type: application/json\r\nContent-Length: 13\r\n"
        status = await raw_status(open_wire, server.urls[0], "POST", target, headers)
    assert status in (400, 401)
    assert site.handled == []


async def test_a_good_key_passes_and_a_missing_scope_is_403(make_site, run_site) -> None:
    site = make_site()
    async with run_site(site) as server, aiohttp.ClientSession(server.urls[0]) as http:
        headers = await site.auth("send", "read")
        async with http.post("/v1/echo", json={"text": "hello"}, headers=headers) as answer:
            assert (answer.status, await answer.json()) == (200, {"length": 5})
        async with http.post("/v1/items/7/do", headers=headers) as answer:
            assert answer.status == 403
            assert answer.headers["WWW-Authenticate"].endswith('error="insufficient_scope", scope="modems"')
        async with http.get("/v1/nothing", headers=headers) as answer:
            assert (answer.status, answer.content_type) == (404, "application/problem+json")
        async with http.put("/v1/echo", headers=headers) as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST")
        admin = await site.auth("admin", name="boss")
        async with http.post("/v1/items/7/do", headers=admin) as answer:
            assert answer.status == 204
    assert site.handled == ["hello", "7"]


async def test_401_says_how_to_authenticate(make_site, run_site) -> None:
    site = make_site()
    async with run_site(site) as server, aiohttp.ClientSession(server.urls[0]) as http:
        async with http.get("/v1/big") as answer:
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="modemgw"'
            assert (await answer.json())["type"] == "urn:modemgw:unauthorized"
        wrong = {"Authorization": "Bearer " + new_key(random.Random(9).randbytes).text}
        async with http.get("/v1/big", headers=wrong) as answer:
            assert answer.status == 401
            assert "invalid_token" in answer.headers["WWW-Authenticate"]
        doubled = await site.auth("admin")
        async with http.get("/v1/fails/full", headers=[*doubled.items(), *doubled.items()]) as answer:
            assert answer.status == 401


async def test_a_key_with_the_right_prefix_and_another_secret_is_wrong(make_site, run_site) -> None:
    site = make_site()
    async with run_site(site) as server, aiohttp.ClientSession(server.urls[0]) as http:
        text = await site.key("admin")
        forged = text[:-1] + ("A" if text[-1] != "A" else "B")
        async with http.get("/v1/fails/full", headers={"Authorization": f"Bearer {forged}"}) as answer:
            assert answer.status == 401


async def test_keys_made_and_revoked_by_another_process_count_at_once(make_site, run_site, tmp_path: Path) -> None:
    site = make_site()
    other = await Database.open(tmp_path / "test.db")
    key = new_key(random.Random(5).randbytes)
    headers = {"Authorization": f"Bearer {key.text}"}
    async with run_site(site) as server, aiohttp.ClientSession(server.urls[0]) as http:

        async def status() -> int:
            async with http.get("/v1/fails/conflict", headers=headers) as answer:
                return answer.status

        assert await status() == 401
        await other.write(
            lambda cur: keys.create(
                cur, id="k", name="k", prefix=key.prefix, digest=key.digest, scopes=("read",), now_ms=1
            )
        )
        assert await status() == 409
        await other.write(lambda cur: keys.revoke(cur, "k", 2))
        assert await status() == 401
    await other.close()


async def test_a_key_is_known_while_somebody_searches(make_site, run_site) -> None:
    site = make_site()
    headers = await site.auth("read")
    searching, found = threading.Event(), threading.Event()

    def search(_: sqlite3.Cursor) -> bool:
        searching.set()
        return found.wait(10)

    async with run_site(site) as server, aiohttp.ClientSession(server.urls[0]) as http:
        running = asyncio.ensure_future(site.db.read(search))
        assert await asyncio.to_thread(searching.wait, 10)
        async with asyncio.timeout(5), http.get("/v1/fails/conflict", headers=headers) as answer:
            assert answer.status == 409
        assert not running.done()
        found.set()
        assert await running


async def test_last_use_is_noted_once_a_minute(make_site, run_site) -> None:
    site = make_site()
    headers = await site.auth("read")

    async def settled() -> None:
        """The note is written beside the request; whatever is written after it comes after it."""
        await asyncio.sleep(0)
        await site.db.write(lambda cur: cur.execute("SELECT 1").fetchall())

    async def last_used() -> int | None:
        return (await site.db.read(keys.all_keys))[0].last_used_ms

    async with run_site(site) as server, aiohttp.ClientSession(server.urls[0]) as http:

        async def use() -> int | None:
            async with http.get("/v1/fails/conflict", headers=headers) as answer:
                assert answer.status == 409
            await settled()
            return await last_used()

        first = await use()
        assert await use() == first
        site.clock.ahead = 61
        assert await use() != first


async def fail(http: aiohttp.ClientSession, times: int) -> int:
    status = 0
    for _ in range(times):
        async with http.get("/v1/big", headers={"Authorization": "Bearer wrong"}) as answer:
            status = answer.status
    return status


async def test_after_ten_wrong_keys_an_address_waits_but_the_console_passes_with_a_good_one(
    make_site, run_site
) -> None:
    site = make_site()
    headers = await site.auth("read")
    async with run_site(site) as server, aiohttp.ClientSession(server.urls[0]) as http:
        assert await fail(http, 10) == 401
        async with http.get("/v1/big", headers={"Authorization": "Bearer wrong"}) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
        async with http.get("/v1/fails/conflict", headers=headers) as answer:
            assert answer.status == 409
        assert await fail(http, 1) == 401


class Peer:
    """A connection from another machine."""

    def __init__(self, address: str) -> None:
        self._address = address

    def get_extra_info(self, name: str, default: object = None) -> object:
        return (self._address, 4711) if name == "peername" else default


async def test_on_the_lan_even_a_good_key_waits_and_other_addresses_don_t(db: Database) -> None:
    clock = SystemClock()
    now = 1000.0
    clock.monotonic = lambda: now  # type: ignore[method-assign]
    key = new_key(random.Random(1).randbytes)
    await db.write(
        lambda cur: keys.create(cur, id="k", name="k", prefix=key.prefix, digest=key.digest, scopes=("read",), now_ms=1)
    )
    authenticator = Authenticator(db, clock)

    async def status(address: str, text: str) -> int:
        headers = {"Authorization": f"Bearer {text}"}
        request = make_mocked_request("GET", "/", headers=headers, transport=Peer(address))
        try:
            await authenticator.principal(request)
        except Refusal as refusal:
            return refusal.status
        return 200

    assert [await status("192.0.2.1", "wrong") for _ in range(11)] == [401] * 10 + [429]
    assert await status("192.0.2.1", key.text) == 429
    assert await status("192.0.2.2", key.text) == 200
    now += 1
    assert await status("192.0.2.1", key.text) == 200
    assert await status("192.0.2.1", "wrong") == 401
    await authenticator.close()


async def test_a_missing_key_is_no_guess(make_site, run_site) -> None:
    site = make_site()
    async with run_site(site) as server, aiohttp.ClientSession(server.urls[0]) as http:
        for _ in range(15):
            async with http.get("/v1/big") as answer:
                assert answer.status == 401


async def test_the_control_socket_is_admin_without_a_key(make_site, run_site, tmp_path: Path) -> None:
    site = make_site()
    path = tmp_path / "control.sock"
    path.write_text("left by an earlier run")
    async with run_site(site, control=path) as server:
        assert path.stat().st_mode & 0o777 == 0o660
        connector = aiohttp.UnixConnector(str(path))
        async with (
            aiohttp.ClientSession("http://x", connector=connector) as http,
            http.post("/v1/items/7/do") as answer,
        ):
            assert answer.status == 204
        async with aiohttp.ClientSession(server.urls[0]) as http, http.post("/v1/items/8/do") as answer:
            assert answer.status == 401
    assert not path.exists()
    assert site.handled == ["7"]


def test_a_route_can_t_forget_its_scope() -> None:
    with pytest.raises(TypeError, match="scope"):
        route.route("GET", "/x", summary="x", tag="x")  # type: ignore[call-arg]
