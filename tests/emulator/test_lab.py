"""A lab as a whole: believable identities, the same run from the same seed, speed."""

from collections.abc import Callable
from typing import Any

import phonenumbers

from modemgw.emulator.faults import Command, Delay, Fault, Garble

Make = Callable[..., Any]


def passes_luhn(digits: str) -> bool:
    values = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in values) % 10 == 0


def test_identities_are_believable_and_unique(make_lab: Make) -> None:
    lab = make_lab()
    devices = [lab.add(f"m{number}") for number in range(40)]
    for device in devices:
        number = phonenumbers.parse(device.sim.number)
        assert phonenumbers.region_code_for_number(number) == "DE"
        assert phonenumbers.is_possible_number(number)
        assert (len(device.imei), len(device.sim.iccid), len(device.sim.imsi)) == (15, 19, 15)
        assert passes_luhn(device.imei)
        assert passes_luhn(device.sim.iccid)
        assert device.sim.imsi.startswith("262")
        assert device.sim.iccid.startswith("8949")
    assert len({device.imei for device in devices}) == 40
    assert len({device.sim.iccid for device in devices}) == 40


def play(make_lab: Make, make_bench: Make, seed: int) -> list[bytes]:
    """A little run with chance in it; everything that was written."""
    lab = make_lab(seed, latency=(2.0, 6.0), report_delay=(1.0, 30.0))
    first, second = make_bench(lab=lab, name="a"), make_bench(lab=lab, name="b")
    first.device.faults.add(Fault(Command("AT+CMGS", nth=3), Garble(2)))
    first.device.faults.add(Fault(Command("AT+CMGS", nth=2), Delay(9.0)))
    written = []
    for turn in range(6):
        written.append(first.submit(second.device.sim.number, f"turn {turn}", wait=20))
        written.append(second.wait(10))
    return written


def test_the_same_seed_gives_the_same_run(make_lab: Make, make_bench: Make) -> None:
    assert play(make_lab, make_bench, 1) == play(make_lab, make_bench, 1)
    assert play(make_lab, make_bench, 1) != play(make_lab, make_bench, 2)
