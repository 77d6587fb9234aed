"""API keys: ``mgw_<8 characters to find it by>_<43 characters of base64url, 256 random bits>``.

Only the SHA-256 of the whole key is stored: for random keys a slow hash adds nothing but load.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from typing import NamedTuple

SCOPES = {
    "send": "send, preview, cancel and resend messages",
    "read": "read all messages, outbound and inbound",
    "inbox": "read inbound messages and mark them as read",
    "modems": "see modems and SIMs, switch, reset and unlock modems",
    "admin": "everything, and alone: settle unknown, release held and erase messages",
}

# Scheme names are not case sensitive (RFC 9110, 11.1); all else is exact.
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] (mgw_([a-z2-7]{8})_[A-Za-z0-9_-]{43})")


class NewKey(NamedTuple):
    """A fresh key: ``text`` is shown once, ``prefix`` and ``digest`` (32 octets) are stored."""

    text: str
    prefix: str
    digest: bytes


class Presented(NamedTuple):
    """A key as a client presents it; well-formed, not yet checked."""

    prefix: str
    digest: bytes

    def matches(self, digest: bytes) -> bool:
        """Compares without telling by the time it takes how much was right."""
        return hmac.compare_digest(self.digest, digest)


def new_key(token_bytes: Callable[[int], bytes]) -> NewKey:
    """Makes a key from ``secrets.token_bytes`` (or, in tests, from a seeded source)."""
    prefix = base64.b32encode(token_bytes(5)).decode().lower()
    secret = base64.urlsafe_b64encode(token_bytes(32)).decode().rstrip("=")
    text = f"mgw_{prefix}_{secret}"
    return NewKey(text, prefix, digest(text))


def digest(text: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(text.encode()).digest()


def from_header(value: str) -> Presented | None:
    """The key in an ``Authorization`` header; None for everything that is not exactly one."""
    match = _BEARER.fullmatch(value)
    return Presented(match[2], digest(match[1])) if match else None
