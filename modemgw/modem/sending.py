"""One SUBMIT, and what is known about it afterwards. The question is always: may money have been spent?

- Everything up to the payload is NOT_SENT: no prompt, a refusal in place of the prompt, an intent that could not be
  written down, a port lost before.
- After the payload only a clear code is definite: 1-255 REFUSED by the network or the service centre, 301-331 and 340
  NOT_SENT, and what the profile adds. Silence, a lost port and every other code are UNCERTAIN.
- ``+CMGS`` without the OK behind it, and an OK without ``+CMGS``, are success; the latter leaves the MR unknown.
The command carries the caller's token, so that a late ``+CMGS`` finds its submit. Source: 3GPP TS 27.005, 4.3.
"""

import asyncio
from collections.abc import Callable

from modemgw.at import cme, cms, commands
from modemgw.at.errors import CommandFailed, UnsafeText
from modemgw.at.results import Result
from modemgw.modem.dialogue import Dialogue
from modemgw.modem.errors import ModemError, SubmitFailed, SubmitFailure
from modemgw.modem.facts import Handed
from modemgw.modem.profile import Profile, Results
from modemgw.port.errors import CommandTimeout, NotSent, PortLost
from modemgw.port.port import BeforePayload

_KINDS = {
    cms.DEFINITE_REFUSED: SubmitFailure.REFUSED,
    cms.DEFINITE_NOT_SENT: SubmitFailure.NOT_SENT,
    cms.UNCERTAIN: SubmitFailure.UNCERTAIN,
}


async def submit(
    dialogue: Dialogue,
    profile: Profile,
    pdu_hex: str,
    tpdu_length: int,
    *,
    token: str,
    before_payload: BeforePayload,
    on_end: Callable[[Handed], None],
) -> int | None:
    """TP-MR, or None where the modem did not tell it; ``on_end`` hears how long it took. Raises SubmitFailed."""
    try:
        command = commands.cmgs(
            tpdu_length, pdu_hex, token=token, timeout=profile.timing.net_s, prompt=profile.prompt,
            prompt_timeout=profile.timing.prompt_s,
        )  # fmt: skip
    except UnsafeText as error:
        raise SubmitFailed(SubmitFailure.NOT_SENT, str(error), policy="P") from error
    asked = accepted = False
    handed_at: float | None = None
    now = asyncio.get_running_loop().time

    async def at_prompt() -> None:
        nonlocal asked, handed_at
        asked = True
        await before_payload()
        handed_at = now()

    try:
        reply = await dialogue.ask(command, before_payload=at_prompt)
        accepted = True
    except CommandFailed as error:
        raise of_result(error.result, profile.results, payload_written=error.payload_written) from error
    except NotSent as error:
        raise SubmitFailed(SubmitFailure.NOT_SENT, error.reason, policy="T" if asked else "M") from error
    except (CommandTimeout, PortLost) as error:
        raise _of_silence(error) from error
    except ModemError as error:  # restarted, or dead, before anything was written
        raise SubmitFailed(SubmitFailure.NOT_SENT, error.text, policy="N") from error
    finally:
        on_end(Handed(handed_at, now(), accepted))
    return reply.mr


def _of_silence(error: CommandTimeout | PortLost) -> SubmitFailed:
    lost = isinstance(error, PortLost)
    if not error.payload_written:
        text = "the modem was lost before the message was handed over" if lost else "the modem does not answer"
        return SubmitFailed(SubmitFailure.NOT_SENT, text, policy="N" if lost else "M")
    text = (
        "the modem was lost after it had taken the message"
        if lost
        else "the modem took the message and did not say what became of it"
    )
    return SubmitFailed(SubmitFailure.UNCERTAIN, text)


def of_result(result: Result, definite: Results, *, payload_written: bool) -> SubmitFailed:
    """What an error result of ``AT+CMGS`` means."""
    if result.cms is not None:
        policy, name = cms.meaning(result.cms).policy, f"CMS {result.cms}"
    elif result.cme is not None:
        policy, name = cme.meaning(result.cme).policy, f"CME {result.cme}"
    else:
        policy, name = "T", ""
    if not payload_written or name in definite.not_sent:
        kind = SubmitFailure.NOT_SENT
    elif name in definite.refused:
        kind = SubmitFailure.REFUSED
    else:
        kind = _KINDS[result.submit_class()]
    return SubmitFailed(kind, result.meaning, policy=policy, cms=result.cms, cme=result.cme)
