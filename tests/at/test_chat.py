"""The rules of the dialogue that are about money and about whose answer is heard."""

import inspect
import random

import pytest

import modemgw.at
from modemgw.at import chat as chat_module
from modemgw.at import commands, urc
from modemgw.at.chat import Chat
from modemgw.at.commands import Command
from modemgw.at.errors import Busy
from modemgw.at.events import LateFailure, LateSubmit, Phase, Prompt, Reply, Unknown

PDU = "0031000B915155100021F30000A705E8329BFD06"


def submit(name: str) -> Command:
    return commands.cmgs(19, PDU, token=name)


def in_step() -> Chat:
    chat = Chat()
    chat.proven()
    return chat


def at_result(name: str = "b", chat: Chat | None = None) -> Chat:
    """A chat whose SUBMIT waits for its result."""
    chat = chat or in_step()
    chat.send(submit(name))
    assert chat.receive(b"\r\n> ") == [Prompt()]
    assert chat.payload() == PDU.encode() + b"\x1a"
    return chat


def after_timeout() -> Chat:
    """A chat in step again, after the SUBMIT ``a`` got no result."""
    chat = at_result("a")
    assert chat.abandon() == []
    chat.proven()
    return chat


def mr_of(event: object) -> int | None:
    assert isinstance(event, Reply)
    assert event.result.ok
    return event.mr


def token_of(event: object) -> str | None:
    assert isinstance(event, LateSubmit | LateFailure)
    return event.command.token if event.command else None


# -- what is written -------------------------------------------------------------------------------------------------
def test_ctrl_z_and_esc_exist_in_one_place_each() -> None:
    """Ctrl-Z spends money: no reset, no resynchronisation, nothing else may ever write it."""
    sources = [inspect.getsource(module) for module in vars(modemgw.at).values() if inspect.ismodule(module)]
    assert len(sources) > 8
    assert sum(source.count(r"\x1a") for source in sources) == 1
    assert sum(source.count(r"\x1b") for source in sources) == 1
    assert r"\x1a" in inspect.getsource(chat_module.Chat.payload)
    assert r"\x1b" in inspect.getsource(chat_module.Chat.escape)


def test_no_payload_without_a_prompt() -> None:
    chat = in_step()
    with pytest.raises(Busy):
        chat.payload()
    chat.send(submit("a"))
    with pytest.raises(Busy):
        chat.payload()
    chat.receive(b"\r\n> ")
    chat.payload()
    with pytest.raises(Busy):
        chat.payload()


def test_one_command_at_a_time() -> None:
    chat = in_step()
    assert chat.send(commands.SIGNAL) == b"AT+CSQ\r"
    with pytest.raises(Busy):
        chat.send(commands.AT)


def test_a_modem_without_a_prompt_takes_both_in_one_write() -> None:
    chat = in_step()
    command = commands.cmgs(19, PDU, prompt=False)
    assert chat.send(command) + chat.payload() == b"AT+CMGS=19\r" + PDU.encode() + b"\x1a"


# -- results of a SUBMIT ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "prompt", [b"\r\n> ", b"\r\n>", b"\r\n>\r\n", b"AT+CMGS=19\r\r\n> ", b"AT+CMGS=19\r> ", b"\r\nOK\r\n> "]
)
def test_every_form_of_prompt(prompt: bytes) -> None:
    for size in (1, 100):
        chat = in_step()
        chat.send(submit("a"))
        events = [event for i in range(0, len(prompt), size) for event in chat.receive(prompt[i : i + size])]
        assert [event for event in events if isinstance(event, Prompt)] == [Prompt()]
        assert chat.phase is Phase.PAYLOAD


def test_an_error_before_the_payload_means_nothing_was_sent() -> None:
    for at_prompt in (False, True):
        chat = in_step()
        chat.send(submit("a"))
        if at_prompt:
            chat.receive(b"\r\n> ")
        (reply,) = chat.receive(b"\r\n+CMS ERROR: 331\r\n")
        assert isinstance(reply, Reply)
        assert not reply.payload_written
        assert reply.result.cms == 331


def test_an_ok_before_the_payload_is_nobodys() -> None:
    chat = in_step()
    chat.send(submit("a"))
    assert chat.receive(b"\r\nOK\r\n") == [Unknown("OK")]
    assert chat.receive(b"\r\n> ") == [Prompt()]
    assert chat.receive(b"\r\nOK\r\n") == [Unknown("OK")]
    assert chat.phase is Phase.PAYLOAD


