"""Where events are posted to."""

import hashlib
import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from modemgw.webhooks.signature import decode_secret


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """One receiver. ``events``: types or patterns such as ``message.*``. ``secret``: the decoded octets.

    ``id`` follows from the URL, so that the outbox knows a target again after a restart.
    """

    id: str
    url: str
    secret: bytes = field(repr=False)
    events: tuple[str, ...]
    allow_private: bool = False

    @classmethod
    def of(cls, url: str, secret: str, events: tuple[str, ...], *, allow_private: bool = False) -> "WebhookTarget":
        """From the configuration's words; ValueError says what is wrong with them."""
        check_url(url)
        return cls(target_id(url), url, decode_secret(secret), events, allow_private)

    @property
    def shown(self) -> str:
        """The URL for logs: without query, where people put tokens."""
        return self.url.partition("?")[0]


def target_id(url: str) -> str:
    """The stable id of a target."""
    return "wh_" + hashlib.sha256(url.encode()).hexdigest()[:16]


def check_url(url: str) -> None:
    """ValueError when this is no URL that events can be posted to."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii() or not url.isprintable():
        raise ValueError("a webhook URL starts with http:// or https:// and a host")
    if "@" in parts.netloc:
        raise ValueError("a webhook URL holds no user and no password: deliveries are signed instead")
    if parts.fragment:
        raise ValueError("a webhook URL has no #fragment")
    _ = parts.port  # ValueError out of range
    if _looks_like_an_address(parts.hostname) and not _is_address(parts.hostname):
        raise ValueError("write the IP address of a webhook as four plain numbers, or as an IPv6 address in brackets")


def _looks_like_an_address(host: str) -> bool:
    """Also 127.1, 0x7f.0.0.1 and 2130706433, which the system's resolver takes for addresses."""
    return ":" in host or bool(re.fullmatch(r"(0[xX][0-9a-fA-F]*|[0-9]+)", host.rstrip(".").rpartition(".")[2]))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
