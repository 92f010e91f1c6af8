"""The first schema: orders, their events and attempts, keys, and the paper chain."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
needed = True

STATEMENTS = """
create schema if not exists paper;
CREATE TABLE api_keys (
    id TEXT NOT NULL,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    secret_sha256 BYTEA NOT NULL,
    scopes TEXT[] NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT api_keys_pkey PRIMARY KEY (id)
);
CREATE TABLE idempotency_keys (
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    request_sha256 BYTEA NOT NULL,
    order_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (account, key)
);
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);
CREATE TABLE order_events (
    order_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    status TEXT NOT NULL,
    data JSON NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT order_events_pkey PRIMARY KEY (order_id, seq)
);
CREATE TABLE orders (
    id UUID NOT NULL,
    account TEXT NOT NULL,
    wallet TEXT NOT NULL,
    input_mint TEXT NOT NULL,
    output_mint TEXT NOT NULL,
    input_symbol TEXT NOT NULL,
    output_symbol TEXT NOT NULL,
    input_decimals SMALLINT NOT NULL,
    output_decimals SMALLINT NOT NULL,
    input_amount NUMERIC(20, 0) NOT NULL,
    slippage_bps INTEGER NOT NULL,
    min_output_amount NUMERIC(20, 0),
    expires_at TIMESTAMP WITH TIME ZONE,
    status TEXT NOT NULL,
    seq INTEGER NOT NULL,
    fence BIGINT DEFAULT 0 NOT NULL,
    lease_owner TEXT,
    lease_until TIMESTAMP WITH TIME ZONE,
    due_at TIMESTAMP WITH TIME ZONE,
    attempts SMALLINT DEFAULT 0 NOT NULL,
    routing JSON,
    failure JSON,
    output_amount NUMERIC(20, 0),
    reconciling_since TIMESTAMP WITH TIME ZONE,
    trace TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    queued_at TIMESTAMP WITH TIME ZONE,
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT orders_pkey PRIMARY KEY (id),
    CONSTRAINT orders_status_check CHECK (status in ('PENDING', 'ROUTING', 'BUILDING', 'SUBMITTED', 'CONFIRMED', 'FAILED', 'CANCELLED', 'EXPIRED')),
    CONSTRAINT orders_input_amount_check CHECK (input_amount > 0),
    CONSTRAINT orders_slippage_check CHECK (slippage_bps between 0 and 10000)
)
 WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX orders_open_idx ON orders (id) WHERE queued_at is not null and closed_at is null;
CREATE INDEX orders_waiting_expiry_idx ON orders (expires_at) WHERE queued_at is null and closed_at is null and expires_at is not null;
CREATE INDEX orders_wallet_idx ON orders (account, wallet, id);
CREATE TABLE paper.chain (
    id SMALLINT DEFAULT 1 NOT NULL,
    genesis_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT chain_pkey PRIMARY KEY (id),
    CONSTRAINT chain_single_check CHECK (id = 1)
);
CREATE TABLE paper.transactions (
    signature TEXT NOT NULL,
    order_id UUID NOT NULL,
    wallet TEXT NOT NULL,
    venue TEXT NOT NULL,
    input_mint TEXT NOT NULL,
    output_mint TEXT NOT NULL,
    input_amount NUMERIC(20, 0) NOT NULL,
    output_amount NUMERIC(20, 0),
    error TEXT,
    received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    receipts INTEGER DEFAULT 1 NOT NULL,
    lands_at TIMESTAMP WITH TIME ZONE,
    slot BIGINT,
    last_valid_block_height BIGINT NOT NULL,
    CONSTRAINT transactions_pkey PRIMARY KEY (signature)
);
CREATE INDEX transactions_order_id_idx ON paper.transactions (order_id);
CREATE TABLE tx_attempts (
    order_id UUID NOT NULL,
    attempt SMALLINT NOT NULL,
    signature TEXT NOT NULL,
    raw BYTEA NOT NULL,
    message_sha256 BYTEA NOT NULL,
    blockhash TEXT NOT NULL,
    last_valid_block_height BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    venue TEXT NOT NULL,
    state TEXT DEFAULT 'LIVE' NOT NULL,
    slot BIGINT,
    output_amount NUMERIC(20, 0),
    error TEXT,
    evidence JSON,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT tx_attempts_pkey PRIMARY KEY (order_id, attempt),
    CONSTRAINT tx_attempts_state_check CHECK (state in ('LIVE', 'LANDED', 'REVERTED', 'EXPIRED')),
    CONSTRAINT tx_attempts_expired_with_proof_check CHECK (state <> 'EXPIRED' or evidence is not null),
    CONSTRAINT tx_attempts_signature_key UNIQUE (signature)
);
CREATE UNIQUE INDEX tx_attempts_one_per_order_idx ON tx_attempts (order_id) WHERE state in ('LIVE', 'LANDED');
COMMENT ON COLUMN api_keys.id IS 'the public part of the key';
COMMENT ON COLUMN orders.id IS 'UUID version 7: sorts by creation';
COMMENT ON COLUMN orders.seq IS 'number of the latest event';
COMMENT ON COLUMN orders.fence IS 'grows with each lease';
COMMENT ON COLUMN orders.due_at IS 'when a reconciler may take the order if nobody holds its lease';
COMMENT ON COLUMN orders.routing IS 'domain.quotes.Routing';
COMMENT ON COLUMN orders.failure IS 'domain.orders.Failure';
COMMENT ON COLUMN orders.output_amount IS 'what the chain says arrived';
COMMENT ON COLUMN orders.reconciling_since IS 'set while nothing can be proven about a submitted attempt';
COMMENT ON COLUMN orders.trace IS 'W3C traceparent of the request that posted the order';
COMMENT ON COLUMN orders.queued_at IS 'when execution was asked for';
COMMENT ON COLUMN orders.closed_at IS 'when the order became terminal';
COMMENT ON COLUMN paper.transactions.output_amount IS 'null when the program refused the swap';
COMMENT ON COLUMN paper.transactions.receipts IS 'how often the bytes were sent';
COMMENT ON COLUMN paper.transactions.lands_at IS 'null: dropped, because its blockhash expires first';
COMMENT ON COLUMN tx_attempts.raw IS 'the signed bytes: what is sent, every time';
COMMENT ON COLUMN tx_attempts.evidence IS 'domain.chain.ExpiryProof';
insert into paper.chain default values;
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
