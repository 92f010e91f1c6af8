"""PostgreSQL: tables, statements, the batching writer."""
