"""Tells when other programs open and close a pseudo terminal (inotify), so that a closed one can be handed on.

Why: a program may open its tty exclusively (TIOCEXCL), and Linux keeps that flag on a pseudo terminal after the
last close, so that the next program without privileges gets EBUSY: a real tty would not do that. Whoever holds the
slave side can clear the flag, but must know when. Linux only; elsewhere nothing is reported.
"""

import ctypes
import os
import struct
from collections.abc import Iterator

_CLOSED = 0x08 | 0x10  # IN_CLOSE_WRITE, IN_CLOSE_NOWRITE
_OPENED = 0x20  # IN_OPEN
_EVENT = struct.Struct("iIII")


class Openings:
    """Watches terminals by path. `fileno()` is readable when there is news; -1 when the system cannot tell."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        start = getattr(self._libc, "inotify_init1", None)
        self._fd: int = start(os.O_NONBLOCK | os.O_CLOEXEC) if start is not None else -1

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._fd

    def watch(self, path: str) -> int:
        """Begin to watch; the key that `news` names, or -1."""
        if self._fd < 0:
            return -1
        key: int = self._libc.inotify_add_watch(self._fd, path.encode(), _CLOSED | _OPENED)
        return key

    def news(self) -> Iterator[tuple[int, int]]:
        """(key, +1 for an opening or -1 for a closing), in order."""
        try:
            data = os.read(self._fd, 65536)
        except BlockingIOError:
            return
        while len(data) >= _EVENT.size:
            key, mask, _, length = _EVENT.unpack_from(data)
            data = data[_EVENT.size + length :]
            if mask & (_OPENED | _CLOSED):
                yield key, 1 if mask & _OPENED else -1

    def close(self) -> None:
        """Watch nothing any more."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
