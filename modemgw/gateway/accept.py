"""Accepting messages (C1): numbers, segments, policy, Idempotency-Key; all or nothing, in one transaction.

Everything that is wrong with a request is said at once. Nothing is stored for a request that is refused.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

from modemgw.domain.errors import KeyReused, Problem, Rejected
from modemgw.domain.message import CLASSES, Order
from modemgw.domain.msisdn import InvalidRecipient, normalise
from modemgw.gateway.context import Context
from modemgw.pdu import segment
from modemgw.pdu.errors import PduError
from modemgw.pdu.udh import Ports
from modemgw.seams import crash_point
from modemgw.store import idempotency, outbox, sims, views
from modemgw.store.outbox import Draft

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
) -> list[views.Json]:
    """The accepted messages in the shape of the API, after the commit. Raises Rejected, KeyReused."""
    plan, recipients = _check(context, order)
    context.db.require_room()
    drafts = _drafts(context, order, plan, recipients, key_id, resend_of)
    stamps = [context.stamp() for _ in drafts]

    def unit(cur: sqlite3.Cursor) -> list[str]:
        if idempotency_key is not None:
            earlier = idempotency.find(cur, key_id, idempotency_key)
            if earlier is not None:
                if earlier.fingerprint != fingerprint:
                    raise KeyReused
                return earlier.message_ids
            idempotency.save(
                cur,
                key_id=key_id,
                idempotency_key=idempotency_key,
                fingerprint=fingerprint or b"",
                message_ids=[draft.id for draft in drafts],
                now_ms=context.clock.wall_ms(),
            )
        sim_id = _sim_id(cur, order)
        for draft, stamp in zip(drafts, stamps, strict=True):
            outbox.enqueue(cur, stamp, draft, sim_id)
        return [draft.id for draft in drafts]

    crash_point("before_c1")
    ids = await context.commit(unit)
    crash_point("after_c1")
    return await context.db.read(lambda cur: _bodies(cur, ids))


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


def _check(context: Context, order: Order, *, need_recipient: bool = True) -> tuple[AnyPlan, list[str]]:
    problems: list[Problem] = []
    plan = _plan(order, problems)
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


def _recipients(context: Context, order: Order, problems: list[Problem]) -> list[str]:
    if len(order.to) > MAX_RECIPIENTS:
        problems.append(Problem("to", "too_many", f"One request takes at most {MAX_RECIPIENTS} recipients."))
        return []
    found = []
    for index, raw in enumerate(order.to):
        try:
            found.append(normalise(raw, context.settings.destinations))
        except InvalidRecipient as error:
            problems.append(error.problem(f"to.{index}" if order.many else "to"))
    return found


def _drafts(
    context: Context, order: Order, plan: AnyPlan, recipients: Sequence[str], key_id: str, resend_of: str | None
) -> list[Draft]:
    traffic = CLASSES[order.class_]
    ttl_s = order.ttl_s if order.ttl_s is not None else traffic.ttl_s
    now_ms = context.clock.wall_ms()
    starts_ms = max(now_ms, order.send_at_ms or 0)
    return [
        Draft(
            id=context.ids.new(),
            peer=peer,
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
            concat_ref=context.rng.randrange(256),
            ref=order.ref,
            key_id=key_id,
            resend_of=resend_of,
            send_at_ms=order.send_at_ms,
            expires_ms=starts_ms + ttl_s * 1000,
        )
        for peer in recipients
    ]


def _sim_id(cur: sqlite3.Cursor, order: Order) -> int | None:
    if order.sim is None:
        return None
    row = sims.find(cur, order.sim)
    if row is None:
        text = "No SIM has this name, ICCID or number (or more than one has): GET /v1/sims lists them."
        raise Rejected(Problem("sim", "unknown_sim", text))
    return int(row["sim_id"])


def _bodies(cur: sqlite3.Cursor, ids: Sequence[str]) -> list[dict[str, Any]]:
    bodies = (views.message(cur, each) for each in ids)
    return [body for body in bodies if body is not None]
