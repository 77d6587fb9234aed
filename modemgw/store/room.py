"""Room on the disk: work is refused while there is still enough to finish what was begun.

A full disk is no place to find out: SQLite stays whole on it, but then not even a DELETE can be written. So new work
is refused below ``least`` bytes, and ``ballast`` bytes are kept in a file that is given up when a write does fail:
with them the outcomes of what a modem already has can be written. The file comes back when there is room again.
What is free is counted as if the ballast were in place, so that giving it up does not look like having room.
"""

import os
from collections.abc import Callable
from pathlib import Path

from modemgw.store.errors import StoreFull

LEAST = 64 * 1024 * 1024
BALLAST = 8 * 1024 * 1024


def free_bytes(directory: Path) -> int:
    """What an ordinary user may still write below ``directory``."""
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize


class Room:
    """The room left for the database in ``directory``. Every call is a system call or two, no more."""

    def __init__(
        self,
        directory: Path,
        *,
        least: int = LEAST,
        ballast: int = BALLAST,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._directory = directory
        self._file = directory / "ballast"
        self._least = least
        self._ballast = ballast
        self._free = free

    def spare(self) -> int:
        """Bytes that are free beyond the ballast; negative when the ballast has no room."""
        return self._free(self._directory) - (0 if self._file.exists() else self._ballast)

    def low(self) -> bool:
        """True while nothing new may be begun."""
        return self.spare() < self._least

    def spent(self) -> bool:
        """True while no more is left than the ballast was: that is for outcomes alone, and nothing is sent."""
        return self._free(self._directory) <= self._ballast and not self._file.exists()

    def require(self) -> None:
        """Raises StoreFull while nothing new may be begun."""
        if self.low():
            raise StoreFull(f"Less than {self._least // 1048576} MB are free on the disk: nothing new is taken.")

    def release(self) -> bool:
        """Gives the ballast up; False when that was done before."""
        try:
            self._file.unlink()
        except OSError:
            return False
        return True

    def tend(self) -> None:
        """Makes the ballast (again) when there is room for it."""
        if self._file.exists() or self.low():
            return
        part = self._file.with_suffix(".part")
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._ballast)
            finally:
                os.close(descriptor)
            part.rename(self._file)
        except OSError:
            part.unlink(missing_ok=True)  # somebody else was quicker to take the room: another time
