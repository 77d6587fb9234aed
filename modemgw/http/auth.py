"""Who is asking, and may they. Deny by default: whatever is not marked open wants a key.

Keys are read from the database at every request (less than a millisecond), so that a key made or revoked by another
process counts at once. That a key was used is noted at most once a minute, beside the request and not before it.
The local control socket needs no key: the file's permissions decide who can open it.
"""

import asyncio
import logging
import math
from dataclasses import dataclass

from aiohttp import web

from modemgw.http import lockout
from modemgw.http.keys import from_header, new_key
from modemgw.http.problem import Refusal
from modemgw.seams import Clock
from modemgw.store import keys
from modemgw.store.database import Database
from modemgw.store.errors import StoreError

__all__ = ["ANY", "CONTROL", "PRINCIPAL", "Authenticator", "Principal", "demand", "is_control", "new_key"]

ANY = "any"  # the scope of routes that want a key, and no matter which
_TOUCH_S = 60.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: ``key_id`` as the store knows it, or ``control`` for the control socket."""

    key_id: str
    name: str
    scopes: tuple[str, ...]

    def may(self, scope: str) -> bool:
        """``admin`` includes all scopes."""
        return scope == ANY or scope in self.scopes or "admin" in self.scopes


CONTROL = Principal("control", "control socket", ("admin",))
PRINCIPAL: web.RequestKey[Principal] = web.RequestKey("principal", Principal)


class Authenticator:
    """Reads the key of a request and finds out whose it is."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._lockout = lockout.Lockout()
        self._touched: dict[str, float] = {}
        self._notes: set[asyncio.Task[None]] = set()

    async def principal(self, request: web.Request) -> Principal:
        """Who asks; raises Refusal: 401 without a good key, 429 after too many wrong ones."""
        if is_control(request):
            return CONTROL
        address = lockout.group(request.remote)
        now = self._clock.monotonic()
        wait = self._lockout.wait(address, now)
        console = lockout.is_console(address)
        if wait and not console:
            raise _locked(wait)
        found = await self._find(request.headers.getall("Authorization", []))
        if found is None:
            if wait:
                raise _locked(wait)
            self._lockout.failed(address, now)
            log.info("a wrong API key from %s", address)
            raise _unauthorized("This API key is not known, or was revoked.", ', error="invalid_token"')
        self._lockout.succeeded(address)
        self._touch(found.key_id, now)
        return found

    async def close(self) -> None:
        """Waits for the notes that are still being written."""
        if self._notes:
            await asyncio.wait(self._notes)

    async def _find(self, headers: list[str]) -> Principal | None:
        if not headers:
            raise _unauthorized("This address needs an API key: send the header `Authorization: Bearer mgw_...`.")
        presented = from_header(headers[0]) if len(headers) == 1 else None
        if presented is None:
            return None
        row = await self._db.read(lambda cur: keys.find(cur, presented.prefix), short=True)
        # An unknown prefix takes as long as a wrong secret.
        matches = presented.matches(row.digest if row else bytes(32))
        if row is None or not matches or row.revoked_ms is not None:
            return None
        return Principal(row.id, row.name, row.scopes)

    def _touch(self, key_id: str, now: float) -> None:
        last = self._touched.get(key_id)
        if last is not None and now - last < _TOUCH_S:
            return
        self._touched[key_id] = now
        task = asyncio.get_running_loop().create_task(self._note_use(key_id), name="key-last-used")
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def _note_use(self, key_id: str) -> None:
        now_ms = self._clock.wall_ms()
        try:
            await self._db.write(lambda cur: keys.touch(cur, key_id, now_ms))
        except StoreError as error:
            log.warning("could not note that a key was used: %s", error)


def is_control(request: web.Request) -> bool:
    """Did this come over the local control socket? Only our own server marks its connections so."""
    return getattr(request.protocol, "is_control", False) is True


def demand(principal: Principal, scope: str) -> None:
    """Raises Refusal 403 when the key lacks the scope."""
    if not principal.may(scope):
        raise Refusal(
            403,
            "scope",
            f"This key may not do that: it needs the scope `{scope}`.",
            headers={"WWW-Authenticate": f'Bearer realm="modemgw", error="insufficient_scope", scope="{scope}"'},
        )


def _unauthorized(detail: str, more: str = "") -> Refusal:
    return Refusal(401, "unauthorized", detail, headers={"WWW-Authenticate": f'Bearer realm="modemgw"{more}'})


def _locked(wait: float) -> Refusal:
    seconds = math.ceil(wait)
    return Refusal(
        429,
        "too_many_failures",
        f"Too many wrong keys came from this address. Try again in {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )
