"""``modemgw bench --real``: what one's own modems and network take for a message. It sends real messages.

The normal gateway does it, in this process, on the service's own database: the messages count towards all limits, are
found by their ``ref`` (``bench-`` and the time), and whatever arrives meanwhile is stored. Nothing is sent before the
owner has seen what it will be and said yes. One modem after the other, for messages to one number wait for each other.
Exit code 0 when all were accepted by the network, 1 when some were not or it was stopped, 2 when a modem that should
send got none through, 3 when nothing could be measured.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from modemgw import app, logs
from modemgw.cli import where
from modemgw.cli.bench_sending import Bench, Result, detail, name_of, order, progress
from modemgw.cli.stop import Stop
from modemgw.config import Config
from modemgw.domain.errors import GatewayError, Rejected
from modemgw.gateway.fleet import Line
from modemgw.gateway.gateway import Gateway
from modemgw.modem.states import ModemState
from modemgw.port import discovery
from modemgw.store import views
from modemgw.store.errors import StoreError

UNKNOWN = 3
_STEADY_S = 3.0  # no modem changes its state for so long: those that are not ready will not be
_SILENT_S = 30.0  # a stick needs up to 20 s until it answers
_START_S = 120.0
_STARTING = (ModemState.INITIALIZING, ModemState.SEARCHING)


def run(args: argparse.Namespace) -> int:
    """``args`` are checked, and the owner can be asked or has said yes."""
    settings = where.load(args)
    os.umask(0o077)
    logs.setup("ERROR", json=False)
    try:
        return asyncio.run(_bench(settings, args))
    except app.AlreadyRunning as error:
        raise Stop(f"{error} Stop it for the time of this: it holds the modems.", code=UNKNOWN) from None
    except (app.CannotStart, StoreError, GatewayError) as error:
        raise Stop(str(error), code=UNKNOWN) from None
    finally:
        if settings.gateway.state_dir.is_dir():
            where.give_to_owner(settings.gateway.state_dir)


async def _bench(settings: Config, args: argparse.Namespace) -> int:
    stopped = asyncio.Event()
    async with app.without_api(settings) as gateway:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        ready, others = await _ready(gateway, settings, stopped)
        if stopped.is_set():
            raise Stop("nothing was sent", code=UNKNOWN)
        if not ready:
            raise Stop(_nobody(others), code=UNKNOWN)
        await _agree(gateway, settings, ready, args, stopped)
        gateway.fleet.go()
        bench = Bench(gateway, args.to, args.messages, stopped)
        results = [await bench.measure(line) for line in ready]
    results += [_idle(line, args.messages) for line in others if line.modem.state != ModemState.DISABLED]
    if args.json:
        told = {"to": args.to, "messages": args.messages, "ref": bench.ref, "stopped": stopped.is_set()}
        print(json.dumps(told | {"modems": [asdict(each) for each in results]}))
    else:
        print("\n".join(table(results, bench.ref)))
    if any(each.sent == 0 for each in results) and not stopped.is_set():
        return 2
    return 1 if stopped.is_set() or any(each.sent < each.asked for each in results) else 0


# -- before anything is sent -------------------------------------------------------------------------------------------
async def _ready(gateway: Gateway, settings: Config, stopped: asyncio.Event) -> tuple[list[Line], list[Line]]:
    """The modems that may send, and the others, once it is clear which is which."""
    if not settings.modems and not discovery.find(search=settings.gateway.search):
        raise Stop("no modem is plugged in: `lsusb` shows what the machine sees of it", code=UNKNOWN)
    loop = asyncio.get_running_loop()
    began = steady_since = loop.time()
    before: list[ModemState] = []
    while not stopped.is_set() and loop.time() - began < _START_S:
        lines = list(gateway.fleet.lines.values())
        missing = [line.modem.name for line in lines if not _may_send(gateway, line)]
        if lines and not missing and settings.modems:
            break
        states = [line.modem.state for line in lines]
        if states != before or any(state in _STARTING for state in states):
            before, steady_since = states, loop.time()
        if loop.time() - steady_since > (_STEADY_S if lines else _SILENT_S):
            break
        progress(f"preparing {', '.join(missing) or 'the modems'}")
        await asyncio.sleep(0.1)
    progress("")
    lines = list(gateway.fleet.lines.values())
    ready = [line for line in lines if _may_send(gateway, line)]
    return ready, [line for line in lines if line not in ready]


def _may_send(gateway: Gateway, line: Line) -> bool:
    return line.sim_id is not None and gateway.fleet.allowed(line)


def _nobody(others: Iterable[Line]) -> str:
    why = "; ".join(f"{line.modem.name}: {detail(line)}" for line in others)
    return f"no modem can send: {why or 'none answers on the ports that were found'}"


async def _agree(
    gateway: Gateway, settings: Config, ready: Sequence[Line], args: argparse.Namespace, stopped: asyncio.Event
) -> None:
    """Says what will be done, and returns if that is wanted."""
    try:
        found = gateway.preview(order(args.to, 1, args.messages, "bench", None))
    except Rejected as error:
        raise Stop(f"{args.to}: {error.text}", code=2) from None
    total = args.messages * len(ready)
    used = sum(sim["sent_today"] for sim in await gateway.sims())
    left = max(0, settings.policy.daily_cap - used)
    if total > left:
        words = f"{total} messages are more than the {left} that `daily_cap` leaves for today: nothing was sent"
        raise Stop(words, code=UNKNOWN)
    assert found["segments"] == 1
    waiting = (await gateway.db.read(lambda cur: views.messages(cur, limit=500, status="queued")))["items"]
    lines = [f"This sends {total} messages of one segment to {args.to}, which your operator may charge:"]
    lines += [f"  {args.messages} from the SIM {name_of(line)} in {_modem(line)}" for line in ready]
    lines.append(
        f"They count towards your limits; of the daily cap of {settings.policy.daily_cap} segments {left} are left."
    )
    if waiting:
        count = f"{len(waiting)}{' or more' if len(waiting) == 500 else ''}"
        lines.append(f"Beside them go the messages that wait in the queue: {count}.")
    print("\n".join(lines), file=sys.stderr, flush=True)
    if args.yes:
        return
    print("Type yes to go on: ", end="", file=sys.stderr, flush=True)
    if await _typed(stopped) != "yes":
        raise Stop("nothing was sent", code=UNKNOWN)


def _modem(line: Line) -> str:
    who = line.modem.identity
    model = " ".join(part for part in ((who.manufacturer, who.model) if who else ()) if part)
    kind = "simulated" if line.simulated else model or "a modem of unknown make"
    return f"{line.modem.name} ({kind}, {line.modem.port_path})"


async def _typed(stopped: asyncio.Event) -> str:
    """A line from the terminal; empty when it was closed, or we are to stop."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()
    descriptor = sys.stdin.fileno()

    def read() -> None:
        if not line.done():
            line.set_result(os.read(descriptor, 1024).decode(errors="replace").strip())

    loop.add_reader(descriptor, read)
    stop = asyncio.ensure_future(stopped.wait())
    either: list[asyncio.Future[Any]] = [line, stop]
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.cancel()
        loop.remove_reader(descriptor)
    return line.result() if line.done() else ""


