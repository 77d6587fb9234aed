"""One command line from its CR to its final result: framing, prompt, and the faults that hit it.

V.250 clause 5.7: information text is CR LF text CR LF, a result code CR LF code CR LF; with V0 text CR LF and a
digit CR. TS 27.005 clause 3.5.1: the prompt is CR LF > SP, without a line end. Exactly one final result answers a
line, whatever it holds.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from modemgw.emulator.agenda import Entry
from modemgw.emulator.answers import own_answer
from modemgw.emulator.codes import CME_TEXT, CMS_TEXT, DIGITS
from modemgw.emulator.faults import (
    MODEM_WIDE,
    Boundary,
    Delay,
    Do,
    Drop,
    Duplicate,
    Error,
    Garble,
    Ignore,
    Lose,
    Point,
    Reboot,
    Stray,
    Unplug,
    pick,
)
from modemgw.emulator.lines import COMMANDS, Ask, Failure, Handler, Pending, failure_of, parse
from modemgw.emulator.suffering import suffer
from modemgw.emulator.urcs import garbled

if TYPE_CHECKING:
    from modemgw.emulator.channel import Channel


class Exchange:
    """The command line in progress. Handlers reach it as `device.exchange`."""

    def __init__(self, channel: "Channel", line: str, effects: list[Do]) -> None:
        self.channel = channel
        self.device = channel.device
        self.line = line
        self.effects = effects
        self._asks: list[Ask] = []
        self._lines: list[str] = []
        self._planned: list[Entry] = []
        self._on_payload: Callable[[bytes], None] | None = None
        self._with_ok = True

    def start(self, body: str) -> None:
        """Run the commands behind `AT`."""
        for do in self.effects:
            if isinstance(do, MODEM_WIDE):
                suffer(self.device, do)
        if self.reach("command"):
            return
        refused = pick(self.effects, Error)
        if refused is not None and (refused.early or not is_prompting(body)):
            self.fail(Failure(text=refused.text))
            return
        if pick(self.effects, Ignore):
            self._finish("OK")
            return
        try:
            self._asks = parse(body)
        except Failure as failure:
            self.device.unknown[self.line] += 1
            self.fail(failure)
            return
        self._run()

    def _run(self) -> None:
        device = self.device
        while self._asks:
            ask = self._asks.pop(0)
            device.speaking = self.channel
            try:
                reply = own_answer(device, ask)
                if reply is None:
                    reply = self._handler(ask)(device, ask)
            except Failure as failure:
                self.fail(failure)
                return
            if isinstance(reply, Pending):
                return
            self._lines.extend(reply)
        self._finish("OK")

    def _handler(self, ask: Ask) -> Handler:
        device = self.device
        found = COMMANDS.get(ask.name) or device.own_command(ask.name)
        if found is None or ask.name in device.persona.line.lacks:
            device.unknown[self.line] += 1
            raise device.unknown_command()
        return found

    def tell(self, lines: Iterable[str]) -> None:
        """Add information lines to the answer."""
        self._lines.extend(lines)

    def trickle(self, lines: Iterable[str], seconds: float) -> None:
        """Answer a pending command line by line, each after so many seconds."""
        waiting = deque(lines)

        def say() -> None:
            if not waiting:
                self.resume()
                return
            self.channel.write(self.channel.frame_info(waiting.popleft()))
            self.later(seconds, say)

        self.later(seconds, say)

    def resume(self, lines: Iterable[str] = ()) -> None:
        """A pending command is done: go on with the rest of the line."""
        self._lines.extend(lines)
        self._run()

    def fail(self, failure: Failure) -> None:
        """A command is refused; the rest of the line is not run."""
        self._asks = []
        self._finish(self._wording(failure))

    def without_ok(self) -> None:
        """This line is answered by its information alone."""
        self._with_ok = False

    def later(self, delay: float, action: Callable[[], None]) -> None:
        """Plan the rest of a pending command."""
        self._planned.append(self.device.agenda.after(delay, action))

    def abort(self) -> None:
        """Input during the command ends it (V.250 clause 5.6.1)."""
        for entry in self._planned:
            entry.cancel()
        self.fail(Failure())

    def reach(self, point: Point) -> bool:
        """True if a fault made the modem vanish or restart here."""
        if not self.effects:
            return False
        unplug = pick(self.effects, Unplug, point=point)
        if unplug is not None:
            self.device.unplug(back=unplug.back, port=unplug.port)
        elif pick(self.effects, Reboot, point=point) is not None:
            self.device.reboot()
        else:
            return False
        return True

    def prompt(self, on_payload: Callable[[bytes], None]) -> None:
        """Ask for a payload; `on_payload` gets what came before the 0x1A."""
        self._on_payload = on_payload
        late = pick(self.effects, Delay, what="prompt")
        if late is None:
            self._write_prompt()
        else:
            self.later(late.seconds, self._write_prompt)

    def _write_prompt(self) -> None:
        self._strays("prompt")
        if pick(self.effects, Drop, what="prompt") is None:
            self.channel.write(self.device.persona.line.prompt.encode())
        self._strays("payload")
        if not self.reach("prompt"):
            self.channel.expect_payload()

    def payload(self, data: bytes) -> None:
        """0x1A has come."""
        lost = pick(self.effects, Lose)
        for _ in range(min(lost.count, len(data)) if lost is not None else 0):
            place = self.device.rng.randrange(len(data))
            data = data[:place] + data[place + 1 :]
        if self._on_payload is not None:
            self._on_payload(data)

    def escaped(self) -> None:
        """ESC has come instead of the payload: nothing is sent."""
        answer = self.device.persona.line.escape
        if answer:
            self._finish(answer)
        else:
            self.channel.free()

    def _finish(self, result: str) -> None:
        late = pick(self.effects, Delay, what="answer")
        if late is None:
            self._answer(result)
        elif late.busy:
            self.later(late.seconds, lambda: self._answer(result))
        else:
            info, final = self._compose(result)
            self.device.agenda.after(late.seconds, lambda: self.channel.write(info + final))
            self.channel.free()

    def _answer(self, result: str) -> None:
        info, final = self._compose(result)
        self.channel.write(info)
        if self.reach("final"):
            return
        self.channel.write(final)
        if not self.reach("end"):
            self.channel.free()
            self._strays("end")

    def _compose(self, result: str) -> tuple[bytes, bytes]:
        """The bytes before and of the final result, as the faults leave them."""
        lines = [self.channel.frame_info(line) for line in self._lines]
        if not self.effects:
            return b"".join(lines), self._final(result) if self._with_ok or result != "OK" else b""
        info = self._stray_bytes("info") + b"".join(lines[:1]) + self._stray_bytes("lines") + b"".join(lines[1:])
        final = self._stray_bytes("final") + (self._final(result) if self._with_ok or result != "OK" else b"")
        if pick(self.effects, Duplicate, what="answer"):
            info, final = info + final, info + final
        elif pick(self.effects, Duplicate, what="final"):
            final += final
        garble = pick(self.effects, Garble)
        if garble is not None:
            rng = self.device.rng
            info, final = garbled(info, garble.count, rng), garbled(final, garble.count, rng)
        if pick(self.effects, Drop, what="answer"):
            return b"", b""
        return info, b"" if pick(self.effects, Drop, what="final") else final

    def _final(self, result: str) -> bytes:
        settings = self.channel.manners
        if settings.quiet:
            return b""
        if not settings.verbose and result in DIGITS:
            return DIGITS[result].encode() + b"\r"
        return f"\r\n{result}\r\n".encode()

    def _wording(self, failure: Failure) -> str:
        if failure.text:
            return failure.text
        own = self.device.persona.codes.get(f"{failure.family} {failure.code}")
        if own is not None:
            failure = failure_of(own)
            if failure.text:
                return failure.text
        cmee = self.channel.manners.cmee
        if not failure.family or cmee == 0:
            return "ERROR"
        texts = CME_TEXT if failure.family == "CME" else CMS_TEXT
        detail = texts.get(failure.code, "unknown error") if cmee == 2 else str(failure.code)
        return f"+{failure.family} ERROR: {detail}"

    def before_echo(self) -> None:
        """Write the lines that a fault puts before the echo."""
        self._strays("echo")

    def _strays(self, where: Boundary) -> None:
        if self.effects:
            self.channel.write(self._stray_bytes(where))

    def _stray_bytes(self, where: Boundary) -> bytes:
        return b"".join(
            self.device.announcer.frame(do.text) for do in self.effects if isinstance(do, Stray) and do.where == where
        )


def is_prompting(body: str) -> bool:
    """Whether the line will ask for a payload."""
    return body.upper().startswith("+CMGS=")
