"""The table of the fidelity checklist is whole: 55 points, each said in a line and shown by a test that exists."""

import ast
import re
import tomllib
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
TABLE: dict[str, tuple[str, str]] = tomllib.loads((HERE / "checklist.toml").read_text(encoding="utf-8"))["items"]


def written() -> Counter[str]:
    """The names of all test functions of this folder, and how often each is there."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in HERE.glob("test_*.py")]
    functions = (
        node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return Counter(node.name for node in functions if node.name.startswith("test_"))


def test_all_points_are_there_each_with_a_test_of_its_number() -> None:
    assert list(TABLE) == [f"{number:02d}" for number in range(1, 56)]
    there = written()
    for number, (line, test) in TABLE.items():
        assert 20 < len(line) < 100, number
        assert test.startswith(f"test_item_{number}_"), number
        assert there[test] == 1, f"{test} does not exist, or twice"


def test_no_test_claims_a_number_that_is_not_in_the_table() -> None:
    claimed = {match[1] for name in written() if (match := re.match(r"test_item_(\d+)", name))}
    assert claimed == set(TABLE)
