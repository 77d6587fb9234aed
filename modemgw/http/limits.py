"""How long and how big a request may be, and how many connections there may be."""

from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, octets and counts; the defaults suit a small machine on a LAN.

    ``header_s``: from the first octet of a request (or from connecting) to the end of its headers. ``body_s``: for the
    body after that. ``idle_s``: between two requests. ``write_s``: a client that does not take its answer.
    ``linger_s``: how long the rest of a refused body is still read, so that the client can see the answer.
    ``per_address``: an IPv6 client counts by its /64. ``control``: connections over the local control socket.
    """

    header_s: float = 10.0
    body_s: float = 30.0
    idle_s: float = 30.0
    write_s: float = 30.0
    linger_s: float = 2.0
    stop_s: float = 5.0
    body_octets: int = 1024 * 1024
    connections: int = 400
    per_address: int = 100
    control: int = 32


LIMITS: web.AppKey[Limits] = web.AppKey("limits", Limits)
