"""Every section and key of the configuration file, with its default. README.md explains each of them; a test compares.

Unknown keys and wrong types are refused: a misspelt limit must not silently be no limit.
"""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, SecretStr

from modemgw.config import balance, checks
from modemgw.domain.balance import compile_pattern
from modemgw.domain.route import Route as DomainRoute
from modemgw.domain.sim import BalanceSettings
from modemgw.modem.settings import ModemSettings
from modemgw.webhooks.target import WebhookTarget

DEFAULT_STATE_DIR = Path("/var/lib/modemgw")


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _one_or_more(value: Any) -> Any:
    return (value,) if isinstance(value, str) else _tuple(value)


def _secret(check: Any) -> Any:
    return AfterValidator(lambda value: SecretStr(check(value.get_secret_value())))


Name = Annotated[str, AfterValidator(checks.name)]
Country = Annotated[str, AfterValidator(checks.country)]
Number = Annotated[str, AfterValidator(checks.number)]
Pin = Annotated[SecretStr, _secret(checks.pin)]
AlertEvent = Literal["modem.failed", "sim.credit", "sim.limit", "queue.stuck"]
Limit = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]


class Section(BaseModel):
    """What all sections share: nothing unknown, nothing converted, nothing changed later, no input in errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Gateway(Section):
    """``home_country`` None: the SIMs' country. ``timezone`` None: the system's. ``min_free_mb``: with less room on the
    disk nothing new is taken."""

    state_dir: Annotated[Path, Field(strict=False), AfterValidator(checks.state_dir)] = DEFAULT_STATE_DIR
    home_country: Country | None = None
    timezone: Annotated[str, AfterValidator(checks.timezone)] | None = None
    search: Annotated[tuple[Annotated[str, AfterValidator(checks.search)], ...], BeforeValidator(_one_or_more)] = ()
    min_free_mb: Annotated[int, Field(ge=16)] = 64

    @property
    def database(self) -> Path:
        """The store."""
        return self.state_dir / "modemgw.db"

    @property
    def control_socket(self) -> Path:
        """Where this machine's own tools talk to the running service."""
        return self.state_dir / "control.sock"


class Http(Section):
    """``listen``: addresses to serve on, each ``host:port``. ``allowed_hosts``: names by which clients may call us,
    beside IP addresses, ``localhost``, this machine's name and those under ``.local``."""

    listen: Annotated[
        tuple[Annotated[str, AfterValidator(checks.listen)], ...], BeforeValidator(_one_or_more), Field(min_length=1)
    ] = ("127.0.0.1:8025",)
    allowed_hosts: Annotated[tuple[Annotated[str, AfterValidator(checks.host)], ...], BeforeValidator(_tuple)] = ()


class Policy(Section):
    """Where messages may go and how many. ``countries`` None: the home country; ``daily_cap``: segments, all SIMs."""

    countries: (
        Annotated[tuple[Annotated[str, AfterValidator(checks.country_or_any)], ...], BeforeValidator(_tuple)] | None
    ) = None
    short_codes: Annotated[tuple[Annotated[str, AfterValidator(checks.short_code)], ...], BeforeValidator(_tuple)] = ()
    daily_cap: Limit = 500


class Modem(Section):
    """One ``[[modem]]``. ``pin`` is for a SIM that no ``[[sim]]`` names; ``power_command``: program and arguments."""

    name: Name | None = None
    port: Annotated[str, AfterValidator(checks.port)] | None = None
    imei: Annotated[str, AfterValidator(checks.imei)] | None = None
    pin: Pin | None = None
    pin_file: str | None = None
    smsc: Number | None = None
    profile: Name | None = None
    power_command: Annotated[tuple[str, ...], BeforeValidator(_tuple)] = ()
    enabled: bool = True

    def label(self) -> str:
        """The name, or one made from what identifies the modem: the end of its IMEI or of its port."""
        if self.name:
            return self.name
        if self.imei:
            return f"modem-{self.imei[-6:]}"
        return (self.port or "modem").replace(":", "/").rstrip("/").rpartition("/")[2]


