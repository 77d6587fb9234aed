"""Outbound and inbound messages: send, look up, cancel, resend, settle, erase."""

import asyncio
from collections.abc import Callable

from modemgw.api import answers, requests
from modemgw.api.keys import CLOSING, GATEWAY
from modemgw.domain.errors import Problem
from modemgw.domain.states import FINAL_STATUSES
from modemgw.http.body import Body, fingerprint
from modemgw.http.problem import invalid
from modemgw.http.route import Call, Header, Json, NoQuery, Reply, route
from modemgw.store import views
from modemgw.store.transaction import Unit

_SLICE_S = 1.0  # how soon a waiting request notices that its client is gone, or that the service stops
_IDEMPOTENCY_KEY = Header(
    "Idempotency-Key",
    "A word of your own for this request. Sent again within 7 days with the same body, the same messages come back and "
    "nothing is sent twice; with another body the answer is 422.",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
)
_NO_MESSAGE = {404: "There is no such message."}


@route(
    "POST",
    "/v1/messages",
    scope="send",
    summary="Send a message",
    tag="Messages",
    request=requests.NewMessage,
    query=requests.Wait,
    response=answers.Outbound | answers.Accepted,
    status=202,
    errors={507: "The disk is full."},
    headers=(_IDEMPOTENCY_KEY,),
)
async def send_message(call: Call[requests.NewMessage, requests.Wait]) -> Reply:
    """Accepts a message for one recipient, or for a list of them: all or nothing.

    202 means that it is on disk. From then on it is never lost: it ends in a final status, and every change is
    recorded and announced. For a list the answer is `{"messages": [...]}`, in the order of the list.
    """
    key = _idempotency_key(call)
    order = call.body.order()
    accepted = await call.request.app[GATEWAY].submit(
        order,
        key_id=call.principal.key_id,
        idempotency_key=key,
        fingerprint=fingerprint(call.raw) if key is not None else None,
    )
    if call.query.wait:
        accepted = await _wait_all(call, accepted, lambda body: _has_ended(body, reported=order.report))
    if order.many:
        return Reply({"messages": accepted}, 202)
    return Reply(accepted[0], 202, {"Location": f"/v1/messages/{accepted[0]['id']}"})


@route(
    "GET",
    "/v1/messages",
    scope="read",
    summary="List messages",
    tag="Messages",
    query=requests.MessageFilter,
    response=answers.Messages,
)
async def list_messages(call: Call[Body, requests.MessageFilter]) -> Json:
    """Outbound and inbound messages, newest first."""
    query = call.query
    return await _page(
        call,
        lambda cur: views.messages(
            cur,
            limit=query.limit,
            cursor=query.cursor,
            direction=query.direction,
            status=query.status,
            peer=query.peer,
            sim=query.sim,
            ref=query.ref,
            q=query.q,
            since_ms=query.since,
            until_ms=query.until,
        ),
    )


@route(
    "GET",
    "/v1/messages/{id}",
    scope="read",
    summary="Look at a message",
    tag="Messages",
    query=requests.Wait,
    response=answers.Message,
    errors=_NO_MESSAGE,
)
async def get_message(call: Call[Body, requests.Wait]) -> Json:
    """One message with its segments and its timeline."""
    body = await call.request.app[GATEWAY].message(call.path("id"))
    if call.query.wait:
        (body,) = await _wait_all(call, [body], lambda each: _has_ended(each, reported=True))
    return body


@route(
    "POST",
    "/v1/messages/{id}/cancel",
    scope="send",
    summary="Cancel a message",
    tag="Messages",
    response=answers.Outbound,
    errors={**_NO_MESSAGE, 409: "Too late: a modem may have it."},
)
async def cancel_message(call: Call[Body, NoQuery]) -> Json:
    """Possible as long as no modem has been given any of its segments."""
    return await call.request.app[GATEWAY].cancel(call.path("id"))


@route(
    "POST",
    "/v1/messages/{id}/resend",
    scope="send",
    summary="Send a message again",
    tag="Messages",
    response=answers.Outbound,
    status=202,
    errors={**_NO_MESSAGE, 409: "The message has not ended yet.", 422: "It could not be accepted any more."},
)
async def resend_message(call: Call[Body, NoQuery]) -> Reply:
    """Makes a new message with the same content, which names the old one in `resend_of`."""
    body = await call.request.app[GATEWAY].resend(call.path("id"), key_id=call.principal.key_id)
    return Reply(body, 202, {"Location": f"/v1/messages/{body['id']}"})