# -- afterwards --------------------------------------------------------------------------------------------------------
def _idle(line: Line, asked: int) -> Result:
    """A modem that could not even begin."""
    sim = line.sim
    return Result(line.modem.name, (sim.number or sim.iccid or "") if sim else "", line.simulated, asked,
                  failures={detail(line): asked})  # fmt: skip


def table(results: Sequence[Result], ref: str) -> list[str]:
    """For people."""
    columns = ("modem", "SIM", "sent", "delivered", "segment s", "overhead ms", "report s")
    rows = [columns]
    rows += [
        (
            each.modem + (" (simulated)" if each.simulated else ""),
            each.sim,
            f"{each.sent} of {each.asked}",
            str(each.delivered),
            _pair(each.segment_s, 2),
            _pair(each.overhead_ms, 1),
            _pair(each.report_s, 1),
        )
        for each in results
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(len(columns))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for each in results:
        lines += [f"{each.modem}: {count} × {words}" for words, count in each.failures.items()]
    lines.append("Pairs are median and 95 %. Segment: Ctrl-Z until +CMGS. Overhead: +CMGS until the next Ctrl-Z.")
    lines.append(f"Report: +CMGS until the delivery report. The messages have the ref {ref}.")
    return lines


def _pair(values: Sequence[float] | None, places: int) -> str:
    return "-" if values is None else " / ".join(f"{value:.{places}f}" for value in values)
