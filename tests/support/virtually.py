"""``@virtual``: a test that is one coroutine on a virtual-time loop."""

import functools
from collections.abc import Callable, Coroutine
from typing import Any

from support.virtual import run_virtual


def virtual(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Runs an ``async def`` test in virtual time; hours of waiting cost nothing."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        run_virtual(lambda: test(*args, **kwargs))

    return run
