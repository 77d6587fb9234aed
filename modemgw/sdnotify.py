"""Tells systemd how the service is: READY=1, STATUS=…, WATCHDOG=1, STOPPING=1, RELOADING=1.

The protocol of sd_notify(3): datagrams of ``NAME=value`` lines to the socket named in ``NOTIFY_SOCKET``. Without that
variable nothing is done, so that callers need not ask how they were started.
"""

import os
import socket
from collections.abc import Mapping


def notify(*lines: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Sends e.g. ``READY=1``, ``STATUS=2 modems registered``. False when nobody listens; never raises."""
    path = environ.get("NOTIFY_SOCKET", "")
    if not path:
        return False
    # A leading @ stands for the null byte of Linux's abstract sockets. A line break would start another variable.
    address = "\0" + path[1:] if path.startswith("@") else path
    text = "\n".join(" ".join(line.split("\n")) for line in lines)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as sender:
            sender.sendto(text.encode(), address)
    except OSError:
        return False
    return True


def watchdog_interval(environ: Mapping[str, str] = os.environ) -> float | None:
    """Seconds within which ``WATCHDOG=1`` must be sent again; None when nobody watches this process."""
    text = environ.get("WATCHDOG_USEC", "")
    meant_for = environ.get("WATCHDOG_PID", str(os.getpid()))
    if not text.isdecimal() or meant_for != str(os.getpid()) or int(text) == 0:
        return None
    return int(text) / 1_000_000
