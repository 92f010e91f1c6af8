"""Moved to tests.invariants."""

from tests.invariants import check_invariants

__all__ = ["check_invariants"]
