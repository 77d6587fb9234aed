"""Ports that are missing, taken, mute, or pulled: that modem says what is the matter, and the others work."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from system.harness import clean_environ, config_text, until

pytestmark = pytest.mark.system

HOLD = """
import fcntl, os, sys, termios, time
tty = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
fcntl.flock(tty, fcntl.LOCK_EX)
fcntl.ioctl(tty, termios.TIOCEXCL)
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def held(path: Path) -> Iterator[int]:
    """Another program has the port, as a careful one does; its process id."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process.pid
        process.communicate()


NO_MODEMS = """
import os, select, tty
ports = {}
for name in ("echo", "mute"):
    master, slave = os.openpty()
    tty.setraw(slave)
    ports[master] = name
    print(os.ttyname(slave), flush=True)
while True:
    for master in select.select(list(ports), [], [])[0]:
        data = os.read(master, 4096)
        if ports[master] == "echo":
            os.write(master, data)
"""


@pytest.fixture(scope="module", autouse=True)
def deaf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A gateway on two ports where no modem is: one gives back what it hears, one says nothing. It takes its time to
    be sure of that, so it runs beside the other tests of this file; the last one looks. The folder of its output."""
    folder = tmp_path_factory.mktemp("deaf")
    config = folder / "modemgw.toml"
    command = [sys.executable, "-m", "modemgw", "run", "--config", str(config)]
    with subprocess.Popen([sys.executable, "-c", NO_MODEMS], stdout=subprocess.PIPE, text=True) as neighbours:
        assert neighbours.stdout is not None
        ports = {name: Path(neighbours.stdout.readline().strip()) for name in ("echo", "mute")}
        config.write_text(config_text(folder / "state", ports))
        config.chmod(0o600)
        with (
            (folder / "out").open("w") as out,
            (folder / "log").open("w") as log,
            subprocess.Popen(command, env=clean_environ(), stdout=out, stderr=log) as gateway,
        ):
            yield folder
            gateway.kill()
        neighbours.kill()


async def test_ports_that_are_missing_or_taken_say_so_and_the_good_modem_works(make_lab: Any) -> None:
    async with make_lab(["good"]) as lab:
        master, slave = os.openpty()
        busy = Path(os.ttyname(slave))
        with held(busy) as holder:
            os.close(slave)
            nowhere = lab.folder / "tty" / "nowhere"
            ports = lab.bank.ports | {"taken": busy, "missing": nowhere}
            lab.write_config(ports)
            async with lab.running() as service:
                await service.modem("good", "registered")
                message = await service.send("+4915112345678", "others work")
                assert (await service.message(message, "sent", "delivered"))["modem"] == "good"

                missing = await service.modem("missing", "absent")
                assert str(ports["missing"]) in missing["detail"]
                taken = await service.modem("taken", "failed")
                assert taken["reason"] == "port_busy"
                assert f"process {holder}" in taken["detail"], "the culprit is named"
                assert "Stop that program" in taken["detail"]
                assert (await service.modem("good", "registered"))["reason"] is None
                assert await service.stop() == 0
        os.close(master)
        assert "Traceback" not in service.stderr.read_text()


async def test_a_port_that_comes_free_is_used(make_lab: Any) -> None:
    async with make_lab(["a"]) as lab:
        with held(lab.bank.ports["a"]):
            async with contextlib.AsyncExitStack() as stack:
                service = await stack.enter_async_context(lab.running())
                await service.modem("a", "failed")
                keep = stack.pop_all()
        async with keep:
            await service.modem("a", "registered")
            assert await service.stop() == 0


