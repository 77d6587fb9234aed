"""Each path of an exchange, in virtual time: what is written, what is told, and whether money may have been spent."""

import asyncio
import functools
import itertools
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from support.virtual import run_virtual

from modemgw.at import commands, urc
from modemgw.at.commands import Command
from modemgw.at.errors import CommandFailed
from modemgw.at.events import LateFailure, LateSubmit, Reply
from modemgw.port.errors import CommandTimeout, NotSent, PortLost
from modemgw.port.port import Port

PDU = "0031000B915155100021F30000A705E8329BFD06"
Async = Callable[..., Coroutine[Any, Any, None]]


def virtual(test: Async) -> Callable[..., None]:
    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        run_virtual(lambda: test(*args, **kwargs))

    return run


def now() -> float:
    return asyncio.get_running_loop().time()


def submit(name: str = "a") -> Command:
    return commands.cmgs(19, PDU, token=name)


class Heard:
    """A port whose callbacks are written down."""

    def __init__(self, **options: Any) -> None:
        self.urcs: list[urc.Urc] = []
        self.late: list[LateSubmit] = []
        self.failures: list[LateFailure] = []
        self.reasons: list[str] = []
        self.port = Port(
            "test",
            on_urc=self.urcs.append,
            on_late_submit=self.late.append,
            on_late_failure=self.failures.append,
            on_lost=self.reasons.append,
            **options,
        )


async def ready(wire: Any, **options: Any) -> tuple[Port, Any, Heard]:
    """A port in step with its modem, nothing written down yet."""
    heard = Heard(**options)
    line = wire(heard.port)
    await heard.port.resync()
    line.writes.clear()
    line.modem.received = b""
    return heard.port, line, heard


async def nothing() -> None:
    """An intent that is written down at once."""


# -- ordinary commands -------------------------------------------------------------------------------------------------
@virtual
async def test_the_first_command_waits_for_a_proof_of_order(wire: Any) -> None:
    port = Port("test")
    line = wire(port)
    line.emit(b"\r\nOK\r\n\r\n+CSQ: 7,99\r\n\r\nOK\r\n")  # left over from a program before us
    reply = await port.run(commands.SIGNAL)
    assert reply.lines == ("+CSQ: 20,99",)
    assert line.writes[0][1] == b"\x1b\r"
    assert line.modem.commands == ["AT+CGSN", "AT+CMEE?", "AT+CSQ"]
    assert line.writes[1][0] >= 0.3  # silence first


@virtual
async def test_an_answer_and_an_error(wire: Any) -> None:
    port, line, _ = await ready(wire)
    assert (await port.run(commands.SIGNAL)).lines == ("+CSQ: 20,99",)
    line.modem.script["AT+CMGF=0"] = b"\r\n+CMS ERROR: 302\r\n"
    with pytest.raises(CommandFailed) as caught:
        await port.run(commands.PDU_MODE)
    assert caught.value.result.cms == 302
    assert not caught.value.payload_written
    assert line.modem.received == b"AT+CSQ\rAT+CMGF=0\r"


@virtual
async def test_callers_are_served_in_the_order_in_which_they_came(wire: Any) -> None:
    port, line, _ = await ready(wire)
    done: list[int] = []

    async def ask(number: int) -> None:
        await port.run(commands.SIGNAL)
        done.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(ask(number))
    assert done == list(range(20))
    assert line.modem.received == b"AT+CSQ\r" * 20


@virtual
async def test_guard_time_between_a_result_and_the_next_command(wire: Any) -> None:
    port, line, _ = await ready(wire, guard=0.02)
    resynced = now()
    for _ in range(3):
        await port.run(commands.SIGNAL)
    times = [time for time, _ in line.writes]
    assert times[0] - resynced == pytest.approx(0.02)  # a probe counts like any command
    assert [round(b - a, 3) for a, b in itertools.pairwise(times)] == [0.03, 0.03]  # 10 ms of work, 20 ms of guard