class Sim(Section):
    """One ``[[sim]]``. Limits count segments, ``recipients_per_month`` different numbers; None: no limit.

    ``reserve``: percent of each limit for urgent classes; ``min_gap_s``, ``jitter_s``: seconds between two segments.
    ``balance_every``: hours; ``balance_low``: an amount, exact.
    """

    iccid: Annotated[str, AfterValidator(checks.iccid)]
    name: Name | None = None
    number: Number | None = None
    pin: Pin | None = None
    pin_file: str | None = None
    roaming: bool = False
    tags: Annotated[tuple[Name, ...], BeforeValidator(_tuple)] = ()
    per_hour: Limit | None = None
    per_day: Limit | None = None
    per_month: Limit | None = None
    recipients_per_month: Limit | None = None
    month_starts_on: Annotated[int, Field(ge=1, le=31)] = 1
    reserve: Annotated[int, Field(ge=0, le=100)] = 0
    min_gap_s: Seconds = 0.0
    jitter_s: Seconds = 0.0
    balance_ussd: Annotated[str, AfterValidator(balance.ussd)] | None = None
    balance_sms_to: Annotated[str, AfterValidator(balance.number)] | None = None
    balance_sms_text: Annotated[str, AfterValidator(balance.text)] | None = None
    balance_sms_from: Annotated[str, AfterValidator(balance.sender)] | None = None
    balance_every: Annotated[float, Field(ge=1, le=8760, allow_inf_nan=False)] = 24.0
    balance_low: Annotated[Decimal, BeforeValidator(balance.amount)] | None = None
    balance_pattern: Annotated[str, AfterValidator(balance.pattern)] | None = None

    def balance(self) -> BalanceSettings | None:
        """As the gateway takes it; None where it is not to be asked."""
        if self.balance_ussd is None and self.balance_sms_to is None:
            return None
        return BalanceSettings(
            ussd=self.balance_ussd,
            sms_to=self.balance_sms_to,
            sms_text=self.balance_sms_text or "",
            sms_from=self.balance_sms_from,
            every_s=self.balance_every * 3600,
            low=self.balance_low,
            pattern=compile_pattern(self.balance_pattern) if self.balance_pattern else None,
        )


class Route(Section):
    """One ``[[route]]``: which SIMs may write to numbers that begin with ``prefix``; the longest prefix decides."""

    prefix: Annotated[str, AfterValidator(checks.prefix)] = ""
    sims: Annotated[tuple[str, ...], BeforeValidator(_tuple)] | None = None
    tags: Annotated[tuple[Name, ...], BeforeValidator(_tuple)] | None = None
    quiet_hours: Annotated[str, AfterValidator(checks.quiet_hours)] | None = None

    def rule(self) -> DomainRoute:
        """As the gateway takes it."""
        quiet = checks.minutes(self.quiet_hours) if self.quiet_hours else None
        return DomainRoute(self.prefix, self.sims, self.tags, quiet)


class Webhook(Section):
    """One ``[[webhook]]``: where events are posted to."""

    url: Annotated[str, AfterValidator(checks.url)]
    secret: Annotated[SecretStr, _secret(checks.secret)] | None = None
    secret_file: str | None = None
    events: Annotated[
        tuple[Annotated[str, AfterValidator(checks.event_pattern)], ...], BeforeValidator(_tuple), Field(min_length=1)
    ] = ("*",)
    allow_private: bool = False


class Alerts(Section):
    """Whom to tell by SMS, and of what."""

    to: Number
    on: Annotated[tuple[AlertEvent, ...], BeforeValidator(_tuple)] = get_args(AlertEvent)


class Heartbeat(Section):
    """``every``: hours between two messages from one own SIM to another, each a segment; 0: none."""

    every: Annotated[float, Field(ge=0, le=8760)] = 0.0


class Config(Section):
    """The whole configuration. No ``[[modem]]`` at all: every modem found is used."""

    gateway: Gateway = Gateway()
    http: Http = Http()
    policy: Policy = Policy()
    modems: Annotated[tuple[Modem, ...], BeforeValidator(_tuple), Field(alias="modem")] = ()
    sims: Annotated[tuple[Sim, ...], BeforeValidator(_tuple), Field(alias="sim")] = ()
    routes: Annotated[tuple[Route, ...], BeforeValidator(_tuple), Field(alias="route")] = ()
    webhooks: Annotated[tuple[Webhook, ...], BeforeValidator(_tuple), Field(alias="webhook")] = ()
    alerts: Alerts | None = None
    heartbeat: Heartbeat = Heartbeat()
    _file: Path | None = PrivateAttr(None)

    @property
    def file(self) -> Path | None:
        """Where it was read from; None without a file."""
        return self._file

    def read_from(self, path: Path | None) -> "Config":
        """Itself, remembering its file."""
        self._file = path
        return self

    def pins(self) -> dict[str, str]:
        """ICCID -> PIN, for every modem whatever SIM is in it."""
        return {sim.iccid: sim.pin.get_secret_value() for sim in self.sims if sim.pin}

    def modem_settings(self) -> tuple[ModemSettings, ...]:
        """What the driver takes, one for each ``[[modem]]``; ``port`` is empty where only an IMEI is known."""
        return tuple(
            ModemSettings(
                name=modem.label(),
                port=modem.port or "",
                imei=modem.imei,
                pin=modem.pin.get_secret_value() if modem.pin else None,
                pins=self.pins(),
                smsc=modem.smsc,
                profile=modem.profile,
                enabled=modem.enabled,
                power_command=modem.power_command,
            )
            for modem in self.modems
        )

    def webhook_targets(self) -> list[WebhookTarget]:
        """What the dispatcher takes, one for each ``[[webhook]]``."""
        return [
            WebhookTarget.of(hook.url, hook.secret.get_secret_value(), hook.events, allow_private=hook.allow_private)
            for hook in self.webhooks
            if hook.secret
        ]
