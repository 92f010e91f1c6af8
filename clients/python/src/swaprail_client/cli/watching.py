"""`swaprail watch`, and the --watch of other verbs."""

from contextlib import aclosing
from uuid import UUID

from swaprail_client.cli.connection import DEFAULT, Connection, calling
from swaprail_client.cli.numbers import Whole
from swaprail_client.cli.outcomes import OUTCOMES, Exit
from swaprail_client.cli.output import Output
from swaprail_client.cli.steps import Steps
from swaprail_client.client import SwaprailClient
from swaprail_client.errors import SwaprailError


async def watch(order_id: UUID, /, *, after: Whole = 0, connection: Connection = DEFAULT) -> int:
    """Follow an order to its end, over any number of lost connections.

    Prints each step with the time since the first one and since the one before.
    Exit code: 0 CONFIRMED, 1 FAILED, 2 CANCELLED or EXPIRED, 3 could not tell, 130 stopped with Ctrl-C.

    Parameters
    ----------
    order_id
        Id of the order.
    after
        Show only the steps after this number.
    connection
        The engine, and how to print.

    """

    async def act(client: SwaprailClient, output: Output) -> int:
        return await follow(client, output, order_id, after)

    return await calling(connection, act)


async def follow(client: SwaprailClient, output: Output, order_id: UUID, after: int = 0) -> Exit:
    """Print an order's steps and return the exit code of its outcome."""
    try:
        status = await _print_steps(client, output, order_id, after)
        status = status or (await client.get(order_id)).status
    except SwaprailError as error:
        # Whatever kept us from watching says nothing of how the order ends.
        output.problem(error)
        return Exit.UNKNOWN
    return OUTCOMES.get(status, Exit.UNKNOWN)


async def _print_steps(client: SwaprailClient, output: Output, order_id: UUID, after: int) -> str | None:
    status: str | None = None
    with Steps(output) as steps:
        async with aclosing(client.watch(order_id, after)) as messages:
            async for message in messages:
                steps.show(message)
                status = message.status
    return status
