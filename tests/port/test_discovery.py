"""Which ttys are a modem's, in what order they are asked, and what is written to them."""

import asyncio
import os
import socket
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from modemgw.port import hotplug, usb
from modemgw.port.discovery import Place, find, known_devices
from modemgw.port.errors import PortUnavailable
from modemgw.port.hotplug import Hotplug
from modemgw.port.probe import Speaks, probe


class Sysfs:
    """The part of /sys that is read: USB devices with interfaces that have ttys."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tty = root / "class" / "tty"
        self.tty.mkdir(parents=True)
        for driver in ("option1", "ftdi_sio", "cdc_acm"):
            (root / "drivers" / driver).mkdir(parents=True)

    def add(
        self, place: str, usb_id: str, ttys: dict[int, str], *, driver: str = "option1", protocol: str = ""
    ) -> Path:
        device = self.root / "devices" / "usb1" / place
        device.mkdir(parents=True)
        vendor, _, product = usb_id.partition(":")
        for name, value in {"idVendor": vendor, "idProduct": product, "authorized": "1"}.items():
            (device / name).write_text(value + "\n")
        (device / "busnum").write_text("1\n")
        (device / "devnum").write_text("7\n")
        for number, name in ttys.items():
            interface = device / f"{place}:1.{number}"
            node = interface / name
            node.mkdir(parents=True)
            (interface / "bInterfaceNumber").write_text(f"{number:02x}\n")
            (interface / "bInterfaceClass").write_text("ff\n")
            (interface / "bInterfaceProtocol").write_text((protocol.split()[number] if protocol else "ff") + "\n")
            (interface / "driver").symlink_to(self.root / "drivers" / driver)
            (self.tty / name).mkdir()
            (self.tty / name / "device").symlink_to(node)
        return device


@pytest.fixture
def sysfs(tmp_path: Path) -> Sysfs:
    return Sysfs(tmp_path / "sys")


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    (tmp_path / "dev").mkdir()
    return tmp_path / "dev"


def names(place: Place) -> list[str]:
    return [Path(each).name for each in place.ttys]


def test_a_known_modem_is_asked_where_it_takes_commands_and_never_where_it_is_diagnosed(
    sysfs: Sysfs, dev: Path
) -> None:
    sysfs.add("1-1.2", "2c7c:0125", {0: "ttyUSB0", 1: "ttyUSB1", 2: "ttyUSB2", 3: "ttyUSB3"})

    (place,) = find(sysfs.tty, dev)

    assert (place.name, place.usb_id, names(place)) == ("1-1.2", "2c7c:0125", ["ttyUSB2", "ttyUSB3"])


def test_an_unknown_modem_is_asked_interface_by_interface(sysfs: Sysfs, dev: Path) -> None:
    sysfs.add("1-1.3", "ffff:0001", {2: "ttyUSB0", 0: "ttyUSB9", 10: "ttyUSB10"})

    assert names(find(sysfs.tty, dev)[0]) == ["ttyUSB9", "ttyUSB0", "ttyUSB10"]


def test_a_vendor_that_names_its_ports_by_protocol(sysfs: Sysfs, dev: Path) -> None:
    sysfs.add("1-1", "12d1:1506", {0: "ttyUSB0", 1: "ttyUSB1", 2: "ttyUSB2", 3: "ttyUSB3"}, protocol="01 03 02 14")

    assert names(find(sysfs.tty, dev)[0]) == ["ttyUSB2", "ttyUSB0"]


def test_adaptors_that_are_no_modems_are_left_alone(sysfs: Sysfs, dev: Path) -> None:
    sysfs.add("1-1", "0403:6001", {0: "ttyUSB0"}, driver="ftdi_sio")
    (sysfs.tty / "ttyS0").mkdir()

    assert find(sysfs.tty, dev) == []


def test_identical_sticks_are_told_apart_by_their_place(sysfs: Sysfs, dev: Path) -> None:
    sysfs.add("1-1.4", "1e0e:9001", {2: "ttyUSB0"})
    sysfs.add("1-1.2", "1e0e:9001", {2: "ttyUSB5"})

    assert [(place.name, names(place)) for place in find(sysfs.tty, dev)] == [
        ("1-1.2", ["ttyUSB5"]),
        ("1-1.4", ["ttyUSB0"]),
    ]


def test_a_device_that_vanishes_while_it_is_looked_at_is_not_there(sysfs: Sysfs, dev: Path) -> None:
    device = sysfs.add("1-1.4", "1e0e:9001", {2: "ttyUSB0"})
    (device / "idProduct").unlink()

    assert find(sysfs.tty, dev) == []


def test_the_patterns_of_the_configuration_are_looked_at_once_each(sysfs: Sysfs, dev: Path) -> None:
    master, slave = os.openpty()
    (dev / "ttyX").symlink_to(os.ttyname(slave))
    (dev / "also").symlink_to(os.ttyname(slave))
    (dev / "file").write_text("no tty")

    assert find(sysfs.tty, dev, search=[f"{dev}/*", f"{dev}/ttyX"]) == [
        Place(str(dev / "also"), "", (str(dev / "also"),))
    ]
    os.close(master)
    os.close(slave)


def test_every_row_of_the_table_says_which_port_it_is() -> None:
    for usb_id, known in known_devices().items():
        assert known.at or known.protocol, usb_id
        assert not set(known.at) & set(known.never), usb_id


# -- asking ------------------------------------------------------------------------------------------------------------
class Other:
    """The other side of a terminal: gives ``answers`` to lines, and keeps what it heard."""

    def __init__(self, answers: dict[bytes, bytes], *, deaf: int = 0) -> None:
        self.answers = answers
        self.heard = bytearray()
        self.deaf = deaf
        self._line = bytearray()
        self.master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(slave)
        self._slave = slave
        asyncio.get_running_loop().add_reader(self.master, self._read)

    def _read(self) -> None:
        data = os.read(self.master, 4096)
        self.heard += data
        self._line += data
        while b"\r" in self._line:
            line, _, rest = bytes(self._line).partition(b"\r")
            self._line = bytearray(rest)
            if self.deaf:
                self.deaf -= 1
            else:
                os.write(self.master, self.answers.get(line.strip(b"\x1b"), b""))

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.master)
        os.close(self.master)
        os.close(self._slave)


OK = b"\r\nOK\r\n"


async def asked(answers: dict[bytes, bytes], *, deaf: int = 0) -> tuple[Speaks | None, bytes]:
    other = Other(answers, deaf=deaf)
    try:
        return await probe(other.path), bytes(other.heard)
    finally:
        other.close()


async def test_a_modem_tells_its_imei() -> None:
    found, heard = await asked({b"AT": OK, b"AT+CGSN": b"\r\n490154203237518\r\n" + OK})

    assert found == Speaks("490154203237518")
    assert heard == b"\x1bAT\rAT+CGSN\r"


async def test_a_sleeping_modem_that_loses_the_first_line_is_found() -> None:
    found, _ = await asked({b"AT": OK, b"AT+CGSN": b'\r\n+CGSN: "490154203237518"\r\n' + OK}, deaf=1)

    assert found == Speaks("490154203237518")


async def test_echo_and_numeric_answers_are_understood() -> None:
    found, _ = await asked({b"AT": b"AT\r0\r", b"AT+CGSN": b"AT+CGSN\r\r\n490154203237518\r\n0\r"})

    assert found == Speaks("490154203237518")


async def test_the_other_command_is_tried_and_a_modem_without_imei_is_one_all_the_same() -> None:
    error = b"\r\nERROR\r\n"
    found, _ = await asked({b"AT": OK, b"AT+CGSN": error, b"AT+GSN": b"\r\n490154203237518\r\n" + OK})
    assert found == Speaks("490154203237518")

    found, _ = await asked({b"AT": OK, b"AT+CGSN": error, b"AT+GSN": error})
    assert found == Speaks(None)

    found, _ = await asked({b"AT": OK, b"AT+CGSN": b"\r\n000000000000000\r\n" + OK})
    assert found == Speaks(None)


@pytest.mark.parametrize("answer", [b"", b"\x7e\x00\x13OK\x7e" * 20, b"$GPGGA,123519,4807.038,N,,*47\r\n"])
async def test_a_port_for_something_else_gets_nothing_but_at(answer: bytes) -> None:
    found, heard = await asked({b"AT": answer})

    assert found is None
    assert heard.replace(b"\x1b", b"").replace(b"AT\r", b"") == b""


async def test_a_port_in_use_is_left_alone() -> None:
    import fcntl  # noqa: PLC0415
    import termios  # noqa: PLC0415

    other = Other({b"AT": OK})
    mine = os.open(other.path, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(mine, fcntl.LOCK_EX)
    fcntl.ioctl(mine, termios.TIOCEXCL)
    try:
        with pytest.raises(PortUnavailable):
            await probe(other.path)
        assert not other.heard
    finally:
        os.close(mine)
        other.close()


# -- plugging ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The other end of what stands in for the kernel's socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    theirs.setblocking(False)
    monkeypatch.setattr(hotplug, "_listen", lambda: theirs)
    yield ours
    ours.close()


async def test_plugging_wakes_and_other_news_do_not(kernel: socket.socket) -> None:
    changes = Hotplug()
    try:
        assert changes.poll_s == 30
        kernel.send(b"change@/devices/x\0ACTION=change\0SUBSYSTEM=power_supply\0")
        await asyncio.sleep(0.01)
        assert not changes.changed.is_set()

        kernel.send(b"add@/devices/x/ttyUSB0\0ACTION=add\0SUBSYSTEM=tty\0DEVNAME=ttyUSB0\0")
        async with asyncio.timeout(1):
            await changes.wait()
    finally:
        changes.close()


async def test_where_the_kernel_may_not_be_listened_to_it_is_looked_at_every_five_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> socket.socket:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(hotplug, "_listen", refuse)
    changes = Hotplug()
    assert changes.poll_s == 5
    assert "Operation not permitted" in changes.reason
    changes.close()


async def test_the_real_socket_opens_or_says_why_not() -> None:
    changes = Hotplug(links=True)
    assert changes.poll_s == 1
    assert changes.reason == "told by the kernel" or "can't be heard" in changes.reason
    changes.close()


# -- USB reset ---------------------------------------------------------------------------------------------------------
def test_the_usb_device_of_a_tty_is_found_and_reset_by_its_switch(sysfs: Sysfs) -> None:
    device = sysfs.add("1-1.2", "2c7c:0125", {2: "ttyUSB2"})

    found = usb.device_of("/dev/ttyUSB2", sysfs.tty)

    assert found == device
    assert usb.may_reset(device)
    assert usb.authorise(device, allowed=False)
    assert (device / "authorized").read_text() == "0"
    assert str(usb.node_of(device)) == "/dev/bus/usb/001/007"
    assert usb.device_of("/dev/ttyS0", sysfs.tty) is None
