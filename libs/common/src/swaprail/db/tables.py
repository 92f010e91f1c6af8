"""The tables. Migrations follow them, and a test compares the two."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from swaprail.db.horizons import IS_OPEN, OPEN_TIME
from swaprail.domain.chain import AttemptState
from swaprail.domain.lifecycle import Status

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "pk": "%(table_name)s_pkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
    },
)

Units = Numeric(20, 0)  # base units: a u64
Time = DateTime(timezone=True)


def _one_of(column: str, values: type[Status] | type[AttemptState]) -> str:
    return f"{column} in ({', '.join(repr(str(v)) for v in values)})"


# No index and no index predicate names a column that every transition changes (status, seq, fence, lease): so transitions
# stay heap-only updates and touch no index until the order is queued, given back, paused or closed. orders_open_idx is the
# scans' of the version before, which may run beside this one.
orders = Table(
    "orders",
    metadata,
    Column("id", Uuid, primary_key=True, comment="UUID version 7: sorts by creation"),
    Column("account", Text, nullable=False),
    Column("wallet", Text, nullable=False),
    Column("input_mint", Text, nullable=False),
    Column("output_mint", Text, nullable=False),
    Column("input_symbol", Text, nullable=False),
    Column("output_symbol", Text, nullable=False),
    Column("input_decimals", SmallInteger, nullable=False),
    Column("output_decimals", SmallInteger, nullable=False),
    Column("input_amount", Units, nullable=False),
    Column("slippage_bps", Integer, nullable=False),
    Column("min_output_amount", Units),
    Column("expires_at", Time),
    Column("status", Text, nullable=False),
    Column("seq", Integer, nullable=False, comment="number of the latest event"),
    Column("fence", BigInteger, nullable=False, server_default=text("0"), comment="grows with each lease"),
    Column("lease_owner", Text),
    Column("lease_until", Time),
    Column("due_at", Time, comment="when a reconciler may take the order if nobody holds its lease"),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("routing", JSON, comment="domain.quotes.Routing"),
    Column("failure", JSON, comment="domain.orders.Failure"),
    Column("output_amount", Units, comment="what the chain says arrived"),
    Column("reconciling_since", Time, comment="set while nothing can be proven about a submitted attempt"),
    Column("trace", Text, comment="W3C traceparent of the request that posted the order"),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("queued_at", Time, comment="when execution was asked for"),
    Column("closed_at", Time, comment="when the order became terminal"),
    CheckConstraint(_one_of("status", Status), name="status"),
    CheckConstraint("input_amount > 0", name="input_amount"),
    CheckConstraint("slippage_bps between 0 and 10000", name="slippage"),
    Index("orders_wallet_idx", "account", "wallet", "id"),
    Index("orders_wallet_open_idx", "account", "wallet", "id", postgresql_where=text("closed_at is null")),
    Index(
        "orders_open_idx",
        "id",
        postgresql_where=text("queued_at is not null and closed_at is null"),
    ),
    Index(
        "orders_open_time_idx",
        text(OPEN_TIME),
        postgresql_where=text(IS_OPEN),
    ),
    Index(
        "orders_waiting_age_idx",
        "created_at",
        postgresql_where=text("queued_at is null and closed_at is null and expires_at is null"),
    ),
    Index(
        "orders_waiting_expiry_idx",
        "expires_at",
        postgresql_where=text("queued_at is null and closed_at is null and expires_at is not null"),
    ),
    postgresql_with={"fillfactor": "60", "autovacuum_vacuum_scale_factor": "0.05"},
)

# History and outbox in one. Written only by the statement that moves the order, so no foreign key is checked.
order_events = Table(
    "order_events",
    metadata,
    Column("order_id", Uuid, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("status", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Column("at", Time, nullable=False, server_default=func.now()),
)

# Written once, and settled a moment later: half of a page is kept for that, and no index names what settling changes
# (state, settled_at), but for the evidence of the few that expire. So settling is a heap-only update as well.
tx_attempts = Table(
    "tx_attempts",
    metadata,
    Column("order_id", Uuid, primary_key=True),
    Column("attempt", SmallInteger, primary_key=True),
    Column("signature", Text, nullable=False, unique=True),
    Column("raw", LargeBinary, nullable=False, comment="the signed bytes: what is sent, every time"),
    Column("message_sha256", LargeBinary, nullable=False),
    Column("blockhash", Text, nullable=False),
    Column("last_valid_block_height", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("venue", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'LIVE'")),
    Column("slot", BigInteger),
    Column("output_amount", Units),
    Column("error", Text),
    Column("evidence", JSON, comment="domain.chain.ExpiryProof"),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("settled_at", Time),
    CheckConstraint(_one_of("state", AttemptState), name="state"),
    CheckConstraint("(state = 'EXPIRED') = (evidence is not null)", name="proof"),
    # The database itself refuses a second attempt beside one that is not proven never to land.
    Index(
        "tx_attempts_one_per_order_idx",
        "order_id",
        unique=True,
        postgresql_where=text("evidence is null"),
    ),
    postgresql_with={"fillfactor": "50"},
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("account", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_sha256", LargeBinary, nullable=False),
    Column("order_id", Uuid, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("of_batch", Boolean, comment="whether an order of a batch got it; null where it was not kept, before 0005"),
    Index("idempotency_keys_created_at_idx", "created_at"),
)

scan_horizons = Table(
    "scan_horizons",
    metadata,
    Column("name", Text, primary_key=True, comment="db.horizons.Scan"),
    Column("since", Time, nullable=False, comment="nothing that is looked for is older"),
    Column("seen_at", Time, nullable=False, comment="when the mark was set that the horizon may move up to"),
    Column(
        "seen_xid", BigInteger, nullable=False, comment="the transaction that set it: later ones began to write later"
    ),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True, comment="the public part of the key"),
    Column("account", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_sha256", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("expires_at", Time),
    Column("last_used_at", Time),
    Column("revoked_at", Time),
    Column("limits", JSON, comment="auth.limits.Limits: those it has of its own"),
)

# The paper chain: its ledger is the judge of what was executed, and belongs to no order table.
paper_chain = Table(
    "chain",
    metadata,
    Column("id", SmallInteger, primary_key=True, server_default=text("1")),
    Column("genesis_at", Time, nullable=False, server_default=func.now()),
    CheckConstraint("id = 1", name="single"),
    schema="paper",
)

paper_transactions = Table(
    "transactions",
    metadata,
    Column("signature", Text, primary_key=True),
    Column("order_id", Uuid, nullable=False),
    Column("wallet", Text, nullable=False),
    Column("venue", Text, nullable=False),
    Column("input_mint", Text, nullable=False),
    Column("output_mint", Text, nullable=False),
    Column("input_amount", Units, nullable=False),
    Column("output_amount", Units, comment="null when the program refused the swap"),
    Column("error", Text),
    Column("received_at", Time, nullable=False, server_default=func.now()),
    Column("receipts", Integer, nullable=False, server_default=text("1"), comment="how often the bytes were sent"),
    Column("lands_at", Time, comment="null: dropped, because its blockhash expires first"),
    Column("slot", BigInteger),
    Column("last_valid_block_height", BigInteger, nullable=False),
    Index("transactions_order_id_idx", "order_id"),
    Index(
        "transactions_received_at_idx",
        "received_at",
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    ),
    schema="paper",
)
