"""Bugs planted on purpose: `make planted` puts each into a copy of the tree and shows that the tests catch it."""
