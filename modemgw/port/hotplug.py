"""Notices that something was plugged in or pulled out.

How: the kernel and udev tell it on a netlink socket (``NETLINK_KOBJECT_UEVENT``), which any user may listen to. This
says *that* something changed; *what* is there is read anew from sysfs, so a lost or forged message does no harm, and
every 30 s it is looked at anyway. Where the socket is refused (some containers; a unit without
``RestrictAddressFamilies=AF_NETLINK``) everything is looked at every 5 s instead. `reason` says which, and why.
Ports that are no kernel device of their own, such as links in a folder, are looked at every second: see `Hotplug`.
Source: man 7 netlink; group 1 is the kernel's, group 2 udev's, which speaks once the port has its access rights.
"""

import asyncio
import socket
from contextlib import suppress

_UEVENT = 15  # NETLINK_KOBJECT_UEVENT
_KERNEL_AND_UDEV = 1 | 2
_SAFETY_S, _POLL_S, _LINKS_S = 30.0, 5.0, 1.0
_INTERESTING = (b"SUBSYSTEM=tty", b"SUBSYSTEM=usb")


class Hotplug:
    """``links``: there are also ports to look for of which no kernel tells. Close it at the end."""

    def __init__(self, *, links: bool = False) -> None:
        self.changed = asyncio.Event()
        self._socket: socket.socket | None = None
        try:
            self._socket = _listen()
        except OSError as error:
            self.poll_s = _POLL_S
            self.reason = f"looked for every {_POLL_S:g} s: the kernel's messages can't be heard ({error.strerror})"
        else:
            self.poll_s = _SAFETY_S
            self.reason = "told by the kernel"
            asyncio.get_running_loop().add_reader(self._socket, self._hear, self._socket)
        if links:
            self.poll_s = _LINKS_S

    def _hear(self, listening: socket.socket) -> None:
        with suppress(OSError):  # too many at once are lost, but then there was one more to look for
            while True:
                if any(word in listening.recv(65536) for word in _INTERESTING):
                    self.changed.set()

    async def wait(self, seconds: float | None = None) -> None:
        """Until something changed, or it is time to look; ``seconds``: then at the latest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.poll_s if seconds is None else min(seconds, self.poll_s)):
                await self.changed.wait()
        self.changed.clear()

    def close(self) -> None:
        """Stop listening."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None


def _listen() -> socket.socket:
    """Raises OSError where it is not allowed, or there is no such thing."""
    listening = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, _UEVENT)
    try:
        listening.bind((0, _KERNEL_AND_UDEV))
    except OSError:
        listening.close()
        raise
    return listening
