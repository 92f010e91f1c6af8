"""Somebody with write access to Redis, and nothing else, against a whole engine."""
