"""The API on a real server in front of a real gateway with simulated modems, all in virtual time."""

import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from jsonschema import Draft202012Validator
from support.world import World

from modemgw.api.app import document, make_app
from modemgw.http.auth import new_key
from modemgw.http.server import HttpServer, serve
from modemgw.store import keys

DOCUMENT = document()


def _closed(schema: Any) -> Any:
    """The same schema, in which a field that the document does not know is an error."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if "properties" in closed and isinstance(closed["properties"], dict):
        closed.setdefault("additionalProperties", False)
    return closed


# A problem may carry more (RFC 9457, 3.2).
COMPONENTS = {
    "schemas": {
        name: schema if name == "Problem" else _closed(schema)
        for name, schema in DOCUMENT["components"]["schemas"].items()
    }
}


@dataclass
class Answer:
    """What came back; every one was held against the document already."""

    status: int
    headers: Any
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def problems(self) -> set[tuple[str, str]]:
        """(path, code) of everything that was wrong."""
        return {(each["path"], each["code"]) for each in self.json["errors"]}


def schema_of(method: str, path: str, status: int) -> tuple[Any, str] | None:
    """The schema that the document promises for an answer, and its media type; None where there is no body."""
    for template, operations in DOCUMENT["paths"].items():
        wanted, given = template.split("/"), path.partition("?")[0].split("/")
        same = len(wanted) == len(given) and all(
            a == b or a.startswith("{") for a, b in zip(wanted, given, strict=True)
        )
        operation = operations.get(method.lower()) if same else None
        if operation is not None:
            answer = operation["responses"].get(str(status), operation["responses"]["default"])
            for media, content in answer.get("content", {}).items():
                return content["schema"], media
            return None
    return DOCUMENT["components"]["schemas"]["Problem"], "application/problem+json"


def hold_against_document(method: str, path: str, answer: Answer) -> None:
    found = schema_of(method, path, answer.status)
    if found is None:
        assert answer.content == b""
        return
    schema, media = found
    assert answer.headers["Content-Type"].partition(";")[0] == media
    if "json" in media:
        validator = Draft202012Validator({**schema, "components": COMPONENTS})
        errors = [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(answer.json)]
        assert errors == [], (method, path, answer.json)


class Api:
    """A client with a key, and the world behind the server."""

    def __init__(self, world: World, server: HttpServer, http: aiohttp.ClientSession) -> None:
        self.world = world
        self.server = server
        self.http = http
        self.key = ""

    async def new_key(self, name: str, *scopes: str) -> str:
        made = new_key(random.Random(name).randbytes)
        await self.world.gateway.db.write(
            lambda cur: keys.create(
                cur, id=f"key-{name}", name=name, prefix=made.prefix, digest=made.digest, scopes=scopes, now_ms=1
            )
        )
        return made.text

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        headers: Any = None,
        raw: Any = None,
    ) -> Answer:
        """Sends a request and holds the answer against the document."""
        sent = {"Authorization": f"Bearer {key or self.key}", **(headers or {})}
        kind = {"data": raw} if raw is not None else {"json": body} if body is not None else {}
        async with self.http.request(method, path, headers=sent, **kind) as response:
            answer = Answer(response.status, response.headers, await response.read())
        hold_against_document(method, path, answer)
        return answer

    async def get(self, path: str, **more: Any) -> Answer:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, body: object = None, **more: Any) -> Answer:
        return await self.ask("POST", path, body, **more)

    async def stored(self) -> int:
        """How many messages there are."""
        ((count,),) = await self.world.query("SELECT count(*) FROM messages")
        return cast("int", count)


Open = Callable[..., AbstractAsyncContextManager[Api]]


@pytest.fixture
def open_api(tmp_path: Path) -> Open:
    """``async with open_api(modems=1) as api``."""

    @asynccontextmanager
    async def open_(
        *,
        registered: bool = True,
        control: Path | None = None,
        listen: tuple[str, ...] = (),
        forget_pins: bool = False,
        **world: Any,
    ) -> AsyncIterator[Api]:
        async with World.of(tmp_path / "api.db", start=not forget_pins, **world) as there:
            if forget_pins:
                there.pins.clear()
                await there.start()
            if registered:
                await there.registered()
            server = await serve(make_app(there.gateway, listen=listen), ["127.0.0.1:0"], control=control)
            timeout = aiohttp.ClientTimeout(total=None)
            try:
                async with aiohttp.ClientSession(server.urls[0], timeout=timeout) as http:
                    api = Api(there, server, http)
                    api.key = await api.new_key("admin", "admin")
                    yield api
            finally:
                await server.close()

    return open_
