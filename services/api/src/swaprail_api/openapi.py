"""The OpenAPI 3.1 document, made of the routes and the msgspec types they read and write."""

import re
import sys
from typing import Any

import msgspec

from swaprail.domain.errors import CATALOGUE, ErrorCode
from swaprail_api.http.endpoints import Endpoint
from swaprail_api.http.problems import Problem
from swaprail_api.schemas.amounts import describe_amount

_REF = "#/components/schemas/{name}"
_COMMON = (ErrorCode.VALIDATION_FAILED, ErrorCode.RATE_LIMITED, ErrorCode.UNAVAILABLE, ErrorCode.INTERNAL)
_GUARDED = (ErrorCode.UNAUTHENTICATED, ErrorCode.FORBIDDEN)
_KEYED = (
    ErrorCode.IDEMPOTENCY_KEY_REQUIRED,
    ErrorCode.IDEMPOTENCY_KEY_INVALID,
    ErrorCode.IDEMPOTENCY_KEY_REUSED,
    ErrorCode.IDEMPOTENCY_KEY_IN_USE,
)
_INTEGER = {"type": "integer"}
_RATE_HEADERS = {
    "RateLimit-Limit": {"description": "requests a window, when limits are on", "schema": _INTEGER},
    "RateLimit-Remaining": {"description": "requests left in this window", "schema": _INTEGER},
    "RateLimit-Reset": {"description": "seconds until the next window", "schema": _INTEGER},
}
_RETRY_HEADER = {"Retry-After": {"description": "seconds to wait", "schema": _INTEGER}}
_REPLAYED_HEADER = {
    "Idempotency-Replayed": {"description": "true when the key was used before", "schema": {"const": "true"}}
}
_LOCATION_HEADER = {"Location": {"description": "where the order is read", "schema": {"type": "string"}}}
_KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "the same key and request again: the same order and body again; another request: 422. "
    "An engine may require it",
    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
}
_PATH_PARAMETERS = {
    "orderId": {"description": "id of an order", "schema": {"type": "string", "format": "uuid"}},
    "wallet": {"description": "name of a wallet", "schema": {"type": "string", "minLength": 1, "maxLength": 64}},
    "keyId": {"description": "public part of a key", "schema": {"type": "string"}},
}

type Json = dict[str, Any]


def document(endpoints: list[Endpoint]) -> bytes:
    """Return the document as JSON; the same routes give the same bytes."""
    types = [t for e in endpoints for t in (e.body, *(kind for _, kind in e.answers.values())) if t is not None]
    queries = [e.query for e in endpoints if e.query is not None]
    _, components = msgspec.json.schema_components(
        [*types, *queries, Problem], ref_template=_REF, schema_hook=describe_amount
    )
    _take_numbers(components)
    paths: dict[str, Json] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, components)
    for query in queries:
        components.pop(query.__name__)
    whole = {
        "openapi": "3.1.0",
        "info": {
            "title": "Swaprail",
            "version": "1",
            "summary": "Executes token swap orders: an accepted order is never lost and never executed twice.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(e.group for e in endpoints)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "an API key"}},
        },
    }
    return msgspec.json.format(msgspec.json.encode(whole, order="deterministic"), indent=2) + b"\n"


def _take_numbers(schema: Any) -> None:
    """Say that a Decimal is also read from a JSON number; msgspec names only the string that it writes."""
    for part in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(part, dict) and part.get("format") == "decimal":
            part["type"] = ["string", "number"]
        elif isinstance(part, dict | list):
            _take_numbers(part)


def _operation(endpoint: Endpoint, components: Json) -> Json:
    operation: Json = {
        "operationId": _operation_id(endpoint),
        "summary": endpoint.summary,
        "tags": [endpoint.group],
        "parameters": _parameters(endpoint, components),
        "responses": _answers(endpoint) | _problems(endpoint),
        "security": [] if endpoint.scope is None else [{"key": []}, {}],
    }
    if endpoint.scope is not None:
        operation["description"] = f"Needs the scope `{endpoint.scope}` where keys are required."
    if endpoint.body is not None:
        content: Json = {"schema": _schema(endpoint.body)}
        if endpoint.example:
            content["example"] = endpoint.example
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    return operation


def _operation_id(endpoint: Endpoint) -> str:
    words = re.findall(r"[A-Za-z]+", endpoint.path)
    return endpoint.method.lower() + "".join(word[0].upper() + word[1:] for word in words)


def _schema(kind: Any) -> Json:
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=_REF, schema_hook=describe_amount)
    return schema


def _parameters(endpoint: Endpoint, components: Json) -> list[Json]:
    named = re.findall(r"\{(\w+)\}", endpoint.path)
    parameters: list[Json] = [{"name": n, "in": "path", "required": True, **_PATH_PARAMETERS[n]} for n in named]
    if endpoint.query is not None:
        described = components[endpoint.query.__name__]
        required = described.get("required", [])
        for name, schema in described["properties"].items():
            parameters.append({"name": name, "in": "query", "required": name in required, "schema": schema})
    if endpoint.idempotent:
        parameters.append(_KEY_PARAMETER)
    return parameters


def _answers(endpoint: Endpoint) -> Json:
    headers: Json = {}
    if endpoint.scope is not None:
        headers |= _RATE_HEADERS
    if endpoint.idempotent:
        headers |= _REPLAYED_HEADER
    answers: Json = {}
    for status, (description, kind) in endpoint.answers.items():
        answer: Json = {"description": description}
        if headers:
            answer["headers"] = headers
        if endpoint.method == "POST" and "orders" in endpoint.path and status != 207:
            answer["headers"] = headers | _LOCATION_HEADER
        if kind is not None:
            answer["content"] = {endpoint.media_type: {"schema": _schema(kind)}}
        answers[str(status)] = answer
    return answers


def _problems(endpoint: Endpoint) -> Json:
    if endpoint.scope is None:
        return {}
    codes = (*endpoint.errors, *_COMMON, *_GUARDED, *(_KEYED if endpoint.idempotent else ()))
    by_status: dict[int, list[ErrorCode]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(CATALOGUE[code].http_status, []).append(code)
    return {str(status): _problem(status, named) for status, named in sorted(by_status.items())}


def _problem(status: int, codes: list[ErrorCode]) -> Json:
    examples = {str(code): {"value": _example(code)} for code in codes}
    content = {"schema": {"$ref": _REF.format(name="Problem")}, "examples": examples}
    answer: Json = {
        "description": "; ".join(CATALOGUE[code].title for code in codes),
        "content": {"application/problem+json": content},
    }
    if status in (429, 503):
        answer["headers"] = _RETRY_HEADER | (_RATE_HEADERS if status == 429 else {})
    return answer


def _example(code: ErrorCode) -> Json:
    kind = CATALOGUE[code]
    return {
        "type": f"/docs#problem-{code}",
        "title": kind.title,
        "status": kind.http_status,
        "detail": kind.title,
        "code": code,
        "hint": kind.hint,
        "retryable": kind.retryable,
    }


def main() -> None:
    """Print the document of this version."""
    from swaprail_api.app import build
    from swaprail_api.settings import ApiSettings

    sys.stdout.buffer.write(build(ApiSettings(_env_file=None)).openapi)


if __name__ == "__main__":
    main()