@virtual
async def test_a_timeout_then_proof_of_order_then_the_next_command(wire: Any) -> None:
    port, line, _ = await ready(wire)
    line.modem.delay = lambda text: 7.0 if text == "AT+CSQ" else 0.01
    start = now()
    with pytest.raises(CommandTimeout) as caught:
        await port.run(commands.SIGNAL)
    assert now() - start == pytest.approx(5.0)
    assert not caught.value.payload_written
    reply = await port.run(commands.SERIAL_NUMBER)
    assert reply.lines == ("490154203237518",)
    assert line.modem.commands.count("AT+CGSN") >= 1


@virtual
async def test_a_modem_that_says_nothing_any_more(wire: Any) -> None:
    port, line, _ = await ready(wire)
    line.modem.delay = lambda text: None
    with pytest.raises(CommandTimeout):
        await port.run(commands.SIGNAL)
    start = now()
    with pytest.raises(CommandTimeout):
        await port.run(commands.SIGNAL)
    assert 15 < now() - start < 30
    assert line.modem.commands.count("AT+CSQ") == 1  # without a proof the second was never written
    line.modem.delay = lambda text: 0.01
    assert (await port.run(commands.SIGNAL)).lines == ("+CSQ: 20,99",)


@virtual
async def test_a_list_that_stops_in_the_middle_is_not_waited_for_to_the_end(wire: Any) -> None:
    port, line, _ = await ready(wire)
    line.modem.script["AT+CMGL=4"] = b"\r\n+CMGL: 1,1,,24\r\n"
    start = now()
    with pytest.raises(CommandTimeout):
        await port.run(commands.cmgl())
    assert now() - start == pytest.approx(20.0, abs=0.1)


@virtual
async def test_pin_state_without_ok_takes_a_second(wire: Any) -> None:
    port, line, _ = await ready(wire)
    line.modem.script["AT+CPIN?"] = b"\r\n+CPIN: READY\r\n"
    start = now()
    assert (await port.run(commands.PIN_STATE)).lines == ("+CPIN: READY",)
    assert 1.0 <= now() - start < 1.2
    asyncio.get_running_loop().call_later(0.1, line.emit, b"\r\nOK\r\n")  # too late to be credited to the next
    line.modem.script["AT+CMGF=0"] = b"\r\nERROR\r\n"
    with pytest.raises(CommandFailed):
        await port.run(commands.PDU_MODE)


@virtual
async def test_resync_works_through_chatter_echo_and_a_stale_prompt(wire: Any) -> None:
    port = Port("test")
    line = wire(port)
    line.modem.echo = True
    line.modem.feed(b"AT+CMGS=19\r")  # a program before us died at the prompt

    async def chatter() -> None:
        while True:
            await asyncio.sleep(0.1)
            line.emit(b"\r\n^RSSI: 12\r\n")

    talking = asyncio.create_task(chatter())
    await port.resync()
    assert (await port.run(commands.SIGNAL)).lines == ("+CSQ: 20,99",)
    assert line.modem.sent == []
    talking.cancel()


@virtual
async def test_resync_wakes_a_modem_that_hears_only_from_the_fifth_line_on(wire: Any) -> None:
    port = Port("test")
    line = wire(port)
    asked: list[str] = []

    def delay(text: str) -> float | None:
        asked.append(text)
        return 0.01 if len(asked) >= 5 else None

    line.modem.delay = delay
    await port.resync()
    assert "ATQ0V1" in asked
    assert (await port.run(commands.SIGNAL)).lines == ("+CSQ: 20,99",)


# -- submitting --------------------------------------------------------------------------------------------------------
@virtual
async def test_a_submit_writes_down_the_intent_between_prompt_and_payload(wire: Any) -> None:
    port, line, _ = await ready(wire)
    seen: list[bytes] = []

    async def intent() -> None:
        await asyncio.sleep(0.5)
        seen.append(line.modem.received)

    reply = await port.run(submit(), before_payload=intent)
    assert seen == [b"AT+CMGS=19\r"]
    assert [data for _, data in line.writes] == [b"AT+CMGS=19\r", PDU.encode() + b"\x1a"]  # one write
    assert (reply.mr, reply.payload_written) == (1, True)
    assert line.modem.sent == [(1, PDU.encode())]


