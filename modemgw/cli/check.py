"""``modemgw check``: is the configuration good? Exit code 0, or 1 with every error and its line."""

import argparse

from modemgw.cli import where
from modemgw.cli.stop import Stop
from modemgw.config import Config


def configure(parser: argparse.ArgumentParser) -> None:
    where.add_option(parser)


def run(args: argparse.Namespace) -> int:
    try:
        settings = where.load(args)
    except Stop as stop:
        raise Stop(stop.text, code=1) from None
    print("\n".join(summary(settings)))
    return 0


def summary(settings: Config) -> list[str]:
    """What will be done, for someone who wants to know whether it is what was meant."""
    cap = settings.policy.daily_cap
    countries = settings.policy.countries or ((settings.gateway.home_country or "the SIMs' own country"),)
    lines = [
        f"{settings.file or 'no configuration file'}: good",
        f"  data in {settings.gateway.state_dir}",
        f"  API on {', '.join(settings.http.listen)}",
        f"  messages to {'anywhere' if '*' in countries else ', '.join(countries)}, at most {cap} segments a day",
    ]
    names = [modem.label() + ("" if modem.enabled else " (off)") for modem in settings.modems]
    lines.append(f"  modems: {', '.join(names) or 'every one that is found'}")
    lines += [f"  SIM {sim.name or sim.iccid}" for sim in settings.sims]
    lines += [f"  webhook {hook.url} for {', '.join(hook.events)}" for hook in settings.webhooks]
    if settings.alerts:
        lines.append(f"  alerts to {settings.alerts.to} on {', '.join(settings.alerts.on)}")
    for address in settings.http.listen:
        if not address.startswith(("127.", "[::1]", "localhost:")):
            lines.append(f"  note: {address} is not encrypted; everybody on the way can read keys and messages")
    return lines
