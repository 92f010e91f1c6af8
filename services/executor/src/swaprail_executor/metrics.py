"""Metrics of the executor."""

from prometheus_client import Counter

from swaprail.telemetry.metrics import REGISTRY

ATTEMPTS = Counter("swaprail_execution_attempts_total", "Settled attempts", ["venue", "result"], registry=REGISTRY)
SENDS = Counter(
    "swaprail_execution_sends_total", "Hand-overs of signed bytes to the chain", ["result"], registry=REGISTRY
)
CHAIN_ERRORS = Counter(
    "swaprail_chain_errors_total", "Chain calls without an answer; never a verdict", ["call"], registry=REGISTRY
)
