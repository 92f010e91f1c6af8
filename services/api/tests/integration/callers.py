"""Callers with keys of their own."""

from collections.abc import Callable, Coroutine
from typing import Any

from swaprail.auth import Limits
from swaprail_api.deadline import database_deadline
from swaprail_api.usecases.manage_keys import ManageKeys

ALL = {"orders:read", "orders:write", "keys:manage"}

type Post = Callable[..., Coroutine[Any, Any, Any]]


async def bearer(api: Any, account: str, limits: Limits | None = None) -> dict[str, str]:
    """Return the header of a new key of the account."""
    keys = ManageKeys(api.api.keys, database_deadline(5))
    made = await keys.store(account, "test", ALL, None, limits or Limits())
    return {"Authorization": f"Bearer {made.key}"}


async def caller(api: Any, account: str, limits: Limits | None = None) -> Post:
    """Return what sends requests with a new key of the account."""
    headers = await bearer(api, account, limits)

    async def send(path: str, body: Any = None, method: str = "POST", key: str = "") -> Any:
        given = headers | ({"Idempotency-Key": key} if key else {})
        return await api.http.request(method, path, json=body, headers=given)

    return send
