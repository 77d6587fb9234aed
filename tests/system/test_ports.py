"""Ports that are missing, taken, mute, or pulled: that modem says what is the matter, and the others work."""

import asyncio
import contextlib
import os
import subprocess
import sys
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from system.harness import until

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


@contextlib.contextmanager
def no_modem(folder: Path, name: str, *, echoes: bool) -> Iterator[Path]:
    """A terminal with something else behind it: it gives back what it hears, or says nothing."""
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    link = folder / name
    link.symlink_to(os.ttyname(slave))
    loop = asyncio.get_running_loop()
    loop.add_reader(master, lambda: os.write(master, data) if (data := os.read(master, 4096)) and echoes else None)
    try:
        yield link
    finally:
        loop.remove_reader(master)
        os.close(slave)
        os.close(master)


async def test_bad_ports_say_what_is_wrong_and_the_good_modem_works(make_lab: Any) -> None:
    async with make_lab(["good"]) as lab:
        master, slave = os.openpty()
        busy = Path(os.ttyname(slave))
        with (
            held(busy) as holder,
            no_modem(lab.folder, "echo", echoes=True) as echo,
            no_modem(lab.folder, "mute", echoes=False) as mute,
        ):
            os.close(slave)
            nowhere = lab.folder / "tty" / "nowhere"
            ports = lab.bank.ports | {"taken": busy, "echo": echo, "mute": mute, "missing": nowhere}
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
                for name in ("echo", "mute"):
                    modem = await service.modem(name, "failed")
                    assert modem["reason"] == "no_answer", modem
                    assert len(modem["detail"]) > 20, modem
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
    async with make_lab(["a", "b"]) as lab:
        async with lab.running() as service:
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
