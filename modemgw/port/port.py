"""One open port: gives each command its own answer or an exception, and never writes out of turn.

Rules
- One exchange at a time, first come first served. The exchange runs in a task of the port: cancelling a caller never
  cuts one in half. A SUBMIT whose caller went away is called off with ESC while that is possible; after that its
  result is delivered as a late one.
- A SUBMIT: command, prompt, ``await before_payload()`` (the intent on disk), then PDU and Ctrl-Z in one write. No
  prompt, an exception or more than two seconds: ESC, ``NotSent``.
- After anything that leaves an answer outstanding the next command waits for a proof of order (``resync``).
- Nothing is written while the result of a SUBMIT is outstanding within its deadline.
"""

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable

from modemgw.at.commands import AT, Command
from modemgw.at.errors import CommandFailed
from modemgw.at.events import LateFailure, LateSubmit, Phase, Prompt, Reply
from modemgw.port.errors import CommandTimeout, NotSent, PortLost
from modemgw.port.link import Link
from modemgw.seams import crash_is_armed, crash_point

BEFORE_PAYLOAD_LIMIT = 2.0  # seconds; modems lose patience at the prompt
SILENCE = 0.3  # seconds without a byte before a probe
SILENCE_LIMIT = 3.0  # a modem that chatters without a pause is probed all the same
RESYNC_LIMIT = 20.0
PROBE_PATIENCE = 2.0  # seconds of silence after a probe; grows to the limit while none is answered
PROBE_PATIENCE_LIMIT = 8.0
LONGEST_SILENCE = 300.0  # seconds; no command takes longer than that to be answered
PROOFS = 2  # probes answered in order
_ON_THE_WIRE = 0.005  # seconds after which a write has certainly left this process

BeforePayload = Callable[[], Awaitable[None]]


