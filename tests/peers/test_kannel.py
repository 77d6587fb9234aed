"""Kannel: bearerbox with four modems and smsbox in front of it; messages go in over HTTP, replies and reports come out.

How it is set up, and why:
- it waits one to two seconds before every send and has no setting for that, so four modems share the work;
- shown a message while it waits for the prompt of a send, it acknowledges into that prompt, and both are spoilt; so
  reports come within the second that it waits, and messages when all is sent;
- with its `AT+CNMI=1,…` the modem refuses whatever would be shown while a command runs, an acknowledgement too, and the
  network brings that again a minute later; what is stored then is announced to nobody. So messages come when the last
  report is taken, and three seconds apart, for it looks at an announcement only two seconds later;
- `no-pin = true`: it takes `+CPIN: READY` for the end of the answer, reads the OK behind it as the answer of the next
  command, and stays one answer behind: then it overlooks that the modem wants acknowledgements (+CNMA). With this it
  acknowledges what it is shown: +CSMS=1, direct delivery (+CMT, +CDS) and +CNMA, which no other program here uses.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote

from aiohttp import ClientSession, web
from peers import texts
from peers.beside import beside_the_others
from peers.stage import Stage, complete, free_port, sent

OUT = texts.outgoing(24)
IN = texts.incoming(12)
DELIVERED = 1
ACCEPTED = 8


class Sink:
    """What smsbox tells a web server: inbound messages and delivery reports."""

    def __init__(self) -> None:
        self.received: list[tuple[str, str]] = []
        self.reports: dict[str, list[int]] = {}

    async def inbound(self, request: web.Request) -> web.Response:
        asked = parse_qs(request.rel_url.raw_query_string, encoding="latin-1", keep_blank_values=True)
        octets = asked["text"][0].encode("latin-1")
        charset = "utf-16-be" if asked["coding"] == ["2"] else asked["charset"][0] or "utf-8"
        self.received.append((asked["from"][0], octets.decode(charset)))
        return web.Response()

    async def report(self, request: web.Request) -> web.Response:
        self.reports.setdefault("+" + request.query["to"], []).append(int(request.query["state"]))
        return web.Response()


@asynccontextmanager
async def listening(sink: Sink, port: int) -> AsyncIterator[None]:
    """The sink on a port of the loopback interface."""
    app = web.Application()
    app.add_routes([web.get("/in", sink.inbound), web.get("/report", sink.report)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield
    finally:
        await runner.cleanup()


def configured(stage: Stage, *, http: int, sink: int) -> Path:
    """One configuration for both boxes."""
    modems = "\n\n".join(
        f"group = smsc\nsmsc = at\nsmsc-id = {modem.name}\nmodemtype = generic\nspeed = 115200\n"
        f"device = {stage.port(modem)}\nmy-number = {modem.sim.number if modem.sim else ''}"
        for modem in stage.modems
    )
    init = f"init-string = {stage.settings['init']}" if "init" in stage.settings else ""
    path = stage.folder / "kannel.conf"
    path.write_text(
        f"""
group = core
admin-port = {free_port()}
admin-interface = 127.0.0.1
admin-password = secret
smsbox-port = {free_port()}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
log-file = {stage.log("bearerbox.log")}
log-level = 1
dlr-storage = internal
sms-combine-concatenated-mo = true

{modems}

group = modems
id = generic
name = generic
no-pin = true
sendline-sleep = 10
{init}

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {http}
sendsms-interface = 127.0.0.1
log-file = {stage.log("smsbox.log")}
log-level = 1

group = sendsms-user
username = shop
password = secret
max-messages = 10
concatenation = true

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "http://127.0.0.1:{sink}/in?from=%p&text=%b&coding=%c&charset=%C"
"""
    )
    return path


def request_for(number: str, text: str, *, http: int, sink: int) -> str:
    """The address that makes smsbox send a message and report on it."""
    report = quote(f"http://127.0.0.1:{sink}/report?to={number.removeprefix('+')}&state=%d", safe="")
    coding = "&coding=2" if texts.needs_ucs2(text) else ""
    return (
        f"http://127.0.0.1:{http}/cgi-bin/sendsms?username=shop&password=secret&from=1&to={quote(number)}"
        f"&charset=UTF-8{coding}&text={quote(text)}&dlr-mask=31&dlr-url={report}"
    )


@beside_the_others(modems=4)
async def test_it_sends_reports_and_receives(stage: Stage) -> None:
    http, port, sink = free_port(), free_port(), Sink()
    stage.lab.network.report_delay = 0.4
    config = configured(stage, http=http, sink=port)
    async with listening(sink, port), ClientSession() as client:
        stage.start("bearerbox", config, log="bearerbox.out")
        await stage.until(lambda: opened(stage) == len(stage.modems), "all modems opened")
        stage.start("smsbox", config, log="smsbox.out")
        await stage.until(lambda: "Connected to bearerbox" in stage.said("smsbox.log"), "smsbox connected")
        for number, text in OUT.items():
            async with client.get(request_for(number, text, http=http, sink=port), raise_for_status=True) as answer:
                assert (await answer.text()).startswith("0: Accepted")
        await stage.until(lambda: complete(stage.ledger) == OUT.keys(), "all sent")
        await stage.until(lambda: all(DELIVERED in sink.reports.get(number, []) for number in OUT), "all reports")
        asked = sum(entry.srr for entry in stage.ledger)  # of a long message only one part
        await stage.until(lambda: stage.reports() == asked, "all reports taken")
        stage.lab.network.gap = 3.0
        stage.write_in(IN.items(), *stage.modems)
        await stage.until(lambda: len(sink.received) >= len(IN), "all received")
    assert sent(stage.ledger) == OUT
    assert sorted(sink.received) == sorted(IN.items())
    assert {state for states in sink.reports.values() for state in states} == {ACCEPTED, DELIVERED}
    acknowledged = any(each.line == "AT+CNMA" for modem in stage.modems for each in modem.heard)
    shown = stage.modems[0].settings.cnmi[1] == 2
    assert acknowledged == (shown and 1 in stage.modems[0].persona.routing.csms)


def opened(stage: Stage) -> int:
    """How many modems bearerbox has set up."""
    return stage.said("bearerbox.log").count("AT SMSC successfully opened")
