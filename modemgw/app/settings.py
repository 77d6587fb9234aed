"""The configuration as the gateway takes it."""

import os
from zoneinfo import ZoneInfo

from modemgw.config import Config
from modemgw.domain.msisdn import DestinationPolicy
from modemgw.domain.sim import SimSettings
from modemgw.gateway.context import AlertSettings, GatewaySettings


def gateway_settings(config: Config) -> GatewaySettings:
    """The configuration as the gateway takes it."""
    home = config.gateway.home_country
    return GatewaySettings(
        destinations=DestinationPolicy(home, config.policy.countries or (), config.policy.short_codes),
        daily_cap=config.policy.daily_cap,
        timezone=ZoneInfo(config.gateway.timezone) if config.gateway.timezone else _system_zone(),
        sims={
            sim.iccid: SimSettings(
                iccid=sim.iccid,
                name=sim.name,
                number=sim.number,
                roaming=sim.roaming,
                tags=sim.tags,
                per_hour=sim.per_hour,
                per_day=sim.per_day,
                per_month=sim.per_month,
                recipients_per_month=sim.recipients_per_month,
                month_starts_on=sim.month_starts_on,
                reserve=sim.reserve,
                min_gap_s=sim.min_gap_s,
                jitter_s=sim.jitter_s,
                balance=sim.balance(),
            )
            for sim in config.sims
        },
        routes=tuple(each.rule() for each in config.routes),
        heartbeat_s=config.heartbeat.every * 3600,
        alerts=AlertSettings(config.alerts.to, config.alerts.on) if config.alerts else None,
    )


def _system_zone() -> ZoneInfo:
    target = os.path.realpath("/etc/localtime")
    name = target.partition("/zoneinfo/")[2]
    try:
        return ZoneInfo(name) if name else ZoneInfo("UTC")
    except (OSError, ValueError, KeyError):
        return ZoneInfo("UTC")