@virtual
async def test_a_modem_without_a_prompt_gets_everything_after_the_intent(wire: Any) -> None:
    port, line, _ = await ready(wire)
    line.modem.prompt = b""
    intents: list[bytes] = []

    async def intent() -> None:
        intents.append(line.modem.received)

    reply = await port.run(commands.cmgs(19, PDU, prompt=False), before_payload=intent)
    assert intents == [b""]
    assert [data for _, data in line.writes] == [b"AT+CMGS=19\r" + PDU.encode() + b"\x1a"]
    assert reply.mr == 1


@virtual
async def test_no_prompt(wire: Any) -> None:
    port, line, _ = await ready(wire)
    line.modem.prompt = None
    start = now()
    with pytest.raises(NotSent) as caught:
        await port.run(submit(), before_payload=nothing)
    assert now() - start == pytest.approx(10.0, abs=0.1)
    assert not caught.value.payload_written
    assert line.modem.received == b"AT+CMGS=19\r\x1b\r"
    assert (await port.run(commands.SIGNAL)).lines == ("+CSQ: 20,99",)


@virtual
async def test_a_prompt_that_comes_too_late_is_left_again(wire: Any) -> None:
    port, line, _ = await ready(wire)
    line.modem.delay = lambda text: 10.4 if text.startswith("AT+CMGS") else 0.01
    with pytest.raises(NotSent):
        await port.run(submit(), before_payload=nothing)
    line.modem.delay = lambda text: 0.01
    assert (await port.run(commands.SIGNAL)).lines == ("+CSQ: 20,99",)
    assert line.modem.sent == []


@pytest.mark.parametrize("seconds", [0.0, 1.0])
@virtual
async def test_an_intent_that_cannot_be_written_down(wire: Any, seconds: float) -> None:
    port, line, _ = await ready(wire)

    async def full() -> None:
        await asyncio.sleep(seconds)
        raise OSError("no space left on device")

    with pytest.raises(NotSent, match="no space left"):
        await port.run(submit(), before_payload=full)
    assert line.modem.received == b"AT+CMGS=19\r\x1b\r"
    assert (await port.run(submit(), before_payload=nothing)).mr == 1
    assert len(line.modem.sent) == 1


@virtual
async def test_an_intent_that_takes_too_long(wire: Any) -> None:
    port, line, _ = await ready(wire)
    start = now()
    with pytest.raises(NotSent, match="too long"):
        await port.run(submit(), before_payload=lambda: asyncio.sleep(60))
    assert now() - start == pytest.approx(2.0, abs=0.1)
    assert b"\x1a" not in line.modem.received


@virtual
async def test_an_intent_that_is_cancelled_from_within(wire: Any) -> None:
    port, line, _ = await ready(wire)

    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(NotSent):
        await port.run(submit(), before_payload=cancelled)
    assert b"\x1a" not in line.modem.received


@virtual
async def test_an_error_instead_of_the_prompt_and_one_during_the_intent(wire: Any) -> None:
    port, line, _ = await ready(wire)
    line.modem.script["AT+CMGS=19"] = b"\r\n+CMS ERROR: 331\r\n"
    with pytest.raises(CommandFailed) as caught:
        await port.run(submit(), before_payload=nothing)
    assert not caught.value.payload_written
    del line.modem.script["AT+CMGS=19"]

    async def slow() -> None:
        line.emit(b"\r\n+CMS ERROR: 500\r\n")

    with pytest.raises(CommandFailed) as caught:
        await port.run(submit(), before_payload=slow)
    assert not caught.value.payload_written
    assert b"\x1a" not in line.modem.received


@virtual
async def test_the_network_refuses(wire: Any) -> None:
    port, line, _ = await ready(wire)
    line.modem.network = lambda payload: b"\r\n+CMS ERROR: 38\r\n"
    with pytest.raises(CommandFailed) as caught:
        await port.run(submit(), before_payload=nothing)
    assert caught.value.payload_written
    assert caught.value.result.cms == 38


