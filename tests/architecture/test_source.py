"""House rules that no linter knows: where time, threads, SQL and the send byte may be; sizes; words.

Each rule has a test that breaks it on purpose, so that a rule which sees nothing any more is noticed.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import pytest


class Source(Protocol):
    name: str
    text: str
    tree: ast.Module

    def is_in(self, *places: str) -> bool: ...


VENDORS = (
    "quectel", "simcom", "huawei", "zte", "telit", "u-?blox", "sierra", "wavecom", "cinterion", "gemalto", "siemens",
    "novatel", "fibocom", "neoway", "meig", "nokia", "ericsson", "motorola", "alcatel", "longcheer", "brovi",
)  # fmt: skip
VENDOR = re.compile(rf"(?<![a-z])({'|'.join(VENDORS)})(?![a-z])", re.IGNORECASE)

# The names of kernel drivers, by which the kernel says that a port may belong to a modem.
NO_VENDORS = {("port/discovery.py", "sierra")}

# Whoever asks the machine for the time, for chance or for a name of its own cannot be run in virtual time.
CLOCKS = re.compile(
    r"time\.(time|time_ns|monotonic|monotonic_ns|perf_counter|perf_counter_ns|sleep|localtime|gmtime)"
    r"|(datetime\.)?(datetime|date)\.(now|utcnow|today)"
    r"|uuid\.\w+|uuid[1-8]|os\.urandom"
    r"|random\.(?!Random$|SystemRandom$)\w+"
    r"|secrets\.\w+"
)
THREADS = re.compile(
    r"asyncio\.to_thread|(\w+\.)*run_in_executor|threading\.\w+|concurrent\.futures\.\w+|multiprocessing\.\w+"
)
SQL = re.compile(
    r"\s*(SELECT\s.+\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|INDEX|VIRTUAL)|PRAGMA\s|BEGIN\s+IMMEDIATE)",
    re.DOTALL,
)
# Tables of data, where splitting would help nobody.
LONG_FILES = ("pdu/gsm7_tables.py",)


def calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything that is called or named, with imports undone: ``time()`` is ``time.time``."""
    imported: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            imported |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            imported |= {alias.asname: alias.name for alias in node.names if alias.asname}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            name = ast.unparse(node)
            head, dot, rest = name.partition(".")
            yield node.lineno, imported.get(head, head) + dot + rest


def strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, text) of every string and bytes constant that is not a docstring."""
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in documents:
            if isinstance(node.value, str):
                yield node.lineno, node.value
            elif isinstance(node.value, bytes):
                yield node.lineno, node.value.decode("latin-1")


def no_clock(source: Source) -> Iterator[str]:
    """Only seams asks the machine; the composition roots may make the source of chance that everybody else is given."""
    if source.is_in("seams.py"):
        return
    for line, name in calls(source.tree):
        if CLOCKS.fullmatch(name) and not (name == "secrets.token_bytes" and source.is_in("app/", "cli/")):
            yield f"{source.name}:{line}: {name}"


def no_thread(source: Source) -> Iterator[str]:
    """Blocking calls live in the store and where ports are opened."""
    if not source.is_in("store/", "port/opener.py"):
        yield from (f"{source.name}:{line}: {name}" for line, name in calls(source.tree) if THREADS.fullmatch(name))


def no_sql(source: Source) -> Iterator[str]:
    """SQL is in the store alone, and nobody else executes any."""
    if source.is_in("store/"):
        return
    has_cursor = "sqlite3" in source.text or "modemgw.store" in source.text
    yield from (f"{source.name}:{line}: {text[:40]!r}" for line, text in strings(source.tree) if SQL.match(text))
    for node in ast.walk(source.tree):
        if has_cursor and isinstance(node, ast.Attribute) and node.attr in {"execute", "executemany", "executescript"}:
            yield f"{source.name}:{node.lineno}: {ast.unparse(node)}"


def no_send_byte(source: Source) -> Iterator[str]:
    """0x1A is the byte that spends money: written by the AT dialogue alone; the emulator and the trace recognise it."""
    if not source.is_in("at/", "emulator/", "port/trace.py"):
        yield from (f"{source.name}:{line}: 0x1A" for line, text in strings(source.tree) if "\x1a" in text)
        yield from (
            f"{source.name}: {found[0]}" for found in re.finditer(r"chr\((0x1a|26)\)", source.text, re.IGNORECASE)
        )


def no_vendor(source: Source) -> Iterator[str]:
    """Quirks are data matched by identity, never a branch on a name."""
    for number, line in enumerate(source.text.splitlines(), 1):
        found = VENDOR.search(line)
        if found and (source.name, found[0]) not in NO_VENDORS:
            yield f"{source.name}:{number}: {found[0]}"


def not_too_long(source: Source) -> Iterator[str]:
    """A file fits in a head, a function on a screen."""
    lines = source.text.count("\n")
    if lines > 300 and source.name not in LONG_FILES:
        yield f"{source.name}: {lines} lines, more than 300"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > 50:
                yield f"{source.name}:{node.lineno}: {node.name} has {length} lines, more than 50"


def says_what_it_is(source: Source) -> Iterator[str]:
    """Every file opens with what it is."""
    if not ast.get_docstring(source.tree):
        yield f"{source.name}: no docstring"


RULES: Sequence[Callable[[Source], Iterable[str]]] = (
    no_clock,
    no_thread,
    no_sql,
    no_send_byte,
    no_vendor,
    not_too_long,
    says_what_it_is,
)


@pytest.mark.parametrize("rule", RULES)
def test_the_package_keeps(rule: Callable[[Source], Iterable[str]], sources: Sequence[Source]) -> None:
    assert [finding for source in sources for finding in rule(source)] == []


def test_there_is_something_to_look_at(sources: Sequence[Source]) -> None:
    assert len(sources) > 100
    assert {source.name.partition("/")[0] for source in sources} >= {"at", "pdu", "domain", "store", "gateway", "modem"}


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (no_clock, "import time\ntime.time()"),
        (no_clock, "from time import monotonic as m\nm()"),
        (no_clock, "import datetime\ndatetime.datetime.now()"),
        (no_clock, "from datetime import datetime\nx = datetime.now"),
        (no_clock, "from uuid import uuid4\nuuid4()"),
        (no_clock, "import random\nrandom.choice([1])"),
        (no_clock, "import secrets\nsecrets.token_bytes(3)"),
        (no_thread, "import asyncio\nasyncio.to_thread(print)"),
        (no_thread, "loop.run_in_executor(None, print)"),
        (no_thread, "from threading import Thread\nThread()"),
        (no_sql, "q = 'SELECT * FROM messages'"),
        (no_sql, "q = f'''\n  UPDATE messages SET x = {y}'''"),
        (no_sql, "import sqlite3\ndef f(cur: sqlite3.Cursor): cur.execute(q)"),
        (no_send_byte, "x = b'07\\x1a'"),
        (no_send_byte, "x = '\\x1a'"),
        (no_send_byte, "x = chr(26)"),
        (no_vendor, "if maker == 'ZTE':\n    pass"),
        (no_vendor, "# u-blox"),
        (not_too_long, "x = 1\n" * 301),
        (not_too_long, "def f():\n" + "    x = 1\n" * 50),
        (says_what_it_is, "x = 1"),
    ],
)  # fmt: skip
def test_each_rule_sees_what_it_is_for(
    rule: Callable[[Source], Iterable[str]], text: str, sources: Sequence[Source]
) -> None:
    made = type(sources[0])("somewhere/new.py", text, ast.parse(text))
    assert list(rule(made))


@pytest.mark.parametrize(
    "text", ["import random\nrandom.Random(1)", "loop.time()", "x = 'SELECTED from'", "x = 26", "aztec = 1"]
)
def test_the_rules_let_good_code_pass(text: str, sources: Sequence[Source]) -> None:
    made = type(sources[0])("somewhere/new.py", f'"""Doc."""\n{text}', ast.parse(f'"""Doc."""\n{text}'))
    assert [finding for rule in RULES for finding in rule(made)] == []
