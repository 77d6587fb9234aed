"""Keeps the process small: a box has little memory, and a gateway rests most of the time.

glibc gives each thread an arena of its own and keeps what it frees. We have few threads and allocate little in them,
so one arena is enough, and what starting up has freed is given back. Elsewhere than on glibc nothing happens.
Sources: mallopt(3), malloc_trim(3).
"""

import ctypes
import gc

_M_ARENA_MAX = -8


def one_arena() -> None:
    """Before the first thread is started."""
    _call("mallopt", _M_ARENA_MAX, 1)


def settle() -> None:
    """Once everything has been started: what is here now stays, and needs no more looking at."""
    gc.collect()
    gc.freeze()
    _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function(*arguments)
