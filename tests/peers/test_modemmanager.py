"""ModemManager: finds the modem by probing, registers, sends, receives, asks for the balance.

It takes only ports that the kernel shows as parts of a USB device, and a pseudo terminal is none. So it runs in a
mount namespace of its own, where /sys/class/tty shows the terminals that take commands as interfaces of a stick, 2
and up, and /lib/udev/rules.d its own rules; on a bus of its own, where `policy.py` stands in for PolicyKit. The
programs themselves are as Debian ships them, and nothing outside their namespace sees any of it. Mounting needs root,
or user namespaces.

What it does wrong by itself: of several +CMTI in one read it follows only the first, so messages come a second apart
here, as the radio brings them; and it keeps messages in the modem until somebody deletes them.
"""

import json
import os
import shutil
import sys
from pathlib import Path

from peers import texts
from peers.beside import beside_the_others, give_up
from peers.stage import Stage, occurrences, sent

Known = dict[str, dict[str, str]]
OUT = texts.outgoing(8)
IN = texts.incoming(8)
RULES = "/lib/udev/rules.d"
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>
"""
QUIET = ("--no-auto-scan", "--test-no-udev", "--test-no-suspend-resume", "--test-no-qrtr")


def plugged_in(stage: Stage) -> Path:
    """What the kernel would show of modem0 as a USB stick; the folder to be seen as /sys/class/tty."""
    kernel = stage.folder / "sys"
    events = []
    for place, name in enumerate(name for name in stage.modems[0].ttys if name not in ("diag", "nmea")):
        link = stage.folder / "lab" / f"{stage.modems[0].name}{'.' if name else ''}{name}"
        terminal = link.resolve().relative_to("/dev")
        show(kernel, str(terminal), interface=2 + place, vendor=stage.settings.get("vendor", "1234"))
        events.append(f"action=add,subsystem=tty,name={terminal},uid=stick\n")
    (stage.folder / "events").write_text("".join(events))
    return kernel / "class/tty"


def show(kernel: Path, terminal: str, *, interface: int, vendor: str) -> None:
    """One terminal as an interface of the stick."""
    part = kernel / f"devices/usb1/1-1/1-1:1.{interface}"
    port = part / "tty/port"
    port.mkdir(parents=True)
    links = {
        port / "device": part,
        port / "subsystem": kernel / "class/tty",
        part / "subsystem": kernel / "bus/usb",
        part / "driver": kernel / "drivers/option1",
        kernel / "class/tty" / terminal: port,
    }
    for link, target in links.items():
        link.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == "" and not target.exists():
            target.mkdir(parents=True)
        link.symlink_to(target)
    attributes = {"bInterfaceNumber": f"{interface:02}", "bInterfaceClass": "ff"}
    attributes |= {"../idVendor": vendor, "../idProduct": "0001"}
    for name, value in attributes.items():
        (part / name).write_text(value + "\n")


async def namespace(stage: Stage) -> tuple[str, ...]:
    """How to get mounts of our own."""
    if not Path(RULES).is_dir():
        give_up(f"ModemManager wants its rules in {RULES}, which this machine does not have (package udev)")
    command = ("unshare", "--mount", *(() if os.geteuid() == 0 else ("--map-root-user",)))
    try:
        await stage.run(*command, "mount", "--rbind", "/tmp", "/tmp")  # noqa: S108
    except AssertionError as error:
        give_up(f"ModemManager needs mounts of its own: run as root, or allow user namespaces ({error})")
    return command


async def started(stage: Stage) -> None:
    """Bus, stand-in and ModemManager, with the modem found and enabled."""
    mounts, devices = await namespace(stage), plugged_in(stage)
    bus, rules = stage.folder / "bus", stage.folder / "rules"
    rules.mkdir()
    for rule in stage.programs.root.glob("*lib/udev/rules.d/*-mm-*"):
        shutil.copy(rule, rules)
    (stage.folder / "bus.conf").write_text(BUS.format(path=bus))
    stage.environ |= dict.fromkeys(("DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS"), f"unix:path={bus}")
    stage.start("dbus-daemon", "--nofork", "--nopidfile", f"--config-file={stage.folder / 'bus.conf'}", log="bus.out")
    await stage.until(bus.exists, "the bus")
    jeepney = stage.programs.file("usr/lib/python3/dist-packages/jeepney").parent
    stage.start(sys.executable, Path(__file__).with_name("policy.py"), f"unix:path={bus}", jeepney, log="policy.out")
    await stage.until(lambda: stage.said("policy.out") == "ready\n", "the stand-in of PolicyKit")

    plugins = stage.programs.file("usr/lib/*/ModemManager")
    options = [*QUIET, "--debug", "--test-session", f"--test-plugin-dir={plugins}", "--initial-kernel-events=events"]
    script = f'mount --rbind {rules} {RULES} && mount --rbind {devices} /sys/class/tty && exec ModemManager "$@"'
    stage.start(*mounts, "sh", "-c", script, "ModemManager", *options, log="ModemManager.log")
    await stage.until(lambda: "exported modem at path" in stage.said("ModemManager.log"), "the modem found")
    await stage.run("mmcli", "-m", "any", "--enable")
    await stage.until(lambda: "(enabled -> registered)" in stage.said("ModemManager.log"), "the modem registered")


async def messages(stage: Stage) -> list[Known]:
    """All messages that it knows: content and properties."""
    listed = json.loads(await stage.run("mmcli", "-m", "any", "--messaging-list-sms", "-J"))
    found = [json.loads(await stage.run("mmcli", "-s", path, "-J"))["sms"] for path in listed["modem.messaging.sms"]]
    return sorted(found, key=lambda sms: int(sms["dbus-path"].rsplit("/", 1)[1]))


def of_kind(known: list[Known], kind: str) -> list[Known]:
    """The messages of one PDU type."""
    return [sms for sms in known if sms["properties"]["pdu-type"] == kind]


@beside_the_others(modems=1)
async def test_it_finds_the_modem_sends_and_receives(stage: Stage) -> None:
    modem = stage.modems[0]
    assert modem.sim is not None
    stage.lab.network.gap = 1.0
    await started(stage)
    about = json.loads(await stage.run("mmcli", "-m", "any", "-J"))["modem"]
    assert about["3gpp"]["imei"] == modem.imei
    assert about["3gpp"]["registration-state"] == "home"
    assert about["3gpp"]["operator-name"] == modem.persona.radio.operator_long
    assert about["generic"]["own-numbers"] == [modem.sim.number]

    balance = await stage.run("mmcli", "-m", "any", "--3gpp-ussd-initiate=*100#")
    assert "'Your balance is 12.34 EUR.'" in balance

    for number, text in OUT.items():
        wanted = f"--messaging-create-sms=number='{number}',text='{text}',delivery-report-request=yes"
        path = (await stage.run("mmcli", "-m", "any", wanted)).strip().rsplit(" ", 1)[1]
        await stage.run("mmcli", "-s", path, "--send")
    assert sent(stage.ledger) == OUT
    asked = [entry.number for entry in stage.ledger if entry.srr]  # of a long message only one part
    assert sorted(asked) == sorted(OUT)

    stage.write_in(IN.items(), modem)
    mailbox = stage.lab.network.mailbox(modem.sim)
    await stage.until(lambda: not len(mailbox or ()), "all reports and messages delivered")
    last, _ = modem.inbox.storage(modem.settings.cpms[2]).items()[-1]
    await stage.until(lambda: f"AT+CMGR={last}" in [each.line for each in modem.heard], "the last one read")

    known = await messages(stage)
    deliver, submit, report = (of_kind(known, kind) for kind in ("deliver", "submit", "status-report"))
    assert {sms["content"]["number"]: sms["content"]["text"] for sms in deliver} == IN
    assert {sms["content"]["number"] for sms in submit if sms["properties"]["state"] == "sent"} == OUT.keys()
    assert occurrences(sms["content"]["number"] for sms in report) == occurrences(asked)
    assert {sms["properties"]["delivery-state"] for sms in report} == {"completed-received"}
