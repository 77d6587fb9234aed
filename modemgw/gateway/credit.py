"""What is known of the money on a SIM, and what follows from it; all in the transaction of what was heard.

A reading below the owner's ``balance_low`` makes a SIM ``low``: what is left is for urgent messages, until a reading
says more. An answer in which no amount can be found, or none at all, changes nothing but what is shown. ``gone`` is
what a row of refusals suggests, and is only told: the breaker rests such a SIM. ``sim.credit`` is announced when a SIM
comes into trouble and when it is out of it.
"""

import functools
import json
import sqlite3
import tomllib
from importlib import resources

from modemgw.domain.balance import LONGEST_ANSWER, Wordings
from modemgw.domain.money import plain
from modemgw.domain.sim import BalanceSettings
from modemgw.gateway import limits
from modemgw.gateway.context import Context
from modemgw.store import balances, events, sims, views
from modemgw.store.balances import Balance

AWAIT_S = 20 * 60  # for the answer to a message
_RETRY_S = (300.0, 1800.0, 7200.0, 21_600.0)
_CHANCE = 0.05  # of the time between two questions, so that SIMs drift apart
_EARLY_MS = 3_600_000  # refusals make us ask at most this often
_TROUBLE = ("low", "gone")


@functools.cache
def wordings() -> Wordings:
    """The built-in ones: read when they are needed first, for most SIMs are never asked."""
    return Wordings(tomllib.loads((resources.files(__package__) / "balance.toml").read_text(encoding="utf-8")))


def asking(cur: sqlite3.Cursor, context: Context, sim_id: int) -> BalanceSettings | None:
    """How the owner wants a SIM to be asked, if at all."""
    plan = limits.settings_of(cur, context, sim_id)
    return plan.balance if plan else None


def answered(
    cur: sqlite3.Cursor, context: Context, sim_id: int, text: str, message_seq: int | None = None
) -> bool:  # fmt: skip
    """The operator's answer; True when it told the amount. False keeps it to be shown, with the reason.

    ``message_seq``: the received message that it is.
    """
    how = asking(cur, context, sim_id)
    if how is None:
        return False
    money = wordings().read(text, how.pattern)
    if money is None:
        balances.puzzled(cur, sim_id, _short(text, LONGEST_ANSWER), message_seq, _puzzle(text))
        return False
    now_ms = context.clock.wall_ms()
    due_ms = now_ms + int(how.every_s * (1 + _CHANCE * context.rng.random()) * 1000)
    balances.told(cur, sim_id, money, _short(text, LONGEST_ANSWER), message_seq, now_ms, due_ms)
    _judge(cur, context, sim_id, how, fresh=True)
    return True


def failed(cur: sqlite3.Cursor, context: Context, sim_id: int, why: str) -> None:
    """The question was in vain: again later, ever more rarely."""
    balance, how = balances.find(cur, sim_id), asking(cur, context, sim_id)
    if balance is not None:
        balances.failed(cur, sim_id, why, context.clock.wall_ms() + retry_ms(how, balance.failures))


def retry_ms(how: BalanceSettings | None, failures: int) -> int:
    """After how long it is asked again when ``failures`` questions before were in vain."""
    wait_s = _RETRY_S[min(failures, len(_RETRY_S) - 1)]
    return int(1000 * (min(wait_s, how.every_s) if how else wait_s))


def heard(cur: sqlite3.Cursor, context: Context, sim_id: int, message_seq: int, peer: str, text: str | None) -> None:
    """A message came to a SIM: it is the answer if one is awaited, and from this sender.

    Whoever forges that sender within these minutes can make a SIM look empty or full, and nothing else.
    """
    balance = balances.find(cur, sim_id)
    if text is None or balance is None or balance.awaits_ms is None or context.clock.wall_ms() > balance.awaits_ms:
        return
    how = asking(cur, context, sim_id)
    if how is not None and peer.strip().casefold() == (how.sms_from or how.sms_to or "").casefold():
        answered(cur, context, sim_id, text, message_seq)


def is_unsettled(cur: sqlite3.Cursor, context: Context) -> bool:
    """Is a wait for an answer over, or has the owner set other bounds since the last readings?"""
    return any(
        _is_over(each, context) or _state(each, asking(cur, context, each.sim_id)) != each.state
        for each in balances.every(cur)
    )


def settle(cur: sqlite3.Cursor, context: Context) -> None:
    """What follows from that."""
    for balance in balances.every(cur):
        if _is_over(balance, context):
            failed(cur, context, balance.sim_id, balance.error or _no_answer(cur, balance))
        _judge(cur, context, balance.sim_id, asking(cur, context, balance.sim_id))


