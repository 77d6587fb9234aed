"""After a crash a port first only listens. What proves the message in that time is kept, whatever happens next."""

import asyncio
from pathlib import Path

from support.virtually import virtual
from support.world import World


@virtual
async def test_a_report_that_comes_while_the_port_only_listens_survives_the_next_crash(tmp_path: Path) -> None:
    async with World.of(tmp_path / "db", modems=1, latency=2.0, report_delay=10.0) as world:
        await world.registered("a")
        message = await world.send("+4915112345678", class_="bulk")
        await world.until_status(message, "sending")
        await asyncio.sleep(1)  # the modem has it, and has not answered
        await world.crash()
        await asyncio.sleep(4)  # the answer comes, and nobody hears it
        assert world.copies("+4915112345678") == 1
        await world.start()
        await asyncio.sleep(11)  # the report comes, while the modem has not been asked anything yet
        assert world.gateway.fleet.lines["a"].modem.state == "initializing"
        await world.crash()
        await world.start()
        await world.until_status(message, "delivered")
        assert world.copies("+4915112345678") == 1
