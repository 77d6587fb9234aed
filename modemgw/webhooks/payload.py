"""An outbox row -> what is posted: the body, and the headers of Standard Webhooks."""

import json

from modemgw.store.deliveries import Delivery
from modemgw.store.views import rfc3339
from modemgw.webhooks.signature import sign


def body(delivery: Delivery) -> bytes:
    """``{"type", "timestamp", "data"}``; the same octets at every try."""
    document = {"type": delivery.type, "timestamp": rfc3339(delivery.at_ms), "data": delivery.body}
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")  # a lone surrogate stays an escape


def headers(delivery: Delivery, content: bytes, *, secret: bytes, now_ms: int, clock_trusted: bool) -> dict[str, str]:
    """``webhook-id`` stays the same over all tries; the time and with it the signature are those of this try."""
    timestamp = now_ms // 1000
    found = {
        "Content-Type": "application/json",
        "User-Agent": "modemgw",
        "webhook-id": delivery.event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, id_=delivery.event_id, timestamp=timestamp, body=content),
    }
    # A receiver that refuses old times has to know that ours may be wrong.
    return found if clock_trusted else {**found, "webhook-clock": "unsynced"}
