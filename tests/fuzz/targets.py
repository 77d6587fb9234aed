"""What is fuzzed, each a function of bytes that returns or raises: the targets of Atheris, and of the suite.

    pip install atheris                     (not a dependency of anything)
    python tests/fuzz/fuzz_pdu.py -max_total_time=60 tests/fuzz/corpus/pdu
    python tests/fuzz/fuzz_at.py -max_total_time=60 tests/fuzz/corpus/at

What they find is written beside them as ``crash-…``: it becomes a file of the corpus, and with it a test. The corpus
begins with the vectors and transcripts of our own tests; ``python tests/fuzz/seeds.py`` writes those.
"""

from at.test_fuzz import COMMANDS, still_works
from pdu.fuzz_mutations import try_one

from modemgw.at.chat import Chat
from modemgw.at.events import Phase
from modemgw.at.lines import MAX_LINE
from modemgw.at.urc import UrcTable

# In the input of ``at`` these octets are what the port does; everything else is what the modem says.
SEND, PAYLOAD, ABANDON, CONCLUDE, GIVE_UP, PROBE, PROVEN, CUT = range(0x80, 0x88)
_LONGEST = 65_536


def pdu(data: bytes) -> None:
    """The octets of a PDU: a message or a PduError, and what is encoded again means the same."""
    try_one(data.hex())


def at(data: bytes) -> None:
    """A dialogue: nothing escapes, little is held back, and the chat still works afterwards."""
    chat = Chat(UrcTable(boot=("^BOOT",), ignored=("^",)))
    chat.proven()
    said = bytearray()
    octets = iter(data[:_LONGEST])
    for octet in octets:
        if not SEND <= octet <= CUT:
            said.append(octet)
            continue
        chat.receive(bytes(said))
        said.clear()
        _act(chat, octet, next(octets, 0) if octet == SEND else 0)
    chat.receive(bytes(said))
    assert chat._reader.buffered <= 2 * MAX_LINE + 2, "more than two lines are held back"
    assert still_works(chat), "it does not answer any more"


def _act(chat: Chat, what: int, which: int) -> None:
    if what == SEND and chat.phase is Phase.IDLE:
        chat.send(COMMANDS[which % len(COMMANDS)])
    elif what == PAYLOAD and chat.phase is Phase.PAYLOAD:
        chat.payload()
    elif what == ABANDON:
        chat.abandon()
    elif what == CONCLUDE and chat.grace is not None:
        chat.conclude()
    elif what == GIVE_UP and chat.unfinished is not None:
        chat.give_up()
    elif what == PROBE and chat.phase is Phase.IDLE and not chat.exhausted:
        chat.probe()
    elif what == PROVEN and chat.phase is Phase.IDLE:
        chat.proven()
