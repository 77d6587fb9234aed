"""The OpenAPI 3.1 document, made from the routes: it can't say anything that the service does not do.

JSON Schemas come from the models (pydantic writes JSON Schema 2020-12, which is what OpenAPI 3.1 uses).
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from modemgw.http.keys import SCOPES
from modemgw.http.problem import CONTENT_TYPE, Problem
from modemgw.http.route import Json, Route

_REF = "#/components/schemas/{model}"
_PARAMETER = {"schema": {"type": "string"}, "in": "path", "required": True}
# What any route may answer beside its own errors.
_ALWAYS = {
    400: "The request is malformed.",
    421: "The Host header names another service.",
    503: "The gateway can't do this now; try again.",
}
_KEYED = {
    401: "No API key, or one that is not known.",
    403: "The key lacks the scope.",
    429: "Too many wrong keys came from this address.",
}
_BODY = {
    408: "The body came too slowly.",
    413: "The body is too large.",
    415: "The body is not `application/json`.",
    422: "Something is wrong with the request; all of it is listed.",
}


def document(routes: Iterable[Route], *, info: Json, path_words: Mapping[str, str], extra: Json | None = None) -> Json:
    """The whole document. ``path_words``: what the parts of addresses mean; ``extra``: members of the top level."""
    schemas: Json = {}
    paths: Json = {}
    for route in routes:
        paths.setdefault(_template(route.path), {})[route.method.lower()] = _operation(route, path_words, schemas)
    _schema(Problem, "serialization", schemas)
    return {
        "openapi": "3.1.0",
        "info": info,
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "mgw_...",
                    "description": "An API key. Scopes:\n\n"
                    + "\n".join(f"- `{scope}`: {words}" for scope, words in SCOPES.items()),
                }
            },
        },
        **(extra or {}),
    }


def _operation(route: Route, path_words: Mapping[str, str], schemas: Json) -> Json:
    operation: Json = {
        "operationId": route.handler.__name__.strip("_"),
        "summary": route.summary,
        "description": _description(route),
        "tags": [route.tag],
        "security": [] if route.scope is None else [{"key": []}],
        "parameters": [*_path_parameters(route, path_words), *_query_parameters(route, schemas), *_headers(route)],
        "responses": _responses(route, schemas),
    }
    if route.request is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _schema(route.request, "validation", schemas)}},
        }
    return operation


def _description(route: Route) -> str:
    scope = "Open." if route.scope is None else f"Scope: `{route.scope}`."
    return f"{route.description}\n\n{scope}".strip()


def _responses(route: Route, schemas: Json) -> Json:
    good: Json = {"description": HTTPStatus(route.status).phrase}
    if route.response is not None:
        good["content"] = {route.media: {"schema": _schema(route.response, "serialization", schemas)}}
    elif route.status not in (204, 302):
        good["content"] = {route.media: {"schema": {"type": "string"}}}
    errors = dict(_ALWAYS)
    if route.scope is not None:
        errors |= _KEYED
    if route.request is not None:
        errors |= _BODY
    elif route.query.model_fields:
        errors[422] = _BODY[422]
    errors |= route.errors
    problem = {CONTENT_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}}
    answers: Json = {str(route.status): good}
    answers |= {str(status): {"description": words, "content": problem} for status, words in sorted(errors.items())}
    answers["default"] = {"description": "Any other error.", "content": problem}
    return answers


def _path_parameters(route: Route, words: Mapping[str, str]) -> list[Json]:
    names = [part[1:-1].partition(":")[0] for part in route.path.split("/") if part.startswith("{")]
    return [{"name": name, "description": words[name], **_PARAMETER} for name in names]


def _query_parameters(route: Route, schemas: Json) -> list[Json]:
    schema = TypeAdapter(route.query).json_schema(ref_template=_REF)
    schemas.update(schema.pop("$defs", {}))
    parameters = []
    for name, property_ in schema.get("properties", {}).items():
        words = property_.pop("description", "")
        # A parameter that is left out is left out; there is no null in a query string.
        options = [each for each in property_.pop("anyOf", []) if each != {"type": "null"}]
        shape = {**property_, **(options[0] if options else {})}
        shape.pop("title", None)
        if shape.get("default", "") is None:
            del shape["default"]
        parameters.append({"name": name, "in": "query", "description": words, "schema": shape})
    return parameters


def _headers(route: Route) -> list[Json]:
    return [
        {"name": each.name, "in": "header", "description": each.description, "schema": each.schema}
        for each in route.headers
    ]


def _schema(model: Any, mode: JsonSchemaMode, schemas: Json) -> Json:
    schema = TypeAdapter(model).json_schema(mode=mode, ref_template=_REF)
    for name, shape in schema.pop("$defs", {}).items():
        _keep(schemas, name, shape)
    if isinstance(model, type) and issubclass(model, BaseModel):
        _keep(schemas, model.__name__, schema)
        return {"$ref": _REF.format(model=model.__name__)}
    return schema


def _keep(schemas: Json, name: str, shape: Json) -> None:
    shape = _untitled(shape)
    if schemas.setdefault(name, shape) != shape:
        raise ValueError(f"two schemas are called {name}")


def _untitled(shape: Any) -> Any:
    """Without the titles that pydantic makes of field names; a field that is called title stays."""
    if isinstance(shape, list):
        return [_untitled(each) for each in shape]
    if not isinstance(shape, dict):
        return shape
    return {key: _untitled(value) for key, value in shape.items() if key != "title" or not isinstance(value, str)}


def _template(path: str) -> str:
    """aiohttp's ``{id:[0-9]+}`` -> ``{id}``."""
    return "/".join(f"{part.partition(':')[0]}}}" if part.startswith("{") and ":" in part else part
                    for part in path.split("/"))  # fmt: skip
