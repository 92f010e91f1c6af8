"""Bugs that show where the engine has run for long: servers that are not the right ones any more, keys and clocks."""

from tests.planted.bug import Bug

_AWAY = "libs/common/tests/integration/test_away.py"
_NOTIFIER = "services/notifier/tests"
_API = "services/api/tests"
_COMMON = "libs/common/tests/integration"
_UNIT = "libs/common/tests/unit"
_POOLERS = "tests/installations/test_poolers.py"

IN_INSTALLATIONS = (
    Bug(
        "66_old_session_ends_first",
        "Five minutes after its standby went away, nobody can even read.",
        (
            "libs/common/tests/unit/test_pool.py::test_an_old_session_serves_on_when_the_server_takes_no_other_in",
            "libs/common/tests/integration/test_standby_away.py::test_who_reads_is_served_when_sessions_have_lived_long_enough_while_the_standby_is_away",
        ),
    ),
    Bug(
        "67_read_only_server_is_kept",
        "After a failover every order is refused for ever, by services that call themselves ready.",
        (
            f"{_AWAY}::test_every_connection_is_left_when_the_server_turns_read_only[write]",
            f"{_AWAY}::test_every_connection_is_left_when_the_server_turns_read_only[read]",
        ),
    ),
    Bug(
        "68_revoked_sockets_stream_on",
        "Whoever has a stolen key reads the trader's orders for as long as he keeps his socket.",
        (
            f"{_NOTIFIER}/test_revocation.py::test_sockets_are_cut_in_every_replica_when_their_key_is_revoked[False]",
            f"{_NOTIFIER}/test_revocation.py::test_a_socket_is_cut_when_its_key_expires",
        ),
    ),
    Bug(
        "69_time_of_the_host",
        "With one host's clock minutes off, wallets' sockets are told of no order, and expiries are judged wrongly.",
        (
            "services/api/tests/integration/test_clocks.py::test_an_orders_id_has_the_databases_time_when_the_hosts_clock_is_off[-300]",
            "services/api/tests/integration/test_clocks.py::test_an_expiry_is_judged_by_the_databases_clock_when_the_hosts_is_off[300]",
        ),
    ),
    Bug(
        "71_list_of_states_is_closed",
        "A full disk is 500, a traceback an order.",
        (
            f"{_AWAY}::test_the_database_is_away_when_the_state_is_one_that_passes[53100]",
            f"{_AWAY}::test_the_database_is_away_when_the_state_is_one_that_passes[53ZZZ]",
        ),
    ),
    Bug(
        "72_batch_without_its_key",
        "A longer batch under a batch's key executes the orders that it has more.",
        (
            f"{_API}/integration/test_batches.py::test_422_and_nothing_is_stored_when_a_batch_comes_under_the_key_of_another[longer]",
            f"{_API}/integration/test_batches.py::test_422_when_a_batch_comes_at_once_with_a_longer_one_of_its_key",
        ),
    ),
    Bug(
        "73_key_of_an_order_is_a_batchs",
        "An order that was posted under its own key is taken for one of a batch, and not executed.",
        (
            f"{_API}/integration/test_batches.py::test_422_when_an_order_comes_under_a_key_of_a_batch[k#0]",
            f"{_API}/integration/test_batches.py::test_422_when_an_order_comes_under_a_key_of_a_batch[k#1]",
        ),
    ),
    Bug(
        "74_oldest_orders_of_all_first",
        "One account's orders that find no route hold up everybody's.",
        (
            "libs/common/tests/integration/test_leases.py::test_accounts_take_turns_when_one_has_more_due_orders_than_are_taken",
        ),
    ),
    Bug(
        "76_each_replica_counts_its_own_alone",
        "An account has as many times its limit as there are replicas.",
        (
            f"{_API}/integration/test_limits.py::test_429_in_another_replica_when_it_has_counted",
            f"{_API}/integration/test_limits.py::test_429_when_an_account_has_as_many_orders_as_it_may",
        ),
    ),
    Bug(
        "77_reads_wait_for_nobody",
        "One account's lists take every connection for reads.",
        (
            f"{_API}/unit/test_turns.py::test_two_of_an_account_run_when_more_are_asked_for",
            f"{_API}/integration/test_limits.py::test_others_are_answered_when_the_reads_of_an_account_are_stuck",
        ),
    ),
    Bug(
        "93_slow_reads_are_rested_from",
        "Where a machine or a server is slow, most reads of whoever reads eight things at once are refused.",
        (f"{_API}/unit/test_turns.py::test_others_of_the_account_are_not_kept_waiting_when_a_read_took_long",),
    ),
    Bug(
        "94_pools_are_opened_by_the_first_requests",
        "In the crowd of a rollout the first requests of a new pod are answered 503.",
        (f"{_API}/integration/test_pools.py::test_all_are_open_when_the_api_has_started",),
    ),
    Bug(
        "78_names_behind_a_pooler",
        "Behind a pooler of transactions services run each other's statements, or none.",
        (f"{_POOLERS}::test_orders_are_confirmed_when_a_pooler_stands_before_the_database[transaction]",),
    ),
    Bug(
        "79_limits_are_left_to_the_maker",
        "Whoever is limited makes himself a key that is not.",
        (f"{_API}/integration/test_limits.py::test_a_key_has_the_limits_of_its_maker_when_it_is_made_over_http",),
    ),
    Bug(
        "80_fence_is_a_lease",
        "Whoever forges a message with the fence that is next keeps another worker's lease as his own.",
        (f"{_COMMON}/test_leases.py::test_a_lease_is_not_renewed_when_another_worker_has_the_same_fence",),
    ),
    Bug(
        "83_counted_before_it_is_stored",
        "Each count of an account forgets the orders that are being stored: the limit is what chance makes of it.",
        (
            f"{_API}/unit/test_account_orders.py::test_an_order_is_not_forgotten_when_the_account_is_counted_before_it_is_stored",
        ),
    ),
    Bug(
        "81_moved_beside_its_holder",
        "Whoever forges a message with the fence that is next has an order moved by another than its holder.",
        (f"{_COMMON}/test_transitions.py::test_nothing_is_written_when_another_worker_has_the_same_fence",),
    ),
    Bug(
        "82_given_back_by_another",
        "A worker that was told a forged fence gives back what another one holds, and a third begins.",
        (f"{_COMMON}/test_leases.py::test_a_lease_is_not_given_back_when_another_worker_has_the_same_fence",),
    ),
    Bug(
        "84_answer_is_reset",
        "Behind nginx a client whose body is too large is told 502, and may take it for an order that was perhaps stored.",
        (f"{_API}/integration/test_connections.py::test_a_refusal_is_read_when_its_chunks_are_still_sent",),
    ),
    Bug(
        "96_each_loop_tells",
        "PostgreSQL is away for five minutes, and each of a router's loops says so: 145 lines.",
        (f"{_UNIT}/test_survival.py::test_each_loop_tells_once_when_what_all_need_is_away",),
    ),
    Bug(
        "97_time_is_learned_once",
        "A laptop that slept, or a server whose clock was set, and orders are stale and sockets silent for five minutes.",
        (
            f"{_COMMON}/test_schema.py::test_the_databases_time_is_learned_anew_when_the_host_has_slept_or_the_servers_clock_was_set",
        ),
    ),
    Bug(
        "98_a_batch_is_one_request",
        "Who may send 200 requests a second stores 20,000 orders in it.",
        (
            f"{_API}/integration/test_rate_limit.py::test_a_batch_counts_for_its_size_when_none_of_it_is_any_good[False]",
        ),
    ),
    Bug(
        "99_quotes_take_what_orders_need",
        "One account asks for quotes, and everybody's orders find no venue.",
        (
            "services/router/tests/test_venue_limits.py::test_orders_find_their_half_when_others_ask_for_quotes_without_end",
        ),
    ),
    Bug(
        "95_refused_head_is_reset",
        "Whose head is too large is told nothing, and tries again.",
        (f"{_API}/integration/test_connections.py::test_a_refusal_is_read_when_the_head_is_still_sent",),
    ),
    Bug(
        "85_each_address_is_a_client",
        "Whoever guesses keys from a network of IPv6 takes another address for each attempt.",
        (f"{_UNIT}/test_client_address.py::test_addresses_of_one_customer_are_counted_as_one_when_they_are_of_ipv6",),
    ),
    Bug(
        "86_address_of_the_other_family",
        "Where pods listen at ::, the ingress controller is no trusted proxy, and all clients share its limits.",
        (f"{_UNIT}/test_client_address.py::test_a_peer_is_told_by_its_own_family_when_a_socket_has_both",),
    ),
    Bug(
        "87_windows_of_the_host",
        "Two replicas whose clocks differ let each account have twice its requests.",
        (
            f"{_API}/integration/test_clocks.py::test_windows_of_the_rate_limit_are_the_databases_when_the_hosts_clock_is_off",
        ),
    ),
    Bug(
        "88_horizon_forgets_who_writes",
        "An order whose commit took long (a standby was away) is never found again if its message is lost as well.",
        (f"{_COMMON}/test_horizons.py::test_the_horizon_stays_when_a_transaction_that_began_before_may_still_commit",),
    ),
    Bug(
        "89_horizon_of_another_clock",
        "After the database's clock was set back no scan finds a new order, until the clock is there again.",
        (f"{_COMMON}/test_horizons.py::test_what_is_queued_is_found_at_once_when_the_clock_was_set_back",),
    ),
    Bug(
        "90_horizon_is_where_it_looked",
        "Orders that nobody took for a while are never found again.",
        (f"{_COMMON}/test_horizons.py::test_the_horizon_stays_with_the_oldest_when_it_is_due_and_nobody_takes_it",),
    ),
    Bug(
        "91_scans_walk_what_has_closed",
        "While a backup or a report holds its snapshot, every scan walks all that has been closed since.",
        (
            "tests/installations/test_held_snapshots.py::test_a_pass_looks_at_few_blocks_when_nearly_all_has_ended_since_a_snapshot",
        ),
    ),
    Bug(
        "92_nobody_looks_below",
        "An order that was stored while the clock was set back is never found once the clock is right again.",
        (
            "services/router/tests/integration/test_keep_horizons.py::test_an_order_is_found_when_it_was_left_below_the_horizon",
        ),
    ),
)