@pytest.mark.parametrize(
    ("line", "mr"),
    [
        (b"+CMGS: 5", 5),
        (b"+CMGS:255", 255),
        (b'+CMGS: 7,"26/11/22,12:00:00+04"', 7),
        (b"+CMGS: 8,0006010203", 8),
        (b"+CMGS: 9OK", 9),
        (b"+CMGS: 256", None),
        (b"+CMGS:", None),
        (b"+CMGS: ?", None),
    ],
)
def test_the_reference_alone_is_proof(line: bytes, mr: int | None) -> None:
    chat = at_result()
    assert chat.receive(b"\r\n" + line + b"\r\n") == []
    assert chat.grace == 5.0
    (reply,) = chat.abandon()  # the port is lost, or the deadline is over
    assert mr_of(reply) == mr
    assert isinstance(reply, Reply)
    assert not reply.heard
    assert not chat.in_step  # its OK may still come


def test_the_ok_after_the_reference_need_not_come() -> None:
    chat = at_result()
    chat.receive(b"\r\n+CMGS: 5\r\n")
    (reply,) = chat.conclude()
    assert mr_of(reply) == 5
    assert not chat.in_step


def test_a_repeated_reference_line_is_one_message() -> None:
    chat = at_result()
    (reply,) = chat.receive(b"\r\n+CMGS: 5\r\n\r\n+CMGS: 5\r\n\r\nOK\r\n")
    assert mr_of(reply) == 5


def test_an_ok_without_a_reference_is_proof_without_mr_but_waits_a_moment() -> None:
    chat = at_result()
    assert chat.receive(b"\r\nOK\r\n") == []
    assert chat.grace == 10.0
    (reply,) = chat.conclude()
    assert mr_of(reply) is None
    assert not chat.in_step


def test_a_stray_ok_after_the_payload_does_not_hide_the_true_result() -> None:
    chat = at_result()
    assert chat.receive(b"\r\nOK\r\n") == []
    (reply,) = chat.receive(b"\r\n+CMS ERROR: 38\r\n")
    assert isinstance(reply, Reply)
    assert reply.result.cms == 38
    chat = at_result()
    (reply,) = chat.receive(b"\r\nOK\r\n\r\n+CMGS: 9\r\n\r\nOK\r\n")
    assert mr_of(reply) == 9


def test_the_echo_of_the_pdu_is_not_the_answer() -> None:
    for echo in (PDU, PDU.lower(), f"> {PDU}", f"{PDU}\x1a", f"> {PDU}\x1a"):
        chat = at_result()
        (reply,) = chat.receive(f"{echo}\r\n\r\n+CMGS: 5\r\n\r\nOK\r\n".encode())
        assert mr_of(reply) == 5


def test_call_results_never_end_a_submit() -> None:
    chat = at_result()
    events = chat.receive(b"\r\nNO CARRIER\r\nBUSY\r\nRING\r\nCONNECT\r\n")
    assert [type(event) for event in events] == [urc.CallEnded, urc.CallEnded, urc.Ringing, Unknown]
    assert chat.phase is Phase.RESULT


# -- late results ----------------------------------------------------------------------------------------------------
def test_a_late_reference_is_credited_to_the_one_that_timed_out() -> None:
    chat = after_timeout()
    events = chat.receive(b"\r\n+CMGS: 4\r\n\r\nOK\r\n")
    assert token_of(events[0]) == "a"
    assert isinstance(events[0], LateSubmit)
    assert events[0].mr == 4
    assert not chat.in_step  # something answered late: prove the order again


def test_a_late_reference_while_another_command_runs_takes_its_ok_along() -> None:
    chat = after_timeout()
    chat.send(commands.PDU_MODE)
    (late,) = chat.receive(b"\r\n+CMGS: 4\r\n\r\nOK\r\n")
    assert token_of(late) == "a"
    assert chat.phase is Phase.ANSWER
    (reply,) = chat.receive(b"\r\nERROR\r\n")
    assert isinstance(reply, Reply)
    assert not reply.result.ok


def test_a_late_reference_before_the_next_payload() -> None:
    chat = after_timeout()
    chat.send(submit("b"))
    events = chat.receive(b"\r\n+CMGS: 4\r\n\r\nOK\r\n> ")
    assert token_of(events[0]) == "a"
    assert events[-1] == Prompt()


