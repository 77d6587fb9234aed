"""What a value must look like: one function a kind of value, raising ValueError with a sentence that says what to do.

No sentence repeats a secret. The functions see the value of one key; what concerns several keys is in ``across``.
"""

import difflib
import ipaddress
import re
import zoneinfo
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from phonenumbers import SUPPORTED_REGIONS

from modemgw.config import balance
from modemgw.webhooks.signature import decode_secret
from modemgw.webhooks.target import check_url

EVENT_TYPES = (
    *(
        f"message.{name}"
        for name in (
            "queued", "sending", "sent", "delivered", "undelivered", "failed", "expired", "cancelled", "uncertain",
            "unknown", "held", "received", "updated",
        )
    ),
    "modem.state", "modem.recovery", "modem.failed", "modem.duplicate", "modem.heartbeat",
    "sim.limit",
    "sim.credit",
    "call.received",
    "webhook.disabled",
)  # fmt: skip

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HOST_NAME = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_NOT_COUNTRIES = {"UK": "GB", "EN": "GB", "EU": "the countries one by one", "USA": "US"}


def suggestion(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    near = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return near[0] if near else None


def name(value: str) -> str:
    """The name of a modem, a SIM or an API key: it stands in addresses and log lines."""
    if not _NAME.fullmatch(value):
        raise ValueError("use letters, digits, dot, dash and underscore only, 64 characters at the most")
    return value


def state_dir(value: Path) -> Path:
    """``~`` is the home directory."""
    if not str(value).strip() or "\0" in str(value):
        raise ValueError("give the path of a directory")
    return value.expanduser()


def country(value: str) -> str:
    """ISO 3166-1 alpha-2 code of a country that has telephone numbers."""
    if value in SUPPORTED_REGIONS:
        return value
    meant = _NOT_COUNTRIES.get(value.upper()) or (value.upper() if value.upper() in SUPPORTED_REGIONS else None)
    hint = f"did you mean {meant}?" if meant else 'write the two capital letters of ISO 3166, such as "DE"'
    raise ValueError(f"`{value}` is not a country code: {hint}")


def country_or_any(value: str) -> str:
    """A country code, or ``*``."""
    return value if value == "*" else country(value)


def timezone(value: str) -> str:
    """A name of the IANA time zone database that this machine knows."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = zoneinfo.available_timezones()
        if not known:
            raise ValueError("this machine has no time zone database: install the package tzdata") from None
        meant = {zone.lower(): zone for zone in known}.get(suggestion(value, (zone.lower() for zone in known)) or "")
        hint = f"did you mean {meant}?" if meant else 'write it like "Europe/Berlin"'
        raise ValueError(f"there is no time zone `{value}`: {hint}") from None
    return value


def listen(value: str) -> str:
    """``host:port``, the host an IP address or a name, IPv6 in square brackets."""
    host, colon, port = value.rpartition(":")
    if not colon or not host:
        raise ValueError(f'`{value}` must be an address and a port, such as "127.0.0.1:8025"')
    if not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ValueError(f"`{port}` in `{value}` is not a port: it is a number up to 65535")
    bracketed = host.startswith("[") and host.endswith("]")
    inner = host[1:-1] if bracketed else host
    if ":" in inner and not bracketed:
        raise ValueError(f"`{value}`: write an IPv6 address in square brackets, such as [::1]:{port}")
    try:
        ipaddress.ip_address(inner)
    except ValueError:
        looks_numeric = re.fullmatch(r"[0-9.]+", inner)
        if bracketed or looks_numeric or not _HOST_NAME.fullmatch(inner):
            raise ValueError(f"`{inner}` in `{value}` is neither an IP address nor a host name") from None
    return value


def host(value: str) -> str:
    """A name by which clients call us."""
    if not _HOST_NAME.fullmatch(value):
        raise ValueError(f'`{value}` is not a host name: write it like "sms.shop.example", without port and slashes')
    return value.lower()


def port(value: str) -> str:
    """A tty's path, ``tcp://host:port`` or ``emulator:name``."""
    if value.startswith("emulator:") and _NAME.fullmatch(value.removeprefix("emulator:")):
        return value
    if value.startswith("tcp://"):
        return "tcp://" + listen(value.removeprefix("tcp://"))
    if not value.startswith("/"):
        raise ValueError(
            f"`{value}` is not a path: write it like /dev/modemgw/1-1.2, /dev/ttyUSB2, "
            "tcp://192.0.2.7:4001 or emulator:a"
        )
    if re.search(r"[\0-\x1f]", value):
        raise ValueError("a path has no control characters")
    return value


def search(value: str) -> str:
    """Ttys beside USB to look for modems on: a path, in which * stands for anything."""
    if not value.startswith("/") or re.search(r"[\0-\x1f]", value):
        raise ValueError(f"`{value}` is not a path: write it like /dev/ttyS1 or /dev/modemgw/*")
    return value


def _digits(what: str, shortest: int, longest: int, example: str, value: str) -> str:
    if not (value.isascii() and value.isdigit() and shortest <= len(value) <= longest):
        span = f"{shortest}" if shortest == longest else f"{shortest} to {longest}"
        raise ValueError(f"{what} is {span} digits{example}")
    return value


def imei(value: str) -> str:
    """3GPP TS 23.003: 15 digits."""
    return _digits("an IMEI", 15, 15, " (AT+CGSN shows it, and the label of the modem)", value)


def iccid(value: str) -> str:
    """ITU-T E.118: 19 or 20 digits, printed on the card; some cards use 18."""
    return _digits("an ICCID", 18, 20, ", printed on the SIM card (89…)", value)


def pin(value: str) -> str:
    """A SIM's PIN. Never repeated in a message."""
    return _digits("a PIN", 4, 8, "", value)


def short_code(value: str) -> str:
    """A short code as it is dialled."""
    return _digits("a short code", 2, 8, ', in quotes, such as "11833"', value)


def number(value: str) -> str:
    """E.164 with the plus sign."""
    if not re.fullmatch(r"\+[1-9][0-9]{5,14}", value):
        raise ValueError('write the number in full with + and the country, digits only, such as "+491711234567"')
    return value


def prefix(value: str) -> str:
    """The beginning of numbers as they are stored: with plus and country, or of a short code; "" is any number."""
    if not re.fullmatch(r"(\+?[0-9]{1,15})?", value):
        raise ValueError(f'`{value}` is not the beginning of a number: write it like "+49" or "+49151"')
    return value


def minutes(value: str) -> tuple[int, int]:
    """``22:00-07:00`` as minutes of the day. ValueError where it is something else."""
    times = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9]) ?[-–] ?([01]?[0-9]|2[0-3]):([0-5][0-9])", value)
    if times is None:
        raise ValueError(f'`{value}`: write quiet hours as from and to, such as "22:00-07:00"')
    hours = [int(each) for each in times.groups()]
    return hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]


