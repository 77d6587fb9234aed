"""The transport's side of a port: bytes in and out, timers, and waiting for what was heard.

Rules
- Every byte goes through ``Chat``; its events become answers for the running exchange or calls to the four callbacks.
- Callbacks run from the event loop in the order of the modem's lines, and a fault in one does not harm the port.
- Writing to a port that is lost is an error, although transports ignore it.
- Nothing here decides when to write; ``port`` does.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeVar, cast

from modemgw.at.chat import PDU_PATIENCE, Chat
from modemgw.at.events import Event, LateFailure, LateSubmit, Prompt, Reply, Unknown
from modemgw.at.urc import Urc
from modemgw.port.errors import PortLost
from modemgw.port.trace import Trace

_MAX_EARLY = 1000  # URCs

T = TypeVar("T")


class Link(asyncio.Protocol):
    """Protocol of one serial transport. Made unconnected; ``connected`` is set once it can be used, or is lost."""

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
        self._early: deque[Urc] = deque(maxlen=_MAX_EARLY)
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
        self._lock = asyncio.Lock()  # held by the running exchange
        self._answers: deque[Prompt | Reply] = deque()
        self._lates: deque[LateSubmit | LateFailure] = deque(maxlen=4)
        self._waiter: asyncio.Future[None] | None = None
        self._interrupted: str | None = None
        self._timers: dict[str, tuple[object, asyncio.TimerHandle]] = {}
        self._opened_at = self._last_byte = self._last_heard = 0.0

    @property
    def on_urc(self) -> Callable[[Urc], None] | None:
        """Gets every URC. What was heard before it is set is kept for it: a report in the tty may be the only one."""
        return self._on_urc

    @on_urc.setter
    def on_urc(self, callback: Callable[[Urc], None] | None) -> None:
        self._on_urc = callback
        while callback is not None and self._early:
            self._call(callback, self._early.popleft())

    def abort(self) -> None:
        """Lets go of the tty at once; ``lost`` follows. Nothing for a tty that is lost: its transport is no more."""
        if self._transport is not None and not self.lost.is_set():
            self._transport.abort()

    # -- called by the transport ---------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The tty is open."""
        self._transport = cast("asyncio.Transport", transport)
        self._opened_at = self._last_byte = self._last_heard = self._now()
        self.connected.set()

    def data_received(self, data: bytes) -> None:
        """Bytes of the modem, cut anywhere."""
        self._last_byte = self._last_heard = self._now()
        self.trace.heard(self._age(), data)
        events = self.chat.receive(data)
        self._dispatch(events)
        self._time()
        if events or b"\r" in data or b"\n" in data:  # half a line changes nothing for whoever waits
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """The tty is gone. What was heard of a SUBMIT so far has to do."""
        self.lost_reason = f"the port vanished, as when a modem is unplugged ({exc})" if exc else "the port was closed"
        self.trace.note(self._age(), self.lost_reason)
        self._dispatch(self.chat.hang_up())
        for _, timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self.connected.set()
        self.lost.set()
        self._wake()
        self._call(self.on_lost, self.lost_reason)

    # -- events --------------------------------------------------------------------------------------------------------
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
            elif self._on_urc is None:
                self._early.append(event)
            else:
                self._call(self._on_urc, event)

    @staticmethod
    def _call(callback: Callable[[T], None] | None, value: T) -> None:
        if callback is not None:
            asyncio.get_running_loop().call_soon(callback, value)

    def _after_events(self) -> None:
        self._time()
        self._wake()

    def _time(self) -> None:
        """Sets the timers of what the chat waits for."""
        self._arm("grace", self.chat.grace, self.chat.grace, self._conclude)
        unfinished = self.chat.unfinished
        self._arm("unfinished", unfinished, None if unfinished is None else PDU_PATIENCE, self._give_up)

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
        self._after_events()

    def _give_up(self) -> None:
        self._timers.pop("unfinished", None)
        self._dispatch(self.chat.give_up())
        self._after_events()

    # -- for the exchange ----------------------------------------------------------------------------------------------
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _age(self) -> float:
        return self._now() - self._opened_at

    def _check(self) -> asyncio.Transport:
        """The transport, if it can be written to. Raises PortLost."""
        if self.lost_reason is not None:
            raise PortLost(self.lost_reason)
        if self._transport is None or self._transport.is_closing():
            raise PortLost("the port is not open")
        return self._transport

    def _write(self, data: bytes) -> None:
        transport = self._check()
        self.trace.wrote(self._age(), data)
        transport.write(data)

    def _begin(self) -> None:
        """Nothing heard before counts for what is written next."""
        self._answers.clear()
        self._lates.clear()
        self._interrupted = None
        self._last_byte = self._now()

    async def _next_answer(self, seconds: float, idle: float | None = None) -> Prompt | Reply:
        """The next prompt or reply. Raises TimeoutError (also when interrupted, or silent for ``idle``), PortLost."""
        deadline = self._now() + seconds
        while not self._answers:
            if self._interrupted is not None:
                raise TimeoutError(self._interrupted)
            limit = deadline if idle is None else min(deadline, self._last_byte + idle)
            if self._now() >= limit:
                raise TimeoutError("no answer in time")
            self._check()
            await self._wait(limit)
        return self._answers.popleft()

    async def _pause_until(self, when: float, condition: Callable[[], bool] = lambda: False) -> None:
        """Only listens, until the time is there or ``condition`` holds. Raises PortLost."""
        while not condition() and self._now() < when:
            self._check()
            await self._wait(when)

    async def _wait(self, limit: float) -> None:
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
