"""Accepting messages (C1): numbers, segments, policy, Idempotency-Key; all or nothing, in one transaction.

Everything that is wrong with a request is said at once. Nothing is stored for a request that is refused.
"""

from modemgw.domain.errors import Problem, Rejected
from modemgw.domain.message import CLASSES, Order
from modemgw.domain.msisdn import InvalidRecipient, country_of, located
from modemgw.domain.route import route_for
from modemgw.gateway import batch
from modemgw.gateway.batch import Once, Request
from modemgw.gateway.context import Context
from modemgw.pdu import segment
from modemgw.pdu.errors import PduError
from modemgw.pdu.udh import Ports
from modemgw.seams import crash_point
from modemgw.store import views
from modemgw.store.acceptance import Draft, Recipient

AnyPlan = segment.Plan[str] | segment.Plan[bytes]
LONGEST_TTL_S = 63 * 7 * 86_400  # the longest validity period that the network knows
FURTHEST_MS = 366 * 86_400_000
MAX_RECIPIENTS = 1000


async def accept(
    context: Context,
    order: Order,
    *,
    key_id: str,
    idempotency_key: str | None = None,
    fingerprint: bytes | None = None,
    resend_of: str | None = None,
    anywhere: bool = False,
) -> list[views.Json]:
    """The accepted messages in the shape of the API, after the commit. Raises Rejected, KeyReused, Conflict.

    ``anywhere``: the numbers are the owner's own, in their final form, and may be any.
    """
    plan, peers = _check(context, order, anywhere=anywhere)
    context.db.require_room()
    draft = _draft(context, order, plan, key_id, resend_of)
    routes = context.settings.routes
    refs = context.rng.randbytes(len(peers))  # of long messages: the parts of two to one number must not mix
    recipients = [
        Recipient(context.ids.new(), peer, ref, route_for(peer, routes).prefix if routes else "", country)
        for (peer, country), ref in zip(peers, refs, strict=True)
    ]
    once = Once(key_id, idempotency_key, fingerprint or b"") if idempotency_key is not None else None
    request = Request(context, order, draft, recipients, once)
    crash_point("before_c1")
    bodies = await (request.at_once() if len(recipients) <= batch.CHUNK else request.in_chunks())
    crash_point("after_c1")
    return bodies


def preview(context: Context, order: Order) -> views.Json:
    """What sending this would take; nothing is stored. Recipients are checked where there are any."""
    plan, recipients = _check(context, order, need_recipient=False)
    count = len(plan.segments)
    return {
        "encoding": str(plan.encoding),
        "segments": count,
        "units_used": plan.units_used,
        "units_left": plan.units_left,
        "ucs2_because": list(plan.ucs2_because),
        "recipients": len(recipients),
        "cost_segments": count * max(1, len(recipients)),
    }


def _check(
    context: Context, order: Order, *, need_recipient: bool = True, anywhere: bool = False
) -> tuple[AnyPlan, list[tuple[str, str]]]:
    problems: list[Problem] = []
    plan = _plan(order, problems)
    if anywhere:
        recipients = [(each, country_of(each) or "") for each in order.to]
    else:
        recipients = _recipients(context, order, problems)
    if need_recipient and not order.to:
        problems.append(Problem("to", "missing", "There is no recipient."))
    if order.class_ not in CLASSES:
        problems.append(Problem("class", "unknown_class", f"The class is one of {', '.join(CLASSES)}."))
    if order.ttl_s is not None and not 1 <= order.ttl_s <= LONGEST_TTL_S:
        problems.append(Problem("ttl", "out_of_range", f"ttl is a number of seconds from 1 to {LONGEST_TTL_S}."))
    if order.send_at_ms is not None and order.send_at_ms > context.clock.wall_ms() + FURTHEST_MS:
        problems.append(Problem("send_at", "out_of_range", "send_at lies more than a year ahead."))
    if problems or plan is None:
        raise Rejected(*problems)
    return plan, recipients


def _plan(order: Order, problems: list[Problem]) -> AnyPlan | None:
    if (order.text is None) == (order.data is None):
        problems.append(Problem("text", "text_or_data", "Exactly one of text and data is needed."))
        return None
    if order.port is not None and not 0 <= order.port <= 65535:
        problems.append(Problem("port", "out_of_range", "A port is a number from 0 to 65535."))
        return None
    ports = Ports(order.port, 0) if order.port is not None else None
    try:
        if order.text is not None:
            return segment.plan(order.text, encoding=order.encoding, ports=ports)
        return segment.plan_data(order.data or b"", ports=ports)
    except PduError as error:
        path = "text" if order.text is not None else "data"
        problems.append(Problem(path, "cannot_be_sent", f"{error.reason[:1].upper()}{error.reason[1:]}."))
        return None


def _recipients(context: Context, order: Order, problems: list[Problem]) -> list[tuple[str, str]]:
    """(number, country) of each."""
    if len(order.to) > MAX_RECIPIENTS:
        problems.append(Problem("to", "too_many", f"One request takes at most {MAX_RECIPIENTS} recipients."))
        return []
    found = []
    for index, raw in enumerate(order.to):
        try:
            found.append(located(raw, context.settings.destinations))
        except InvalidRecipient as error:
            problems.append(error.problem(f"to.{index}" if order.many else "to"))
    return found


def _draft(context: Context, order: Order, plan: AnyPlan, key_id: str, resend_of: str | None) -> Draft:
    traffic = CLASSES[order.class_]
    ttl_s = order.ttl_s if order.ttl_s is not None else traffic.ttl_s
    starts_ms = max(context.clock.wall_ms(), order.send_at_ms or 0)
    return Draft(
        text=order.text,
        data=order.data,
        encoding=str(plan.encoding),
        segments=plan.segments,
        class_=traffic.name,
        lane=traffic.lane,
        priority=order.priority,
        on_uncertain=order.on_uncertain or traffic.on_uncertain,
        report=order.report,
        flash=order.flash,
        port=order.port,
        ref=order.ref,
        key_id=key_id,
        resend_of=resend_of,
        send_at_ms=order.send_at_ms,
        expires_ms=starts_ms + ttl_s * 1000,
    )
