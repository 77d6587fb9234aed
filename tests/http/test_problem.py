"""Every kind of error has its status and the one form of RFC 9457."""

import json

import pytest

from modemgw.domain import errors
from modemgw.http import problem
from modemgw.store.errors import StoreBroken, StoreFull


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.NotFound("message 1"), 404, "not_found"),
        (errors.Conflict("too_late", "It is on its way already."), 409, "too_late"),
        (errors.KeyReused(), 422, "idempotency_key_reused"),
        (errors.StoreUnavailable("Busy."), 503, "store_unavailable"),
        (errors.DiskFull(), 507, "disk_full"),
        (errors.Rejected(errors.Problem("to", "country", "No.")), 422, "invalid"),
    ],
)
def test_gateway_errors(error: errors.GatewayError, status: int, code: str) -> None:
    refusal = problem.from_gateway(error)
    assert refusal.status == status
    assert refusal.body()["type"] == f"urn:modemgw:{code}"
    problem.Problem.model_validate(refusal.body())


def test_store_errors_don_t_show_the_database_s_own_words() -> None:
    assert problem.from_store(StoreFull("x")).status == 507
    refusal = problem.from_store(StoreBroken("no such table: messages"))
    assert refusal.status == 503
    assert "table" not in str(refusal.body())


def test_json_is_readable_utf8_and_survives_a_lone_surrogate() -> None:
    assert problem.to_json({"text": "Grüße"}) == '{"text":"Grüße"}'.encode()
    assert json.loads(problem.to_json({"text": "\ud83d"})) == {"text": "\ud83d"}
