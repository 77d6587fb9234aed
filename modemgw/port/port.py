"""One open port: gives each command its own answer or an exception, and never writes out of turn.

Rules
- One exchange at a time, first come first served. The exchange runs in a task of the port: cancelling a caller never cuts
  one in half. A SUBMIT whose caller went away is called off with ESC while that is possible; after that its result is
  delivered through ``on_late_submit``.
- A SUBMIT: command, prompt, ``await before_payload()`` (the intent on disk), then PDU and Ctrl-Z in one write. No prompt, an
  exception or more than two seconds: ESC, ``NotSent``.
- After anything that leaves an answer outstanding the next command waits for a proof of order (``resync``).
- Nothing is written while the result of a SUBMIT is outstanding within its deadline.
- Callbacks run from the event loop in the order of the modem's lines, and a fault in one does not harm the port.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from modemgw.at.chat import PDU_PATIENCE, Chat, Phase
from modemgw.at.commands import Command
from modemgw.at.errors import CommandFailed
from modemgw.at.events import Event, LateFailure, LateSubmit, Prompt, Reply, Unknown
from modemgw.at.urc import Urc
from modemgw.port.errors import CommandTimeout, NotSent, PortLost
from modemgw.port.trace import Trace

BEFORE_PAYLOAD_LIMIT = 2.0  # seconds; a modem's own patience at the prompt is of this order
SILENCE = 0.3  # seconds without a byte before a probe
SILENCE_LIMIT = 3.0  # a modem that chatters without a pause is probed all the same
RESYNC_LIMIT = 20.0

BeforePayload = Callable[[], Awaitable[None]]
T = TypeVar("T")


class Port(asyncio.Protocol):
    """Protocol of one serial transport. Made unconnected; ``connected`` is set once it can be used."""

    def __init__(
        self,
        name: str,
        *,
        on_urc: Callable[[Urc], None] | None = None,
        on_late_submit: Callable[[LateSubmit], None] | None = None,
        on_late_failure: Callable[[LateFailure], None] | None = None,
        on_lost: Callable[[str], None] | None = None,
        chat: Chat | None = None,
        guard: float = 0.0,
    ) -> None:
        self.name = name
        self.on_urc = on_urc
        self.on_late_submit = on_late_submit
        self.on_late_failure = on_late_failure
        self.on_lost = on_lost
        self.chat = chat or Chat()
        self.guard = guard  # seconds between a final result and the next command
        self.connected = asyncio.Event()
        self.lost = asyncio.Event()
        self.lost_reason: str | None = None
        self.trace = Trace()
        self.unknown_lines = 0
        self._transport: asyncio.Transport | None = None
        self._lock = asyncio.Lock()
        self._answers: deque[Prompt | Reply] = deque()
        self._lates: deque[LateSubmit | LateFailure] = deque(maxlen=4)
        self._waiter: asyncio.Future[None] | None = None
        self._interrupted: str | None = None
        self._committing = False
        self._timers: dict[str, tuple[object, asyncio.TimerHandle]] = {}
        self._opened_at = self._heard_at = self._free_at = 0.0

    # -- what callers do -----------------------------------------------------------------------------------------------
    async def run(self, command: Command, *, before_payload: BeforePayload | None = None) -> Reply:
        """One command to its final result.

        Raises CommandFailed (the modem's error), CommandTimeout, PortLost, NotSent; each knows ``payload_written``.
        """
        await self._lock.acquire()
        task = asyncio.ensure_future(self._exchange(command, before_payload))
        task.add_done_callback(lambda _: self._lock.release())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if command.payload is not None and not task.done():
                if self._committing or self.chat.payload_written:
                    task.add_done_callback(self._deliver_late)
                else:
                    task.cancel()
            raise

    async def resync(self, limit: float = RESYNC_LIMIT) -> None:
        """Proves that the next answer belongs to the next command: silence, then two probes answered in order.

        ``limit`` in seconds. Raises CommandTimeout or PortLost.
        """
        async with self._lock:
            await self._synchronise(limit)

    async def listen(self, seconds: float) -> LateSubmit | LateFailure | None:
        """Writes nothing and waits for the result of a SUBMIT that an earlier run of the program may have left open."""
        async with self._lock:
            if not self._lates:
                self.chat.expect_late()
                await self._until(lambda: bool(self._lates), self._now() + seconds)
            return self._lates.popleft() if self._lates else None

    def interrupt(self, reason: str) -> None:
        """Ends the running exchange as if its deadline were over: for a modem that was seen to restart."""
        if self.chat.phase is not Phase.IDLE:
            self._interrupted = reason
            self._wake()

    def abort(self) -> None:
        """Lets go of the tty at once; ``lost`` follows."""
        if self._transport is not None:
            self._transport.abort()

    # -- the exchange --------------------------------------------------------------------------------------------------
    async def _exchange(self, command: Command, before_payload: BeforePayload | None) -> Reply:
        self._check()
        if not self.chat.in_step:
            await self._synchronise(RESYNC_LIMIT, command)
        await self._pause_until(self._free_at)
        if command.payload is not None and not command.prompt:
            await self._commit(before_payload)
        self._begin()
        written = False
        try:
            if command.payload is None:
                self._write(self.chat.send(command))
            else:
                written = await self._hand_over(command, before_payload)
            answer = await self._heard(command.timeout, command.idle)
        except TimeoutError as error:
            self._dispatch(self.chat.abandon())
            if not self._answers:
                raise CommandTimeout(command, written, str(error) or "no answer in time") from None
            answer = self._answers.popleft()
        except PortLost as loss:
            raise PortLost(loss.reason, written) from None
        finally:
            self._call_off()
            self._free_at = self._now() + self.guard
        return self._verdict(answer)

    async def _hand_over(self, command: Command, before_payload: BeforePayload | None) -> bool:
        """From the command to the payload. Returns True once the payload is written, False if the modem refused."""
        line = self.chat.send(command)
        if command.prompt:
            self._write(line)
            line = b""
            try:
                answer = await self._heard(command.prompt_timeout)
            except TimeoutError:
                raise NotSent("the modem did not ask for the message") from None
            if isinstance(answer, Reply):
                self._answers.append(answer)
                return False
            await self._commit(before_payload)
        self._check()
        if self.chat.phase is not Phase.PAYLOAD:
            return False
        self._write(line + self.chat.payload())
        return True

    async def _commit(self, before_payload: BeforePayload | None) -> None:
        if before_payload is None:
            return
        self._committing = True
        try:
            async with asyncio.timeout(BEFORE_PAYLOAD_LIMIT):
                await before_payload()
        except TimeoutError:
            raise NotSent("writing down the intent took too long") from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise NotSent("writing down the intent was cancelled") from None
        except Exception as error:
            raise NotSent(f"the intent could not be written down: {error}") from error
        finally:
            self._committing = False

    def _call_off(self) -> None:
        """Whatever the exchange left running: a prompt is escaped, anything else stays unanswered."""
        if self.chat.phase in {Phase.PROMPT, Phase.PAYLOAD} and self.lost_reason is None:
            self._write(self.chat.escape())
        self._dispatch(self.chat.abandon())
        self._arm_timers()

    def _verdict(self, answer: Prompt | Reply) -> Reply:
        if not isinstance(answer, Reply):
            raise TypeError("a prompt is not a result")
        if answer.result.ok:
            return answer
        raise CommandFailed(answer.command, answer.result, lines=answer.lines, payload_written=answer.payload_written)

    def _deliver_late(self, task: asyncio.Task[Reply]) -> None:
        """The caller of a SUBMIT is gone: its result goes where late ones go."""
        error = None if task.cancelled() else task.exception()
        if isinstance(error, CommandFailed):
            self._dispatch([LateFailure(error.result, error.command)])
        elif error is None and not task.cancelled():
            self._dispatch([LateSubmit(task.result().mr, task.result().command)])

    # -- proof of order ------------------------------------------------------------------------------------------------
    async def _synchronise(self, limit: float, command: Command | None = None) -> None:
        deadline = self._now() + limit
        in_order = attempts = 0
        while in_order < 2:
            if self._now() >= deadline:
                self.trace.note(self._age(), "no proof of order")
                raise CommandTimeout(command or Command("AT"), False, "the modem does not answer")
            if in_order == 0:
                self._write(self.chat.escape())
                await self._silence()
                if attempts:
                    self._write(self.chat.wake())
                    await self._silence()
            attempts += 1
            self._begin()
            try:
                self._write(self.chat.probe())
                await self._heard(2.0)
                in_order += 1
            except TimeoutError:
                in_order = 0
            finally:
                self._dispatch(self.chat.abandon())
        self.chat.proven()

    async def _silence(self) -> None:
        start = self._now()
        while (quiet_at := max(self._heard_at, start) + SILENCE) > self._now() < start + SILENCE_LIMIT:
            await self._pause_until(quiet_at)

    # -- waiting -------------------------------------------------------------------------------------------------------
    def _begin(self) -> None:
        self._check()
        self._answers.clear()
        self._interrupted = None
        self._heard_at = self._now()

    async def _heard(self, seconds: float, idle: float | None = None) -> Prompt | Reply:
        """The next prompt or reply. Raises TimeoutError, PortLost."""
        deadline = self._now() + seconds
        while not self._answers:
            if self._interrupted is not None:
                raise TimeoutError(self._interrupted)
            limit = deadline if idle is None else min(deadline, self._heard_at + idle)
            if self._now() >= limit:
                raise TimeoutError
            self._check()
            await self._wait(limit)
        return self._answers.popleft()

    async def _until(self, condition: Callable[[], bool], deadline: float) -> None:
        while not condition() and self._now() < deadline:
            self._check()
            await self._wait(deadline)

    async def _pause_until(self, when: float) -> None:
        await self._until(lambda: False, when)

    async def _wait(self, limit: float) -> None:
        """Until something is heard, or the time is there."""
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_at(limit, self._wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _age(self) -> float:
        return self._now() - self._opened_at

    # -- the transport's side ------------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._opened_at = self._heard_at = self._now()
        self.connected.set()

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._now()
        self.trace.heard(self._age(), data)
        self._dispatch(self.chat.receive(data))
        self._arm_timers()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost_reason = f"the port is gone: {exc}" if exc else "the port was closed"
        self.trace.note(self._age(), self.lost_reason)
        self._dispatch([*self.chat.give_up(), *self.chat.abandon()])
        for _, timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self.connected.set()
        self.lost.set()
        self._wake()
        self._call(self.on_lost, self.lost_reason)

    def _check(self) -> None:
        if self.lost_reason is not None:
            raise PortLost(self.lost_reason)
        if self._transport is None or self._transport.is_closing():
            raise PortLost("the port is not open")

    def _write(self, data: bytes) -> None:
        self._check()
        assert self._transport is not None
        self.trace.wrote(self._age(), data)
        self._transport.write(data)

    def _dispatch(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Prompt | Reply):
                self._answers.append(event)
            elif isinstance(event, LateSubmit):
                self._lates.append(event)
                self._call(self.on_late_submit, event)
            elif isinstance(event, LateFailure):
                self._lates.append(event)
                self._call(self.on_late_failure, event)
            elif isinstance(event, Unknown):
                self.unknown_lines += 1
            else:
                self._call(self.on_urc, event)

    @staticmethod
    def _call(callback: Callable[[T], None] | None, value: T) -> None:
        if callback is not None:
            asyncio.get_running_loop().call_soon(callback, value)

    def _arm_timers(self) -> None:
        self._arm("grace", self.chat.grace, self.chat.grace, self._conclude)
        unfinished = self.chat.unfinished
        self._arm("unfinished", unfinished, PDU_PATIENCE if unfinished else None, self._give_up)

    def _arm(self, name: str, key: object, seconds: float | None, action: Callable[[], None]) -> None:
        """One timer per purpose; it runs on while its key stays the same."""
        running = self._timers.get(name)
        if running and running[0] == key:
            return
        if running:
            running[1].cancel()
            del self._timers[name]
        if seconds is not None:
            self._timers[name] = key, asyncio.get_running_loop().call_later(seconds, action)

    def _conclude(self) -> None:
        self._timers.pop("grace", None)
        self._dispatch(self.chat.conclude())
        self._arm_timers()
        self._wake()

    def _give_up(self) -> None:
        self._timers.pop("unfinished", None)
        self._dispatch(self.chat.give_up())
        self._arm_timers()
        self._wake()
