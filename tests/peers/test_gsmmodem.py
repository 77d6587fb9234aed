"""python-gsmmodem-new's GsmModem class: connect, send, delivery report, receive by callback, USSD dialogue.

What it does wrong by itself, on any modem, and what is done about it here:
- it cannot encode emoji (an exception), and does not join surrogate pairs of received ones: no emoji;
- long inbound messages reach the callback part by part: joined here;
- a Unicode text leaves the modem in its UCS-2 character set, in which its next USSD request, written in plain, is
  refused: USSD comes first;
- the thread that fetches a report may write its command between the prompt of a send and the PDU, which spoils the
  send: each message waits for the report of the one before;
- of several +CMTI or +CDSI in one read it follows only the first: they come a second apart, as by radio.
"""

import asyncio
from queue import SimpleQueue

from gsmmodem.modem import GsmModem, Sms, StatusReport
from peers import texts
from peers.beside import beside_the_others
from peers.stage import Stage, sent

OUT = texts.outgoing(8, emoji=False)
IN = texts.incoming(8, emoji=False)
DELIVERED = 0  # TP-ST


@beside_the_others(modems=1)
async def test_it_sends_receives_and_asks(stage: Stage) -> None:
    device = stage.modems[0]
    stage.lab.network.gap = 1.0
    received: SimpleQueue[Sms] = SimpleQueue()
    reports: SimpleQueue[StatusReport] = SimpleQueue()
    modem = GsmModem(
        str(stage.port(device)),
        115200,
        smsReceivedCallbackFunc=received.put,
        smsStatusReportCallback=reports.put,
        AT_CNMI=stage.settings.get("cnmi", ""),
    )
    try:
        await asyncio.to_thread(modem.connect)
        assert device.sim is not None
        assert await asyncio.to_thread(lambda: (modem.imei, modem.imsi)) == (device.imei, device.sim.imsi)
        assert await asyncio.to_thread(lambda: modem.networkName) == device.persona.radio.operator_long

        balance = await asyncio.to_thread(modem.sendUssd, "*100#")
        assert balance.message == "Your balance is 12.34 EUR."
        menu = await asyncio.to_thread(modem.sendUssd, "*101#")
        assert menu.sessionActive
        choice = await asyncio.to_thread(menu.reply, "2")
        assert (choice.message, choice.sessionActive) == ("500 MB left", False)

        number = "+4915551201999"
        waited = await asyncio.to_thread(modem.sendSms, number, "hello", True, 15, 20)
        assert waited.report.deliveryStatus == DELIVERED
        for recipient, text in OUT.items():
            await asyncio.to_thread(modem.sendSms, recipient, text)
            await stage.until(lambda: reports.qsize() == len(stage.ledger) - 1, "a report for each part")
        assert sent(stage.ledger) == {number: "hello", **OUT}
        told = [reports.get() for _ in range(reports.qsize())]
        assert {(each.number, each.reference) for each in told} == {
            (entry.number, entry.mr) for entry in stage.ledger[1:]
        }
        assert {each.deliveryStatus for each in told} == {DELIVERED}

        stage.write_in(IN.items(), device)
        parts = sum(3 if text == texts.LONG_GSM else 1 for text in IN.values())
        await stage.until(lambda: received.qsize() >= parts, "a callback for each part")
        joined: dict[str, str] = {}
        for sms in [received.get() for _ in range(received.qsize())]:
            joined[sms.number] = joined.get(sms.number, "") + sms.text
        assert joined == IN
        await stage.until(lambda: device.inbox.me.used == 0, "read messages deleted")
    finally:
        await asyncio.to_thread(modem.close)