async def test_a_modem_that_is_pulled_is_missed_within_two_seconds_and_used_again_wherever_it_comes_back(
    make_lab: Any,
) -> None:
    async with make_lab(["a", "b"]) as lab, lab.running() as service:
        await service.modem("a", "registered")
        await service.modem("b", "registered")
        before = lab.bank.ports["a"].readlink()
        await lab.bank.ask("unplug", modem="a")
        gone = await service.modem("a", "absent", within=2.0)
        assert "a" in gone["detail"]
        message = await service.send("+4915112345678", "meanwhile")
        assert (await service.message(message, "sent", "delivered"))["modem"] == "b"

        blocker = os.openpty()  # takes the number that has become free
        await lab.bank.ask("plug", modem="a", port="a")
        assert lab.bank.ports["a"].readlink() != before
        await service.modem("a", "registered")
        await lab.bank.ask("unplug", modem="b")
        await service.modem("b", "absent", within=2.0)
        message = await service.send("+4915112345679", "again")
        assert (await service.message(message, "sent", "delivered"))["modem"] == "a"
        for descriptor in blocker:
            os.close(descriptor)
        assert await service.stop() == 0


async def test_another_modem_on_a_port_that_names_its_modem_is_not_used(make_lab: Any) -> None:
    """After a restart of the machine two sticks may have changed places."""
    async with make_lab(["a", "b"]) as lab:
        lab.config.write_text(lab.config.read_text().replace('name = "a"\n', 'name = "a"\nimei = "490154203237518"\n'))
        async with lab.running() as service:
            stranger = await service.modem("a", "failed")
            assert stranger["reason"] == "wrong_identity"
            message = await service.send("+4915112345678", "not from there")
            assert (await service.message(message, "sent", "delivered"))["modem"] == "b"
            assert await service.stop() == 0
        assert {each["modem"] for each in await lab.bank.ask("ledger")} == {"b"}


async def test_the_pin_is_entered_once_and_a_wrong_one_never_again(make_lab: Any) -> None:
    async with make_lab([{"name": "right", "pin": "1234"}, {"name": "wrong", "pin": "1234"}]) as lab:
        text = lab.config.read_text()
        for name, pin in (("right", "1234"), ("wrong", "9999")):
            text = text.replace(f'name = "{name}"\n', f'name = "{name}"\npin = "{pin}"\n')
        lab.config.write_text(text)
        key = None
        for _ in range(2):
            async with lab.running() as service:
                key = key or service.key
                service.use(key)
                await service.modem("right", "registered")
                locked = await service.modem("wrong", "locked")
                assert locked["reason"] == "pin_refused"
                assert "9999" not in str(locked) + service.stderr.read_text()
                assert await service.stop() == 0
        tried = {name: modem["pins"] for name, modem in (await lab.bank.ask("modems")).items()}
        assert tried == {"right": ["1234"], "wrong": ["9999"]}


async def test_a_pdu_that_nobody_can_read_is_shown_taken_off_the_sim_and_does_not_come_again(make_lab: Any) -> None:
    nonsense = "07911326040000F0FF0B91"
    async with make_lab(["a"]) as lab:
        await lab.bank.ask("plant", modem="a", pdu=nonsense)
        key = None
        for _ in range(2):
            async with lab.running() as service:
                key = key or service.key
                service.use(key)
                await service.modem("a", "registered")
                (shown,) = await until(service.inbox)
                assert shown["flags"] == ["undecodable"]

                async def empty() -> bool:
                    return (await lab.bank.ask("modems"))["a"]["stored"] == 0

                await until(empty)
                assert await service.stop() == 0
        assert "Traceback" not in service.stderr.read_text()


async def test_ports_where_no_modem_is_say_so(deaf: Path) -> None:
    words = (deaf / "out").read_text().split()
    url = next(word for word in words if word.startswith("http")).removesuffix("/v1")
    key = next(word for word in words if word.startswith("mgw_"))
    async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {key}"}) as session:

        async def look() -> dict[str, Any] | None:
            async with session.get("/v1/modems") as response:
                modems = {each["name"]: each for each in (await response.json())["items"]}
            return modems if all(each["state"] == "failed" for each in modems.values()) else None

        modems = await until(look, 90)
    for name in ("echo", "mute"):
        assert modems[name]["reason"] == "no_answer"
        assert "AT port" in modems[name]["detail"]
    assert "Traceback" not in (deaf / "log").read_text()
