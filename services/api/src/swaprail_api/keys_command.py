"""swaprail-keys: make, list, limit and revoke API keys on the server's side, where no key is needed."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable

import asyncpg
import msgspec

from swaprail.auth import ALL_SCOPES, Limits
from swaprail.db.away import is_unmigrated, unmigrated
from swaprail.db.connect import Database
from swaprail.domain.errors import EngineError, ErrorCode
from swaprail.settings import read_settings
from swaprail.telemetry.causes import cause_of
from swaprail_api.deadline import database_deadline
from swaprail_api.settings import ApiSettings
from swaprail_api.store.keys import KeyTable
from swaprail_api.usecases.manage_keys import ManageKeys

_DATABASE_TIMEOUT_S = 10.0
_LIMITS = {
    "open_orders": "open orders of the account",
    "waiting_orders": "orders of the account that wait to be executed",
    "requests": "requests in a window of the rate limit",
    "concurrent_reads": "reads of the account that a process runs at once",
    "sockets": "WebSockets of the account, in one process",
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("swaprail-keys", description="API keys, managed where the database is reachable")
    verbs = parser.add_subparsers(dest="verb", required=True)
    create = verbs.add_parser("create", help="make a key and print it; it is shown this once")
    create.add_argument("--account", required=True, help="the account whose orders the key sees")
    create.add_argument("--name", required=True, help="what the key is for")
    create.add_argument("--scopes", nargs="+", default=sorted(ALL_SCOPES), choices=sorted(ALL_SCOPES))
    _take_limits(create)
    limit = verbs.add_parser("limit", help="give a key limits of its own; those not named are the engine's again")
    limit.add_argument("--account", required=True)
    limit.add_argument("--id", required=True, help="public part of the key")
    _take_limits(limit)
    listing = verbs.add_parser("list", help="list the keys of an account, one JSON object a line")
    listing.add_argument("--account", required=True)
    revoke = verbs.add_parser("revoke", help="make a key useless within ten seconds")
    revoke.add_argument("--account", required=True)
    revoke.add_argument("--id", required=True, help="public part of the key")
    return parser


def _take_limits(parser: argparse.ArgumentParser) -> None:
    for name, what in _LIMITS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="N", help=f"most {what}")


def _limits_of(given: argparse.Namespace) -> Limits:
    wanted = Limits(**{name: getattr(given, name) for name in _LIMITS})
    try:
        return msgspec.convert(msgspec.to_builtins(wanted), Limits)
    except msgspec.ValidationError as error:
        raise SystemExit(f"the limits are refused: {error}") from None


async def _create(keys: ManageKeys, given: argparse.Namespace) -> None:
    created = await keys.store(given.account, given.name, set(given.scopes), None, _limits_of(given))
    sys.stdout.write(f"{created.key}\n")


async def _limit(keys: ManageKeys, given: argparse.Namespace) -> None:
    await keys.limit(given.id, given.account, _limits_of(given))


async def _list(keys: ManageKeys, given: argparse.Namespace) -> None:
    for view in await keys.of_account(given.account):
        sys.stdout.write(msgspec.json.encode(view).decode() + "\n")


async def _revoke(keys: ManageKeys, given: argparse.Namespace) -> None:
    await keys.revoke(given.id, given.account)


_VERBS: dict[str, Callable[[ManageKeys, argparse.Namespace], Awaitable[None]]] = {
    "create": _create,
    "limit": _limit,
    "list": _list,
    "revoke": _revoke,
}


async def _run(given: argparse.Namespace, settings: ApiSettings) -> None:
    database = Database(settings.dsn, size=1, timeout_s=_DATABASE_TIMEOUT_S, application="swaprail-keys")
    try:
        await _VERBS[given.verb](ManageKeys(KeyTable(database), database_deadline(_DATABASE_TIMEOUT_S)), given)
    finally:
        await database.close()


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line says; exit code 1 when it cannot be done."""
    given = _parser().parse_args(arguments)
    try:
        asyncio.run(_run(given, read_settings(ApiSettings)))
    except asyncpg.PostgresError as error:
        told = unmigrated().detail if is_unmigrated(error) else f"PostgreSQL refuses: {cause_of(error)}"
        raise SystemExit(told) from None
    except EngineError as error:
        missing = error.code is ErrorCode.NOT_FOUND
        sys.stderr.write(f"{error.detail}\n" if missing else f"{error.detail}: {error.kind.hint}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
