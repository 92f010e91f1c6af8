"""Who is calling: API keys, and one-time tickets for browsers."""

from swaprail.auth.keys import ApiKey, NewKey, generate_key, hash_secret, is_key_id, parse_key
from swaprail.auth.limits import NO_LIMITS, Limits
from swaprail.auth.principals import ALL_SCOPES, LOCAL, Principal, Scope, authenticate, check_key, verify
from swaprail.auth.settings import AuthSettings
from swaprail.auth.stores import CachedKeyStore, KeyStore, PgKeyStore
from swaprail.auth.tickets import TicketRefusedError, burn_name, issue_ticket, read_ticket

__all__ = [
    "ALL_SCOPES",
    "LOCAL",
    "NO_LIMITS",
    "ApiKey",
    "AuthSettings",
    "CachedKeyStore",
    "KeyStore",
    "Limits",
    "NewKey",
    "PgKeyStore",
    "Principal",
    "Scope",
    "TicketRefusedError",
    "authenticate",
    "burn_name",
    "check_key",
    "generate_key",
    "hash_secret",
    "is_key_id",
    "issue_ticket",
    "parse_key",
    "read_ticket",
    "verify",
]
