"""`swaprail keys`: API keys, managed with a key that has the scope keys:manage."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from cyclopts import App, Parameter
from rich.text import Text

from swaprail_client.cli.connection import DEFAULT, Connection, calling
from swaprail_client.cli.endings import end_of, refuse_two_ends
from swaprail_client.cli.order_page import when
from swaprail_client.cli.outcomes import Exit
from swaprail_client.cli.output import Output, note, safe
from swaprail_client.client import SwaprailClient

keys = App(
    name="keys",
    help="Make, list and revoke API keys. Needs a key with the scope keys:manage.\n\n"
    "The first one is made beside the engine, with `swaprail-keys`.",
)

type Scope = Literal["orders:read", "orders:write", "keys:manage"]


@keys.command
async def create(
    name: str,
    /,
    *,
    scope: Annotated[tuple[Scope, ...], Parameter(negative="")] = ("orders:read", "orders:write"),
    expires_in: timedelta | None = None,
    expires_at: datetime | None = None,
    connection: Connection = DEFAULT,
) -> int:
    """Make a key of your account and print it. This is the only time that it can be read.

    Parameters
    ----------
    name
        What the key is for.
    scope
        What the key may do, no more than your own; repeat it for more than one.
    expires_in
        How long the key is valid, for example 90d; without it, until it is revoked.
    expires_at
        When the key stops being valid.
    connection
        The engine, and how to print.

    """
    refuse_two_ends(expires_in, expires_at)

    async def act(client: SwaprailClient, output: Output) -> int:
        until = expires_at if expires_in is None else await end_of(client, expires_in)
        made = await client.create_key(name, scope, until)
        if output.json:
            output.document(made)
            return Exit.OK
        output.line(made.key)
        note(f"Key {made.id} of account {made.account}. It is not shown again.")
        return Exit.OK

    return await calling(connection, act)


@keys.command(name="list")
async def list_keys(*, connection: Connection = DEFAULT) -> int:
    """List the keys. Secrets are not kept, so none is shown."""

    async def act(client: SwaprailClient, output: Output) -> int:
        found = await client.keys()
        if output.json:
            output.document({"keys": found})
            return Exit.OK
        rows: list[list[str | Text]] = [
            [
                safe(key.id),
                safe(key.account),
                safe(key.name),
                safe(" ".join(key.scopes)),
                when(key.last_used_at),
                "revoked" if key.revoked_at else when(key.expires_at),
            ]
            for key in found
        ]
        output.table(["key", "account", "name", "scopes", "last used", "expires"], rows)
        return Exit.OK

    return await calling(connection, act)


@keys.command
async def revoke(key_id: str, /, *, connection: Connection = DEFAULT) -> int:
    """Make a key invalid, for good.

    Parameters
    ----------
    key_id
        Id of the key: its part between the two underscores, as `swaprail keys list` shows it.
    connection
        The engine, and how to print.

    """

    async def act(client: SwaprailClient, output: Output) -> int:
        await client.revoke_key(key_id)
        if output.json:
            output.document({"id": key_id, "revoked": True})
        else:
            output.line(f"{safe(key_id)} is revoked")
        return Exit.OK

    return await calling(connection, act)