def gone(cur: sqlite3.Cursor, context: Context, sim_id: int) -> None:
    """The network refuses one message after the other as it does without credit.

    Where the operator has said within the hour that there is some, it is for another reason.
    """
    now_ms = context.clock.wall_ms()
    balances.begin(cur, sim_id, now_ms)
    balance = balances.find(cur, sim_id)
    if balance is None or balance.state in _TROUBLE:
        return
    if balance.money is None or balance.money.amount <= 0 or now_ms - (balance.read_ms or 0) > _EARLY_MS:
        _move(cur, context, balance, "gone", None)


def back(cur: sqlite3.Cursor, context: Context, sim_id: int) -> None:
    """The network takes messages again."""
    balance = balances.find(cur, sim_id)
    if balance is not None and balance.state == "gone":
        _judge(cur, context, sim_id, asking(cur, context, sim_id), fresh=True)


def doubt(cur: sqlite3.Cursor, context: Context, sim_id: int) -> None:
    """A message was refused as without credit: it is asked soon, if it was not within the hour."""
    now_ms = context.clock.wall_ms()
    balances.hasten(cur, sim_id, now_ms, now_ms - _EARLY_MS)


def show(cur: sqlite3.Cursor, context: Context, sim_id: int) -> views.Json | None:
    """``balance`` of a SIM in the shape of the API; None where nothing is asked and nothing known."""
    balance, how = balances.find(cur, sim_id), asking(cur, context, sim_id)
    if balance is None and how is None:
        return None
    money = balance.money if balance else None
    return {
        "state": balance.state if balance else "unknown",
        "amount": plain(money.amount) if money else None,
        "currency": money.currency if money else None,
        "low_below": plain(how.low) if how and how.low is not None else None,
        "read_at": views.rfc3339(balance.read_ms) if balance else None,
        "text": balance.text if balance else None,
        "error": balance.error if balance else None,
        "asked_at": views.rfc3339(balance.asked_ms) if balance else None,
        "next_at": views.rfc3339(balance.due_ms) if balance and how else None,
    }


def _is_over(balance: Balance, context: Context) -> bool:
    return balance.awaits_ms is not None and balance.awaits_ms <= context.clock.wall_ms()


def _judge(
    cur: sqlite3.Cursor, context: Context, sim_id: int, how: BalanceSettings | None, *, fresh: bool = False
) -> None:  # fmt: skip
    balance = balances.find(cur, sim_id)
    if balance is not None and (state := _state(balance, how, fresh=fresh)) != balance.state:
        _move(cur, context, balance, state, how)


def _state(balance: Balance, how: BalanceSettings | None, *, fresh: bool = False) -> str:
    """What the last reading means by the owner's bound as it is now. ``fresh``: it is newer than any refusal."""
    low = how.low if how else None
    if balance.money is not None and low is not None and balance.money.amount < low:
        return "low"
    if balance.state == "gone" and not fresh:
        return "gone"
    return "unknown" if balance.money is None else "fine"


def _move(cur: sqlite3.Cursor, context: Context, balance: Balance, state: str, how: BalanceSettings | None) -> None:
    balances.set_state(cur, balance.sim_id, state)
    stamp = context.stamp()
    stamp.news.freed = True  # its sender looks again
    if (state in _TROUBLE) == (balance.state in _TROUBLE):
        return
    names = sims.names(cur, balance.sim_id)
    sim, money, low = names["sim"], balance.money, how.low if how else None
    texts = {
        "low": f"SIM {sim} has {money} left, less than {low}: top it up. Until then only urgent messages go out by it.",
        "gone": f"The network refuses the messages of SIM {sim} as it does without credit: top it up.",
        "fine": f"SIM {sim} takes part as before" + (f"; its last reading was {money}." if money else "."),
    }
    told = state if state in _TROUBLE else "fine"
    events.announce(cur, stamp, "sim.credit", {
        **names, "state": told, "amount": plain(money.amount) if money else None,
        "currency": money.currency if money else None, "low_below": None if low is None else plain(low),
        "text": texts[told],
    })  # fmt: skip


def _no_answer(cur: sqlite3.Cursor, balance: Balance) -> str:
    status, error = balances.outcome(cur, balance.question or "")
    if status in ("sent", "delivered"):
        return f"no answer came within {AWAIT_S // 60} minutes"
    return f"the message that asks was not sent ({status})" + (f": {json.loads(error)['text']}" if error else "")


def _puzzle(text: str) -> str:
    return f"could not find an amount in: {_short(text, 160)}" if text.strip() else "the answer was empty"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
