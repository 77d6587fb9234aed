"""Modems and SIMs: how they are, and the few things that can be done to them."""

from modemgw.api import answers, requests
from modemgw.api.keys import GATEWAY
from modemgw.http.body import Body
from modemgw.http.route import Call, Json, NoQuery, route

_NO_MODEM = {404: "There is no such modem."}
_BUSY = {**_NO_MODEM, 409: "The modem can't do that now."}


@route("GET", "/v1/modems", scope="modems", summary="List modems", tag="Modems", response=answers.Modems)
async def list_modems(call: Call[Body, NoQuery]) -> Json:
    """Every modem with its state in plain words, its identity, its SIM and its signal."""
    return {"items": call.request.app[GATEWAY].modems(), "next_cursor": None}


@route(
    "GET",
    "/v1/modems/{name}",
    scope="modems",
    summary="Look at a modem",
    tag="Modems",
    response=answers.Modem,
    errors=_NO_MODEM,
)
async def get_modem(call: Call[Body, NoQuery]) -> Json:
    """One modem."""
    return call.request.app[GATEWAY].modem(call.path("name"))


@route(
    "POST",
    "/v1/modems/{name}/enable",
    scope="modems",
    summary="Use a modem again",
    tag="Modems",
    response=answers.Modem,
    errors=_BUSY,
)
async def enable_modem(call: Call[Body, NoQuery]) -> Json:
    """Also over restarts."""
    return await call.request.app[GATEWAY].enable(call.path("name"))


@route(
    "POST",
    "/v1/modems/{name}/disable",
    scope="modems",
    summary="Leave a modem alone",
    tag="Modems",
    response=answers.Modem,
    errors=_BUSY,
)
async def disable_modem(call: Call[Body, NoQuery]) -> Json:
    """After what it is sending now; also over restarts."""
    return await call.request.app[GATEWAY].disable(call.path("name"))


@route(
    "POST",
    "/v1/modems/{name}/reset",
    scope="modems",
    summary="Restart a modem",
    tag="Modems",
    response=answers.Modem,
    errors=_BUSY,
)
async def reset_modem(call: Call[Body, NoQuery]) -> Json:
    """Restarts the modem itself, as if it had been plugged out and in."""
    return await call.request.app[GATEWAY].reset(call.path("name"))


@route(
    "POST",
    "/v1/modems/{name}/unlock",
    scope="modems",
    summary="Give the SIM its PIN",
    tag="Modems",
    request=requests.Pin,
    response=answers.Modem,
    errors={**_NO_MODEM, 409: "The PIN was wrong, or none is wanted; the answer says how many tries are left."},
)
async def unlock_modem(call: Call[requests.Pin, NoQuery]) -> Json:
    """One try, on your word. After three wrong ones a SIM is blocked and needs its PUK."""
    return await call.request.app[GATEWAY].unlock(call.path("name"), call.body.pin)


@route(
    "POST",
    "/v1/modems/{name}/ussd",
    scope="modems",
    summary="Ask the network by USSD",
    tag="Modems",
    request=requests.Ussd,
    response=answers.UssdAnswer,
    errors={**_NO_MODEM, 409: "The modem can't do that now, or the network did not answer."},
)
async def ask_by_ussd(call: Call[requests.Ussd, NoQuery]) -> Json:
    """As for the balance: `*100#`. Takes up to a minute, and messages wait meanwhile. What a code does, and whether it
    costs money, is the operator's to say."""
    return await call.request.app[GATEWAY].ussd(call.path("name"), call.body.code, keep_open=call.body.keep_open)


@route("GET", "/v1/sims", scope="modems", summary="List SIMs", tag="Modems", response=answers.Sims)
async def list_sims(call: Call[Body, NoQuery]) -> Json:
    """Every SIM that was ever seen, what it sent today, and what is left of its limits."""
    return {"items": await call.request.app[GATEWAY].sims(), "next_cursor": None}


ROUTES = (
    list_modems, get_modem, enable_modem, disable_modem, reset_modem, unlock_modem, ask_by_ussd, list_sims,
)  # fmt: skip
