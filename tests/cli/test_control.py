"""``modemgw unlock`` against a real server on a Unix socket: what is asked, and every way in which it can go wrong."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

Modemgw = Callable[..., subprocess.CompletedProcess[str]]
Answer = Callable[[], web.Response]


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    """Listens on the control socket; notes what was asked and answers as told."""
    noted: dict[str, Any] = {}

    async def handle(request: web.Request) -> web.Response:
        noted.update(method=request.method, path=request.raw_path, body=await request.json())
        answer: web.Response = noted["answer"]()
        return answer

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    (tmp_path / "state").mkdir()
    await web.UnixSite(runner, str(tmp_path / "state" / "control.sock")).start()
    yield noted
    await runner.cleanup()


async def unlock(modemgw: Modemgw, pin: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(modemgw, "unlock", "front/1", stdin=pin)


async def test_the_pin_goes_to_the_named_modem_and_nowhere_else(modemgw: Modemgw, service: dict[str, Any]) -> None:
    service["answer"] = lambda: web.json_response({"name": "front", "state": "initializing", "reason": None})
    done = await unlock(modemgw, "1234\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "front: initializing\n", "")
    assert (service["method"], service["path"]) == ("POST", "/v1/modems/front%2F1/unlock")
    assert service["body"] == {"pin": "1234"}


async def test_a_refusal_is_shown_in_its_own_words(modemgw: Modemgw, service: dict[str, Any]) -> None:
    problem = {"title": "Conflict", "detail": "The SIM refused this PIN before; 2 tries are left."}
    service["answer"] = lambda: web.json_response(problem, status=409)
    done = await unlock(modemgw, "1234")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "modemgw: The SIM refused this PIN before; 2 tries are left.\n"
    problem["errors"] = [{"path": "pin", "code": "x", "text": "A PIN is 4 to 8 digits."}]  # type: ignore[assignment]
    assert (await unlock(modemgw, "1234")).stderr == "modemgw: A PIN is 4 to 8 digits.\n"


async def test_an_answer_that_is_none_is_said(modemgw: Modemgw, service: dict[str, Any]) -> None:
    service["answer"] = lambda: web.Response(text="<html>", status=502)
    done = await unlock(modemgw, "1234")
    assert done.returncode == 1
    assert "cannot be understood (status 502)" in done.stderr


@pytest.mark.parametrize("pin", ["", "12", "12345678901", "12a4", "１２３４"])
def test_what_cannot_be_a_pin_is_not_tried(modemgw: Modemgw, pin: str) -> None:
    done = modemgw("unlock", "front", stdin=pin)
    assert done.returncode == 2
    assert "nothing was tried" in done.stderr


def test_a_service_that_is_not_running_is_said(modemgw: Modemgw) -> None:
    done = modemgw("unlock", "front", stdin="1234")
    assert done.returncode == 1
    assert "the gateway is not running" in done.stderr