@pytest.mark.parametrize("between", [b"", b"\r\nOK\r\n", b'\r\n+CMTI: "SM",1\r\n'])
def test_two_references_in_one_submit_are_credited_in_order(between: bytes) -> None:
    chat = at_result("b", after_timeout())
    events = chat.receive(b"\r\n+CMGS: 4\r\n" + between + b"\r\n+CMGS: 5\r\n\r\nOK\r\n")
    late = next(event for event in events if isinstance(event, LateSubmit))
    assert (late.mr, token_of(late)) == (4, "a")
    assert mr_of(events[-1]) == 5
    assert chat.in_step


def test_a_late_success_does_not_hide_the_failure_of_the_next() -> None:
    chat = at_result("b", after_timeout())
    events = chat.receive(b"\r\n+CMGS: 4\r\n\r\nOK\r\n")
    assert events == []
    late, reply = chat.receive(b"\r\n+CMS ERROR: 38\r\n")
    assert token_of(late) == "a"
    assert isinstance(reply, Reply)
    assert reply.result.cms == 38


def test_a_late_failure_does_not_become_the_failure_of_the_next() -> None:
    chat = at_result("b", after_timeout())
    assert chat.receive(b"\r\n+CMS ERROR: 38\r\n") == []
    events = chat.receive(b"\r\n+CMGS: 5\r\n\r\nOK\r\n")
    assert isinstance(events[0], LateFailure)
    assert token_of(events[0]) == "a"
    assert mr_of(events[-1]) == 5


def test_nothing_more_is_heard_and_the_result_is_the_running_ones() -> None:
    chat = at_result("b", after_timeout())
    assert chat.receive(b"\r\n+CMGS: 5\r\n\r\nOK\r\n") == []
    (reply,) = chat.conclude()
    assert mr_of(reply) == 5
    at_result("c", chat)
    (reply,) = chat.receive(b"\r\n+CMGS: 6\r\n\r\nOK\r\n")  # the doubt is over
    assert mr_of(reply) == 6


def test_the_grace_after_the_reference_is_followed_by_the_grace_of_doubt() -> None:
    chat = at_result("b", after_timeout())
    assert chat.receive(b"\r\n+CMGS: 5\r\n") == []
    assert chat.grace == 5.0
    assert chat.conclude() == []
    assert chat.grace == 30.0
    (reply,) = chat.conclude()
    assert mr_of(reply) == 5


def test_several_owed_are_credited_oldest_first() -> None:
    chat = in_step()
    for name in "abc":
        at_result(name, chat)
        assert chat.abandon() == []
        chat.proven()
    events = chat.receive(b"\r\n+CMGS: 1\r\n\r\nOK\r\n\r\n+CMGS: 2\r\n\r\nOK\r\n\r\n+CMGS: 3\r\n\r\nOK\r\n")
    late = [event for event in events if isinstance(event, LateSubmit)]
    assert [(event.mr, token_of(event)) for event in late] == [(1, "a"), (2, "b"), (3, "c")]


def test_a_result_right_after_giving_up_is_the_newest_ones() -> None:
    """What was given up before it was passed over by a proof of order; the modem answers in order."""
    chat = at_result("a")
    chat.abandon()
    chat.proven()
    at_result("b", chat)
    chat.abandon()
    (late,) = chat.receive(b"\r\n+CMGS: 2\r\n")
    assert token_of(late) == "b"


def test_an_error_in_the_place_of_the_result_is_the_result() -> None:
    chat = at_result("a")
    chat.abandon()
    chat.probe()
    (late,) = chat.receive(b"\r\n+CMS ERROR: 38\r\n")
    assert isinstance(late, LateFailure)
    assert token_of(late) == "a"
    later = chat.receive(b"\r\n+CMS ERROR: 310\r\n")  # a probe may be refused in these words as well
    assert [token_of(event) for event in later] == [None]


def test_a_reference_that_counts_the_lost_one_in_needs_no_waiting() -> None:
    chat = at_result("first")
    chat.receive(b"\r\n+CMGS: 254\r\n\r\nOK\r\n")
    at_result("lost", chat)
    chat.abandon()
    chat.proven()
    at_result("next", chat)
    (reply,) = chat.receive(b"\r\n+CMGS: 0\r\n\r\nOK\r\n")  # 255 was the lost one's
    assert mr_of(reply) == 0
    late, *_ = chat.receive(b"\r\n+CMGS: 0\r\n")
    assert token_of(late) is None  # nothing earlier is owed any more


