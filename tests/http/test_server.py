"""The server's limits, on raw sockets, with times short enough to wait for."""

import asyncio
import time
from io import BytesIO
from pathlib import Path

import aiohttp
import pytest

from modemgw.http.limits import Limits
from modemgw.http.server import CannotListen, parse_listen, serve

QUICK = Limits(header_s=0.3, body_s=0.3, idle_s=0.4, write_s=0.3, linger_s=0.2)
GET = b"GET /open HTTP/1.1\r\nHost: localhost\r\n"


async def lifetime(wire) -> tuple[bytes, float]:
    start = time.monotonic()
    return await wire.answer(), time.monotonic() - start


@pytest.mark.parametrize("begun", [b"", b"G", GET, GET + b"X: 1\r\n"])
async def test_a_header_that_never_ends_is_cut(make_site, run_site, open_wire, begun: bytes) -> None:
    async with run_site(make_site(QUICK)) as server, open_wire(server.urls[0]) as wire:
        await wire.send(begun)
        answer, seconds = await lifetime(wire)
    assert answer == b""
    assert 0.2 < seconds < 1


async def test_a_dripping_header_gets_no_longer(make_site, run_site, open_wire) -> None:
    async with run_site(make_site(QUICK)) as server, open_wire(server.urls[0]) as wire:
        start = time.monotonic()
        with pytest.raises(ConnectionError):  # noqa: PT012
            for octet in GET * 100:
                await wire.send(bytes([octet]))
                await asyncio.sleep(0.02)
        assert time.monotonic() - start < 1


async def test_a_second_header_on_the_same_connection_is_cut_as_well(make_site, run_site, open_wire) -> None:
    async with run_site(make_site(QUICK)) as server, open_wire(server.urls[0]) as wire:
        await wire.send(GET + b"\r\n" + GET)
        answer, seconds = await lifetime(wire)
    assert answer.count(b"HTTP/1.1 200") == 1
    assert seconds < 1


async def test_idle_connections_end(make_site, run_site, open_wire) -> None:
    async with run_site(make_site(QUICK)) as server, open_wire(server.urls[0]) as wire:
        await wire.send(GET + b"\r\n")
        answer, seconds = await lifetime(wire)
    assert answer.startswith(b"HTTP/1.1 200")
    assert 0.3 < seconds < 1.2


