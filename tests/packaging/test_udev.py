"""The udev rules: well-formed, and they do to a plugged-in stick what their comments say.

``udevadm verify`` exists from systemd 254 on and is asked where it is there; the small interpreter below knows the part
of the rule language that the file uses, and refuses any other.
"""

import fnmatch
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

RULES = Path(__file__).parents[2] / "udev" / "60-modemgw.rules"
PIECE = re.compile(r'([A-Z]+)(?:\{([A-Za-z_]+)\})?(==|!=|\+=|=)"([^"]*)"')
MATCHED = {"ACTION", "SUBSYSTEM", "KERNEL", "ENV", "ATTR", "SUBSYSTEMS", "ATTRS"}
SET = {"ENV", "SYMLINK", "GROUP", "MODE", "GOTO", "LABEL", "IMPORT"}

Piece = tuple[str, str, str, str]


def lines() -> list[list[Piece]]:
    """Every rule as its pieces (key, attribute, operator, value); fails on what is no rule."""
    rules = []
    for number, line in enumerate(RULES.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        pieces = [(found[1], found[2] or "", found[3], found[4]) for found in PIECE.finditer(line)]
        assert ", ".join(re.findall(r'[A-Z]+[^,]*"', line)) == line, f"line {number}: {line}"
        assert len(pieces) == line.count('"') / 2, f"line {number}: {line}"
        rules.append(pieces)
    return rules


@dataclass
class Device:
    """A device with its USB parents, nearest first, each (kernel name, attributes)."""

    subsystem: str
    kernel: str
    attributes: dict[str, str] = field(default_factory=dict)
    parents: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    set_to: dict[str, str] = field(default_factory=dict)


def apply(device: Device, action: str = "add") -> Device:
    """Runs the rules over a device as udev does."""
    rules, at = lines(), 0
    while at < len(rules):
        parent = matches(rules[at], device, action)
        at += 1
        if parent is None:
            continue
        for key, attribute, operator, value in rules[at - 1]:
            if operator in {"==", "!="}:
                continue
            text = re.sub(
                r"\$env\{(\w+)\}", lambda found: device.environ.get(found[1], ""), value.replace("%b", parent)
            )
            if key == "GOTO":
                at = next(n for n, rule in enumerate(rules) if ("LABEL", "", "=", value) in rule)
            elif key == "ENV":
                device.environ[attribute] = text
            elif key == "SYMLINK":
                device.links.append(text)
            elif key == "IMPORT":
                assert (attribute, value) == ("builtin", "usb_id")
                import_usb_id(device)
            elif key != "LABEL":
                device.set_to[key] = text
    return device


def import_usb_id(device: Device) -> None:
    """What udev's builtin finds out."""
    for _, attributes in device.parents:
        for name, key in (
            ("bInterfaceNumber", "ID_USB_INTERFACE_NUM"),
            ("idVendor", "ID_VENDOR_ID"),
            ("idProduct", "ID_MODEL_ID"),
        ):
            if name in attributes:
                device.environ.setdefault(key, attributes[name])


def matches(rule: list[Piece], device: Device, action: str) -> str | None:
    """The name of the parent on which all the plural keys match ('' when there are none); None without a match."""
    plural = [piece for piece in rule if piece[0] in {"SUBSYSTEMS", "ATTRS"}]
    for key, attribute, operator, value in rule:
        if operator in {"==", "!="} and (key, attribute, operator, value) not in plural:
            actual = {
                "ACTION": action,
                "SUBSYSTEM": device.subsystem,
                "KERNEL": device.kernel,
                "ENV": device.environ.get(attribute, ""),
                "ATTR": device.attributes.get(attribute, ""),
            }[key]
            if glob(actual, value) != (operator == "=="):
                return None
    for name, attributes in device.parents if plural else [("", {})]:
        if all(glob("usb" if key == "SUBSYSTEMS" else attributes.get(a, ""), v) for key, a, _, v in plural):
            return name
    return None


def glob(text: str, pattern: str) -> bool:
    return any(fnmatch.fnmatchcase(text, each) for each in pattern.split("|"))


def tty(vendor: str, product: str, interface: str, protocol: str = "00", place: str = "1-1.2") -> Device:
    number = {"bInterfaceNumber": interface, "bInterfaceClass": "ff", "bInterfaceSubClass": "02"}
    parents = [
        (f"{place}:1.{int(interface, 16)}", number | {"bInterfaceProtocol": protocol}),
        (place, {"idVendor": vendor, "idProduct": product}),
        (place.rpartition(".")[0] or "usb1", {"idVendor": "1d6b", "idProduct": "0002"}),
    ]
    return Device("tty", "ttyUSB2", parents=parents)


def test_every_rule_is_well_formed() -> None:
    labels, jumps = [], []
    for number, rule in enumerate(lines()):
        for key, attribute, operator, value in rule:
            assert key in (MATCHED if operator in {"==", "!="} else SET), rule
            assert value, rule
            assert (operator == "+=") == (key == "SYMLINK"), rule
            assert bool(attribute) == (key in {"ENV", "ATTR", "ATTRS", "IMPORT"}), rule
            if key == "LABEL":
                labels.append((value, number))
            if key == "GOTO":
                jumps.append((value, number))
    assert len({name for name, _ in labels}) == len(labels)
    for name, number in jumps:
        assert dict(labels)[name] > number, f"{name}: udev jumps forward only"
    assert {name for name, _ in labels} == {name for name, _ in jumps}


def test_both_lists_of_makers_are_the_same() -> None:
    lists = [value for rule in lines() for key, attribute, _, value in rule if attribute == "idVendor"]
    assert len(lists) == 2
    assert lists[0] == lists[1]
    assert all(re.fullmatch(r"[0-9a-f]{4}", vendor) for vendor in lists[0].split("|"))
    models = {v for rule in lines() for _, a, _, value in rule if a == "ID_VENDOR_ID" for v in value.split("|")}
    assert models <= set(lists[0].split("|"))


def test_a_modem_gets_its_place_as_a_name() -> None:
    at_port = apply(tty("2c7c", "0125", "02"))
    assert at_port.links == ["modemgw/1-1.2-if02", "modemgw/1-1.2"]
    assert at_port.set_to == {"GROUP": "dialout", "MODE": "0660"}
    assert at_port.environ["ID_MM_PORT_IGNORE"] == "1"


def test_the_other_ports_of_a_modem_are_no_at_port() -> None:
    assert apply(tty("2c7c", "0125", "00")).links == ["modemgw/1-1.2-if00"]
    assert apply(tty("1e0e", "9011", "02")).links == ["modemgw/1-1.2-if02"]
    assert apply(tty("1e0e", "9011", "04")).links == ["modemgw/1-1.2-if04", "modemgw/1-1.2"]


def test_an_interface_may_say_itself_what_it_is() -> None:
    assert apply(tty("12d1", "1001", "02", protocol="02")).links == ["modemgw/1-1.2-if02", "modemgw/1-1.2"]
    assert apply(tty("12d1", "1001", "00", protocol="01")).links == ["modemgw/1-1.2-if00"]


def test_two_of_the_same_kind_stay_apart() -> None:
    assert apply(tty("2c7c", "0125", "02", place="1-1.4")).links[1] == "modemgw/1-1.4"


def test_what_is_no_modem_is_left_alone() -> None:
    for device in (tty("2341", "0043", "00"), Device("tty", "ttyS0"), Device("block", "sda")):
        apply(device)
        assert (device.links, device.environ, device.set_to) == ([], {}, {})


def test_modem_manager_is_kept_off_modems_and_of_nothing_else() -> None:
    def usb(vendor: str) -> Device:
        return Device("usb", "1-1.2", attributes={"idVendor": vendor}, environ={"DEVTYPE": "usb_device"})

    assert apply(usb("2c7c")).environ["ID_MM_DEVICE_IGNORE"] == "1"
    assert "ID_MM_DEVICE_IGNORE" not in apply(usb("046d")).environ
    assert "ID_MM_DEVICE_IGNORE" not in apply(usb("2c7c"), action="remove").environ


def test_udev_itself_accepts_the_file() -> None:
    udevadm = shutil.which("udevadm") or "/usr/bin/udevadm"
    if not Path(udevadm).exists():
        pytest.skip("there is no udevadm on this machine (Debian: apt install udev); checked by our own reader only")
    done = subprocess.run([udevadm, "verify", str(RULES)], capture_output=True, text=True, timeout=30, check=False)
    if "Unknown command verb" in done.stderr:
        pytest.skip("this udevadm has no `verify` (it came with systemd 254); checked by our own reader only")
    assert done.returncode == 0, done.stdout + done.stderr
