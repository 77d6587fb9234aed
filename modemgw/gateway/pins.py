"""Which PINs were written to which SIM: the driver's durable memory of them, so that no SIM ever loses its last try."""

import hashlib

from modemgw.gateway.context import Context
from modemgw.store import sims


class PinMemory:
    """The store behind the driver's ``PinGuard``."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def may_try(self, sim_key: str, pin: str) -> bool:
        digest = _digest(sim_key, pin)
        return not await self._context.db.read(lambda cur: sims.pin_was_tried(cur, sim_key, digest))

    async def clean(self, sim_key: str) -> bool:
        return not await self._context.db.read(lambda cur: sims.sim_has_tries(cur, sim_key))

    async def record(self, sim_key: str, pin: str) -> None:
        now_ms = self._context.clock.wall_ms()
        digest = _digest(sim_key, pin)
        await self._context.commit(lambda cur: sims.record_pin(cur, sim_key, digest, now_ms))

    async def accepted(self, sim_key: str, pin: str) -> None:
        digest = _digest(sim_key, pin)
        await self._context.commit(lambda cur: sims.forget_pin(cur, sim_key, digest))

    async def refused(self, sim_key: str, pin: str) -> None:
        digest = _digest(sim_key, pin)
        await self._context.commit(lambda cur: sims.refuse_pin(cur, sim_key, digest))

    async def found_open(self, sim_key: str, pin: str) -> None:
        if not await self.may_try(sim_key, pin):
            digest = _digest(sim_key, pin)
            await self._context.commit(lambda cur: sims.forget_open_pin(cur, sim_key, digest))


def _digest(sim_key: str, pin: str) -> bytes:
    """A PIN has few digits, so this hides it from a glance, not from a search; the file is readable by us alone."""
    return hashlib.sha256(f"{sim_key}:{pin}".encode()).digest()
