"""Loaded by schemathesis: what JSON Schema cannot say of a valid request, and the key that must stay valid."""

import os
from typing import Any

import schemathesis

OWN_KEY = os.environ.get("FUZZ_KEY_ID", "")
# Beyond a schema: that characters can be seen, and that a time lies within the calendar.
UNSAID = {"userWallet", "wallet", "name", "expiresAt"}
# JSON Schema calls 5.0 an integer; the decoder does not.
WHOLE = "Expected `int`, got `float`"
FRAMING = {"validation_failed", "body_invalid"}


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Leave the key alone by which everything is asked."""
    return not (case.method == "DELETE" and OWN_KEY in str(case.path_parameters))


@schemathesis.check
def valid_requests_are_refused_for_their_meaning_only(ctx: Any, response: Any, case: Any) -> None:
    """A request that the document calls valid may break a rule of the catalogue, but is never called malformed."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 400:
        return
    problem = response.json()
    if problem["code"] in FRAMING and problem["detail"] != WHOLE:
        fields = {error["field"].rpartition(".")[2] for error in problem.get("errors", [])}
        assert fields, problem
        assert fields <= UNSAID, f"valid by the document, and refused: {problem}"


@schemathesis.check
def every_error_is_a_problem(ctx: Any, response: Any, case: Any) -> None:
    """RFC 9457, with the status in the body and a code of the catalogue, whatever was wrong."""
    health = case.operation.path.startswith("/health")
    if response.status_code < 400 or case.method == "HEAD" or (response.status_code == 503 and health):
        return
    assert response.headers["content-type"] == ["application/problem+json"]
    problem = response.json()
    assert problem["status"] == response.status_code
    assert {"type", "title", "detail", "code", "hint", "retryable"} <= problem.keys()


@schemathesis.check
def nothing_is_kept_by_caches_or_guessed(ctx: Any, response: Any, case: Any) -> None:
    """Answers are private to a key, and none of them is to be guessed to be HTML."""
    if case.operation.path.startswith("/api/") and response.status_code < 400:
        assert response.headers["cache-control"] == ["no-store"]
        assert response.headers["x-content-type-options"] == ["nosniff"]
