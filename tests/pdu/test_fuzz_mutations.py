"""100,000 mutated PDUs; a million by the command that fuzz_mutations.py names."""

import importlib.util
from pathlib import Path
from types import ModuleType

SEED = 20261101


def _script() -> ModuleType:
    path = Path(__file__).with_name("fuzz_mutations.py")
    spec = importlib.util.spec_from_file_location("fuzz_mutations", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_hundred_thousand_mutations_give_a_message_or_a_pdu_error() -> None:
    fuzz = _script()
    seen, failures, slow = fuzz.run(100_000, SEED)
    assert failures == []
    assert slow < fuzz.SLOWEST_MS
    # the mutations must reach deep into the decoder, or the test says nothing
    assert {"deliver", "submit", "status_report", "refused TP-UD", "refused TP-UDH"} <= set(seen)
    assert seen["deliver"] > 10_000
