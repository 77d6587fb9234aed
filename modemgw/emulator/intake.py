"""Bytes from the computer: command lines, the payload behind the prompt, and what comes while a command runs.

V.250 clause 5.2.1: a line ends with CR; LF and anything before `AT` mean nothing. TS 27.005 clause 3.5.1: 0x1A ends
the payload, ESC gives it up. Everything is bounded: a line keeps its first 600 bytes, a payload its first 1200,
waiting input 8192.
"""

from enum import Enum
from typing import TYPE_CHECKING

from modemgw.emulator.suffering import suffer

if TYPE_CHECKING:
    from modemgw.emulator.channel import Channel

_LINE_LIMIT = 600
_PAYLOAD_LIMIT = 1200
_INPUT_LIMIT = 8192
_CR, _SUBMIT, _ESCAPE = 0x0D, 0x1A, 0x1B


class Mode(Enum):
    """What the modem makes of input."""

    OFF = "off"
    COMMAND = "command"
    BUSY = "busy"
    PROMPT = "prompt"


class Intake:
    """The receiving side of one tty.

    `overlaps` counts input that came while a command was running, `stray_submits` 0x1A outside a prompt: a careful
    program causes neither.
    """

    def __init__(self, channel: "Channel") -> None:
        self.mode = Mode.COMMAND
        self.overlaps = 0
        self.stray_submits = 0
        self._channel = channel
        self._device = channel.device
        self._input = bytearray()
        self._line = bytearray()
        self._payload = bytearray()

    def receive(self, data: bytes) -> None:
        """Take bytes; a fault that counts them happens right behind its byte."""
        device = self._device
        while data:
            limit = device.faults.bytes_until()
            head = data if limit is None else data[:limit]
            data = data[len(head) :]
            if self.mode is not Mode.OFF:
                self._input += head
                self.work()
            if limit is not None:
                for do in device.faults.on_bytes(len(head)):
                    suffer(device, do)

    @property
    def waiting(self) -> bool:
        """Whether queued input is left."""
        return bool(self._input)

    def work(self) -> None:
        """Go on with the input."""
        more = True
        while self._input and more:
            if self.mode is Mode.COMMAND:
                more = self._take_line()
            elif self.mode is Mode.PROMPT:
                more = self._take_payload()
            else:
                self._while_busy()
                return

    def _take_line(self) -> bool:
        end = self._input.find(_CR) + 1
        piece = bytes(self._input[: end or len(self._input)])
        del self._input[: len(piece)]
        self.stray_submits += piece.count(_SUBMIT)
        self._line += piece[: max(_LINE_LIMIT - len(self._line), 0)]
        if not end:
            self._channel.echo(piece)
            return False
        line = self._line.decode("latin-1").strip("\r\n\x00\x1a\x1b ")
        self._line.clear()
        start = line.upper().find("AT")
        if start < 0:
            self._channel.echo(piece)
        else:
            self._channel.execute(line[start:], piece)
        return True

    def _take_payload(self) -> bool:
        channel, device = self._channel, self._device
        ends = [place for place in (self._input.find(_SUBMIT), self._input.find(_ESCAPE)) if place >= 0]
        end = min(ends, default=len(self._input))
        piece = bytes(self._input[:end])
        last = self._input[end] if ends else None
        del self._input[: end + 1]
        self._payload += piece[: max(_PAYLOAD_LIMIT - len(self._payload), 0)]
        channel.echo_payload(piece, ended=last == _SUBMIT)
        if device.settings.cmgf == 1:  # a new line of text, a new prompt
            channel.write(device.persona.line.prompt.encode() * piece.count(_CR))
        exchange = channel.exchange
        if last is None or exchange is None:
            return False
        payload = bytes(self._payload)
        self._payload.clear()
        if last == _ESCAPE:
            self.mode = Mode.BUSY  # the answer to this may take its time as well
            exchange.escaped()
        elif not exchange.reach("payload"):
            self.mode = Mode.BUSY
            device.submit_byte(payload)
            exchange.payload(payload)
        return True

    def _while_busy(self) -> None:
        device = self._device
        policy = device.persona.line.busy
        lines = self._input.count(_CR)
        self.overlaps += 1
        if policy == "queue" or (policy == "refuse" and not lines):
            del self._input[_INPUT_LIMIT:]
            return
        self._input.clear()
        if policy == "refuse":
            self._channel.write(b"\r\nERROR\r\n" * lines)
        elif policy == "abort" and self._channel.exchange is not None:
            self._channel.exchange.abort()

    def expect_payload(self) -> None:
        """From now on input is the payload of the command in progress."""
        self.mode = Mode.PROMPT
        self._payload.clear()

    def power_off(self) -> None:
        """Forget everything."""
        self.mode = Mode.OFF
        for buffer in (self._input, self._line, self._payload):
            buffer.clear()
