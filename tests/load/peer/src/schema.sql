create table if not exists orders (
  id uuid primary key,
  wallet text not null,
  input_token text not null,
  output_token text not null,
  input_amount numeric not null check (input_amount > 0),
  status text not null default 'PENDING'
    check (status in ('PENDING', 'ROUTING', 'BUILDING', 'SUBMITTED', 'CONFIRMED', 'FAILED')),
  venue text,
  price numeric,
  signature text,
  error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index if not exists orders_of_wallet on orders (wallet, created_at desc);
create table if not exists order_events (
  id bigint generated always as identity primary key,
  order_id uuid not null references orders (id),
  status text not null,
  data jsonb not null default '{}',
  created_at timestamptz not null default clock_timestamp()
);
create index if not exists events_of_order on order_events (order_id, id);
