"""The whole surface: who may do what, the document, liveness, readiness, and the page."""

import gzip
import re
from pathlib import Path

import aiohttp
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from support.virtually import virtual

from modemgw.api import codes
from modemgw.api.answers import ModemState, SegmentStatus
from modemgw.api.app import ROUTES, document
from modemgw.api.requests import Class, Status
from modemgw.domain.message import CLASSES
from modemgw.domain.states import MESSAGE_STATUSES, SEGMENT_STATES
from modemgw.http.keys import SCOPES
from modemgw.http.route import TABLE
from modemgw.modem import states

OPEN = {"/", "/healthz", "/docs", "/docs/{file}", "/openapi.json"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def filled(path: str) -> str:
    return re.sub(r"\{\w+\}", "x", path)


@virtual
async def test_nothing_but_the_open_addresses_answers_without_a_key(open_api) -> None:
    async with open_api(modems=0) as api:
        for path in dict.fromkeys(each.path for each in ROUTES):
            for method in METHODS:
                async with api.http.request(method, filled(path), allow_redirects=False) as answer:
                    if path in OPEN and method in ("GET", "HEAD"):
                        assert answer.status in (200, 302, 404), (method, path)
                    else:
                        assert answer.status == 401, (method, path)
                        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert {each.path for each in ROUTES if each.scope is None} == OPEN


@virtual
async def test_every_scope_opens_its_own_addresses_and_no_others(open_api) -> None:
    async with open_api(modems=0) as api:
        for scope in SCOPES:
            key = await api.new_key(f"only {scope}", scope)
            for each in ROUTES:
                if each.scope is None:
                    continue
                answer = await api.ask(each.method, filled(each.path), key=key)
                allowed = scope in (each.scope, "admin") or each.scope == "any"
                assert (answer.status != 403) == allowed, (scope, each.method, each.path)


def test_who_may_do_what_is_written_down() -> None:
    """A change here is a change of what existing keys can do."""
    found = {f"{each.method} {each.path}": each.scope for each in ROUTES if each.scope}
    assert found == {
        "POST /v1/messages": "send",
        "GET /v1/messages": "read",
        "GET /v1/messages/{id}": "read",
        "POST /v1/messages/{id}/cancel": "send",
        "POST /v1/messages/{id}/resend": "send",
        "POST /v1/messages/{id}/resolve": "admin",
        "POST /v1/messages/{id}/release": "admin",
        "DELETE /v1/messages/{id}": "admin",
        "POST /v1/preview": "send",
        "GET /v1/inbox": "inbox",
        "POST /v1/inbox/{id}/read": "inbox",
        "GET /v1/modems": "modems",
        "GET /v1/modems/{name}": "modems",
        "POST /v1/modems/{name}/enable": "modems",
        "POST /v1/modems/{name}/disable": "modems",
        "POST /v1/modems/{name}/reset": "modems",
        "POST /v1/modems/{name}/unlock": "modems",
        "POST /v1/modems/{name}/ussd": "modems",
        "GET /v1/sims": "modems",
        "GET /readyz": "any",
    }


def test_the_document_is_openapi_3_1() -> None:
    assert document()["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document()).iter_errors()) == []


@virtual
async def test_every_route_is_in_the_document_and_the_other_way_round(open_api) -> None:
    async with open_api(modems=0) as api:
        served = (await api.get("/openapi.json")).json
        documented = {(method.upper(), path) for path, operations in served["paths"].items() for method in operations}
        app = api.server._runner.app
        routed = {
            (each.method, each.resource.canonical)
            for each in app.router.routes()
            if each.resource and each.method != "HEAD"
        }
        assert documented == routed
        assert len(app[TABLE]) == len(ROUTES)
        ids = [each["operationId"] for operations in served["paths"].values() for each in operations.values()]
        assert len(ids) == len(set(ids))


def test_every_operation_is_described_for_people() -> None:
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            assert len(operation["description"]) > 10, (method, path)


def test_the_words_of_the_document_are_those_of_the_gateway() -> None:
    assert set(Status.__args__) == set(MESSAGE_STATUSES)
    assert set(SegmentStatus.__args__) == set(SEGMENT_STATES)
    assert set(Class.__args__) == set(CLASSES)
    assert set(ModemState.__args__) == {str(each) for each in states.ModemState}


def test_the_catalogue_is_in_the_document_and_in_plain_words() -> None:
    served = document()
    listed = served["x-error-codes"]["message"]
    assert "network_out_of_order" in listed
    assert "not_obtainable" in listed
    assert "outcome_unknown" in listed
    assert "country_not_allowed" in served["x-error-codes"]["request"]
    for code, text in {**listed, **codes.REQUEST}.items():
        assert re.fullmatch(r"[a-z0-9_]+", code)
        assert text.endswith("."), code
    assert "`outcome_unknown`" in served["components"]["schemas"]["MessageError"]["properties"]["code"]["description"]


@virtual
async def test_liveness_tells_nothing(open_api) -> None:
    async with open_api(modems=0) as api, api.http.get("/healthz") as answer:
        assert (answer.status, await answer.text()) == (200, '{"status":"ok"}')


@virtual
async def test_readiness_says_why_not(open_api) -> None:
    async with open_api(registered=False, modems=1) as api:
        answer = await api.get("/readyz", key=await api.new_key("any", "read"))
        assert (answer.status, answer.json["ready"]) == (503, False)
        assert [each["code"] for each in answer.json["reasons"]] == ["modem_not_registered"]
        await api.world.registered()
        answer = await api.get("/readyz")
        assert (answer.status, answer.json) == (200, {"ready": True, "reasons": []})


@virtual
async def test_the_control_socket_is_admin(open_api, tmp_path: Path) -> None:
    path = tmp_path / "c.sock"
    async with open_api(modems=1, control=path) as api:
        connector = aiohttp.UnixConnector(str(path))
        async with aiohttp.ClientSession("http://modemgw", connector=connector) as http:
            async with http.post("/v1/messages", json={"to": "+4915559000001", "text": "x"}) as answer:
                assert answer.status == 202
            async with http.get("/v1/modems") as answer:
                assert len((await answer.json())["items"]) == 1
        assert await api.stored() == 1


@virtual
async def test_the_page_and_all_that_it_loads_come_from_here(open_api) -> None:
    async with open_api(modems=0) as api:
        async with api.http.get("/", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (302, "/docs")
        async with api.http.get("/docs") as answer:
            page = await answer.text()
            policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "http" not in policy
        parts = re.findall(r'(?:src|href)="([^"]*)"', page)
        assert parts
        for part in parts:
            assert part.startswith(("/docs/", "/openapi.json", "data:,"))
            if part.startswith("/docs/"):
                async with api.http.get(part) as answer:
                    assert answer.status == 200, part
                    assert answer.content_type in ("text/css", "text/javascript")
        assert not re.search(r"<script>|<style|\son\w+=|style=", page)
        assert (await api.get("/docs/docs.py")).status == 404
        assert (await api.get("/docs/..%2f__init__.py")).status == 404


@pytest.mark.parametrize(("modems", "said"), [(1, True), (0, False)])
@virtual
async def test_the_page_says_when_the_modems_are_simulated(open_api, modems: int, said: bool) -> None:
    async with open_api(modems=modems) as api, api.http.get("/docs") as answer:
        assert ("simulated" in await answer.text()) == said


@virtual
async def test_the_page_s_big_files_are_sent_compressed_and_to_old_clients_plain(open_api) -> None:
    async with open_api(modems=0) as api, aiohttp.ClientSession(api.server.urls[0], auto_decompress=False) as http:
        async with http.get("/docs/swagger-ui-bundle.js", headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            packed = await answer.read()
        async with http.get("/docs/swagger-ui-bundle.js", headers={"Accept-Encoding": "identity"}) as answer:
            assert "Content-Encoding" not in answer.headers
            assert gzip.decompress(packed) == await answer.read()
        assert len(packed) < 600_000


@pytest.mark.parametrize(
    ("listen", "host", "status"),
    [
        ((), "gateway.example:8025", 421),
        (("gateway.example:8025",), "gateway.example:8025", 200),
        ((), "127.0.0.1:1", 200),
    ],
)
@virtual
async def test_names_to_listen_on_are_answered_to(open_api, listen, host: str, status: int) -> None:
    async with open_api(modems=0, listen=listen) as api, api.http.get("/healthz", headers={"Host": host}) as answer:
        assert answer.status == status
