"""Which names this service answers to: the defence against DNS rebinding and against pages of other origins.

A hostile page can make a browser on the LAN send requests here under the page's own name (DNS rebinding), so only
names that nobody outside can point at us are answered: IP literals, localhost, the machine's own name, names under
``.local``, and configured ones. Requests that change something must not come from a page of another origin (the
headers Origin and Sec-Fetch-Site). There is no CORS: nothing is ever allowed to another origin.
"""

import ipaddress
import re
from collections.abc import Iterable

from aiohttp import web

from modemgw.http.problem import Refusal

# RFC 9110, 7.2: host [":" port]; an IPv6 literal stands in brackets.
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{1,5})?")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def allowed_names(configured: Iterable[str], hostname: str) -> frozenset[str]:
    """The names that are answered beside IP literals and ``*.local``."""
    return frozenset(name.lower().rstrip(".") for name in ("localhost", hostname, *configured) if name)


def check_host(request: web.Request, names: frozenset[str]) -> None:
    """Raises Refusal: 400 for a Host header that is none, 421 for a name that is not ours."""
    hosts = request.headers.getall("Host", [])
    match = _AUTHORITY.fullmatch(hosts[0]) if len(hosts) == 1 else None
    if match is None:
        raise Refusal(400, "bad_host", "The request needs one Host header with a name or an address.")
    if not _answered(match["host"].lower().rstrip("."), names):
        raise Refusal(
            421,
            "unknown_host",
            "This service does not answer to that name. Use its IP address, or add the name to http.allowed_hosts.",
        )


def check_origin(request: web.Request) -> None:
    """Raises Refusal 403 when a page of another origin asks for a change."""
    if request.method in _SAFE:
        return
    origins = request.headers.getall("Origin", [])
    same = all(re.sub(r"^https?://", "", each) == request.headers.get("Host") for each in origins)
    if not same or request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise Refusal(403, "cross_origin", "Pages of other origins may not use this service.")


def _answered(host: str, names: frozenset[str]) -> bool:
    if host in names or host.endswith(".local"):
        return True
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
