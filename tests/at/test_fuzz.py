"""Hostile bytes in any cut and any state: no exception escapes, nothing grows, and the chat still works afterwards.

A million bytes by default. ``MODEMGW_FUZZ_BYTES=100000000 pytest tests/at/test_fuzz.py --timeout=0`` runs longer.
"""

import os
import random

from modemgw.at import commands
from modemgw.at.chat import Chat
from modemgw.at.events import Phase, Reply
from modemgw.at.lines import MAX_LINE, LineReader
from modemgw.at.urc import UrcTable

BYTES = int(os.environ.get("MODEMGW_FUZZ_BYTES", "1000000"))
PDU = "0031000B915155100021F30000A705E8329BFD06"
REPORT = b"07915155109099F9062A0B915155100021F3628040900300806280409003708000"
PIECES = [
    b"\r\n",
    b"\r",
    b"\n",
    b"\r\r\n",
    b"> ",
    b">",
    b"\r\nOK\r\n",
    b"\r\nERROR\r\n",
    b"\r\n+CMS ERROR: ",
    b"\r\n+CME ERROR: ",
    b"\r\n+CMGS: ",
    b"\r\n+CDS: 25\r\n",
    b"\r\n+CMT: ,24\r\n",
    REPORT,
    REPORT + b"\r\n",
    b'\r\n+CMTI: "SM",',
    b'+CUSD: 0,"',
    b'"',
    b",",
    b"(",
    b")",
    b":",
    b"0",
    b"4",
    b"255",
    b"99999999999999999999",
    b"+CREG: ",
    b"+CPIN: ",
    b"\r\nRDY\r\n",
    PDU.encode(),
    b"RING",
    b"AT+CMGS=19",
    b"AT",
    b"\x00",
    b"\xff",
    b"\x1a",
    b"\x1b",
    b"+",
    b"^",
    b"+CMGL: 1,1,,24\r\n",
    b"490154203237518\r\n",
    b"+CMEE: 1\r\n",
    b"+CSCA: ",
    b"+CFUN: 1\r\n",
    b"ERROR+CNUM: x\r\n",
    b"\xc3\xa9",
    b"(0-9999999)",
    b"x" * 500,
]
COMMANDS = [
    commands.SIGNAL,
    commands.PIN_STATE,
    commands.INFORMATION,
    commands.cmgl(),
    commands.cmgs(19, PDU),
    commands.AT,
    commands.cmgs(19, PDU, prompt=False),
    commands.SERIAL_NUMBER,
    commands.registration("CREG"),
    commands.ussd("*1#"),
]


def noise(rng: random.Random, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        data += rng.choice(PIECES) if rng.random() < 0.8 else rng.randbytes(rng.randrange(1, 12))
    return bytes(data[:length])


def act(chat: Chat, rng: random.Random) -> None:
    """What a port may do, at any time."""
    match rng.randrange(7):
        case 0 if chat.phase is Phase.IDLE:
            chat.send(rng.choice(COMMANDS))
        case 1 if chat.phase is Phase.PAYLOAD:
            chat.payload()
        case 2 if chat.phase is Phase.IDLE:
            chat.probe()
        case 3 if rng.random() < 0.3:
            chat.abandon()
        case 4 if chat.grace is not None:
            chat.conclude()
        case 5 if chat.unfinished is not None and rng.random() < 0.3:
            chat.give_up()
        case 6 if chat.phase is Phase.IDLE and rng.random() < 0.3:
            chat.proven()


def still_works(chat: Chat) -> bool:
    chat.abandon()
    chat.receive(b"\r\n")
    chat.give_up()
    chat.proven()
    chat.send(commands.SIGNAL)
    events = chat.receive(b"\r\n+CSQ: 20,99\r\n\r\nOK\r\n")
    return any(isinstance(event, Reply) and event.lines[-1:] == ("+CSQ: 20,99",) for event in events)


def test_chat_takes_anything() -> None:
    rng = random.Random(os.environ.get("MODEMGW_FUZZ_SEED", "anything"))
    chat, fed, replies = Chat(UrcTable(boot=("^BOOT",), ignored=("^",))), 0, 0
    while fed < BYTES:
        data = noise(rng, rng.choice([1, 3, 20, 200, 2000]))
        fed += len(data)
        replies += sum(isinstance(event, Reply) for event in chat.receive(data))
        act(chat, rng)
        if rng.random() < 0.002:
            assert still_works(chat)
    assert still_works(chat)
    assert replies > 20


def test_lines_are_the_same_in_any_cut_and_bounded() -> None:
    rng = random.Random("cuts")
    for _ in range(max(1, BYTES // 20_000)):
        data = noise(rng, 10_000)
        whole = LineReader()
        expected = list(whole.feed(data))
        pieces, tokens, position = LineReader(), [], 0
        while position < len(data):
            step = rng.choice([1, 2, 5, 100, 3000])
            tokens += pieces.feed(data[position : position + step])
            position += step
            assert pieces.buffered <= 2 * MAX_LINE
        assert tokens == expected
        assert pieces.garbage == whole.garbage


def test_random_bytes_alone() -> None:
    rng = random.Random("bytes")
    chat = Chat()
    for _ in range(max(1, BYTES // 50_000)):
        chat.receive(rng.randbytes(5_000))
    assert still_works(chat)
