"""One small world of the kill loop: modems, a receiver of webhooks, a client, and gateways that die, one by one.

The modems' process keeps ttys, SIM cards and the ledger over every death. The client repeats a request that got no
answer with the same Idempotency-Key until it is accepted, as it should. ``end`` lets the last gateway work off what is
left (with the windows for proof let go by, so that nobody waits for minutes), and ``Verdict`` counts what went wrong.
"""

import asyncio
import contextlib
import random
import shutil
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from system.harness import Bank, Gone, Service, Sink, Starter, clean_environ, until

MODEMS = 6
RANDOM = "random"
SENT = ("submitted", "delivered", "undelivered")
FINAL = ("delivered", "undelivered", "failed", "expired", "cancelled", "unknown", "sent")
CLASSES = ("otp", "alert", "transactional", "transactional", "bulk", "bulk", "command")
_MOST_OPEN = 40
_AGE_MS = 11 * 60_000
_SOON_MS = 2_000  # what the network takes later than this after a death was sent by a later life


@dataclass(slots=True)
class Kill:
    """One death. ``cut``: tokens of the attempts that were ``submitting``; ``fired``: by the named point itself."""

    point: str
    fired: bool
    cut: list[str]
    at_ms: int


@dataclass(slots=True)
class Verdict:
    """What went wrong, each with a word about it; and what happened."""

    kills: list[Kill] = field(default_factory=list)
    breaks: dict[str, list[str]] = field(default_factory=dict)
    accepted: int = 0
    received: int = 0
    copies: int = 0
    extra_copies: int = 0
    uncertain: int = 0
    proven: set[str] = field(default_factory=set)
    taken_unproven: int = 0  # the network had taken it, and nobody ever learnt that
    notes: list[str] = field(default_factory=list)

    def wrong(self, what: str, detail: str) -> None:
        self.breaks.setdefault(what, []).append(detail)


