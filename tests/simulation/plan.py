"""What one simulated day is made of: everything is drawn from the seed before the day begins, so that a seed is a day.

At least 300 messages and 50 things that go wrong, on one to eight modems, with crashes, clocks that jump, cards with
few slots, limits, and receivers of webhooks that fail for a while or for ever.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from modemgw.domain.message import CLASSES, Order
from modemgw.emulator import faults

DAY_S = 24 * 3600.0
NAMES = "abcdefgh"
_WORDS = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett", "kilo", "lima"]
_ALPHABETS = ("plain", "Grüße aus Köln {}", "Ελληνικά", "zażółć gęślą", "emoji 👩‍👩‍👧 and 🇩🇪")
# Last five digits on which the simulated network fails on purpose (emulator/magic.py).
_MAGIC = ("98001", "98002", "98003", "98004", "98005", "98006", "98007", "98008", "98009", "98010",
          "97070", "97048", "97096", "99038", "99042", "99001", "99500")  # fmt: skip
PERSONAS = ("generic", "a7670", "cinterion", "huawei-e1xx", "huawei-e3131", "quectel-ec25", "quectel-m95", "sim7600",
            "sim800", "telit-le910", "ublox-sara", "wavecom", "zte-mf")  # fmt: skip
_BUSY_HOURS = (2, 6, 10, 14, 18, 22)
_YEAR_MS = 365 * 86_400_000


@dataclass(frozen=True, slots=True)
class Plan:
    """One day. ``faults`` 0 and ``magic`` 0: nothing goes wrong."""

    seed: int
    modems: int
    messages: int = 300
    arrivals: int = 60
    faults: int = 50
    crashes: int = 3
    jumps: int = 3  # of the wall clock
    magic: float = 0.15  # share of recipients on which the network fails on purpose
    regulars: float = 0.15  # share of messages to the same few people
    cancels: float = 0.05
    slots: int = 20  # of each SIM
    daily_cap: int = 100_000
    per_hour: int | None = None  # limit of the first SIM
    starts_in_1970: bool = False
    pins: bool = False
    personas: tuple[str, ...] = ("generic",)  # of the modems, in turn

    @classmethod
    def of(cls, seed: int, modems: int | None = None) -> "Plan":
        """The day of a seed. ``modems`` None: the seed says how many."""
        rng = random.Random(f"plan {seed}")
        return cls(
            seed=seed,
            modems=modems or rng.randint(1, 8),
            messages=rng.randint(300, 360),
            arrivals=rng.randint(40, 90),
            faults=rng.randint(50, 80),
            crashes=rng.randint(1, 6),
            jumps=rng.choice((0, 1, 3)),
            slots=rng.choice((2, 4, 10, 20)),
            daily_cap=rng.choice((100_000, 100_000, 100_000, 250)),
            per_hour=rng.choice((None, None, 10)),
            starts_in_1970=rng.random() < 0.2,
            pins=rng.random() < 0.3,
            personas=tuple(rng.choice(PERSONAS) for _ in NAMES),
        )


@dataclass(frozen=True, slots=True)
class Submission:
    """A client's wish. ``again_after``: the client repeats it with its key; ``cancel_after``: it changes its mind."""

    at: float
    number: int
    order: Order
    again_after: float | None
    cancel_after: float | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody writes to one of our SIMs."""

    at: float
    modem: str
    sender: str
    text: str


@dataclass(frozen=True, slots=True)
class Mishap:
    """A modem does something wrong from now on, as soon as it gets the chance."""

    at: float
    modem: str
    fault: faults.Fault


@dataclass(frozen=True, slots=True)
class Crash:
    """The process is killed, and started again after ``down`` seconds."""

    at: float
    down: float


@dataclass(frozen=True, slots=True)
class Jump:
    """Somebody or something sets the wall clock. ``to_truth``: the time server does."""

    at: float
    by_ms: int = 0
    to_truth: bool = False


Event = Submission | Arrival | Mishap | Crash | Jump


def agenda(plan: Plan) -> list[Event]:
    """Everything that happens to the gateway from outside, in order."""
    rng = random.Random(f"agenda {plan.seed}")
    names = NAMES[: plan.modems]
    events: list[Event] = [_submission(rng, plan, number) for number in range(plan.messages)]
    events.extend(
        Arrival(rng.uniform(60, DAY_S * 0.95), rng.choice(names), f"+49155570{rng.randrange(100_000):05d}",
                f"#{number} " + _text(rng))
        for number in range(plan.arrivals)
    )  # fmt: skip
    events.extend(Mishap(rng.uniform(600, DAY_S * 0.9), rng.choice(names), draw_fault(rng)) for _ in range(plan.faults))
    events.extend(
        Crash(rng.uniform(600, DAY_S * 0.9), rng.choice((0.0, 0.0, rng.uniform(1, 600)))) for _ in range(plan.crashes)
    )
    if plan.starts_in_1970:
        events.append(Jump(rng.uniform(60, 7200), to_truth=True))
    for _ in range(plan.jumps):
        by_ms = rng.choice((3_600_000, 600_000, 5_000, _YEAR_MS, 30 * _YEAR_MS)) * rng.choice((1, -1))
        at = rng.uniform(7300, DAY_S * 0.85)
        events += [Jump(at, by_ms=by_ms), Jump(at + rng.uniform(1, 3000), to_truth=True)]
    return sorted(events, key=lambda event: event.at)


def _submission(rng: random.Random, plan: Plan, number: int) -> Submission:
    # A few people get many messages, several at a time, which must not overtake each other; all others get one.
    ending = rng.choice(_MAGIC) if rng.random() < plan.magic else f"{rng.randrange(90_000):05d}"
    regular = f"+4915790000{rng.randrange(3):03d}" if rng.random() < plan.regulars else None
    order = Order(
        to=(regular or f"+49156{number % 1000:03d}{number // 1000:01d}{ending}",),
        text=f"#{number} " + _text(rng),
        class_=rng.choice(("otp", "transactional") if regular else sorted(CLASSES)),
        report=rng.random() < 0.8,
        ttl_s=rng.choice((600, 6 * 3600, 6 * 3600)),
    )
    return Submission(
        at=rng.choice(_BUSY_HOURS) * 3600 + rng.uniform(0, 30) if regular else rng.uniform(60, DAY_S * 0.95),
        number=number,
        order=order,
        again_after=rng.uniform(0, 600) if rng.random() < 0.1 else None,
        cancel_after=rng.uniform(0, 20) if rng.random() < plan.cancels else None,
    )


def _text(rng: random.Random) -> str:
    words = " ".join(rng.choice(_WORDS) for _ in range(rng.choice((3, 3, 5, 20, 40, 70))))
    return rng.choice(_ALPHABETS).replace("{}", "") + " " + words


def draw_fault(rng: random.Random) -> faults.Fault:
    """One thing that a modem does wrong. Late answers come in order: no modem lets one overtake another."""
    on_submit = faults.Command("AT+CMGS")
    anywhere = faults.Byte(rng.randrange(1, 400))
    back = rng.uniform(3, 60)
    taken = rng.random() < 0.5
    choices: tuple[Callable[[], faults.Fault], ...] = (
        lambda: faults.Fault(on_submit, faults.Drop(rng.choice(("answer", "final", "prompt")))),  # type: ignore[arg-type]
        lambda: faults.Fault(on_submit, faults.Delay(rng.uniform(1, 250))),
        lambda: faults.Fault(on_submit, faults.Delay(rng.uniform(1, 25), what="prompt")),
        lambda: faults.Fault(on_submit, faults.Error(f"+CMS ERROR: {rng.choice((38, 42, 331, 304, 500, 512))}")),
        lambda: faults.Fault(on_submit, faults.Error("+CMS ERROR: 304", early=True)),
        lambda: faults.Fault(on_submit, faults.AcceptBut(rng.choice(("ERROR", "+CMS ERROR: 500", "+CMS ERROR: 332")))),
        lambda: faults.Fault(on_submit, faults.Duplicate(rng.choice(("answer", "final")))),  # type: ignore[arg-type]
        lambda: faults.Fault(on_submit, faults.Stray("+CMTI: \"SM\",1", rng.choice(("info", "final", "prompt")))),  # type: ignore[arg-type]
        lambda: faults.Fault(on_submit, faults.Unplug(
            rng.choice(("command", "prompt", "payload", "submitted", "final", "end")), accepted=taken, back=back  # type: ignore[arg-type]
        )),
        lambda: faults.Fault(on_submit, faults.Reboot(
            rng.choice(("command", "prompt", "submitted", "final")), accepted=taken  # type: ignore[arg-type]
        )),
        lambda: faults.Fault(faults.Urc("+CMTI"), faults.Drop()),
        lambda: faults.Fault(faults.Urc("+CDS"), faults.Duplicate()),
        lambda: faults.Fault(faults.Command("AT+CMGR"), faults.Drop()),
        lambda: faults.Fault(faults.Command("AT+CMGR"), faults.Unplug("final", back=back)),
        lambda: faults.Fault(faults.Command("AT+CMGL"), faults.Drop("final")),
        lambda: faults.Fault(faults.Command("AT+CMGD"), faults.Drop()),
        lambda: faults.Fault(faults.Command("AT+CMGD"), faults.Unplug("end", back=back)),
        lambda: faults.Fault(faults.Command("AT+CSQ"), faults.Drop()),
        lambda: faults.Fault(faults.Command("AT+COPS"), faults.Delay(rng.uniform(1, 200))),
        lambda: faults.Fault(faults.Command("AT"), faults.Stray("^RSSI: 12", "final")),
        lambda: faults.Fault(anywhere, faults.Reboot()),
        lambda: faults.Fault(anywhere, faults.Unplug(back=back)),
        lambda: faults.Fault(anywhere, faults.RegisterLoss(rng.uniform(10, 900))),
        lambda: faults.Fault(anywhere, faults.StorageFull(rng.uniform(10, 300))),
        lambda: faults.Fault(anywhere, faults.Dribble(rng.choice((0.001, 0.01)), lasts=rng.uniform(60, 1200))),
    )  # fmt: skip
    return rng.choice(choices)()
