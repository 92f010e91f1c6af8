"""Pure rules of orders: no I/O and no framework is imported here."""