async def test_a_body_that_never_comes_is_408(make_site, run_site, open_wire) -> None:
    site = make_site(QUICK)
    key = await site.key("send")
    head = (
        f"POST /v1/echo HTTP/1.1\r\nHost: x.local\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    )
    for rest in (
        "Content-Length: 20\r\n\r\n",
        "Content-Length: 20\r\n\r\n{",
        "Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    ):
        async with run_site(make_site(QUICK)) as server, open_wire(server.urls[0]) as wire:
            await wire.send((head + rest).encode())
            answer, seconds = await lifetime(wire)
        assert answer.startswith(b"HTTP/1.1 408"), rest
        assert b"application/problem+json" in answer
        assert seconds < 1.2
    assert site.handled == []


async def test_a_client_that_does_not_take_its_answer_is_cut(make_site, run_site, open_wire) -> None:
    site = make_site(QUICK)
    key = await site.key("read")
    async with run_site(site) as server, open_wire(server.urls[0]) as wire:
        await wire.send(f"GET /v1/big HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
        wire.reader._transport.pause_reading()
        await asyncio.sleep(0.8)
        wire.reader._transport.resume_reading()
        assert len(await wire.answer()) < 20_000_000


async def test_too_many_connections_are_told_so_and_the_others_go_on(make_site, run_site, open_wire) -> None:
    site = make_site(Limits(per_address=3, connections=5, header_s=5))
    async with run_site(site) as server:
        url = server.urls[0]
        async with open_wire(url), open_wire(url), open_wire(url), open_wire(url, "127.0.0.2") as other:
            await asyncio.sleep(0.05)
            async with open_wire(url) as fourth:
                assert (await fourth.answer()).startswith(b"HTTP/1.1 503")
            async with open_wire(url, "127.0.0.3") as fifth, open_wire(url, "127.0.0.4") as sixth:
                assert (await sixth.answer()).startswith(b"HTTP/1.1 503")
                await fifth.send(GET + b"Connection: close\r\n\r\n")
                assert (await fifth.answer()).startswith(b"HTTP/1.1 200")
            await other.send(GET + b"Connection: close\r\n\r\n")
            assert (await other.answer()).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.05)
        async with open_wire(url) as again:
            await again.send(GET + b"Connection: close\r\n\r\n")
            assert (await again.answer()).startswith(b"HTTP/1.1 200")


async def test_a_thousand_slow_sockets_don_t_slow_the_others_down(make_site, run_site, open_wire) -> None:
    site = make_site(Limits(header_s=2))
    async with run_site(site) as server, aiohttp.ClientSession(server.urls[0]) as http:
        url = server.urls[0]
        host, port = "127.0.0.1", int(url.rpartition(":")[2])
        slow = []
        for number in range(1000):
            _, writer = await asyncio.open_connection(host, port, local_addr=(f"127.0.1.{number % 3 + 1}", 0))
            writer.write(b"GET /open HT")
            slow.append(writer)
        times = []
        for _ in range(200):
            start = time.perf_counter()
            async with http.get("/open") as answer:
                assert answer.status == 200
            times.append(time.perf_counter() - start)
        assert sorted(times)[197] < 0.1
        for writer in slow:
            writer.close()


@pytest.mark.parametrize("chunked", [False, True])
async def test_ten_megabytes_are_413_quickly_and_not_read(make_site, run_site, open_wire, chunked: bool) -> None:
    site = make_site(QUICK)
    key = await site.key("send")
    length = b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"Content-Length: 10000000\r\n\r\n"
    async with run_site(site) as server, open_wire(server.urls[0]) as wire:
        await wire.send(
            f"POST /v1/echo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: application/json\r\n".encode()
            + length
        )
        if chunked:
            await wire.send(b"200000\r\n" + b"x" * 0x200000)
        start = time.monotonic()
        head = await asyncio.wait_for(wire.reader.readuntil(b"\r\n\r\n"), 2)
        assert head.startswith(b"HTTP/1.1 413")
        assert b"Connection: close" in head
        assert time.monotonic() - start < 0.1
    assert site.handled == []


async def test_a_body_where_none_belongs_is_refused(make_site, run_site) -> None:
    site = make_site()
    headers = await site.auth("admin")
    async with run_site(site) as server, aiohttp.ClientSession(server.urls[0]) as http:
        async with http.post("/v1/items/7/do", headers=headers, json={"x": 1}) as answer:
            assert answer.status == 422
        async with http.post("/v1/items/7/do", headers=headers, data=BytesIO(b"x" * 5_000_000)) as answer:
            assert answer.status == 413
    assert site.handled == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json"}, 200),
        ({"Content-Type": 'Application/JSON; charset="UTF-8"'}, 200),
        ({"Content-Type": "application/json; charset=latin-1"}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
        ({"Content-Type": "application/jsonp"}, 415),
        ({}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
        ({"Content-Type": "application/json", "Origin": "http://evil.example"}, 403),
        ({"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "application/json", "Host": "evil.example"}, 421),
        ({"Content-Type": "application/json", "Expect": "100-continue"}, 200),
        ({"Content-Type": "application/json", "Expect": "cake"}, 417),
    ],
)
async def test_only_json_from_our_own_origin_is_read(make_site, run_site, headers: dict[str, str], status: int) -> None:
    site = make_site()
    auth = await site.auth("send")
    async with (
        run_site(site) as server,
        aiohttp.ClientSession(server.urls[0], skip_auto_headers=["Content-Type"]) as http,
        http.post("/v1/echo", data=b'{"text": "hello"}', headers={**auth, **headers}) as answer,
    ):
        assert answer.status == status
        assert answer.content_type == ("application/json" if status == 200 else "application/problem+json")
    assert site.handled == (["hello"] if status == 200 else [])


async def test_every_answer_carries_the_security_headers(make_site, run_site, open_wire) -> None:
    site = make_site()
    requests = (
        GET,
        b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n",
        b"GET /open HTTP/1.1\r\nHost: evil.example\r\n",
        b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nExpect: cake\r\n",
        b"NOT HTTP\r\n",
    )
    async with run_site(site) as server:
        for request in requests:
            async with open_wire(server.urls[0]) as wire:
                await wire.send(request + b"Connection: close\r\n\r\n")
                head = (await wire.answer()).partition(b"\r\n\r\n")[0]
            assert b"X-Content-Type-Options: nosniff" in head, request
            assert b"frame-ancestors 'none'" in head
            assert b"aiohttp" not in head
            assert b"Access-Control" not in head


@pytest.mark.parametrize(
    ("how", "status", "kind"),
    [
        ("rejected", 422, "invalid"),
        ("notfound", 404, "not_found"),
        ("conflict", 409, "too_late"),
        ("reused", 422, "idempotency_key_reused"),
        ("store", 503, "store_unavailable"),
        ("full", 507, "disk_full"),
        ("broken", 503, "store_unavailable"),
        ("bug", 500, "internal"),
    ],
)
async def test_what_the_gateway_says_becomes_a_problem(make_site, run_site, how: str, status: int, kind: str) -> None:
    site = make_site()
    headers = await site.auth("read")
    async with (
        run_site(site) as server,
        aiohttp.ClientSession(server.urls[0]) as http,
        http.get(f"/v1/fails/{how}", headers=headers) as answer,
    ):
        assert (answer.status, answer.content_type) == (status, "application/problem+json")
        assert (await answer.json())["type"] == f"urn:modemgw:{kind}"
        assert ("Retry-After" in answer.headers) == (status == 503)


async def test_a_bug_is_a_500_that_tells_nothing_and_a_log_without_texts(make_site, run_site, caplog) -> None:
    site = make_site()
    headers = await site.auth("read")
    async with (
        run_site(site) as server,
        aiohttp.ClientSession(server.urls[0]) as http,
        http.get("/v1/fails/bug", headers=headers) as answer,
    ):
        assert answer.status == 500
        assert "4711" not in await answer.text()
    assert "RuntimeError in GET /v1/fails/{how}" in caplog.text
    assert "4711" not in caplog.text


async def test_malformed_http_is_not_repeated_into_the_log(make_site, run_site, open_wire, caplog) -> None:
    async with run_site(make_site()) as server, open_wire(server.urls[0]) as wire:
        await wire.send(b"GET / HTTP/1.1\r\nAuthorization: Bearer mgw_\x00secret4711\r\n\r\n")
        assert (await wire.answer()).split(b" ")[1] == b"400"
    assert "4711" not in caplog.text


async def test_a_taken_port_is_one_clear_line(make_site, run_site) -> None:
    async with run_site(make_site()) as server:
        port = server.urls[0].rpartition(":")[2]
        with pytest.raises(CannotListen, match=f"another program uses port {port}"):
            await serve(make_site().app, ["127.0.0.1:0", f"127.0.0.1:{port}"])


@pytest.mark.parametrize("address", ["203.0.113.1:0", "no-such-name.invalid:0"])
async def test_an_address_that_is_not_here_is_said_so(make_site, address: str) -> None:
    with pytest.raises(CannotListen, match=address.replace(".", r"\.")):
        await serve(make_site().app, [address])


async def test_a_control_socket_that_can_t_be_made_is_said_so(make_site, tmp_path: Path) -> None:
    with pytest.raises(CannotListen, match="control socket"):
        await serve(make_site().app, [], control=tmp_path / "missing" / "control.sock")


def test_addresses_to_listen_on() -> None:
    assert parse_listen("127.0.0.1:8025") == ("127.0.0.1", 8025)
    assert parse_listen("[::1]:80") == ("::1", 80)
    assert parse_listen("gateway.local:8025") == ("gateway.local", 8025)
    for wrong in ("8025", ":8025", "127.0.0.1", "::1:8025", "a:b", "a:99999", "a:-1", "", "[a]:1x"):
        with pytest.raises(CannotListen):
            parse_listen(wrong)
