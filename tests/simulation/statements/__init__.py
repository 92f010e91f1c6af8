"""The engine's statements, by name, on the virtual tables: each is atomic, and does what its SQL does.

test_store_matches_postgres.py holds every one of them against PostgreSQL.
"""

from tests.simulation.statements import horizons, leases, moves, orders, reads
from tests.simulation.statements.registry import STATEMENTS

__all__ = ["STATEMENTS", "horizons", "leases", "moves", "orders", "reads"]
