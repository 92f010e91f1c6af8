"""Streams, outbox and database: what wakes workers up, and what they write to."""

from deploy.dashboards.frame import dashboard
from deploy.dashboards.panels import Json, graph, row
from deploy.dashboards.queries import highest, mean, quantile, quantiles, rate, summed

STATEMENT = "db_client_operation_duration_seconds"


def streams() -> Json:
    """Return the dashboard."""
    panels = [*_streams(), *_outbox(), *_database()]
    return dashboard("swaprail-streams", "Redis streams, publishing to them, and PostgreSQL.", panels)


def _streams() -> list[Json]:
    return [
        row("Streams"),
        graph(
            "Lag",
            "Entries not yet delivered, each of up to 64 orders. Bad when it grows: workers are full, or gone. No line "
            "while Redis cannot say.",
            "short",
            highest("swaprail_stream_group_lag", "stream", "group"),
            bad_above=100,
        ),
        graph(
            "Pending",
            "Entries delivered and not acknowledged. Normally a few, for 50 ms each.",
            "short",
            highest("swaprail_stream_group_pending", "stream", "group"),
        ),
        graph(
            "Oldest pending",
            "Age of the oldest of them. From 10 s on another consumer claims it; bad above 60 s.",
            "s",
            highest("swaprail_stream_group_oldest_pending_seconds", "stream", "group"),
            bad_above=60,
        ),
        graph(
            "Length",
            "Entries kept in each stream. STREAM_MAX_ENTRIES (2000) is about the most.",
            "short",
            highest("swaprail_stream_length", "stream"),
        ),
        graph(
            "Consumers",
            "Consumers that each group knows: a pod is forgotten 10 minutes after it fell silent. Bad below 1.",
            "short",
            highest("swaprail_stream_group_consumers", "stream", "group"),
            bad_below=1,
        ),
        graph(
            "Wait of messages, p95",
            "From publishing an entry to its handler. Bad above 1 s: then its leases have lapsed.",
            "s",
            quantile(0.95, "swaprail_message_wait_seconds", "stream"),
            bad_above=1,
        ),
        graph(
            "Dead letters",
            "Entries set aside in <stream>.dead because nobody could read them.",
            "short",
            highest("swaprail_dead_letter_backlog", "stream"),
            bad_above=1,
        ),
        graph(
            "Reclaimed",
            "Entries a second taken over from dead consumers.",
            "ops",
            rate("swaprail_messages_reclaimed_total", "stream", "group"),
        ),
        graph(
            "Redis commands, p95",
            "Time of Redis' answers by command.",
            "s",
            quantile(0.95, "redis_client_operation_duration_seconds", "command"),
            bad_above=0.1,
        ),
    ]


def _outbox() -> list[Json]:
    return [
        row("Outbox"),
        graph(
            "Waiting",
            "Messages committed and not yet handed to Redis. At 2000 a pod and stream they are dropped.",
            "short",
            summed("swaprail_outbox_pending", "stream"),
            bad_above=2000,
        ),
        graph(
            "Delay",
            "From right after the commit to Redis' answer.",
            "s",
            quantiles("swaprail_outbox_delay_seconds"),
            bad_above=1,
        ),
        graph(
            "Published",
            "Entries a second. failed and dropped ones cost their orders a scan.",
            "ops",
            rate("swaprail_outbox_published_total", "stream", "result"),
            stacked=True,
        ),
    ]


def _database() -> list[Json]:
    return [
        row("Database"),
        graph(
            "Statements",
            "Statements a second, by kind. Under load rows are added to statements, not statements.",
            "ops",
            rate(f"{STATEMENT}_count", "operation"),
        ),
        graph(
            "Time of statements, p95",
            "With its commit. Bad above 0.25 s: the objective of intake is lost.",
            "s",
            quantile(0.95, STATEMENT, "operation"),
            bad_above=0.25,
        ),
        graph(
            "Rows a statement, mean",
            "How many rows share a commit: 1 when idle, more under load.",
            "short",
            mean("swaprail_batch_rows", "writer"),
        ),
        graph(
            "Rows waiting",
            "Rows for the next statement. Bad when they only grow: the database does not keep up.",
            "short",
            summed("swaprail_batch_rows_waiting", "writer"),
        ),
        graph(
            "Connections",
            "Connections of all pods by use; few by design. All used all the time: statements wait.",
            "short",
            summed("db_client_connection_count", "pool", "state"),
            stacked=True,
        ),
        graph(
            "Wait for a connection, p99",
            "Bad above 0.5 s. At DB_TIMEOUT_S (2 s) the statement fails as unavailable.",
            "s",
            quantile(0.99, "db_client_connection_wait_time_seconds", "pool"),
            bad_above=0.5,
        ),
    ]
