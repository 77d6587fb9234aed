"""Which serial ports of this machine belong to modems: read from sysfs, without opening anything.

A USB stick shows several ttys; only one of them takes commands, and which one is different from stick to stick. So a
device is a list of candidates, the likeliest first: the driver tries them in that order. UART ports (ttyS, ttyAMA) are
never guessed: they may be a console, and belong into the configuration.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_USB_TTY = re.compile(r"tty(USB|ACM)\d+")
# USB serial adaptors that are not modems would get AT written to them: only kinds that modems use are looked at.
_MODEM_DRIVERS = frozenset({"option", "option1", "GSM modem (1-port)", "cdc_acm", "qcserial", "sierra", "usbserial_generic"})


@dataclass(frozen=True, slots=True)
class UsbModem:
    """One USB device with ttys. ``usb_path``: where it is plugged in (``1-1.2``); ``ttys``: candidates in order."""

    usb_path: str
    usb_id: str
    ttys: tuple[str, ...]


def find(sysfs: Path = Path("/sys/class/tty"), dev: Path = Path("/dev")) -> list[UsbModem]:
    """The USB modems that are plugged in, by their place in the USB tree."""
    found: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for entry in sorted(sysfs.glob("tty*")):
        place = _place(entry)
        if place is not None:
            usb_path, usb_id, interface = place
            found.setdefault((usb_path, usb_id), []).append((interface, str(dev / entry.name)))
    return [
        UsbModem(usb_path, usb_id, tuple(tty for _, tty in sorted(ttys)))
        for (usb_path, usb_id), ttys in sorted(found.items())
    ]


def _place(entry: Path) -> tuple[str, str, int] | None:
    """(USB path, vendor:product, interface number) of a tty of a modem; None for any other tty."""
    if not _USB_TTY.fullmatch(entry.name):
        return None
    node = (entry / "device").resolve()
    driver = (node / "driver").resolve().name
    while not (node / "bInterfaceNumber").exists():
        if node == node.parent:
            return None
        driver = driver if driver in _MODEM_DRIVERS else (node / "driver").resolve().name
        node = node.parent
    device = node.parent
    if driver not in _MODEM_DRIVERS or not (device / "idVendor").exists():
        return None
    interface = int((node / "bInterfaceNumber").read_text(encoding="ascii").strip(), 16)
    usb_id = ":".join((device / name).read_text(encoding="ascii").strip() for name in ("idVendor", "idProduct"))
    return device.name, usb_id, interface
