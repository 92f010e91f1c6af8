"""Who is calling: API keys, and one-time tickets for browsers."""

from swaprail.auth.keys import ApiKey, NewKey, generate_key, hash_secret, is_key_id, parse_key
from swaprail.auth.principals import ALL_SCOPES, LOCAL, Principal, Scope, authenticate, verify
from swaprail.auth.settings import AuthSettings
from swaprail.auth.stores import CachedKeyStore, KeyStore, PgKeyStore
from swaprail.auth.tickets import TicketRefusedError, burn_name, issue_ticket, read_ticket

__all__ = [
    "ALL_SCOPES",
    "LOCAL",
    "ApiKey",
    "AuthSettings",
    "CachedKeyStore",
    "KeyStore",
    "NewKey",
    "PgKeyStore",
    "Principal",
    "Scope",
    "TicketRefusedError",
    "authenticate",
    "burn_name",
    "generate_key",
    "hash_secret",
    "is_key_id",
    "issue_ticket",
    "parse_key",
    "read_ticket",
    "verify",
]
