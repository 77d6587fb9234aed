"""What everybody does in the first hour, against the real process: send, receive, keys, start twice, stop, mistakes."""

import asyncio
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from system.harness import Service, clean_environ, start_plainly, until

pytestmark = pytest.mark.system


def modemgw(*arguments: str, config: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "modemgw", *arguments, "--config", str(config)],
        env=clean_environ(**environ), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


async def test_the_first_message_is_delivered_one_arrives_and_a_second_start_is_refused(make_lab: Any) -> None:
    async with make_lab(["front"], latency=[0.1, 0.2]) as lab:
        async with lab.running() as service:
            await service.modem("front", "registered")
            sent = await service.send("+4915112345678", "The first message: äöü €")
            message = await service.message(sent, "delivered")
            assert [segment["status"] for segment in message["segments"]] == ["delivered"]
            assert [(each["to"], each["text"]) for each in await lab.bank.ask("ledger")] == [
                ("+4915112345678", "The first message: äöü €")
            ]
            await lab.bank.ask("deliver", modem="front", sender="+4915559000001", text="Are you open tomorrow?")
            arrived = (await until(service.inbox))[0]
            assert (arrived["from"], arrived["text"]) == ("+4915559000001", "Are you open tomorrow?")

            async def off_the_sim() -> bool:
                return (await lab.bank.ask("modems"))["front"]["stored"] == 0

            await until(off_the_sim)
            second = await asyncio.to_thread(modemgw, "run", config=lab.config)
            assert (second.returncode, second.stderr.count("\n")) == (1, 1)
            assert "Another modemgw is running" in second.stderr
            assert (await service.get(f"/v1/messages/{sent}"))["status"] == "delivered"
            assert await service.stop() == 0
        assert "Traceback" not in service.stderr.read_text()
        modem = (await lab.bank.ask("modems"))["front"]
        assert (modem["unknown"], modem["stray_submits"]) == ({}, 0)


async def test_keys_that_are_made_and_revoked_beside_the_service_take_effect_at_once(make_lab: Any) -> None:
    async with make_lab([]) as lab:
        lab.write_config({}, '[[modem]]\nname = "a"\nport = "emulator:a"\n')
        async with lab.running() as service:
            assert (await service.get("/v1/modems"))["items"][0]["simulated"] is True
            created = await asyncio.to_thread(modemgw, "key", "create", "till", "--scope", "send", config=lab.config)
            assert created.returncode == 0, created.stderr
            service.use(created.stdout.strip())
            status, accepted = await service.call(
                "POST", "/v1/messages", json={"to": "+4915112345678", "text": "from the till"}
            )
            assert status == 202, accepted
            assert (await service.call("GET", "/v1/inbox"))[0] == 403
            assert (await service.call("POST", "/v1/modems/a/reset"))[0] == 403
            revoked = await asyncio.to_thread(modemgw, "key", "revoke", "till", config=lab.config)
            assert revoked.returncode == 0, revoked.stderr
            status, problem = await service.call("POST", "/v1/messages", json={"to": "+4915112345678", "text": "again"})
            assert (status, problem["status"]) == (401, 401)
            assert await service.stop() == 0


async def test_started_by_systemd_the_first_key_is_in_a_file_for_its_owner_alone(make_lab: Any) -> None:
    async with make_lab([]) as lab:
        lab.write_config({}, '[[modem]]\nname = "a"\nport = "emulator:a"\n')
        async with lab.running(NOTIFY_SOCKET=str(lab.folder / "nobody-listens-here")) as service:
            file = lab.folder / "state" / "first-key"
            key = file.read_text().strip()
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert stat.S_IMODE((lab.folder / "state").stat().st_mode) == 0o700
            log = service.stderr.read_text()
            assert str(file) in log
            assert key not in service.said() + log
            service.use(key)
            assert await service.get("/v1/modems")
            assert await service.stop() == 0


async def test_five_mistakes_in_the_configuration_are_all_listed_and_nothing_is_started(make_lab: Any) -> None:
    async with make_lab([]) as lab:
        lab.config.write_text(
            "[gateway]\n"
            'home_country = "Germany"\n'
            "[http]\n"
            'listen = "localhost"\n'
            "[policy]\n"
            'daily_cap = "many"\n'
            "[[modem]]\n"
            'prot = "/dev/ttyUSB0"\n'
            "[[webhook]]\n"
            'url = "ftp://example.org"\n'
            'secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"\n'
        )
        done = await asyncio.to_thread(modemgw, "run", config=lab.config)
        assert (done.returncode, done.stdout) == (2, "")
        for line, what in ((2, "home_country"), (4, "listen"), (6, "daily_cap"), (8, "prot"), (10, "url")):
            assert any(f"line {line}:" in said and what in said for said in done.stderr.splitlines()), done.stderr
        assert not (lab.folder / "state").exists()


async def test_sigterm_while_the_modem_is_sending_waits_for_its_answer(make_lab: Any) -> None:
    async with make_lab(["a", "b"], latency=[1.0, 1.5]) as lab:
        async with lab.running() as service:
            await service.modem("a", "registered")
            await service.modem("b", "registered")
            heard = asyncio.create_task(lab.bank.ask("wait_ctrl_z"))
            await asyncio.sleep(0)
            ids = [await service.send(f"+4915112345{number:03d}", "in flight") for number in range(6)]
            await heard
            assert await service.stop() == 0
        copies = len(await lab.bank.ask("ledger"))
        assert 1 <= copies <= 2, "what the modems had begun was finished, and nothing new was begun"
        async with lab.running() as service:
            service.use(await _new_key(lab.config, "second"))
            statuses = [(await service.message(id_, "sent", "delivered"))["status"] for id_ in ids]
            assert len(statuses) == 6
            page = await service.get("/v1/messages?limit=50")
            timelines = [(await service.get(f"/v1/messages/{each['id']}"))["timeline"] for each in page["items"]]
            assert "uncertain" not in {step["event"] for timeline in timelines for step in timeline}
            assert await service.stop() == 0
        assert len(await lab.bank.ask("ledger")) == 6


async def _new_key(config: Path, name: str) -> str:
    made = await asyncio.to_thread(modemgw, "key", "create", name, "--scope", "admin", config=config)
    return made.stdout.strip()


async def test_a_taken_address_is_one_line_and_exit_code_1(make_lab: Any) -> None:
    async with make_lab([]) as lab:
        lab.write_config({}, '[[modem]]\nname = "a"\nport = "emulator:a"\n')
        async with lab.running() as service:
            other = lab.folder / "other.toml"
            text = lab.config.read_text().replace("127.0.0.1:0", service.url.removeprefix("http://"))
            other.write_text(text.replace('state"', 'other-state"'))
            second = await Service.start(other, starter=start_plainly)
            assert await second.ended() == 1
            last = second.stderr.read_text().splitlines()[-1]
            assert last.startswith("modemgw: Cannot listen on")
            assert await service.stop() == 0