def quiet_hours(value: str) -> str:
    """From and to, local time; they may go over midnight."""
    minutes(value)
    return value


def url(value: str) -> str:
    """What the webhooks can post to."""
    try:
        check_url(value)
    except ValueError as error:
        raise ValueError(f'`{value}` cannot be posted to: {error}. Write it like "https://shop.example/hook"') from None
    return value


def secret(value: str) -> str:
    """What webhooks can be signed with. Never repeated in a message."""
    try:
        decode_secret(value)
    except ValueError as error:
        raise ValueError(f"{error}; `openssl rand -base64 32` makes what follows whsec_") from None
    return value


def event_pattern(value: str) -> str:
    """One event type, all of a group as ``message.*``, or ``*``."""
    groups = {f"{kind.split('.')[0]}.*" for kind in EVENT_TYPES}
    known = {*EVENT_TYPES, *groups, "*"}
    if value not in known:
        meant = suggestion(value, sorted(known))
        hint = (
            f"did you mean `{meant}`?"
            if meant
            else "one of " + ", ".join(EVENT_TYPES) + ", or a group such as message.*"
        )
        raise ValueError(f"there is no event `{value}`: {hint}")
    return value


_UNIQUE = {
    "modem": ("name", "port", "imei"),
    "sim": ("iccid", "name", "number"),
    "route": ("prefix",),
    "webhook": ("url",),
}
_EITHER = {
    "modem": (("pin", "pin_file"),),
    "sim": (("pin", "pin_file"), ("balance_ussd", "balance_sms_to")),
    "webhook": (("secret", "secret_file"),),
}


def across(document: Mapping[str, Any]) -> Iterable[tuple[tuple[str | int, ...], str]]:
    """(path, sentence) for what single values cannot show: doubles, exclusive keys, missing alternatives.

    Works on the raw document, so that its findings are listed beside those of single values.
    """
    for section, keys in _UNIQUE.items():
        tables = document.get(section)
        if not isinstance(tables, list):
            continue
        seen: dict[tuple[str, str], int] = {}
        for index, table in enumerate(tables):
            if not isinstance(table, Mapping):
                continue
            for key in keys:
                value = table.get(key)
                if isinstance(value, str) and (first := seen.setdefault((key, value), index)) != index:
                    yield (section, index, key), f"this is the {key} of [[{section}]] number {first + 1} already"
            if section == "route":
                yield from _unknown_sims(document, index, table)
            for path, text in _within(section, table):
                yield (section, index, *path), text


def _within(section: str, table: Mapping[str, Any]) -> Iterable[tuple[tuple[str, ...], str]]:
    """What the keys of one table must not be together."""
    for one, other in _EITHER.get(section, ()):
        if one in table and other in table:
            yield (other,), f"give `{one}` or `{other}`, not both"
    if section == "modem" and not {"port", "imei"} & table.keys():
        yield (), "it needs `port` (where it is plugged in) or `imei` (found on whatever port)"
    if section == "sim":
        yield from balance.across(table)
    if section == "webhook" and not {"secret", "secret_file"} & table.keys():
        yield (), "it needs `secret` or `secret_file`, which its deliveries are signed with"


def _unknown_sims(
    document: Mapping[str, Any], index: int, route: Mapping[str, Any]
) -> Iterable[tuple[tuple[str | int, ...], str]]:
    """A rule that names a SIM or a tag which no ``[[sim]]`` has would leave none."""
    tables = document.get("sim")
    sims = [each for each in tables if isinstance(each, Mapping)] if isinstance(tables, list) else []
    names = [each.get(key) for each in sims for key in ("name", "iccid", "number")]
    tags = [tag for each in sims if isinstance(each.get("tags"), list) for tag in each["tags"]]
    for key, known in (("sims", names), ("tags", tags)):
        wanted = route.get(key)
        for word in wanted if isinstance(wanted, list) else ():
            if isinstance(word, str) and word not in known:
                what = "name, ICCID or number" if key == "sims" else "tag"
                yield ("route", index, key), f"no [[sim]] has the {what} `{word}`"