def test_a_chat_goes_on_when_its_port_is_opened_again() -> None:
    chat = at_result("a")
    chat.receive(b"\r\n+CMGS")
    assert chat.hang_up() == []
    late, *_ = chat.receive(b": 4\r\n\r\n+CMGS: 4\r\n\r\nOK\r\n")[1:]
    assert token_of(late) == "a"
    assert not chat.in_step


def test_a_reference_of_an_earlier_run_of_the_program() -> None:
    chat = Chat()
    chat.expect_late()
    assert chat.receive(b"\r\n+CMGS: 77\r\n") == [LateSubmit(77, None)]
    chat = Chat()
    late, *_ = chat.receive(b"\r\n+CMS ERROR: 38\r\n")
    assert isinstance(late, LateFailure)


# -- order of answers ------------------------------------------------------------------------------------------------
def test_a_new_chat_is_not_in_step() -> None:
    assert not Chat().in_step


@pytest.mark.parametrize(
    "stray", [b"\r\nOK\r\n", b"\r\nERROR\r\n", b"\r\n> ", b"\r\n+CMGS: 1\r\n", b"\r\n+CME ERROR: 3\r\n"]
)
def test_what_nobody_asked_for_breaks_the_step(stray: bytes) -> None:
    chat = in_step()
    chat.receive(stray)
    assert not chat.in_step


def test_an_ok_that_cannot_be_the_answer_breaks_the_step() -> None:
    chat = in_step()
    chat.send(commands.SIGNAL)
    (reply,) = chat.receive(b"\r\nOK\r\n")
    assert isinstance(reply, Reply)
    assert not chat.in_step


def test_the_missing_ok_of_pin_state_is_waited_for_briefly() -> None:
    chat = in_step()
    chat.send(commands.PIN_STATE)
    assert chat.grace is None
    assert chat.receive(b"\r\n+CPIN: READY\r\n") == []
    assert chat.grace == 1.0
    (reply,) = chat.conclude()
    assert isinstance(reply, Reply)
    assert reply.lines == ("+CPIN: READY",)
    assert not chat.in_step
    chat = in_step()
    chat.send(commands.PIN_STATE)
    (reply,) = chat.receive(b"\r\n+CPIN: READY\r\n\r\nOK\r\n")
    assert chat.in_step


def test_stale_answers_never_satisfy_a_probe() -> None:
    chat = in_step()
    chat.send(commands.SIGNAL)
    chat.abandon()
    line = chat.probe().decode().strip()
    answer = {"AT+CGSN": "490154203237518", "AT+CMEE?": "+CMEE: 1"}[line]
    assert [type(e) for e in chat.receive(b"\r\n+CSQ: 20,99\r\n\r\nOK\r\n\r\nERROR\r\n\r\nOK\r\n")] == [Unknown]
    (reply,) = chat.receive(f"\r\n{answer}\r\n\r\nOK\r\n".encode())
    assert isinstance(reply, Reply)
    chat.proven()
    assert chat.in_step


def test_the_stale_answer_to_an_equal_query_does_not_satisfy_a_probe() -> None:
    chat = in_step()
    chat.send(commands.SERIAL_NUMBER)
    chat.abandon()
    assert chat.probe() != b"AT+CGSN\r"


# -- lines among lines -----------------------------------------------------------------------------------------------
DELIVER = "07915155109099F9040B915155100021F300006280409003008005E8329BFD06"
REPORT = "07915155109099F9062A0B915155100021F3628040900300806280409003708000"


def test_a_report_between_a_list_header_and_its_pdu() -> None:
    chat = in_step()
    chat.send(commands.cmgl())
    events = chat.receive(f"+CMGL: 1,1,,24\r\n+CDS: 25\r\n{REPORT}\r\n{DELIVER}\r\nOK\r\n".encode())
    assert events[0] == urc.Direct("+CDS: 25", "+CDS", 25, REPORT)
    assert isinstance(events[1], Reply)
    assert events[1].lines == ("+CMGL: 1,1,,24", DELIVER)


def test_other_lines_between_a_header_and_its_pdu() -> None:
    chat = in_step()
    chat.send(commands.SIGNAL)
    events = chat.receive(
        f"+CDS: 25\r\nRING\r\n+CSQ: 20,99\r\nOK\r\n\r\n+CMT: ,24\r\n{DELIVER}\r\n{REPORT}\r\n".encode()
    )
    assert [event.pdu for event in events if isinstance(event, urc.Direct)] == [DELIVER, REPORT]
    assert [type(event) for event in events] == [urc.Ringing, Reply, urc.Direct, urc.Direct]


