"""Is the service alive, and can it do its work."""

from modemgw.api import answers
from modemgw.api.keys import GATEWAY
from modemgw.domain.errors import Problem
from modemgw.http.auth import ANY
from modemgw.http.body import Body
from modemgw.http.problem import Refusal
from modemgw.http.route import OPEN, Call, Json, NoQuery, route


@route("GET", "/healthz", scope=OPEN, summary="Liveness", tag="Service", response=answers.Health)
async def get_health(_call: Call[Body, NoQuery]) -> Json:
    """The process answers. Tells nothing else, and needs no key."""
    return {"status": "ok"}


@route(
    "GET",
    "/readyz",
    scope=ANY,
    summary="Readiness",
    tag="Service",
    response=answers.Readiness,
    errors={503: "Nothing can be sent now; `reasons` says why."},
)
async def get_readiness(call: Call[Body, NoQuery]) -> Json:
    """Whether messages can be sent now, and if not, why."""
    reasons = call.request.app[GATEWAY].readiness()
    if not reasons:
        return {"ready": True, "reasons": []}
    raise Refusal(
        503,
        "not_ready",
        "Nothing can be sent now.",
        errors=[Problem("", each["code"], each["text"]) for each in reasons],
        extra={"ready": False, "reasons": reasons},
    )


ROUTES = (get_health, get_readiness)
