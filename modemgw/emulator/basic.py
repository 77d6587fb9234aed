"""V.250 settings and identity (TS 27.007 clause 5).

Commands that only steer the hardware of a line are taken and ignored.
"""

from typing import TYPE_CHECKING

from modemgw.emulator.lines import Ask, Failure, Reply, reply_to
from modemgw.emulator.settings import fresh

if TYPE_CHECKING:
    from modemgw.emulator.device import Device


def _flag(ask: Ask) -> bool:
    value = ask.number(0, 0)
    if value > 1:
        raise Failure
    return value == 1


@reply_to("E")
def echo(device: "Device", ask: Ask) -> Reply:
    """Echo off and on."""
    device.manners.echo = _flag(ask)
    return []


@reply_to("V")
def verbose(device: "Device", ask: Ask) -> Reply:
    """Result codes as digits or words."""
    device.manners.verbose = _flag(ask)
    return []


@reply_to("Q")
def quiet(device: "Device", ask: Ask) -> Reply:
    """Result codes on and off."""
    device.manners.quiet = _flag(ask)
    return []


@reply_to("Z", "&F")
def defaults(device: "Device", ask: Ask) -> Reply:  # noqa: ARG001
    """Back to the settings of a start."""
    device.settings = fresh(device.persona)
    device.speaking.reset_manners()
    return []


_IGNORED = (
    "L",
    "M",
    "X",
    "P",
    "T",
    "&A",
    "&B",
    "&C",
    "&D",
    "&K",
    "&S",
    "&W",
    "\\Q",
    "+IFC",
    "+ICF",
    "+IPR",
    "+CGSMS",
)


@reply_to(*_IGNORED, "+CSDH")
def ignored(device: "Device", ask: Ask) -> Reply:  # noqa: ARG001
    """Taken and ignored."""
    return []


@reply_to(*(f"S{n}" for n in range(13)))
def register(device: "Device", ask: Ask) -> Reply:
    """S registers remember what was set."""
    number = int(ask.name[1:])
    if ask.kind == "read":
        return [f"{device.settings.registers.get(number, 0):03d}"]
    device.settings.registers[number] = ask.number(0, 0)
    return []


@reply_to("+CMER")
def cmer(device: "Device", ask: Ask) -> Reply:
    """Event reporting (TS 27.007 clause 8.10): <mode>,<keyp>,<disp>,<ind>,<bfr>. Without <ind> no +CIEV is said."""
    if ask.kind == "test":
        return ["+CMER: (0-3),(0),(0),(0-2),(0,1)"]
    if ask.kind == "read":
        return ["+CMER: " + ",".join(map(str, device.settings.cmer))]
    values = tuple(ask.number(place, 0) for place in range(5))
    if any(value > most for value, most in zip(values, (3, 0, 0, 2, 1), strict=True)):
        raise Failure("CME", 50)
    device.settings.cmer = values
    return []


@reply_to("+CMEE")
def cmee(device: "Device", ask: Ask) -> Reply:
    """How errors are worded."""
    if ask.kind == "test":
        return ["+CMEE: (0-2)"]
    if ask.kind == "read":
        return [f"+CMEE: {device.manners.cmee}"]
    value = ask.number(0, 0)
    if value > 2:
        raise Failure("CME", 50)
    device.manners.cmee = value
    return []


def _identity(device: "Device", ask: Ask, text: str) -> Reply:
    if ask.kind == "test":
        return []
    if not text:
        raise Failure
    style = device.persona.identity
    text = f'"{text}"' if style.quoted else text
    return [f"{ask.name}: {text}" if style.prefixed else text]


@reply_to("+CGMI", "+GMI")
def manufacturer(device: "Device", ask: Ask) -> Reply:
    """Who made it."""
    return _identity(device, ask, device.persona.identity.manufacturer)


@reply_to("+CGMM", "+GMM")
def model(device: "Device", ask: Ask) -> Reply:
    """Which model it is."""
    return _identity(device, ask, device.persona.identity.model)


@reply_to("+CGMR", "+GMR")
def revision(device: "Device", ask: Ask) -> Reply:
    """Its firmware."""
    return _identity(device, ask, device.persona.identity.revision)


@reply_to("+CGSN", "+GSN")
def imei(device: "Device", ask: Ask) -> Reply:
    """Its IMEI."""
    return _identity(device, ask, device.imei)


@reply_to("I")
def information(device: "Device", ask: Ask) -> Reply:  # noqa: ARG001
    """Identity in one go."""
    who = device.persona.identity
    return [who.manufacturer, who.model, f"Revision: {who.revision}", f"IMEI: {device.imei}"]


@reply_to("+GCAP")
def capabilities(device: "Device", ask: Ask) -> Reply:  # noqa: ARG001
    """What kind of modem it is."""
    return ["+GCAP: +CGSM"]


def iccid(device: "Device", ask: Ask) -> Reply:
    """The card's number, by the persona's command and in its form; readable while the card is locked."""
    if ask.kind == "test":
        return []
    if device.sim is None:
        raise Failure("CME", 10)
    number = device.sim.iccid
    padded = number + "F" * (len(number) % 2)
    swapped = "".join(padded[i + 1] + padded[i] for i in range(0, len(padded), 2))
    return [device.persona.identity.iccid_answer.format(iccid=number, swapped=swapped)]


@reply_to("+CSCS")
def cscs(device: "Device", ask: Ask) -> Reply:
    """The character set of strings."""
    if ask.kind == "test":
        return ["+CSCS: ({})".format(",".join(f'"{name}"' for name in device.persona.service.cscs))]
    if ask.kind == "read":
        return [f'+CSCS: "{device.settings.cscs}"']
    if ask.text(0) not in device.persona.service.cscs:
        raise Failure("CME", 50)
    device.settings.cscs = ask.text(0)
    return []
