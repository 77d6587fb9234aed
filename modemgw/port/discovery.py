"""Which serial ports of this machine may belong to modems: read from sysfs, without opening anything.

A USB stick shows several ttys; only one of them takes commands, and which one is different from stick to stick. So a
device is a list of candidates, the likeliest first: those that ``at_ports.toml`` names for its vendor:product, then
the others by interface number, without those that are known to be for something else. Asking them is `probe`'s task.
UART ports (ttyS, ttyAMA) are never guessed: they may be a console. Paths or patterns that the configuration names are
looked at beside USB; each of them is a device of its own.
"""

import glob
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_USB_TTY = re.compile(r"tty(USB|ACM)\d+")
# USB serial adaptors that are not modems would get AT written to them: only kinds that modems use are looked at.
_MODEM_DRIVERS = frozenset(
    {"option", "option1", "GSM modem (1-port)", "cdc_acm", "qcserial", "sierra", "usbserial_generic"}
)
_TABLE = Path(__file__).with_name("at_ports.toml")


@dataclass(frozen=True, slots=True)
class Place:
    """One device with ttys. ``name``: where it is plugged in (``1-1.2``), or the path of a tty that is no USB device;
    ``usb_id``: vendor:product, empty likewise; ``ttys``: candidates in order."""

    name: str
    usb_id: str
    ttys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What ``at_ports.toml`` says about some devices; see there."""

    ids: tuple[str, ...]
    at: tuple[int, ...] = ()
    never: tuple[int, ...] = ()
    protocol: tuple[str, ...] = ()
    never_protocol: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Interface:
    number: int
    protocol: str
    tty: str


def find(sysfs: Path = Path("/sys/class/tty"), dev: Path = Path("/dev"), *, search: Sequence[str] = ()) -> list[Place]:
    """The USB modems that are plugged in, by their place in the USB tree, then what the patterns ``search`` match."""
    found: dict[tuple[str, str], list[_Interface]] = {}
    for entry in sorted(sysfs.glob("tty*")):
        device = _device(entry, dev)
        if device is not None:
            usb_path, usb_id, interface = device
            found.setdefault((usb_path, usb_id), []).append(interface)
    places = [
        Place(usb_path, usb_id, _in_order(usb_id, interfaces))
        for (usb_path, usb_id), interfaces in sorted(found.items())
    ]
    known = {real(tty) for interfaces in found.values() for tty in (each.tty for each in interfaces)}
    return [place for place in places if place.ttys] + [
        Place(path, "", (path,)) for path in _matching(search) if real(path) not in known
    ]


def real(path: str) -> str:
    """The tty behind links, by which two names of one port are known to be the same."""
    return str(Path(path).resolve()) if path.startswith("/") else path


def _matching(patterns: Iterable[str]) -> list[str]:
    """Paths that exist; the first of several names of one tty."""
    found: dict[str, str] = {}
    for pattern in patterns:
        for path in sorted(glob.glob(pattern)):  # noqa: PTH207 - Path.glob takes no absolute patterns
            if Path(path).is_char_device():
                found.setdefault(real(path), path)
    return list(found.values())


@cache
def known_devices(table: Path = _TABLE) -> dict[str, Known]:
    """By vendor:product, or vendor:*."""
    devices = tomllib.loads(table.read_text(encoding="utf-8"))["device"]
    known = [Known(**{key: tuple(value) for key, value in device.items()}) for device in devices]
    return {usb_id: each for each in known for usb_id in each.ids}


def _in_order(usb_id: str, interfaces: Iterable[_Interface]) -> tuple[str, ...]:
    """The ttys to ask, the likeliest first."""
    devices = known_devices()
    known = devices.get(usb_id) or devices.get(usb_id.partition(":")[0] + ":*") or Known(())
    wanted: list[tuple[int, int, str]] = []
    for each in interfaces:
        if each.number in known.never or each.protocol in known.never_protocol:
            continue
        if each.number in known.at:
            rank = known.at.index(each.number)
        elif each.protocol in known.protocol:
            rank = known.protocol.index(each.protocol)
        else:
            rank = 100
        wanted.append((rank, each.number, each.tty))
    return tuple(tty for _, _, tty in sorted(wanted))


def _device(entry: Path, dev: Path) -> tuple[str, str, _Interface] | None:
    """(USB path, vendor:product, interface) of a tty of a modem; None for any other tty, or one that just vanished."""
    if not _USB_TTY.fullmatch(entry.name):
        return None
    try:
        node = (entry / "device").resolve()
        driver = (node / "driver").resolve().name
        while not (node / "bInterfaceNumber").exists():
            if node == node.parent:
                return None
            driver = driver if driver in _MODEM_DRIVERS else (node / "driver").resolve().name
            node = node.parent
        device = node.parent
        driver = driver if driver in _MODEM_DRIVERS else (node / "driver").resolve().name
        if driver not in _MODEM_DRIVERS:
            return None
        interface = _Interface(int(_read(node / "bInterfaceNumber"), 16), _protocol(node), str(dev / entry.name))
        return device.name, f"{_read(device / 'idVendor')}:{_read(device / 'idProduct')}", interface
    except (OSError, ValueError):
        return None


def _protocol(node: Path) -> str:
    """The protocol of an interface of the vendor's own class; CDC ones say nothing of use here."""
    try:
        return _read(node / "bInterfaceProtocol") if _read(node / "bInterfaceClass") == "ff" else ""
    except OSError:
        return ""


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()
