"""Venue and chain adapters used by router and executor."""
