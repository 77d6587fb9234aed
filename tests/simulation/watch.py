"""The rules that are checked at the very event that they are about, by a connection of their own to the database.

At Ctrl-Z: the intent is on disk, for this recipient, and was not used before; no retry comes before its time. When
the network accepts: no more copies than attempts and recorded resends, one at the most where copies are forbidden,
and no message overtakes an earlier one to the same number (I5).
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from support.world import World

from modemgw.at.cms import meaning
from modemgw.domain.message import CLASSES
from modemgw.domain.sim import SimSettings
from modemgw.emulator.ledger import Accepted
from modemgw.gateway import retry
from modemgw.pdu.decode import decode
from modemgw.pdu.errors import PduError
from modemgw.pdu.tpdu import Submit

if TYPE_CHECKING:
    from simulation.day import Day


class Watch:
    """What is wrong is kept until ``raise_wrong``: an exception in the simulated network would only hit the modem."""

    def __init__(self, world: World, day: "Day", limits: Mapping[str, SimSettings]) -> None:
        self.limits = limits
        self.ready_since: dict[int, float] = {}
        self.copies: Counter[int] = Counter()  # by segment
        self._newest: dict[tuple[str, int], int] = {}  # number and rank -> the last message with a copy
        self.wrong: list[str] = []
        self._day = day
        self._loop = asyncio.get_running_loop()
        self._database = sqlite3.connect(world.path, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        self._submitted_at: dict[int, float] = {}  # attempt -> loop time

    def close(self) -> None:
        self._database.close()

    def raise_wrong(self) -> None:
        """AssertionError with everything that was seen so far."""
        assert not self.wrong, "; ".join(self.wrong[:5])

    def _say(self, what: str) -> None:
        self.wrong.append(f"at {self._loop.time():.3f} s {what}")

    def submit_byte(self, device: Any, payload: bytes) -> None:
        """0x1A has come: from now on money may be spent."""
        row = self._database.execute(
            "SELECT a.*, g.seq FROM attempts AS a JOIN segments AS g USING (segment_id) WHERE modem = ? "
            "ORDER BY attempt_id DESC LIMIT 1",
            (device.name,),
        ).fetchone()
        if row is None or row["state"] != "submitting":
            self._say(f"Ctrl-Z on {device.name} without an intent on disk")
            return
        if row["attempt_id"] in self._submitted_at:
            self._say(f"a second Ctrl-Z on {device.name} for attempt {row['attempt_id']}")
        self._submitted_at[row["attempt_id"]] = self._loop.time()
        try:
            tpdu = decode(payload.decode("latin-1").strip()).tpdu
        except PduError as error:
            self._say(f"Ctrl-Z on {device.name} behind {payload!r}: {error}")
            return
        seq = tpdu.concat.seq if isinstance(tpdu, Submit) and tpdu.concat else 1
        number = tpdu.destination.number if isinstance(tpdu, Submit) else None
        if (number, seq) != (row["peer"], row["seq"]):
            self._say(f"the intent is for {row['peer']} part {row['seq']}, the PDU for {number} part {seq}")
        self._patience(row)

    def _patience(self, row: sqlite3.Row) -> None:
        """No retry before its back-off is over, and no resend before its window, however the wall clock was set.

        What one SIM refused may go to another one at once.
        """
        earlier = self._database.execute(
            "SELECT a.*, m.class FROM attempts AS a JOIN segments USING (segment_id) JOIN messages AS m "
            "ON m.seq = message_seq WHERE segment_id = ? AND attempt_id < ? ORDER BY attempt_id",
            (row["segment_id"], row["attempt_id"]),
        ).fetchall()
        if not earlier:
            return
        last = earlier[-1]
        gap = self._loop.time() - self._submitted_at.get(last["attempt_id"], float("-inf"))
        wanted = 0.0
        if last["state"] == "refused" and last["cms"] is not None and last["sim_id"] == row["sim_id"]:
            failures = sum(each["state"] == "refused" for each in earlier) - 1
            wanted = retry.after_refusal(meaning(last["cms"]).policy, last["cms"], failures).after_s or 0.0
        elif last["state"] in ("unknown", "uncertain"):
            wanted = CLASSES[last["class"]].window_s
        if gap < wanted - 1.0:
            self._say(
                f"attempt {row['attempt_id']} came {gap:.0f} s after one that is {last['state']}, not {wanted:.0f}"
            )

    def accepted(self, entry: Accepted) -> None:
        """The network took a SUBMIT."""
        part = part_of(entry)
        row = self._database.execute(
            "SELECT m.seq, m.rank, m.on_uncertain, g.segment_id, g.resends, g.attempts FROM messages AS m "
            "JOIN segments AS g ON g.message_seq = m.seq "
            "WHERE m.peer = ? AND m.concat_ref = coalesce(?, m.concat_ref) AND g.seq = ? AND g.text = ?",
            part,
        ).fetchone()
        what = f"{entry.number} part {part[2]}"
        if row is None:
            self._say(f"{what} is in the ledger, and nobody wanted it")
            return
        self.copies[row["segment_id"]] += 1
        copies = self.copies[row["segment_id"]]
        if copies == 1:
            self._in_turn(row, entry.number)
        if copies > row["attempts"] or copies > 1 + row["resends"]:
            self._say(f"copy {copies} of {what}: {row['attempts']} attempts, {row['resends']} resends")
        elif copies > 1 and row["on_uncertain"] == "never":
            self._say(f"copy {copies} of {what}, which must never go out twice")

    def _in_turn(self, row: sqlite3.Row, number: str) -> None:
        """I5: messages of one class and priority to one number come in the order in which they were accepted."""
        newest = self._newest.setdefault((number, row["rank"]), row["seq"])
        self._newest[number, row["rank"]] = max(newest, row["seq"])
        if row["seq"] < newest and not self._was_held(row["seq"]):
            self._say(f"I5: message {row['seq']} to {number} comes after message {newest}")

    def _was_held(self, message_seq: int) -> bool:
        """A message that killed the process three times is put aside; the others don't wait for the operator."""
        return self._database.execute(
            "SELECT 1 FROM timeline WHERE message_seq = ? AND event = 'held'", (message_seq,)
        ).fetchone() is not None  # fmt: skip


def part_of(entry: Accepted) -> tuple[str, int | None, int, str | None]:
    """What tells the segments of a day apart: number, reference of the message, place in it, text.

    Not by their texts alone: two long messages to one number can end in the same few letters.
    """
    concat = entry.concat
    return entry.number, concat.ref if concat else None, concat.seq if concat else 1, entry.text
