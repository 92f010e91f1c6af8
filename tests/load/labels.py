"""What the figures are called on the page, and which ones each part shows."""

COSTS = {
    "cpu_ms_services": "CPU of the services, ms an order",
    "cpu_ms_engine": "CPU with PostgreSQL and Valkey, ms an order",
    "cpu_ms_postgres": "of it PostgreSQL",
    "cpu_ms_valkey": "of it Valkey",
    "commits_per_order": "commits an order",
    "wal_syncs_per_order": "WAL syncs an order",
    "wal_bytes_per_order": "WAL bytes an order",
    "redis_commands_per_order": "Redis commands an order",
}
PLACING = {"post_p50_ms": "POST to 202, p50, ms", "post_p99_ms": "POST to 202, p99, ms"}
CARE = {
    "not_confirmed": "orders not confirmed",
    "foreign_cpu_percent": "other processes, % of a processor",
}
THROUGHPUT = {
    "orders": "orders in a run",
    "confirmed_per_s": "**orders a second to CONFIRMED**",
    "accepted_per_s": "orders a second accepted",
    **PLACING,
    **COSTS,
    "largest_service_mb": "largest service, MB",
    **CARE,
}
LATENCY = {
    "orders": "orders in a run",
    "overhead_p50_ms": "**overhead over the venues' time, p50, ms**",
    "overhead_p99_ms": "**overhead, p99, ms**",
    **PLACING,
    "commit_to_socket_p50_ms": "commit to WebSocket, p50, ms",
    "commit_to_socket_p99_ms": "commit to WebSocket, p99, ms",
    "cpu_ms_services": COSTS["cpu_ms_services"],
    "cpu_ms_engine": COSTS["cpu_ms_engine"],
    "redis_commands_per_order": COSTS["redis_commands_per_order"],
    "generator_late_p99_ms": "generator behind its plan, p99, ms",
    "gaps_or_repeats": "WebSockets with a gap or a repeat",
    "messages_not_as_described": "messages not as the schema says",
    **CARE,
}
STEPS = {
    "sent_to_pending": "request sent to PENDING and ROUTING (one commit)",
    "after_routing": "ROUTING to BUILDING, without the quotes",
    "after_building": "BUILDING to SUBMITTED",
    "after_submitted": "SUBMITTED to CONFIRMED, without the landing",
    "commit_to_socket": "a commit to the client's WebSocket",
}
SCALING = {
    "confirmed_per_s": "orders a second to CONFIRMED",
    "cpu_ms_services": COSTS["cpu_ms_services"],
    "cpu_ms_engine": COSTS["cpu_ms_engine"],
    "not_confirmed": CARE["not_confirmed"],
}
BURST = {
    "orders": "orders in the burst",
    "accepted_s": "accepted within, s",
    "ended_s": "all CONFIRMED within, s",
    "longer_than_ideal_percent": "longer than acceptance, venues and places need, %",
    "most_in_flight": "with the chain at once",
    "cpu_ms_services": COSTS["cpu_ms_services"],
    "largest_service_mb": "largest service, MB",
    "not_confirmed": CARE["not_confirmed"],
}
FANOUT = {
    "deliveries_per_s": "deliveries a second, as fast as they go",
    "deliveries_per_cpu_s": "**deliveries in a second of the notifier's CPU**",
    "paced_deliveries_per_s": "deliveries a second, paced",
    "paced_deliveries_per_cpu_s": "deliveries in a second of CPU, paced",
    "paced_delay_p50_ms": "delay, paced, p50, ms",
    "paced_delay_p99_ms": "**delay, paced, p99, ms**",
    "paced_last_client_delay_p99_ms": "the same of the clients that are written to last, p99, ms",
    "paced_generator_late_p99_ms": "lateness of the generator, paced, p99, ms",
    "paced_foreign_cpu_percent": "other processes, paced, % of a processor",
    "missing_deliveries": "deliveries missing",
    "lost_connections": "connections lost",
    "idle_connections": "connections that wait",
    "idle_kib_per_connection": "memory of a connection, never used, KiB",
    "used_kib_per_connection": "memory of a connection, used, KiB",
    "commit_to_client_p50_ms": "commit to client in the whole engine, p50, ms",
    "commit_to_client_p99_ms": "commit to client in the whole engine, p99, ms",
}
SWEEP = {
    "rate": "orders a second asked for",
    "confirmed_per_s": "confirmed a second",
    "overhead_p50_ms": "overhead p50, ms",
    "overhead_p99_ms": "overhead p99, ms",
    "post_p99_ms": "POST p99, ms",
    "growth_ms_per_s": "wait grows, ms a second",
}
LAYOUTS = {
    "front": "Swaprail",
    "separate": "Swaprail, API and notifier apart",
    "tuned": "peer, tuned",
    "faithful": "peer",
}
ROWS = {
    "comparison": THROUGHPUT,
    "comparison-latency": LATENCY,
    "throughput": THROUGHPUT,
    "latency": LATENCY,
    "scaling": SCALING,
    "burst": BURST,
    "fanout": FANOUT,
}