class KillWorld:
    """``async with`` its parts outside; ``round`` once per death, then ``end``."""

    def __init__(
        self, folder: Path, bank: Bank, sink: Sink, config: Path, starter: Starter, seed: int, state: Path | None = None
    ) -> None:
        self.folder = folder
        self.database = (state or folder / "state") / "modemgw.db"
        self.bank = bank
        self.sink = sink
        self.config = config
        self.starter = starter
        self.rng = random.Random(seed)
        self.seed = seed
        self.key: str | None = None
        self.accepted: dict[str, str] = {}  # ref -> id
        self.arrivals: list[str] = []
        self.parts = 0
        self.verdict = Verdict()
        self._open: dict[str, dict[str, Any]] = {}  # requests without an answer: ref -> body
        self._made = 0

    # -- a life and its end --------------------------------------------------------------------------------------------
    async def round(self, point: str, kill: Callable[[Service], Awaitable[object]] | None = None) -> Kill:
        """A gateway lives under traffic until ``point`` kills it, or a random moment does (by ``kill`` if given)."""
        crash = {} if point == RANDOM else {"MODEMGW_CRASH": f"{point}:{self._pass(point)}"}
        service = await Service.start(self.config, starter=self.starter, **crash)
        traffic = asyncio.create_task(self._traffic(service))
        fired = point != RANDOM
        try:
            if point == RANDOM:
                await self._a_moment(service)
            else:
                # Where every answer was lost: twenty seconds of listening, and the first result is held for thirty.
                async with asyncio.timeout(70):
                    await service.child.wait()
        except TimeoutError:
            fired = False
        if service.child.returncode is None:
            await (kill(service) if kill else service.kill())
        code = await service.ended()
        traffic.cancel()
        await asyncio.gather(traffic, return_exceptions=True)
        if code != -signal.SIGKILL:
            self.verdict.wrong("ended by itself", f"{point}: exit code {code}, see {service.stderr}")
        cut = self._query("SELECT token FROM attempts WHERE state = 'submitting'")
        died = Kill(point, fired, cut, time.time_ns() // 1_000_000)
        self.verdict.kills.append(died)
        return died

    def _pass(self, point: str) -> int:
        return {"in_migration": 1, "after_c1": self.rng.randint(2, 8), "before_c1": self.rng.randint(2, 8)}.get(
            point, self.rng.randint(1, 3)
        )

    async def _a_moment(self, service: Service) -> None:
        """Now and then during the start, mostly with traffic both ways."""
        if self.rng.random() < 0.1:
            await asyncio.sleep(self.rng.uniform(0.02, 0.5))
            return
        await until(lambda: "API: " in service.said() or service.child.returncode is not None, 15)
        before = await self._ctrl_z()

        async def sending() -> bool:
            return await self._ctrl_z() > before or service.child.returncode is not None

        with contextlib.suppress(TimeoutError):  # every port may be one that only listens
            await until(sending, 2.0)
        await asyncio.sleep(self.rng.uniform(0.0, 0.8))

    async def _ctrl_z(self) -> int:
        """How many times a modem was handed a message so far."""
        return sum(each["ctrl_z"] for each in (await self.bank.ask("modems")).values())

    # -- traffic -------------------------------------------------------------------------------------------------------
    async def _traffic(self, service: Service) -> None:
        """Until the gateway is gone."""
        arriving = asyncio.create_task(self._arrive())
        try:
            await self._log_in(service)
            await asyncio.sleep(self.rng.uniform(0.0, 0.5))  # else C1 would always happen while ports are being opened
            for ref in list(self._open):
                await self._post(service, ref)
            while True:
                if len(self.accepted) - self._ended(service) < _MOST_OPEN:
                    await self._post(service, self._new_request())
                await asyncio.sleep(self.rng.uniform(0.01, 0.12))
        except (Gone, aiohttp.ClientError, TimeoutError, OSError):
            pass
        finally:
            arriving.cancel()
            await asyncio.gather(arriving, return_exceptions=True)

    def _ended(self, _service: Service) -> int:
        return len({id_ for _, type_, id_, _ in self.sink.got if type_ in ("message.sent", "message.delivered")})

    async def _log_in(self, service: Service) -> None:
        await service.listening(self.key)
        if self.key is None:
            self.key = service.key
        if self.key is None:  # an earlier life made it, and died before anybody saw it: the owner makes another one
            self.key = await self._make_key()
            service.use(self.key)

    async def _make_key(self) -> str:
        out = self.folder / f"key-{self.rng.random()}"
        argv = ["key", "create", out.name, "--scope", "admin", "--config", str(self.config)]
        child = await self.starter(argv, clean_environ(), out, self.folder / "key-errors")
        assert await child.wait() == 0
        return out.read_text().strip()

    def _new_request(self) -> str:
        self._made += 1
        ref = f"{self.seed}-{self._made}"
        body: dict[str, Any] = {
            "to": f"+49151{self._made:08d}",
            "text": f"message {ref}" + " of two segments" * (12 if self.rng.random() < 0.15 else 0),
            "class": self.rng.choice(CLASSES),
            "report": self.rng.random() < 0.8,
            "ref": ref,
        }
        self._open[ref] = body
        return ref

    async def _post(self, service: Service, ref: str) -> None:
        status, body = await service.call(
            "POST", "/v1/messages", json=self._open[ref], headers={"Idempotency-Key": f"key-{ref}"}
        )
        if status == 202:
            self.accepted[ref] = body["id"]
            del self._open[ref]
        elif status < 500:
            self.verdict.wrong("refused", f"{ref}: {status} {body}")
            del self._open[ref]

    async def _arrive(self) -> None:
        while True:
            await asyncio.sleep(self.rng.uniform(0.05, 0.5))
            modem = self.rng.choice(list(self.bank.ports))
            if self.arrivals and (await self.bank.ask("modems"))[modem]["stored"] > 12:
                continue
            text = f"arrival {len(self.arrivals)} of {self.seed}"
            if self.rng.random() < 0.2:
                text += " in two parts" * 12
            self.arrivals.append(text)
            self.parts += 1 + (len(text) > 160)
            await self.bank.ask("deliver", modem=modem, sender="+4915559000001", text=text)

    # -- the end -------------------------------------------------------------------------------------------------------
    async def end(self, *, quick: bool = False) -> Verdict:
        """Works off what is left, then judges. ``quick``: ports that only listen for an answer are not waited for."""
        await self._work_off("what is left", ("uncertain",), 6.0 if quick else None)
        self._let_windows_pass()
        await self._work_off("what was uncertain", ())
        await self._judge()
        return self.verdict

    async def _work_off(self, what: str, may_stay: Sequence[str], at_most: float | None = None) -> None:
        """One life without a crash, until every message has a status that may stay, and everything was announced.

        ``at_most``: seconds after which that need not be so yet.
        """
        service = await Service.start(self.config, starter=self.starter)
        try:
            await self._log_in(service)
            for ref in list(self._open):
                await self._post(service, ref)
            await until(lambda: self._settled(service, (*FINAL, *may_stay)), at_most or 120, every=0.3)
        except TimeoutError:
            if at_most is None:
                await self._tell_what_is_stuck(service, what, may_stay)
        finally:
            code = await service.stop()
        if code != 0:
            self.verdict.wrong("exit code", f"{what}: {code}")

    async def _tell_what_is_stuck(self, service: Service, what: str, may_stay: Sequence[str]) -> None:
        rows = self._rows_of_the_living(
            "SELECT id, status, class, due_ms, sim_id, error FROM messages WHERE direction = 'outbound'"
        )
        stuck = [row for row in rows if row[1] not in (*FINAL, *may_stay)]
        states = await service.get("/v1/modems")
        modems = [(each["name"], each["state"], each["detail"]) for each in states["items"]]
        arrived = len(await self.bank.ask("delivered"))
        self.verdict.wrong("does not come to rest", f"{what}: {stuck[:5]} {modems} {arrived} of {self.parts} parts")

    async def _settled(self, service: Service, allowed: Sequence[str]) -> bool:
        for (id_,) in self._rows_of_the_living("SELECT id FROM messages WHERE status = 'held'"):
            await service.call("POST", f"/v1/messages/{id_}/release")
        waiting = self._rows_of_the_living(
            "SELECT 1 FROM messages WHERE direction = 'outbound' AND instr(?, status) = 0 "
            "UNION ALL SELECT 1 FROM deliveries WHERE state = 'pending' LIMIT 1",
            " ".join(allowed),
        )
        if waiting or len(await self.bank.ask("delivered")) < self.parts:
            return False
        modems = (await service.get("/v1/modems"))["items"]
        stored = [each["stored"] for each in (await self.bank.ask("modems")).values()]
        return all(each["state"] == "registered" for each in modems) and not any(stored)

    def _let_windows_pass(self) -> None:
        """As if a quarter of an hour had gone by, with the service off."""
        with contextlib.closing(sqlite3.connect(self.database)) as db, db:
            db.execute("UPDATE attempts SET decide_ms = 0 WHERE state = 'uncertain'")
            db.execute("UPDATE attempts SET started_ms = started_ms - ?", (_AGE_MS,))

    # -- the verdict ---------------------------------------------------------------------------------------------------
    async def _judge(self) -> None:
        entries = await self.bank.ask("ledger")
        ledger = Counter((each["to"], each["seq"]) for each in entries)
        self.verdict.copies = sum(ledger.values())
        self._judge_accepted()
        self._judge_copies(ledger)
        self._judge_received()
        self._judge_announced()
        for name, modem in (await self.bank.ask("modems")).items():
            if modem["unknown"] or modem["stray_submits"]:
                self.verdict.wrong("modem", f"{name}: unknown {modem['unknown']}, stray 0x1A {modem['stray_submits']}")
        for line in self.damage():
            self.verdict.wrong("corrupt", line)
        self.verdict.proven = set(self._query("SELECT token FROM attempts WHERE evidence IS NOT NULL"))
        self._explain_unproven(entries)

    def _explain_unproven(self, entries: list[dict[str, Any]]) -> None:
        """When was it begun, taken by the network, and when did we die?"""
        for token, modem, peer, began_ms in self._rows(
            "SELECT token, modem, peer, started_ms FROM attempts WHERE evidence IS NULL AND state != 'not_sent'"
        ):
            for number, kill in enumerate(self.verdict.kills):
                if token in kill.cut:
                    began = began_ms + _AGE_MS - kill.at_ms
                    taken = [each["at_ms"] - kill.at_ms for each in entries if each["to"] == peer]
                    if any(began <= at <= _SOON_MS for at in taken):
                        self.verdict.taken_unproven += 1
                    self.verdict.notes.append(
                        f"{self.seed} round {number} {kill.point}: {modem} {peer} began {began} ms, taken {taken} ms, "
                        f"death 0 ms"
                    )

    def _judge_accepted(self) -> None:
        verdict = self.verdict
        verdict.accepted = len(self.accepted)
        rows = {id_: (status, ref) for id_, status, ref in self._rows(
            "SELECT id, status, ref FROM messages WHERE direction = 'outbound'"
        )}  # fmt: skip
        for ref, id_ in self.accepted.items():
            if id_ not in rows:
                verdict.wrong("accepted lost", f"{ref} {id_} is not there")
            elif rows[id_][0] not in FINAL:
                verdict.wrong("accepted lost", f"{ref} {id_} is {rows[id_][0]}")
        for ref, count in Counter(ref for _, ref in rows.values()).items():
            if count > 1:
                verdict.wrong("accepted twice", f"{ref}: {count} messages")

    def _judge_copies(self, ledger: Counter[tuple[str, int]]) -> None:
        verdict = self.verdict
        for peer, status, on_uncertain, seq, state, resends, attempts in self._rows(
            "SELECT m.peer, m.status, m.on_uncertain, g.seq, g.state, g.resends, (SELECT count(*) FROM attempts AS a "
            "WHERE a.segment_id = g.segment_id AND a.state NOT IN ('not_sent', 'refused')) "
            "FROM segments AS g JOIN messages AS m ON m.seq = g.message_seq"
        ):
            copies = ledger.pop((peer, seq), 0)
            what = f"{copies} copies of {peer} segment {seq} ({state}, message {status}, {resends} resends)"
            verdict.extra_copies += max(0, copies - 1)
            if on_uncertain == "never" and copies > 1:
                verdict.wrong("duplicate in a never-class", what)
            if copies > 1 + resends or copies > attempts or resends > 1:
                verdict.wrong("copy that is not recorded", what)
            if state in SENT and copies == 0:
                verdict.wrong("false sent", what)
            if state in ("queued", "cancelled", "expired", "failed") and copies:
                verdict.wrong("sent and not recorded", what)
        if ledger:
            verdict.wrong("sent and not recorded", str(dict(ledger)))
        verdict.uncertain = len(self._query("SELECT 1 FROM timeline WHERE event = 'uncertain'"))

    def _judge_received(self) -> None:
        texts, wanted = (
            Counter(self._query("SELECT text FROM messages WHERE direction = 'inbound'")),
            Counter(self.arrivals),
        )
        self.verdict.received = len(self.arrivals)
        for text in wanted - texts:
            self.verdict.wrong("received lost", text)
        for text in texts - wanted:
            self.verdict.wrong("received twice", str(text))

    def _judge_announced(self) -> None:
        """Everything at least once, under one id, in order per message."""
        types: dict[str, set[str]] = {}
        order: dict[str, list[str]] = {}
        for event_id, type_, id_, _ in self.sink.got:
            types.setdefault(id_ or "", set()).add(type_)
            seen = order.setdefault(id_ or event_id, [])
            if event_id not in seen:
                seen.append(event_id)
        for event_id, type_, id_ in self._rows(
            "SELECT e.id, e.type, m.id FROM events AS e JOIN messages AS m ON m.seq = e.message_seq WHERE NOT EXISTS "
            "(SELECT 1 FROM deliveries AS d WHERE d.event_seq = e.seq AND d.state = 'pending') ORDER BY e.seq"
        ):
            if type_ not in types.get(id_, ()):
                self.verdict.wrong("never announced", f"{type_} of {id_}")
            elif order[id_].pop(0) != event_id:
                self.verdict.wrong("announced out of order", f"{type_} of {id_}")
                order[id_] = [event_id] * 99
        ids: dict[str, str] = {}
        for event_id, type_, id_, _ in self.sink.got:
            if ids.setdefault(event_id, f"{type_} {id_}") != f"{type_} {id_}":
                self.verdict.wrong("webhook id used twice", event_id)

    # -- behind the API ------------------------------------------------------------------------------------------------
    def _rows_of_the_living(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Beside a gateway that runs."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as db:
            return db.execute(sql, values).fetchall()

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """From a copy of the files, so that not even a reader's recovery happens before the next gateway's."""
        copy = self.folder / "copy.db"
        for suffix in ("", "-wal"):
            source = Path(f"{self.database}{suffix}")
            Path(f"{copy}{suffix}").unlink(missing_ok=True)
            if source.exists():
                shutil.copyfile(source, f"{copy}{suffix}")
        Path(f"{copy}-shm").unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(copy)) as db:
            try:
                return db.execute(sql, values).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return []  # killed before there was a schema
                raise

    def missing(self) -> list[str]:
        """Messages that were accepted and are not on disk now."""
        there = set(self._query("SELECT id FROM messages"))
        return [id_ for id_ in self.accepted.values() if id_ not in there]

    def damage(self) -> list[str]:
        """What SQLite finds wrong with the file."""
        return [line for line in self._query("PRAGMA integrity_check") if line != "ok"]

    def _query(self, sql: str) -> list[Any]:
        return [row[0] for row in self._rows(sql)]