@virtual
async def test_no_result_within_three_minutes(wire: Any) -> None:
    port, line, heard = await ready(wire)
    line.modem.delay = lambda text: 190.0 if text == "<payload>" else 0.01
    start = now()
    with pytest.raises(CommandTimeout) as caught:
        await port.run(submit("slow"), before_payload=nothing)
    assert now() - start == pytest.approx(180.0, abs=0.1)
    assert caught.value.payload_written
    written = [data for time, data in line.writes if time > start + 0.1]
    assert written == []  # not a byte while the result was outstanding
    line.modem.delay = lambda text: 0.01
    reply = await port.run(submit("next"), before_payload=nothing)
    assert [(late.mr, late.command and late.command.token) for late in heard.late] == [(1, "slow")]
    assert reply.mr == 2
    assert len(line.modem.sent) == 2


@virtual
async def test_the_late_result_of_one_is_never_credited_to_the_next(wire: Any) -> None:
    """A modem that answers probes while it still sends: the late result comes while the next one waits for its own."""
    port, line, heard = await ready(wire)
    line.modem.delay = lambda text: None if text == "<payload>" else 0.01
    with pytest.raises(CommandTimeout):
        await port.run(submit("first"), before_payload=nothing)
    await port.resync()
    loop = asyncio.get_running_loop()

    async def intent() -> None:
        loop.call_later(1.0, line.emit, b"\r\n+CMGS: 4\r\n\r\nOK\r\n")
        loop.call_later(16.0, line.emit, b"\r\n+CMS ERROR: 38\r\n")

    with pytest.raises(CommandFailed) as caught:
        await port.run(submit("second"), before_payload=intent)
    assert caught.value.result.cms == 38
    assert [(late.mr, late.command and late.command.token) for late in heard.late] == [(4, "first")]


@pytest.mark.parametrize("ending", ["unplugged", "silence"])
@virtual
async def test_the_reference_without_its_ok_is_a_success(wire: Any, ending: str) -> None:
    port, line, heard = await ready(wire)
    line.modem.network = lambda payload: b"\r\n+CMGS: 9\r\n"
    if ending == "unplugged":
        asyncio.get_running_loop().call_later(0.5, line.unplug, OSError(5, "Input/output error"))
    reply = await port.run(submit(), before_payload=nothing)
    assert reply.mr == 9
    assert not reply.heard
    if ending == "unplugged":
        await port.lost.wait()
        assert heard.reasons == [port.lost_reason]
    else:
        assert (await port.run(commands.SIGNAL)).lines == ("+CSQ: 20,99",)


@virtual
async def test_an_ok_without_reference_is_a_success_of_unknown_reference(wire: Any) -> None:
    port, line, _ = await ready(wire)
    line.modem.network = lambda payload: b"\r\nOK\r\n"
    reply = await port.run(submit(), before_payload=nothing)
    assert reply.mr is None


# -- loss --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("at", "written"), [("command", False), ("prompt", False), ("intent", False), ("result", True)]
)
@virtual
async def test_unplugged_at_each_point(wire: Any, at: str, written: bool) -> None:
    port, line, heard = await ready(wire)
    loop = asyncio.get_running_loop()
    gone = functools.partial(line.unplug, OSError(5, "Input/output error"))

    async def intent() -> None:
        if at == "intent":
            gone()
            await asyncio.sleep(0.1)
        if at == "result":
            loop.call_later(1.0, gone)

    line.modem.delay = lambda text: 50.0 if text == "<payload>" or at in {"command", "prompt"} else 0.01
    if at in {"command", "prompt"}:
        loop.call_later(1.0, gone)
    start = now()
    with pytest.raises(PortLost) as caught:
        await port.run(commands.SIGNAL if at == "command" else submit(), before_payload=intent)
    assert caught.value.payload_written is written
    assert "unplugged" in caught.value.reason
    assert now() - start < 2
    assert port.lost.is_set()
    await asyncio.sleep(0)
    assert heard.reasons == [caught.value.reason]


@virtual
async def test_nothing_can_be_written_after_loss(wire: Any) -> None:
    port, line, _ = await ready(wire)
    port.abort()
    with pytest.raises(PortLost):
        await port.run(commands.SIGNAL)  # even before the loss was announced
    await port.lost.wait()
    for ask in (port.run(commands.SIGNAL), port.resync(), port.listen(1)):
        with pytest.raises(PortLost):
            await ask
    assert line.modem.received == b""


