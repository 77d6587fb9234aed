"""USSD: one dialogue at a time, coded and decoded by the layer above.

``AT+CUSD=1,"*100#",15`` gets OK, and seconds later ``+CUSD: <m>[,"<text>",<dcs>]``; some modems say it before the OK.
The turn is held throughout: a submit in between would confuse both. Source: 3GPP TS 27.007, 7.15.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from modemgw.at import commands
from modemgw.at.errors import CommandFailed, UnsafeText
from modemgw.at.urc import Ussd
from modemgw.modem.dialogue import Dialogue
from modemgw.modem.errors import ModemError, NotReady, UssdFailed
from modemgw.modem.facts import UssdReply
from modemgw.port.errors import CommandTimeout, PortError

REPLY_S = 60.0
_MORE = 1


class UssdSession:
    """Waits for the network's answer to one request."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[UssdReply] | None = None

    def heard(self, urc: Ussd) -> None:
        """``+CUSD`` came; nobody may be waiting for it."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(UssdReply(urc.mode if urc.mode is not None else 0, urc.raw or "", urc.dcs))

    async def ask(
        self, dialogue: Dialogue, code: str, dcs: int | None, *, keep_open: bool, then: Callable[[], Awaitable[None]]
    ) -> UssdReply:
        """Send ``code`` as it is and return the network's answer. Raises UssdFailed, NotReady, what ``then`` raises.

        ``keep_open``: leave a dialogue open that expects a reply, for the next ``ask``; else it is ended. ``then`` is
        called in the same turn, before the answer is believed.
        """
        async with dialogue.turn():
            self._answer = asyncio.get_running_loop().create_future()
            answered = False
            try:
                await dialogue.ask(commands.ussd(code, dcs=dcs))
                async with asyncio.timeout(REPLY_S):
                    reply = await self._answer
                answered = reply.more != _MORE or keep_open
            except UnsafeText as error:
                raise UssdFailed("only digits, *, # and + can be asked for") from error
            except CommandFailed as error:
                raise UssdFailed(error.result.meaning) from error
            except (TimeoutError, CommandTimeout) as error:
                raise UssdFailed("the network did not answer") from error
            except PortError as error:
                raise NotReady(str(error)) from error
            finally:
                self._answer = None
                if not answered:
                    with contextlib.suppress(ModemError, PortError):
                        await dialogue.attempt(commands.USSD_CANCEL)
            await then()
        return reply
