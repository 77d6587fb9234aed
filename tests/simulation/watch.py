"""The rules that are checked at the very event that they are about, by a connection of their own to the database.

At Ctrl-Z: the intent is on disk, for this recipient, and was not used before; no retry comes before its time. When
the network accepts: no more copies than attempts and recorded resends, one at the most where copies are forbidden.
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
        self.copies: Counter[tuple[str, int]] = Counter()
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
        seq = entry.concat.seq if entry.concat else 1
        self.copies[entry.number, seq] += 1
        copies = self.copies[entry.number, seq]
        row = self._database.execute(
            "SELECT m.on_uncertain, g.resends, g.state, g.attempts FROM messages AS m "
            "JOIN segments AS g ON g.message_seq = m.seq WHERE m.peer = ? AND g.seq = ?",
            (entry.number, seq),
        ).fetchone()
        what = f"{entry.number} part {seq}"
        if row is None:
            self._say(f"{what} is in the ledger, and nobody wanted it")
        elif copies > row["attempts"] or copies > 1 + row["resends"]:
            self._say(f"copy {copies} of {what}: {row['attempts']} attempts, {row['resends']} resends")
        elif copies > 1 and row["on_uncertain"] == "never":
            self._say(f"copy {copies} of {what}, which must never go out twice")
