"""Pure: which of the messages at the head of their lines goes next."""

from collections.abc import Iterable

from modemgw.store.queue import Head


def pick(heads: Iterable[Head]) -> Head | None:
    """Lane first, then priority; a message that this SIM has begun goes before a new one; then the older one."""
    return min(heads, key=lambda head: (head.lane, -head.priority, not head.bound, head.seq), default=None)
