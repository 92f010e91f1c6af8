"""The kinds of faults that installations meet, and the tests that try them: most here, others where the part is that fails."""

_API, _CLIENT, _COMMON = "services/api/tests/integration", "clients/python/tests", "libs/common/tests"
_EXECUTOR, _HERE, _ROUTER = (
    "services/executor/tests/integration",
    "tests/installations",
    "services/router/tests/integration",
)

KINDS = {
    "states of PostgreSQL that pass": (f"{_COMMON}/integration/test_away.py", f"{_HERE}/test_failover.py"),
    "servers that answer and are the wrong ones": (f"{_HERE}/test_failover.py", f"{_HERE}/test_redis_failover.py"),
    "addresses and settings of servers": (
        f"{_HERE}/test_addresses.py",
        f"{_HERE}/test_refused_settings.py",
        f"{_HERE}/test_refusing_database.py",
        f"{_COMMON}/unit/test_server_urls.py",
        f"{_COMMON}/unit/test_hosts.py",
        f"{_COMMON}/unit/test_usable_urls.py",
        f"{_COMMON}/unit/test_setting_types.py",
        "libs/local/tests/test_refused_settings.py",
        f"{_API}/test_unmigrated.py",
    ),
    "poolers": (f"{_HERE}/test_poolers.py",),
    "causes that are told": (f"{_HERE}/test_causes.py", f"{_HERE}/test_redis_rights.py"),
    "several clocks": (f"{_HERE}/test_clocks.py", f"{_COMMON}/unit/test_clock.py", f"{_API}/test_clocks.py"),
    "what Python is lenient with": (
        f"{_API}/test_strictness.py",
        f"{_COMMON}/unit/test_tokens.py",
        f"{_CLIENT}/test_calls.py",
    ),
    "clients, proxies and browsers": (
        f"{_HERE}/test_clients.py",
        f"{_HERE}/test_browser.py",
        f"{_API}/test_refusals.py",
        f"{_API}/test_origins.py",
        f"{_API}/test_docs_page.py",
        f"{_CLIENT}/test_commands.py",
        f"{_COMMON}/unit/test_client_address.py",
    ),
    "what an idempotency key stands for": (f"{_API}/test_batches.py", f"{_API}/test_idempotency.py"),
    "one customer who is everybody's": (
        f"{_API}/test_limits.py",
        f"{_API}/test_rate_limit.py",
        "services/api/tests/unit/test_account_orders.py",
        "services/router/tests/test_venue_limits.py",
    ),
    "keys that are revoked": ("services/notifier/tests/test_revocation.py",),
    "logs under faults": (
        f"{_HERE}/test_full_disk.py",
        f"{_HERE}/test_failover.py",
        f"{_HERE}/test_outage.py",
        f"{_COMMON}/unit/test_repeats.py",
    ),
    "housekeeping that keeps up": (
        f"{_HERE}/test_held_snapshots.py",
        f"{_ROUTER}/test_keep_horizons.py",
        f"{_EXECUTOR}/test_settle_attempt.py",
    ),
    "supply": ("deploy/docker/tests/test_release.py", "libs/local/tests/test_configuration.py"),
}
