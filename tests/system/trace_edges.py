"""The spans of an order and which is below which, each as "service span": one trace through HTTP, topics and database."""

type Edge = tuple[str, str]

_INTAKE = "swaprail-api POST /api/orders/execute"
_TO_ROUTE = "swaprail-router process orders.accepted"
_TO_EXECUTE = "swaprail-executor process orders.routed"

EDGES: set[Edge] = {
    # The request is stored, then told.
    (_INTAKE, "swaprail-api write intake"),
    (_INTAKE, "swaprail-api publish orders.accepted"),
    (_INTAKE, "swaprail-api publish orders.events"),
    # A router asks every venue, stores the route, hands the order on.
    ("swaprail-api publish orders.accepted", _TO_ROUTE),
    (_TO_ROUTE, "swaprail-router route order"),
    ("swaprail-router route order", "swaprail-router quote raydium"),
    ("swaprail-router route order", "swaprail-router quote meteora"),
    ("swaprail-router route order", "swaprail-router write router_moves"),
    (_TO_ROUTE, "swaprail-router publish orders.routed"),
    (_TO_ROUTE, "swaprail-router publish orders.events"),
    # An executor signs, stores, sends, and settles.
    ("swaprail-router publish orders.routed", _TO_EXECUTE),
    (_TO_EXECUTE, "swaprail-executor execute order"),
    ("swaprail-executor execute order", "swaprail-executor build swap"),
    ("swaprail-executor execute order", "swaprail-executor write submissions"),
    ("swaprail-executor execute order", "swaprail-executor await landing"),
    ("swaprail-executor await landing", "swaprail-executor send"),
    ("swaprail-executor await landing", "swaprail-executor write settlements"),
    (_TO_EXECUTE, "swaprail-executor publish orders.events"),
    # A notifier takes the steps of all three.
    ("swaprail-api publish orders.events", "swaprail-notifier process orders.events"),
    ("swaprail-router publish orders.events", "swaprail-notifier process orders.events"),
    ("swaprail-executor publish orders.events", "swaprail-notifier process orders.events"),
}

QUOTE_EDGES: set[Edge] = {
    ("swaprail-api GET /api/quotes", "swaprail-router answer quotes"),
    ("swaprail-router answer quotes", "swaprail-router quote raydium"),
    ("swaprail-router answer quotes", "swaprail-router quote meteora"),
}
