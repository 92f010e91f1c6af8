"""Quotes every venue and chooses the route."""
