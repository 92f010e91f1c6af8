"""`swaprail get`, `list`, `quote` and `health`."""

from typing import Annotated, Any, Literal
from uuid import UUID

from cyclopts import Parameter
from rich.text import Text

from swaprail_client.cli.connection import DEFAULT, Connection, calling
from swaprail_client.cli.numbers import Whole
from swaprail_client.cli.order_page import show_order, when
from swaprail_client.cli.outcomes import Exit, checked
from swaprail_client.cli.output import Output, coloured, safe
from swaprail_client.cli.quote_table import show_quotes
from swaprail_client.client import MAX_PAGE, SwaprailClient
from swaprail_client.orders import OrderPage, amount_text

type Status = Literal["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED", "FAILED", "CANCELLED", "EXPIRED"]


async def get(order_id: UUID, /, *, connection: Connection = DEFAULT) -> int:
    """Show an order: amounts, the time of each step, quotes, attempts and what it came to.

    Parameters
    ----------
    order_id
        Id of the order.
    connection
        The engine, and how to print.

    """

    async def act(client: SwaprailClient, output: Output) -> int:
        order = await client.get(order_id)
        if output.json:
            output.document(order)
        else:
            show_order(output, order)
        return Exit.OK

    return await calling(connection, act)


async def list_orders(
    wallet: Annotated[str, Parameter(env_var="SWAPRAIL_WALLET")],
    /,
    *,
    status: Status | None = None,
    limit: Whole = 50,
    cursor: str | None = None,
    every: Annotated[bool, Parameter(name="--all", negative="")] = False,
    connection: Connection = DEFAULT,
) -> int:
    """List a wallet's orders, newest first.

    Parameters
    ----------
    wallet
        The wallet.
    status
        Only orders with this status.
    limit
        Orders on a page, 1 to 200.
    cursor
        Go on where an earlier page ended.
    every
        All orders, not one page.
    connection
        The engine, and how to print.

    """

    async def act(client: SwaprailClient, output: Output) -> int:
        if every:
            orders = [order async for order in client.list_all(wallet, status, MAX_PAGE)]
            page = OrderPage(orders)
        else:
            page = await client.list(wallet, limit, cursor, status)
        _show_page(output, page)
        return Exit.OK

    return await calling(connection, act)


def _show_page(output: Output, page: OrderPage) -> None:
    if output.json:
        output.document(page)
        return
    rows: list[list[str | Text]] = [
        [
            str(order.order_id),
            coloured(order.status),
            f"{order.input_amount} {safe(order.input_token)}",
            f"{safe(order.output_amount)} {safe(order.output_token)}",
            when(order.created_at),
        ]
        for order in page.orders
    ]
    output.table(["order", "status", "sold", "bought", "created"], rows)
    if page.next_cursor:
        output.line(f"More: --cursor {safe(page.next_cursor)}, or --all")


async def quote(input_token: str, output_token: str, amount: str, /, *, connection: Connection = DEFAULT) -> int:
    """Show what each venue would give now, best first. No order is made.

    Parameters
    ----------
    input_token
        Token to sell: symbol or mint.
    output_token
        Token to buy: symbol or mint.
    amount
        How much to sell, in whole tokens.
    connection
        The engine, and how to print.

    """
    amount = checked(amount_text, amount)

    async def act(client: SwaprailClient, output: Output) -> int:
        quotes = await client.quote(input_token, output_token, amount)
        if output.json:
            output.document({"quotes": quotes})
        else:
            show_quotes(output, [*quotes], output_token)
        return Exit.OK if any(found.usable for found in quotes) else Exit.REFUSED

    return await calling(connection, act)


async def health(*, connection: Connection = DEFAULT) -> int:
    """Show what works and what does not. Exit code 0 if all is well, 1 if not, 3 without an answer."""

    async def act(client: SwaprailClient, output: Output) -> int:
        found = await client.health()
        if output.json:
            output.document(found)
        else:
            _show_health(output, found)
        return Exit.OK if found["healthy"] else Exit.REFUSED

    return await calling(connection, act)


def _show_health(output: Output, found: dict[str, Any], path: str = "") -> None:
    for name, value in found.items():
        if isinstance(value, dict):
            _show_health(output, value, f"{path}{name}.")
        else:
            output.line(f"{safe(path + name):<30}  {safe(value)}")
