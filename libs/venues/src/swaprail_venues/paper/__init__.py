"""Simulated venues and a simulated chain, deterministic by seed.

The venues are stateless constant-product pools whose price is a pure function of the slot. The chain keeps a ledger in
PostgreSQL that all processes share, with blockhashes that expire, finality, and each signature landing at most once.
"""

from swaprail_venues.paper.factory import build_paper, build_paper_venues

__all__ = ["build_paper", "build_paper_venues"]