@route(
    "POST",
    "/v1/messages/{id}/resolve",
    scope="admin",
    summary="Settle an unknown message",
    tag="Messages",
    request=requests.Resolution,
    response=answers.Outbound,
    errors={**_NO_MESSAGE, 409: "Its status is not `unknown`."},
)
async def resolve_message(call: Call[requests.Resolution, NoQuery]) -> Json:
    """Closes a message of which nobody knows whether it was sent, on an operator's word."""
    return await call.request.app[GATEWAY].resolve(call.path("id"), call.body.outcome)


@route(
    "POST",
    "/v1/messages/{id}/release",
    scope="admin",
    summary="Release a held message",
    tag="Messages",
    response=answers.Outbound,
    errors={**_NO_MESSAGE, 409: "It is not held."},
)
async def release_message(call: Call[Body, NoQuery]) -> Json:
    """Lets a message go that waits for an operator."""
    return await call.request.app[GATEWAY].release(call.path("id"))


@route(
    "DELETE",
    "/v1/messages/{id}",
    scope="admin",
    summary="Erase a message",
    tag="Messages",
    status=204,
    errors={**_NO_MESSAGE, 409: "It has not ended yet."},
)
async def erase_message(call: Call[Body, NoQuery]) -> None:
    """Deletes a message that has ended, with its content."""
    await call.request.app[GATEWAY].erase(call.path("id"))


@route(
    "POST",
    "/v1/preview",
    scope="send",
    summary="Preview a message",
    tag="Messages",
    request=requests.Draft,
    response=answers.Preview,
)
async def preview_message(call: Call[requests.Draft, NoQuery]) -> Json:
    """Encoding, segments, and the characters that make it dear. Sends nothing and stores nothing."""
    return call.request.app[GATEWAY].preview(call.body.order())


@route(
    "GET",
    "/v1/inbox",
    scope="inbox",
    summary="List received messages",
    tag="Inbox",
    query=requests.InboxFilter,
    response=answers.Inbox,
)
async def list_inbox(call: Call[Body, requests.InboxFilter]) -> Json:
    """Received messages, newest first."""
    query = call.query
    return await _page(call, lambda cur: views.inbox(cur, limit=query.limit, cursor=query.cursor, unread=query.unread))


@route(
    "POST",
    "/v1/inbox/{id}/read",
    scope="inbox",
    summary="Mark as read",
    tag="Inbox",
    response=answers.Inbound,
    errors=_NO_MESSAGE,
)
async def read_inbound(call: Call[Body, NoQuery]) -> Json:
    """Marks a received message as read."""
    return await call.request.app[GATEWAY].mark_read(call.path("id"))


async def _page(call: Call[Body, requests.Page], query: Unit[Json]) -> Json:
    try:
        return await call.request.app[GATEWAY].db.read(query)
    except ValueError:
        raise invalid([Problem("cursor", "unknown_cursor", "This cursor was never given out.")]) from None


def _idempotency_key(call: Call[requests.NewMessage, requests.Wait]) -> str | None:
    values = call.request.headers.getall("Idempotency-Key", [])
    if not values:
        return None
    value = values[0]
    if len(values) > 1 or not 1 <= len(value) <= 255 or not (value.isascii() and value.isprintable()):
        text = "The Idempotency-Key is one word of 1 to 255 printable ASCII characters."
        raise invalid([Problem("Idempotency-Key", "idempotency_key", text)])
    return value


def _has_ended(body: Json, *, reported: bool) -> bool:
    """No further change is to be expected; ``reported``: a delivery report was asked for."""
    if body["direction"] == "inbound" or body["status"] in FINAL_STATUSES:
        return True
    return body["status"] == "sent" and (body["no_receipt"] or not reported)


async def _wait_all(
    call: Call[Body, requests.Wait], bodies: list[Json], has_ended: Callable[[Json], bool]
) -> list[Json]:
    """The messages as they are when all have ended, when the time is over, or when nobody wants to know any more."""
    app = call.request.app
    deadline = asyncio.get_running_loop().time() + call.query.wait
    found = []
    for body in bodies:
        latest = body
        while not has_ended(latest):
            left = deadline - asyncio.get_running_loop().time()
            idle = app[CLOSING].is_set() or call.request.transport is None
            seconds = 0.0 if idle else max(0.0, min(left, _SLICE_S))
            latest = await app[GATEWAY].wait_final(body["id"], seconds)
            if idle or left <= _SLICE_S:
                break
        found.append(latest)
    return found


ROUTES = (
    send_message, list_messages, get_message, cancel_message, resend_message, resolve_message, release_message,
    erase_message, preview_message, list_inbox, read_inbound,
)  # fmt: skip
