"""Pure: which of the messages at the head of their lines goes next."""

from collections.abc import Iterable, Mapping

from modemgw.store.queue import Head

Turns = Mapping[tuple[str, int], int]  # (API key, lane) -> when it last had its turn; counts up


def pick(heads: Iterable[Head], turns: Turns) -> Head | None:
    """Lane first, then priority; what this SIM has begun goes on; then API keys take turns; then the older one."""
    return min(
        heads,
        key=lambda head: (
            head.lane,
            -head.priority,
            not head.begun,
            turns.get((head.line.key_id, head.lane), 0),
            head.seq,
        ),
        default=None,
    )
