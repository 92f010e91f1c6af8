"""Two statements at once on one order, in PostgreSQL: one is stopped between its snapshot and its lock, by design."""
