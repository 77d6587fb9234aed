"""``modemgw bench``: how fast this machine is, with a real gateway process and simulated modems in another one.

The modems' network answers at once, so what is measured is the gateway. The database is a real file with its durable
commits; nothing is shared with an installed service. Exit code 0 when every goal is met, 1 when one is missed. With
``--real`` it is something else: see ``bench_real``.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from modemgw.cli import bench_full, bench_rows, where
from modemgw.cli.bench_full import Figure
from modemgw.cli.rig import (
    PATIENCE_S,
    Gateway,
    Process,
    configuration,
    first_send_s,
    progress,
    start_bank,
    start_gateway,
)
from modemgw.cli.stop import Stop
from modemgw.pdu.decode import decode
from modemgw.seams import SystemClock

_REST_S = 5.0
_PARTS = (*bench_full.PARTS, *bench_rows.PARTS)
_MOST_REAL = 200  # messages for one modem
_SAMPLE = (  # a DELIVER of 160 characters
    "00040D91945155090000F1000062112290210040A054741914AFA7C76B9058FEBEBB41E6371EA4AEB7E173D0DB5E9683E8E8"
    "32881DD6E741E4F7D905A2A2CBA0783D3D5E83C4F2F7DD0D32BFF12075BD0D9F83DEF6B21C44479741ECB03E0F22BFCF2E10"
    "155D06C5EBE9F11A2496BFEF6E90F98D07A9EB6DF81CF4B697E5203ABA0C6287F57910F97D7681A0E1F11AD4CE83C46F3CE8"
    "9EA6A341E6B4BD0C22BFF5"
)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--messages", metavar="N", type=int, help="how many are sent (default 1000; with --real 10)")
    parser.add_argument("--arrivals", metavar="N", type=int, default=200, help="how many arrive (default 200)")
    parser.add_argument("--full", action="store_true", help="every figure, with up to 32 modems and a year's database")
    parser.add_argument("--only", metavar="PART", help=f"of --full that part alone: {', '.join(_PARTS)}; or busy, rest")
    parser.add_argument("--real", action="store_true", help="one's own modems: sends messages that may cost money")
    parser.add_argument("--to", metavar="NUMBER", help="with --real: who gets the messages, such as your own telephone")
    parser.add_argument("--yes", action="store_true", help="with --real: do not ask whether that is wanted")
    where.add_option(parser)
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")


def run(args: argparse.Namespace) -> int:
    if args.messages is None:
        args.messages = 10 if args.real else 1000
    if args.real:
        return _real(args)
    wanted = _wanted(args)
    if args.to is not None or args.yes or args.config is not None:
        raise Stop("--to, --yes and --config belong to --real: nothing else sends real messages", code=2)
    if args.messages < 10 or args.arrivals < 10:
        raise Stop("--messages and --arrivals must be at least 10: a median of fewer says nothing", code=2)
    try:
        figures = [] if args.only else asyncio.run(measure(args.messages, args.arrivals))
        figures += asyncio.run(bench_full.measure(wanted))
        figures += asyncio.run(bench_rows.measure(wanted))
    except TimeoutError:
        raise Stop("the gateway did not get through in time; `modemgw run --simulate 1` may show why") from None
    if args.json:
        print(json.dumps({"figures": [asdict(each) | {"met": each.met} for each in figures]}))
    else:
        for each in figures:
            limit = "at most" if each.at_most else "at least"
            verdict = "good" if each.met else "SHORT"
            print(f"{each.name:<72} {each.value:>10.2f} {each.unit:<6} {limit} {each.goal:g}  {verdict}")
    return 0 if all(each.met for each in figures) else 1


def _real(args: argparse.Namespace) -> int:
    if args.to is None:
        raise Stop("--real needs --to NUMBER: a telephone of your own that may get the messages", code=2)
    if not 1 <= args.messages <= _MOST_REAL:
        raise Stop(f"--messages must be 1 to {_MOST_REAL}: each costs what your operator takes for it", code=2)
    if not args.yes and not sys.stdin.isatty():
        raise Stop("this sends messages that may cost money: confirm with --yes, or run it on a terminal", code=3)
    from modemgw.cli import bench_real  # noqa: PLC0415 - the whole gateway: only for those who get that far

    return bench_real.run(args)


def _wanted(args: argparse.Namespace) -> list[str]:
    """The parts of ``--full`` that are to be measured."""
    if args.only is None:
        return list(_PARTS) if args.full else []
    found = [part for part in _PARTS if args.only in (part, part.partition("-")[0])]
    if not found:
        raise Stop(f"--only: there is no part {args.only!r}; there are {', '.join(_PARTS)}", code=2)
    return found


async def measure(messages: int, arrivals: int) -> list[Figure]:
    """Starts bank and gateway, and takes every figure. TimeoutError when something gets stuck."""
    with tempfile.TemporaryDirectory(prefix="modemgw-bench-") as folder:
        async with start_bank(Path(folder), 1) as bank:
            return await _measure(Path(folder), bank, messages, arrivals)


async def _measure(folder: Path, bank: Process, messages: int, arrivals: int) -> list[Figure]:
    config = configuration(folder, 1)
    progress("starting a gateway with one modem")
    async with start_gateway(config) as gateway:
        await asyncio.sleep(_REST_S)
        idle_mb = gateway.rss_mb()
        progress(f"sending {messages} messages")
        await bank.ask("stamps")
        stamps = await _send_all(gateway, bank, messages)
        gaps = [
            1000 * (later - sooner) for sooner, later in zip(stamps["accepted"], stamps["ctrl_z"][1:], strict=False)
        ]
        progress(f"{arrivals} messages arrive")
        arrived = (await bank.ask(f"arrive {arrivals}"))["arrivals"]
        await gateway.post(1, send_at_in_s=1)
    progress("starting again")
    await asyncio.sleep(1.0)  # the message that waits is due
    restart_s = await first_send_s(config, bank)
    return [
        Figure("answer of the modem -> next Ctrl-Z, median", statistics.median(gaps), "ms", 5),
        Figure("arrival at the modem -> on disk and deleted there, median", 1000 * statistics.median(arrived), "ms", 8),
        Figure("memory of the idle gateway with one modem", idle_mb, "MB", 60),
        Figure("second start -> first Ctrl-Z", restart_s, "s", 5),
        Figure("PDUs decoded (DELIVER of 160 characters)", _decodes_per_second(), "1/s", 10_000, at_most=False),
    ]


async def _send_all(gateway: Gateway, bank: Process, messages: int) -> dict[str, list[float]]:
    merged: dict[str, list[float]] = {"ctrl_z": [], "accepted": []}
    await gateway.post(messages)
    async with asyncio.timeout(PATIENCE_S):
        while len(merged["accepted"]) < messages:
            await asyncio.sleep(0.2)
            answer = await bank.ask("stamps")
            for kind, stamps in merged.items():
                stamps.extend(answer[kind].get("modem0", []))
    return merged


def _decodes_per_second(seconds: float = 1.0) -> float:
    clock = SystemClock()
    began = clock.monotonic()
    count = 0
    while (passed := clock.monotonic() - began) < seconds:
        for _ in range(100):
            decode(_SAMPLE)
        count += 100
    return count / passed
