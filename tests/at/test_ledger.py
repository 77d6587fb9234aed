"""The proof of order: tried against modems that lose, delay and repeat, with the truth at hand."""

import random
from collections import deque

import pytest

from modemgw.at import commands
from modemgw.at.chat import Chat
from modemgw.at.commands import Command
from modemgw.at.events import Reply
from modemgw.at.ledger import MAX_UNANSWERED, PROBES, Ledger

ANSWERS = {
    "AT+CGSN": "490154203237518",
    "AT+CMEE?": "+CMEE: 1",
    "AT+CMGF?": "+CMGF: 0",
    "AT+CSCS?": '+CSCS: "GSM"',
    "AT+CNMI?": "+CNMI: 2,1,0,1,0",
    "AT+CSQ": "+CSQ: 20,99",
    "AT+CIMI": "001010123456789",
    "ATI": "Acme\r\nE1234",
}
EARLIER = [commands.SIGNAL, commands.IMSI, commands.SERIAL_NUMBER, commands.INFORMATION, commands.MESSAGE_FORMAT,
           commands.ROUTING, commands.PDU_MODE, commands.cmgd(3), commands.PIN_STATE]  # fmt: skip


def answer(text: str) -> bytes:
    body = ANSWERS.get(text)
    return (f"\r\n{body}\r\n" if body else "").encode() + b"\r\nOK\r\n"


def test_probes_are_told_from_one_another_and_from_urcs() -> None:
    for command, example in PROBES:
        admitting = [other.text for other, _ in PROBES if other.admits(example) or other.admits_bare(example)]
        assert admitting == [command.text]
        assert Chat().urcs.parse(example) is None


def test_an_answer_is_credited_to_the_oldest_that_it_may_belong_to() -> None:
    ledger = Ledger()
    for command in (commands.SIGNAL, commands.SERIAL_NUMBER, commands.IMSI, commands.SERIAL_NUMBER):
        ledger.owe(command)
    assert ledger.credit(["490154203237518"]) is commands.SERIAL_NUMBER
    assert len(ledger) == 2  # the IMSI looks the same
    assert ledger.credit(["+CREG: 0,1"]) is None
    assert ledger.credit(["490154203237518"]) is commands.IMSI
    assert len(ledger) == 1


def test_the_list_is_bounded_without_forgetting_anything() -> None:
    chat = Chat()
    asked = 0
    while not chat.exhausted:
        chat.probe()
        chat.abandon()
        asked += 1
    assert asked == MAX_UNANSWERED
    for _ in range(MAX_UNANSWERED):  # answers of the oldest, heard while nothing is asked
        chat.receive(answer("AT+CGSN"))
    assert not chat.exhausted
    chat.forget()
    assert not chat.in_step


@pytest.mark.parametrize("lost", [0.0, 0.3, 0.9])
def test_what_is_proven_is_true(lost: float) -> None:
    """A modem answers in order, late or never: whenever a probe counts as answered, nothing is left."""
    rng = random.Random(f"order-{lost}")
    proofs = 0
    for _ in range(3000):
        chat, pipe = Chat(), deque[str]()
        chat.proven()

        def write(line: bytes, pipe: deque[str] = pipe) -> None:
            if rng.random() >= lost:
                pipe.append(line.decode().strip())

        for command in rng.sample(EARLIER, rng.randrange(1, 5)):
            write(chat.send(command))
            chat.abandon()
        for _ in range(12):
            write(chat.probe())
            events: list[object] = []
            while pipe and rng.random() < 0.6 and not any(isinstance(event, Reply) for event in events):
                events += chat.receive(answer(pipe.popleft()))
            if any(isinstance(event, Reply) for event in events):
                assert not pipe
                proofs += 1
                break
            chat.abandon()
    assert proofs > (2000 if lost < 0.5 else 20)


@pytest.mark.parametrize("silent_probes", [0, 1, 3, 5, 12, 40])
def test_a_modem_that_wakes_up_is_proven_with_few_probes(silent_probes: int) -> None:
    chat = Chat()
    chat.proven()
    for _ in range(silent_probes):
        chat.probe()
        chat.abandon()
    needed = 0
    while True:
        needed += 1
        text = chat.probe().decode().strip()
        if any(isinstance(event, Reply) for event in chat.receive(answer(text))):
            break
        chat.abandon()
    assert needed <= 3


def test_a_modem_that_knows_only_one_probe_and_one_more_is_proven() -> None:
    chat, answered = Chat(), 0
    chat.proven()
    chat.send(commands.PDU_MODE)
    chat.abandon()
    for _ in range(8):
        text = chat.probe().decode().strip()
        known = text in {"AT+CGSN", "AT+CSCS?"}
        events = chat.receive(answer(text) if known else b"\r\nERROR\r\n")
        answered += any(isinstance(event, Reply) for event in events)
        chat.abandon()
    assert answered >= 2


def test_results_in_digits_prove_as_well() -> None:
    chat = Chat()
    text = chat.probe().decode().strip()
    assert any(isinstance(event, Reply) for event in chat.receive(f"{ANSWERS[text]}\r\n0\r".encode()))


def test_a_command_that_takes_any_text_does_not_block_the_proof() -> None:
    chat = Chat()
    chat.proven()
    chat.send(commands.INFORMATION)
    chat.abandon()
    chat.send(Command("AT+X", bare=".*"))
    chat.abandon()
    for _ in range(4):
        text = chat.probe().decode().strip()
        if any(isinstance(event, Reply) for event in chat.receive(answer(text))):
            return
        chat.abandon()
    pytest.fail("no proof")
