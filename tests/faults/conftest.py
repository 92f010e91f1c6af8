"""These tests run on a durable PostgreSQL."""

from tests.durable import database_template, postgres_server

__all__ = ["database_template", "postgres_server"]
