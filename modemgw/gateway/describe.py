"""Modems and SIMs in the shape of the API. What is simulated says so."""

import sqlite3
from collections.abc import Sequence

from modemgw.gateway import credit, limits
from modemgw.gateway.context import Context
from modemgw.gateway.fleet import Fleet, Line
from modemgw.gateway.router import Decision
from modemgw.modem.recovery import Recovered
from modemgw.store import attempts, views


def modem(line: Line, context: Context) -> views.Json:
    """One modem: state with the reason in words, identity, SIM, registration, operator and signal."""
    driver = line.modem
    identity, sim, network = driver.identity, driver.sim, driver.network
    settings = context.settings.sims.get((sim.iccid if sim else None) or "")
    return {
        "name": driver.name,
        "port": driver.port_path,
        "simulated": line.simulated,
        "state": str(driver.state),
        "reason": str(driver.reason) if driver.reason else None,
        "detail": ("simulated: " if line.simulated else "") + driver.detail,
        "imei": identity.imei if identity else None,
        "manufacturer": identity.manufacturer if identity else None,
        "model": identity.model if identity else None,
        "revision": identity.revision if identity else None,
        "sim": {
            "iccid": sim.iccid,
            "imsi": sim.imsi,
            "name": settings.name if settings else None,
            "number": (settings.number if settings else None) or sim.number,
        }
        if sim
        else None,
        "operator": network.operator,
        "roaming": network.roaming,
        "signal": {"dbm": network.dbm, "verdict": network.verdict},
        "sending": line.sender is not None,
        "recoveries": {str(step): count for step, count in sorted(driver.recovery.counts.items())},
        "last_recovery": _last_recovery(driver.recovery.last),
    }


def prospects(body: views.Json, found: Sequence[tuple[str, Decision]]) -> None:
    """Adds to a waiting message which SIMs may take it, and why others do not."""
    willing = [label for label, decision in found if decision.take]
    if not found:
        reason = "No SIM can send now: the first one that can and may takes it."
    elif willing:
        reason = f"It waits for {' or '.join(willing)}."
    else:
        reason = found[0][1].reason
        if body["waiting_for"] is None:
            body["waiting_for"] = "quiet_hours" if found[0][1].code == "quiet_hours" else "sim"
    body["route"] |= {
        "reason": reason,
        "considered": [{"sim": label, "reason": decision.reason} for label, decision in found],
    }


def _last_recovery(last: Recovered | None) -> views.Json | None:
    if last is None:
        return None
    return {"cause": str(last.cause), "step": str(last.step), "seconds": round(last.seconds, 1)}


def sims(cur: sqlite3.Cursor, context: Context, fleet: Fleet) -> list[views.Json]:
    """Every SIM ever seen, with its modem, what it sent today, and what is left of its limits and its credit."""
    lines = fleet.lines.values()
    places = {line.sim_id: line.modem.name for line in lines if line.sim_id is not None}
    day_ms = context.start_of_day_ms()
    return [
        {
            "iccid": row["iccid"],
            "imsi": row["imsi"],
            "name": row["name"],
            "number": row["number"],
            "simulated": bool(row["simulated"]),
            "modem": places.get(row["sim_id"]),
            "available": bool(row["available"]),
            "blocked": row["blocked"],
            "sent_today": attempts.used_since(cur, day_ms, row["sim_id"]),
            "limits": limits.left(cur, context, row["sim_id"]),
            "balance": credit.show(cur, context, row["sim_id"]),
            "first_seen_at": views.rfc3339(row["first_seen_ms"]),
            "last_seen_at": views.rfc3339(row["last_seen_ms"]),
        }
        for row in views.sims(cur)
    ]
