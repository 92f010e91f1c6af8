"""Metrics of the executor."""

from swaprail.telemetry.metrics import STAGE
from swaprail.telemetry.registry import counter, histogram, start_at_zero

_EXECUTOR = "executor"

ATTEMPTS = counter("swaprail_execution_attempts_total", "Settled attempts", ["venue", "result"], of=_EXECUTOR)
RETRIES = counter("swaprail_execution_retries_total", "Orders sent back to routing", ["reason"], of=_EXECUTOR)
SENDS = counter("swaprail_execution_sends_total", "Hand-overs of signed bytes to the chain", ["result"], of=_EXECUTOR)
SLIPPAGE = histogram(
    "swaprail_execution_slippage_ratio",
    "How much less landed than was quoted; negative: more",
    ["venue"],
    of=_EXECUTOR,
    buckets=(-0.01, -0.005, -0.001, 0, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
)
CHAIN_ERRORS = counter(
    "swaprail_chain_errors_total", "Chain calls without an answer; never a verdict", ["call"], of=_EXECUTOR
)
NODE_ERRORS = counter(
    "swaprail_chain_node_errors_total",
    "Calls that one of several nodes failed, or answered later than the others",
    ["node", "call"],
    of=_EXECUTOR,
)
DISPUTES = counter(
    "swaprail_chain_disputes_total", "Attempts of which nodes showed different outcomes; never a verdict", of=_EXECUTOR
)

start_at_zero(STAGE, ["building", "confirming"])
start_at_zero(RETRIES, ["attempt_expired", "route_stale", "route_unreadable"])
start_at_zero(SENDS, ["ok", "unknown"])
start_at_zero(CHAIN_ERRORS, ["send", "landings", "prove_expired"])
