"""`swaprail submit`, `execute` and `cancel`."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter
from msgspec.structs import replace

from swaprail_client.cli.connection import DEFAULT, Connection, calling
from swaprail_client.cli.endings import end_of, refuse_two_ends
from swaprail_client.cli.numbers import Whole
from swaprail_client.cli.outcomes import Exit, checked
from swaprail_client.cli.output import Output, coloured
from swaprail_client.cli.watching import follow
from swaprail_client.client import SwaprailClient
from swaprail_client.errors import SwaprailError
from swaprail_client.idempotency import usable_key
from swaprail_client.orders import NewOrder, Order


async def submit(
    input_token: str,
    output_token: str,
    amount: str,
    /,
    *,
    wallet: Annotated[str, Parameter(env_var="SWAPRAIL_WALLET")],
    slippage_bps: Whole | None = None,
    min_output: str | None = None,
    expires_in: timedelta | None = None,
    expires_at: datetime | None = None,
    execute: Annotated[bool, Parameter(negative="--no-execute")] = True,
    watch: Annotated[bool, Parameter(negative="")] = False,
    idempotency_key: str | None = None,
    connection: Connection = DEFAULT,
) -> int:
    """Post an order: swap AMOUNT of one token for another.

    With --watch the steps are printed as they happen and the exit code is the outcome's, as in `swaprail watch`.

    Parameters
    ----------
    input_token
        Token to sell: symbol or mint.
    output_token
        Token to buy: symbol or mint.
    amount
        How much to sell, in whole tokens, for example 1.5.
    wallet
        Wallet that swaps.
    slippage_bps
        Accept at most this much less than quoted, in hundredths of a percent.
    min_output
        Accept no less than this, in whole tokens.
    expires_in
        Give up after this time, for example 90s or 5m.
    expires_at
        Give up at this time, for example 2030-01-31T12:00:00+00:00.
    execute
        Queue the order at once, or leave it waiting for `swaprail execute`.
    watch
        Follow the order to its end.
    idempotency_key
        Repeat an earlier submit under its key: the order is posted once, however often that is done.
    connection
        The engine, and how to print.

    """
    order = checked(
        NewOrder,
        user_wallet=wallet,
        input_token=input_token,
        output_token=output_token,
        input_amount=amount,
        slippage_bps=slippage_bps,
        min_output_amount=min_output,
        expires_at=expires_at,
    )
    refuse_two_ends(expires_in, expires_at)
    key = None if idempotency_key is None else checked(usable_key, idempotency_key)

    async def act(client: SwaprailClient, output: Output) -> int:
        posted = await _post(client, await _ending(client, order, expires_in), key, execute=execute)
        show_short(output, posted)
        return await follow(client, output, posted.order_id) if watch else Exit.OK

    return await calling(connection, act)


async def _ending(client: SwaprailClient, order: NewOrder, expires_in: timedelta | None) -> NewOrder:
    return order if expires_in is None else replace(order, expires_at=await end_of(client, expires_in))


async def _post(client: SwaprailClient, order: NewOrder, key: str | None, *, execute: bool) -> Order:
    try:
        return await client.submit(order, execute=execute, idempotency_key=key)
    except SwaprailError as error:
        _tell_how_to_repeat(error, order)
        raise


def _tell_how_to_repeat(error: SwaprailError, order: NewOrder) -> None:
    # Only the same key, with the same body, repeats an order safely that may have been accepted.
    if not error.in_doubt:
        return
    expires = f" --expires-at {order.expires_at.isoformat()}" if order.expires_at else ""
    error.hint += (
        f" The order may have been accepted: repeat it safely with --idempotency-key {error.idempotency_key}{expires}."
    )


async def execute(
    order_id: UUID,
    /,
    *,
    watch: Annotated[bool, Parameter(negative="")] = False,
    connection: Connection = DEFAULT,
) -> int:
    """Queue an order that was posted with --no-execute.

    Parameters
    ----------
    order_id
        Id of the order.
    watch
        Follow the order to its end.
    connection
        The engine, and how to print.

    """

    async def act(client: SwaprailClient, output: Output) -> int:
        order = await client.execute(order_id)
        show_short(output, order)
        return await follow(client, output, order.order_id) if watch else Exit.OK

    return await calling(connection, act)


async def cancel(order_id: UUID, /, *, connection: Connection = DEFAULT) -> int:
    """Cancel an order, if it can no longer land.

    Parameters
    ----------
    order_id
        Id of the order.
    connection
        The engine, and how to print.

    """

    async def act(client: SwaprailClient, output: Output) -> int:
        show_short(output, await client.cancel(order_id))
        return Exit.OK

    return await calling(connection, act)


def show_short(output: Output, order: Order) -> None:
    """Print an order in one line."""
    if output.json:
        output.document(order)
        return
    swap = f"sell {order.input_amount} {order.input_token} for {order.output_token}"
    output.line(f"{order.order_id}  ", coloured(order.status), f"  {swap}")
