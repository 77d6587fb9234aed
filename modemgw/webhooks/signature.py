"""Standard Webhooks, version 1: ``v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body``.

Source: the Standard Webhooks specification, "Signature scheme". The secret is ``whsec_`` and base64.
"""

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"


def decode_secret(text: str) -> bytes:
    """The octets of a ``whsec_...`` secret; ValueError (which does not repeat it) when it is none."""
    if not text.startswith(PREFIX):
        raise ValueError(f"a webhook secret is written as {PREFIX} and base64")
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"what follows {PREFIX} is not base64") from None
    if not secret:
        raise ValueError("the webhook secret is empty")
    return secret


def sign(secret: bytes, *, id_: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``; ``timestamp`` in seconds since 1970."""
    signed = f"{id_}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
