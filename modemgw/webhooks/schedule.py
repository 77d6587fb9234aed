"""When a delivery that failed is tried again. Source: the retry schedule that Standard Webhooks recommends."""

import random

_DELAYS_S = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
_JITTER = 0.1  # so that what failed together does not come back together
LONGEST_MS = int(_DELAYS_S[-1] * (1 + _JITTER) * 1000)


def next_ms(attempts: int, now_ms: int, rng: random.Random) -> int | None:
    """When to try again after ``attempts`` failed tries (from 1); None: never, after ten."""
    if attempts > len(_DELAYS_S):
        return None
    delay_s = _DELAYS_S[attempts - 1] * (1 + _JITTER * rng.random())
    return now_ms + int(delay_s * 1000)