@virtual
async def test_every_waiting_caller_hears_of_the_loss(wire: Any) -> None:
    port, line, _ = await ready(wire)
    line.modem.delay = lambda text: None
    tasks = [asyncio.create_task(port.run(commands.SIGNAL)) for _ in range(5)]
    await asyncio.sleep(0.1)
    line.unplug(OSError(5, "Input/output error"))
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [PortLost] * 5


# -- cancelling --------------------------------------------------------------------------------------------------------
@virtual
async def test_a_cancelled_query_does_not_harm_the_next(wire: Any) -> None:
    port, line, _ = await ready(wire)
    line.modem.delay = lambda text: 1.0
    task = asyncio.create_task(port.run(commands.SIGNAL))
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await port.run(commands.SERIAL_NUMBER)).lines == ("490154203237518",)
    assert line.modem.received == b"AT+CSQ\rAT+CGSN\r"  # the first was answered, no proof was needed


@virtual
async def test_a_caller_cancelled_in_the_queue_writes_nothing(wire: Any) -> None:
    port, line, _ = await ready(wire)
    line.modem.delay = lambda text: 1.0
    first = asyncio.create_task(port.run(commands.SIGNAL))
    second = asyncio.create_task(port.run(submit(), before_payload=nothing))
    await asyncio.sleep(0.5)
    second.cancel()
    await first
    assert (await port.run(commands.SIGNAL)).lines == ("+CSQ: 20,99",)
    assert line.modem.received == b"AT+CSQ\r" * 2


@virtual
async def test_a_submit_cancelled_before_its_prompt_is_called_off(wire: Any) -> None:
    port, line, heard = await ready(wire)
    line.modem.delay = lambda text: 1.0
    task = asyncio.create_task(port.run(submit(), before_payload=nothing))
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    line.modem.delay = lambda text: 0.01
    assert (await port.run(commands.SIGNAL)).lines == ("+CSQ: 20,99",)
    assert line.modem.sent == []
    assert heard.late == []


@pytest.mark.parametrize("cancel_at", ["intent", "result"])
@virtual
async def test_a_submit_cancelled_after_that_still_delivers_its_result(wire: Any, cancel_at: str) -> None:
    port, line, heard = await ready(wire)
    line.modem.delay = lambda text: 5.0 if text == "<payload>" else 0.01
    task = asyncio.create_task(port.run(submit("gone"), before_payload=lambda: asyncio.sleep(1.0)))
    await asyncio.sleep(0.5 if cancel_at == "intent" else 2.0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    reply = await port.run(commands.SIGNAL)  # waits its turn
    assert reply.lines == ("+CSQ: 20,99",)
    assert [(late.mr, late.command and late.command.token) for late in heard.late] == [(1, "gone")]
    assert len(line.modem.sent) == 1


@virtual
async def test_the_failure_of_a_cancelled_submit_is_told_too(wire: Any) -> None:
    port, line, heard = await ready(wire)
    line.modem.delay = lambda text: 5.0 if text == "<payload>" else 0.01
    line.modem.network = lambda payload: b"\r\n+CMS ERROR: 38\r\n"
    task = asyncio.create_task(port.run(submit("gone"), before_payload=nothing))
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.sleep(10)
    assert [(late.result.cms, late.command and late.command.token) for late in heard.failures] == [(38, "gone")]


# -- listening ---------------------------------------------------------------------------------------------------------
@virtual
async def test_listening_writes_nothing_and_hears_the_late_result(wire: Any) -> None:
    heard = Heard()
    line = wire(heard.port)
    asyncio.get_running_loop().call_later(12.0, line.emit, b"\r\n+CMGS: 77\r\n\r\nOK\r\n")
    late = await heard.port.listen(20)
    assert late == LateSubmit(77, None)
    assert now() == pytest.approx(12.0)
    assert line.writes == []
    assert (await heard.port.run(commands.SIGNAL)).lines == ("+CSQ: 20,99",)
    assert heard.late == [LateSubmit(77, None)]


@virtual
async def test_listening_hears_what_was_waiting_in_the_tty(wire: Any) -> None:
    port = Port("test")
    line = wire(port)
    line.emit(b"\r\n+CMS ERROR: 38\r\n")
    late = await port.listen(20)
    assert isinstance(late, LateFailure)
    assert now() == 0


@virtual
async def test_listening_does_not_repeat_what_was_told_before(wire: Any) -> None:
    port, line, heard = await ready(wire)
    line.emit(b"\r\n+CMGS: 5\r\n\r\nOK\r\n")
    await port.run(commands.SIGNAL)
    assert await port.listen(1) is None
    assert heard.late == [LateSubmit(5, None)]


@virtual
async def test_listening_in_vain(wire: Any) -> None:
    port = Port("test")
    line = wire(port)
    assert await port.listen(20) is None
    assert now() == pytest.approx(20.0)
    assert line.writes == []


# -- what comes unasked ------------------------------------------------------------------------------------------------
@virtual
async def test_urcs_are_told_in_order_and_a_fault_in_a_callback_harms_nobody(wire: Any) -> None:
    port, line, heard = await ready(wire)
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))

    def broken(event: urc.Urc) -> None:
        heard.urcs.append(event)
        raise RuntimeError("a fault of the listener")

    port.on_urc = broken
    line.modem.script["AT+CSQ"] = b'\r\nRING\r\n+CSQ: 20,99\r\n+CMTI: "SM",1\r\nOK\r\n+CMTI: "SM",2\r\n'
    assert (await port.run(commands.SIGNAL)).lines == ("+CSQ: 20,99",)
    await asyncio.sleep(0)
    assert [type(event) for event in heard.urcs] == [urc.Ringing, urc.Stored, urc.Stored]
    assert len(faults) == 3


