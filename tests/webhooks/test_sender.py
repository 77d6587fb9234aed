"""The real sender against hostile receivers on this machine."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from modemgw.webhooks.sender import AiohttpSender, CheckedResolver, SendFailed
from modemgw.webhooks.target import WebhookTarget

from .conftest import SECRET

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def receiver(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def sender() -> AsyncIterator[AiohttpSender]:
    sender = AiohttpSender()
    yield sender
    await sender.close()


async def post(sender: AiohttpSender, url: str, *, allow_private: bool = True) -> int:
    target = WebhookTarget.of(url, SECRET, ("*",), allow_private=allow_private)
    async with asyncio.timeout(5):
        return await sender.post(target, {"webhook-id": "evt_1", "Content-Type": "application/json"}, b'{"a":1}')


async def test_the_body_and_the_headers_arrive_on_one_connection(sender: AiohttpSender) -> None:
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(
            (request.method, request.path, request.headers["webhook-id"], await request.read(), request.transport)
        )
        return web.Response(text="thanks")

    async with receiver(handler) as url:
        assert [await post(sender, f"{url}/hook?x=1") for _ in range(3)] == [200, 200, 200]
    assert {each[:4] for each in seen} == {("POST", "/hook", "evt_1", b'{"a":1}')}
    assert len({id(each[4]) for each in seen}) == 1


async def test_redirects_are_not_followed(sender: AiohttpSender) -> None:
    paths = []

    async def handler(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with receiver(handler) as url:
        assert await post(sender, f"{url}/hook") == 307
    assert paths == ["/hook"]


async def test_an_endless_answer_is_not_read(sender: AiohttpSender) -> None:
    sent = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)
            sent += 65536

    async with receiver(handler) as url:
        start = time.monotonic()
        assert await post(sender, url) == 200
        assert time.monotonic() - start < 2
        seen = sent
        await asyncio.sleep(0.1)
        assert sent - seen < 10_000_000
    assert sent < 20_000_000


async def test_a_status_counts_although_its_body_never_comes(sender: AiohttpSender) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "10"})
        await response.prepare(request)
        await asyncio.sleep(60)
        return response

    async with receiver(handler) as url:
        start = time.monotonic()
        assert await post(sender, url) == 200
        assert time.monotonic() - start < 2


async def test_loopback_needs_allow_private_by_number_and_by_name(sender: AiohttpSender) -> None:
    hits = []

    async def handler(request: web.Request) -> web.Response:
        hits.append(request.path)
        return web.Response()

    async with receiver(handler) as url:
        port = url.rpartition(":")[2]
        for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"):
            with pytest.raises(SendFailed, match="allow_private"):
                await post(sender, f"http://{host}:{port}/", allow_private=False)
        assert hits == []
        assert await post(sender, f"http://localhost:{port}/") == 200


async def test_metadata_is_refused_even_with_allow_private(sender: AiohttpSender) -> None:
    with pytest.raises(SendFailed, match="may never"):
        await post(sender, "http://169.254.169.254/latest/meta-data/")


async def test_a_name_is_resolved_once_and_the_connection_goes_where_was_checked(
    sender: AiohttpSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rebinding name server: the first answer is harmless, the second leads into the LAN."""
    questions = []

    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    async with receiver(handler) as url:
        port = int(url.rpartition(":")[2])

        async def getaddrinfo(host, asked_port, **_):
            questions.append(host)
            address = "127.0.0.1" if len(questions) == 1 else "169.254.169.254"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, asked_port))]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
        assert await post(sender, f"http://rebind.example:{port}/") == 200
        assert questions == ["rebind.example"]
        await sender.close()
        with pytest.raises(SendFailed, match="may never"):
            await post(sender, f"http://rebind.example:{port}/")


async def test_odd_ways_to_write_loopback_are_checked_after_resolving() -> None:
    resolver = CheckedResolver(allow_private=False)
    for host in ("127.1", "0x7f000001", "2130706433", "localhost"):
        with pytest.raises(Exception, match="allow_private"):
            await resolver.resolve(host, 80)


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
async def test_no_connection_is_said_in_words(sender: AiohttpSender, host: str) -> None:
    with pytest.raises(SendFailed, match="webhook's host"):
        await post(sender, f"http://{host}:{unused_port()}/")


async def test_garbage_and_a_hang_up_are_failures(sender: AiohttpSender) -> None:
    for answer in (b"", b"HTTP/1.1 banana\r\n\r\n", b"\x00" * 100, b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000):

        async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes = answer) -> None:
            await reader.read(1000)
            writer.write(answer)
            writer.close()

        server = await asyncio.start_server(rude, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(SendFailed):
            await post(sender, f"http://127.0.0.1:{port}/")
        server.close()
        await server.wait_closed()