class Port(Link):
    """What the driver sees of a tty. See ``Link`` for the callbacks, ``connected``, ``lost`` and ``trace``."""

    _committing = False  # the intent is being written down: from here on a SUBMIT is not called off
    _written = False  # the running exchange has written a payload
    _free_at = 0.0
    _patience = PROBE_PATIENCE

    async def run(self, command: Command, *, before_payload: BeforePayload | None = None) -> Reply:
        """One command to its final result.

        Raises CommandFailed (the modem's error), CommandTimeout, PortLost, NotSent; each knows ``payload_written``.
        """
        await self._lock.acquire()
        task = asyncio.ensure_future(self._exchange(command, before_payload))
        over: asyncio.Future[None] = task.get_loop().create_future()  # a shield, but half as many turns of the loop
        task.add_done_callback(functools.partial(self._over, over))
        try:
            await over
        except asyncio.CancelledError:
            if command.payload is not None and not task.done():
                if self._committing or self.chat.phase is Phase.RESULT:
                    task.add_done_callback(self._deliver_late)
                else:
                    task.cancel()
            raise
        return task.result()

    def _over(self, over: asyncio.Future[None], task: asyncio.Task[Reply]) -> None:
        """The next may begin. How it ended is looked at, for a caller that was cancelled no longer asks."""
        self._lock.release()
        if not over.done():
            over.set_result(None)
        if not task.cancelled():
            task.exception()

    async def resync(self, limit: float = RESYNC_LIMIT) -> None:
        """Proves that the next answer belongs to the next command: silence, then two probes answered in order.

        ``limit`` in seconds. Raises CommandTimeout or PortLost. ``run`` does this by itself where it is needed.
        """
        async with self._lock:
            await self._synchronise(AT, limit)

    async def listen(self, seconds: float) -> LateSubmit | LateFailure | None:
        """Writes nothing and waits for the result of a SUBMIT that an earlier run of the program may have left open.

        The result also goes to its callback. None: nothing was heard in time. Raises PortLost.
        """
        async with self._lock:
            if not self._lates:
                self.chat.expect_late()
                await self._pause_until(self._now() + seconds, lambda: bool(self._lates))
            return self._lates.popleft() if self._lates else None

    def interrupt(self, reason: str) -> None:
        """Ends the running exchange as if its deadline were over: for a modem that was seen to restart."""
        if self.chat.phase is not Phase.IDLE:
            self._interrupted = reason
            self._wake()

    def shout(self, text: str) -> None:
        """Writes a command line whose answer nobody waits for: the last word to a silent modem. Raises PortLost.

        The port is of no use afterwards but to be closed.
        """
        self._write(text.encode("ascii") + b"\r")

    # -- the exchange --------------------------------------------------------------------------------------------------
    async def _exchange(self, command: Command, before_payload: BeforePayload | None) -> Reply:
        self._check()
        if not self.chat.in_step:
            await self._synchronise(command, RESYNC_LIMIT)
        await self._pause_until(self._free_at)
        self._begin()
        self._written = False
        try:
            if command.payload is None:
                self._write(self.chat.send(command))
            else:
                await self._hand_over(command, before_payload)
            answer = await self._next_answer(command.timeout, command.idle)
        except (TimeoutError, PortLost) as error:
            answer = self._last_word(command, error)
        finally:
            self._call_off()
            self._free_at = self._now() + self.guard
        if isinstance(answer, Reply) and answer.result.ok:
            return answer
        raise _failure(command, answer)

    async def _hand_over(self, command: Command, before_payload: BeforePayload | None) -> None:
        """From the command to the payload. Returns early if the modem answers with an error instead of a prompt."""
        if not command.prompt:
            await self._commit(before_payload)
            self._check()
            line = self.chat.send(command)
            self._write(line + self.chat.payload())
            self._written = True
            self._after_ctrl_z()
            return
        self._write(self.chat.send(command))
        try:
            answer = await self._next_answer(command.prompt_timeout)
        except TimeoutError:
            raise NotSent("the modem did not ask for the message") from None
        if isinstance(answer, Reply):
            self._answers.append(answer)
            return
        await self._commit(before_payload)
        self._check()
        if self.chat.phase is Phase.PAYLOAD:
            self._write(self.chat.payload())
            self._written = True
            self._after_ctrl_z()

    @staticmethod
    def _after_ctrl_z() -> None:
        """A transport may write in its next turn only."""
        if crash_is_armed():
            asyncio.get_running_loop().call_later(_ON_THE_WIRE, crash_point, "after_ctrl_z")

    async def _commit(self, before_payload: BeforePayload | None) -> None:
        """The intent is on disk when this returns. Raises NotSent."""
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

    def _last_word(self, command: Command, error: TimeoutError | PortLost) -> Prompt | Reply:
        """The deadline is over, or the port is gone: a SUBMIT with proof succeeded all the same."""
        self._dispatch(self.chat.abandon())
        if self._answers:
            return self._answers.popleft()
        if isinstance(error, PortLost):
            raise PortLost(error.reason, self._written) from None
        raise CommandTimeout(command, self._written, str(error)) from None

    def _call_off(self) -> None:
        """Whatever the exchange left running: a prompt is escaped, anything else stays unanswered."""
        if self.chat.phase in {Phase.PROMPT, Phase.PAYLOAD}:
            with contextlib.suppress(PortLost):
                self._write(self.chat.escape())
        self._dispatch(self.chat.abandon())
        self._after_events()

    def _deliver_late(self, task: asyncio.Task[Reply]) -> None:
        """The caller of a SUBMIT is gone: its result goes where late ones go."""
        error = None if task.cancelled() else task.exception()
        if isinstance(error, CommandFailed):
            self._dispatch([LateFailure(error.result, error.command)])
        elif error is None and not task.cancelled():
            self._dispatch([LateSubmit(task.result().mr, task.result().command)])

    # -- proof of order ------------------------------------------------------------------------------------------------
    async def _synchronise(self, command: Command, limit: float) -> None:
        """``command`` is the one that waits for this, for the error. Raises CommandTimeout, PortLost."""
        deadline = self._now() + limit
        proofs = attempts = 0
        while proofs < PROOFS:
            if self._now() >= deadline:
                self.trace.note(self._age(), "the modem does not answer in order")
                raise CommandTimeout(command, False, "the modem does not answer")
            if self.chat.exhausted:
                await self._listen_only(deadline)
                continue
            if proofs == 0:
                await self._settle(wake=attempts == 1)
            attempts += 1
            proofs = proofs + 1 if await self._probe(deadline) else 0
        self.chat.proven()

    async def _listen_only(self, deadline: float) -> None:
        """Too many probes went unanswered: wait for answers, or until none can come any more."""
        silent_at = self._last_heard + LONGEST_SILENCE
        await self._pause_until(min(deadline, silent_at), lambda: not self.chat.exhausted)
        if self._now() >= self._last_heard + LONGEST_SILENCE:
            self.chat.forget()

    async def _settle(self, *, wake: bool) -> None:
        self._write(self.chat.escape())
        await self._silence()
        if wake:
            self._write(self.chat.wake())
            await self._silence()

    async def _silence(self) -> None:
        limit = self._now() + SILENCE_LIMIT
        quiet_since = self._now()
        while self._now() < min(limit, max(self._last_byte, quiet_since) + SILENCE):
            await self._pause_until(min(limit, max(self._last_byte, quiet_since) + SILENCE))

    async def _probe(self, deadline: float) -> bool:
        """True if the probe was answered, and nothing earlier can be answered any more.

        A modem that is behind gets time: as long as it speaks, no further probe is put on the pile.
        """
        await self._pause_until(self._free_at)
        self._begin()
        try:
            self._write(self.chat.probe())
            await self._next_answer(max(self._patience, deadline - self._now()), self._patience)
        except TimeoutError:
            self._patience = min(self._patience * 1.5, PROBE_PATIENCE_LIMIT)
            return False
        finally:
            self._dispatch(self.chat.abandon())
            self._free_at = self._now() + self.guard
        self._patience = PROBE_PATIENCE
        return True


def _failure(command: Command, answer: Prompt | Reply) -> CommandFailed | CommandTimeout:
    if isinstance(answer, Reply):
        return CommandFailed(command, answer.result, lines=answer.lines, payload_written=answer.payload_written)
    return CommandTimeout(command, False, "a prompt where a result was due")