@virtual
async def test_what_was_heard_before_anybody_listened_is_kept(wire: Any) -> None:
    heard: list[urc.Urc] = []
    port = Port("test")
    line = wire(port)
    line.emit(b"\r\nRING\r\n" * 5000 + b'\r\n+CMTI: "SM",1\r\n')
    port.on_urc = heard.append
    line.emit(b'\r\n+CMTI: "SM",2\r\n')
    await asyncio.sleep(0)
    assert [event.index for event in heard if isinstance(event, urc.Stored)] == [1, 2]
    assert len(heard) == 1001


@virtual
async def test_a_header_without_its_pdu_is_told_after_two_seconds(wire: Any) -> None:
    _, line, heard = await ready(wire)
    line.emit(b"\r\n+CDS: 25\r\n")
    await asyncio.sleep(1.9)
    assert heard.urcs == []
    await asyncio.sleep(0.2)
    assert heard.urcs == [urc.DirectLost("+CDS: 25", "+CDS")]


@virtual
async def test_a_restart_ends_the_exchange_at_once(wire: Any) -> None:
    port, line, _ = await ready(wire)
    line.modem.delay = lambda text: None if text == "<payload>" else 0.01

    def on_urc(event: urc.Urc) -> None:
        if isinstance(event, urc.ModemRestarted):
            port.interrupt("the modem restarted")

    port.on_urc = on_urc
    port.interrupt("nothing runs: no effect")
    asyncio.get_running_loop().call_later(3.0, line.emit, b"\r\nRDY\r\n")
    with pytest.raises(CommandTimeout, match="restarted") as caught:
        await port.run(submit(), before_payload=nothing)
    assert caught.value.payload_written
    assert now() < 10
    assert isinstance(await port.run(commands.SIGNAL), Reply)


@virtual
async def test_no_secret_stays_in_the_trace(wire: Any) -> None:
    port, line, _ = await ready(wire)
    line.modem.script['AT+CPIN="4711"'] = b"\r\nOK\r\n"
    await port.run(commands.enter_pin("4711"))
    await port.run(submit(), before_payload=nothing)
    line.emit(b'\r\n+CLIP: "+15550100123",145\r\n+CUSD: 0,"your code is 8864",15\r\n')
    text = port.trace.text()
    for secret in ("4711", PDU, "15550100123", "0100123", "8864", "490154203237518"):
        assert secret not in text
    assert "AT+CMGS=19" in text
    assert "+CMGS: 1" in text
    assert len(text.splitlines()) > 5
