"""The benchmark runs; what it measures depends on the machine and is asserted nowhere."""

import importlib.util
from pathlib import Path


async def test_the_benchmark_counts_every_submit() -> None:
    spec = importlib.util.spec_from_file_location("speed", Path(__file__).with_name("speed.py"))
    assert spec is not None
    assert spec.loader is not None
    speed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(speed)
    assert min(await speed.measure(modems=4, submits=100)) > 0