def test_a_padded_report_is_taken_all_the_same() -> None:
    padded = REPORT + "FF" * 120
    assert in_step().receive(f"+CDS: 25\r\n{padded}\r\n".encode()) == [urc.Direct("+CDS: 25", "+CDS", 25, padded)]


def test_a_header_without_its_pdu_is_given_up() -> None:
    chat = in_step()
    assert chat.unfinished is None
    assert chat.receive(b"+CDS: 25\r\n") == []
    first = chat.unfinished
    assert first is not None
    assert chat.give_up() == [urc.DirectLost("+CDS: 25", "+CDS")]
    assert chat.unfinished is None
    chat.receive(b"+CDS: 25\r\n")
    assert chat.unfinished not in {None, first}
    lost = [event for event in chat.receive(b"+CDS: 25\r\n" * 10) if isinstance(event, urc.DirectLost)]
    assert len(lost) == 7  # no more than four are remembered


def test_an_iccid_is_not_taken_for_the_pdu_of_a_report() -> None:
    chat = in_step()
    chat.send(commands.iccid())
    events = chat.receive(f"+CDS: 25\r\n89490200000123456780\r\n{REPORT}\r\nOK\r\n".encode())
    assert events[0] == urc.Direct("+CDS: 25", "+CDS", 25, REPORT)
    assert isinstance(events[1], Reply)
    assert events[1].lines == ("89490200000123456780",)


def test_echo_is_noticed_since_it_means_that_the_modem_restarted() -> None:
    chat = in_step()
    chat.send(commands.SIGNAL)
    (reply,) = chat.receive(b"AT+CSQ\r\r\n+CSQ: 20,99\r\n\r\nOK\r\n")
    assert isinstance(reply, Reply)
    assert reply.echoed
    assert reply.lines == ("+CSQ: 20,99",)
    assert chat.receive(b"AT+CSQ\r") == []  # a late echo is nothing either


def test_unsolicited_forms_while_the_same_is_asked() -> None:
    chat = in_step()
    chat.send(commands.registration("CREG"))
    events = chat.receive(b'+CREG: 2\r\n+CREG: 5,"00A1","C350",7\r\n+CREG: 2,1,"00A1","C350",7\r\nOK\r\n')
    assert [type(event) for event in events] == [urc.RegistrationChanged, urc.RegistrationChanged, Reply]
    assert isinstance(events[2], Reply)
    assert events[2].lines == ('+CREG: 2,1,"00A1","C350",7',)


def test_glued_lines() -> None:
    chat = in_step()
    chat.send(commands.NUMBER)
    events = chat.receive(b'\r\nERROR+CNUM: "","+15550100123",145\r\n')
    assert isinstance(events[0], Reply)
    assert not events[0].result.ok
    chat.send(commands.PDU_MODE)
    reply, stored = chat.receive(b'\r\nOK+CMTI: "SM",1\r\n')
    assert isinstance(reply, Reply)
    assert isinstance(stored, urc.Stored)


def test_a_flood_of_lines_is_bounded_and_the_reply_still_comes() -> None:
    chat = in_step()
    chat.send(commands.INFORMATION)
    (reply,) = chat.receive(b"noise\r\n" * 10_000 + b"OK\r\n")
    assert isinstance(reply, Reply)
    assert len(reply.lines) == 2048


def test_random_histories_credit_every_result_to_its_own_submit() -> None:
    """A modem that answers in order, early or late, each result with or without its OK: nothing is ever mixed up."""
    rng = random.Random(20)
    for _ in range(2000):
        chat, owed, truth, told = in_step(), [], {}, {}
        for number in range(6):
            token = str(number)
            truth[token] = number
            at_result(token, chat)
            events = []
            if rng.random() < 0.4:
                events += chat.abandon()
                owed.append(token)
                chat.proven()
            else:
                answered = [*owed, token]
                owed.clear()
                for one in answered:
                    ok = b"\r\nOK\r\n" if one != token or rng.random() < 0.7 else b""
                    events += chat.receive(b"\r\n+CMGS: %d\r\n" % truth[one] + ok)
                while chat.phase is Phase.RESULT:
                    events += chat.conclude()
                chat.proven()
            for event in events:
                if isinstance(event, LateSubmit | Reply):
                    assert event.command is not None
                    told[event.command.token] = event.mr
        assert told == {token: mr for token, mr in truth.items() if token not in owed}
