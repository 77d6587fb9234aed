"""One POST. Knows nothing of the outbox; whatever answers is a hostile peer.

No redirects (they lead into the LAN), no proxy settings from the environment, no cookies, no decompression; of the
answer the status counts, and at most 16 KiB are read so that the connection can be used again.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from modemgw.webhooks import addresses
from modemgw.webhooks.target import WebhookTarget

MOST_READ = 16 * 1024
_READ_S = 1.0


class SendFailed(Exception):
    """There was no answer; the text says why, without a word of what was sent."""


class Sender(Protocol):
    """What the dispatcher needs; simulations have their own."""

    async def post(self, target: WebhookTarget, headers: Mapping[str, str], body: bytes) -> int:
        """The HTTP status of the answer; raises SendFailed. The caller limits the time."""

    async def close(self) -> None:
        """Ends all connections."""


class AiohttpSender:
    """The real one; a session per target, because each has its own rule for addresses."""

    def __init__(self) -> None:
        self._sessions: dict[WebhookTarget, aiohttp.ClientSession] = {}

    async def post(self, target: WebhookTarget, headers: Mapping[str, str], body: bytes) -> int:
        try:
            _check_literal(target)
            async with self._session(target).post(
                target.url, data=body, headers=headers, allow_redirects=False
            ) as response:
                await _drain(response)
                return response.status
        except addresses.AddressRefused as error:
            raise SendFailed(str(error)) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SendFailed(_plain(error)) from error

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    def _session(self, target: WebhookTarget) -> aiohttp.ClientSession:
        session = self._sessions.get(target)
        if session is None:
            connector = aiohttp.TCPConnector(
                resolver=CheckedResolver(allow_private=target.allow_private), use_dns_cache=False, limit=2
            )
            session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                timeout=aiohttp.ClientTimeout(total=None),  # the dispatcher's
            )
            self._sessions[target] = session
        return session


class CheckedResolver(AbstractResolver):
    """Resolves, checks every address, and hands back exactly those: aiohttp connects to nothing else."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        found = [(info[0], info[2], str(info[4][0])) for info in infos]
        addresses.check((address for _, _, address in found), allow_private=self._allow_private)
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=kind, proto=proto, flags=int(socket.AI_NUMERICHOST)
            )
            for kind, proto, address in found
        ]

    async def close(self) -> None:
        """Holds nothing."""


def _check_literal(target: WebhookTarget) -> None:
    """An IP address in the URL never reaches the resolver."""
    host = urlsplit(target.url).hostname or ""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return
    addresses.check([host], allow_private=target.allow_private)


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Reads a short answer to its end; ends the connection under a long or a slow one. The status is known already."""
    left = MOST_READ
    try:
        async with asyncio.timeout(_READ_S):
            while left > 0 and (chunk := await response.content.read(left)):
                left -= len(chunk)
    except (TimeoutError, aiohttp.ClientError, OSError):
        left = 0
    if left <= 0:
        response.close()


def _plain(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "The name of the webhook's host is not known."
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return "The webhook's certificate is not trusted."
        case aiohttp.ClientConnectorError():
            return "No connection to the webhook's host."
        case _:
            return "The webhook's host broke the connection off."
