"""An error that comes after a SUBMIT was given up proves nothing: nothing is sent earlier or more often for it."""

from pathlib import Path

from support.virtually import virtual
from support.world import World

from modemgw.emulator.faults import Command, Delay, Error, Fault


@virtual
async def test_a_late_error_leaves_the_message_to_its_class(tmp_path: Path) -> None:
    async with World.of(tmp_path / "w.db", modems=1, latency=1.0) as world:
        await world.registered()
        for class_, number in (("bulk", "+4915112345601"), ("transactional", "+4915112345602")):
            device = world.device("a")
            device.faults.add(Fault(Command("AT+CMGS"), Delay(200.0)))  # past the time in which an answer counts
            device.faults.add(Fault(Command("AT+CMGS"), Error("+CMS ERROR: 42")))
            message = await world.send(number, class_=class_)
            body = await world.until_status(message, "uncertain")
            await world.sleep(60)
            assert (await world.message(message))["status"] == "uncertain"
            body = await world.until_status(message, "unknown" if class_ == "bulk" else "delivered")
            tried = await world.query("SELECT state FROM attempts WHERE peer = ? ORDER BY attempt_id", number)
            assert [state for (state,) in tried] == ["unknown"] + ["delivered"] * (class_ == "transactional")
            assert world.copies(number) == len(tried) - 1
            assert [step["event"] for step in body["timeline"]].count("uncertain") == 1
