"""The USB device behind a tty, and how to reset it. Blocking: called by `opener` in its executor.

Two ways, whichever this user may: its ``authorized`` file in sysfs (0, then 1: the device is as good as unplugged for a
moment), or the ioctl ``USBDEVFS_RESET`` on /dev/bus/usb. Either makes the tty vanish, and come back, perhaps under
another number. Source: linux/usbdevice_fs.h; Documentation/usb/authorization.
"""

import fcntl
import os
from pathlib import Path

_USBDEVFS_RESET = ord("U") << 8 | 20


def device_of(tty: str, sysfs: Path = Path("/sys/class/tty")) -> Path | None:
    """The directory in sysfs of the USB device that a tty belongs to; None for any other tty."""
    node = (sysfs / Path(tty).resolve().name / "device").resolve()
    while node != node.parent:
        if (node / "idVendor").exists() and (node / "authorized").exists():
            return node
        node = node.parent
    return None


def node_of(device: Path, dev: Path = Path("/dev/bus/usb")) -> Path | None:
    """Its file under /dev/bus/usb."""
    try:
        bus, number = (int((device / name).read_text(encoding="ascii")) for name in ("busnum", "devnum"))
    except (OSError, ValueError):
        return None
    return dev / f"{bus:03d}" / f"{number:03d}"


def may_reset(device: Path) -> bool:
    """Whether this user may do it one way or the other."""
    node = node_of(device)
    return os.access(device / "authorized", os.W_OK) or (node is not None and os.access(node, os.W_OK))


def authorise(device: Path, *, allowed: bool) -> bool:
    """False where this user may not. OSError if the device is gone."""
    try:
        (device / "authorized").write_text("1" if allowed else "0", encoding="ascii")
    except PermissionError:
        return False
    return True


def reset(device: Path) -> None:
    """By the ioctl. Raises OSError."""
    node = node_of(device)
    if node is None:
        raise FileNotFoundError(device)
    file = os.open(node, os.O_WRONLY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(file, _USBDEVFS_RESET, 0)
    finally:
        os.close(file)
