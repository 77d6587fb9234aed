"""Whatever is written to a modem, it survives, stays bounded, and answers AT after an ESC."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from modemgw.emulator.lines import COMMANDS
from modemgw.emulator.persona import names

Make = Callable[..., Any]
SUBMIT = "0011000B915155100021F30000A705E8329BFD06"
ARGUMENTS = [
    "",
    "?",
    "=?",
    "=1",
    "=0",
    "=2,1,0,1,0",
    '="SM","ME"',
    '=1,"*100#",15',
    "=19",
    "=999999999999",
    '="',
    "=,,,",
]
TAILS = ["\r", ";", "\r\n", "\x1a", "\x1b", "\x00", SUBMIT + "\x1a", "zz\x1a", '"', "="]


def noise(rng: random.Random) -> bytes:
    """A piece of what a broken or hostile program might write."""
    kind = rng.randrange(10)
    if kind == 0:
        return rng.randbytes(rng.randrange(40))
    name = rng.choice([*COMMANDS, "+NONE", "^X", "S99", "D123;"])
    return f"AT{name}{rng.choice(ARGUMENTS)}{rng.choice(TAILS)}".encode()


@pytest.mark.parametrize("seed", range(8))
def test_a_modem_survives_whatever_is_written(seed: int, make_bench: Make, make_lab: Make) -> None:
    rng = random.Random(seed)
    bench = make_bench(lab=make_lab(latency=(0.0, 2.0)), pin="1234" if seed % 2 else None, raw=True)
    for _ in range(400):
        bench.send(noise(rng), rng.random() * 3)
        if rng.random() < 0.1:
            bench.lab.network.deliver_from_outside("+491761111111", bench.device, "hello")
    bench.wait(300)
    bench.send("\x1b\r", 300)
    assert bench.send("\rATQ0V1E0\r", 60).endswith(b"OK\r\n")
    assert bench.send("AT\r") == b"\r\nOK\r\n"


@pytest.mark.parametrize("name", names())
def test_every_make_survives_it_and_comes_back_by_a_restart(name: str, make_bench: Make, make_lab: Make) -> None:
    rng = random.Random(name)
    bench = make_bench(name, lab=make_lab(latency=(0.0, 2.0)), raw=True)
    for _ in range(150):
        tty = rng.choice(list(bench.device.ttys))
        bench.device.receive(noise(rng), bench.lab.now, tty)
        bench.wait(rng.random() * 3)
    bench.device.unplug(back=1.0)
    bench.wait(200)
    for _ in range(4):
        answer = bench.send("\x1b\rATE0\r", 5)
    assert b"OK\r\n" in answer


def test_a_planted_line_is_shown_as_it_is(bench: Any) -> None:
    assert bench.device.inbox.plant("00GARBAGE", 24, stat=3) == 1
    assert bench.wait() == b'\r\n+CMTI: "SM",1\r\n'
    assert bench.send("AT+CMGR=1\r") == b"\r\n+CMGR: 3,,24\r\n00GARBAGE\r\n\r\nOK\r\n"
    bench.ok("AT+CMGF=1")
    assert bench.send("AT+CMGR=1\r") == b"\r\n+CMS ERROR: 320\r\n"
