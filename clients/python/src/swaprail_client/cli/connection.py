"""Options that every verb takes, and the client made of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated

from cyclopts import Group, Parameter

from swaprail_client.cli.outcomes import UsageError, checked, exit_of
from swaprail_client.cli.output import Output
from swaprail_client.client import SwaprailClient
from swaprail_client.errors import SwaprailError

CONNECTION = Group("Connection and output", sort_key=100)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Connection:
    """How to reach the engine and how to print."""

    url: Annotated[str, Parameter(env_var="SWAPRAIL_URL", group=CONNECTION)] = "http://127.0.0.1:3000"
    """Where the engine is."""
    api_key: Annotated[str | None, Parameter(env_var="SWAPRAIL_API_KEY", group=CONNECTION, show_default=False)] = field(
        default=None, repr=False
    )
    """API key; better set in the environment than typed. Never printed."""
    timeout: Annotated[float, Parameter(group=CONNECTION)] = 30.0
    """Seconds that a call may take with all its retries; a stream gives up after twice as long without a connection."""
    json: Annotated[bool, Parameter(negative="", group=CONNECTION, show_default=False)] = False
    """Print JSON: one document, or one line for each step when watching."""

    def client(self) -> SwaprailClient:
        """Return a client of the engine, or raise UsageError."""
        if not 0 < self.timeout < float("inf"):
            message = "--timeout is a positive number of seconds"
            raise UsageError(message)
        return checked(SwaprailClient, self.url, self.api_key, self.timeout, give_up_after=2 * self.timeout)


DEFAULT = Connection()


async def calling(connection: Connection, act: Callable[[SwaprailClient, Output], Awaitable[int]]) -> int:
    """Run act with a client and the output; print a problem and return its exit code."""
    output = Output(json=connection.json)
    try:
        async with connection.client() as client:
            return await act(client, output)
    except SwaprailError as error:
        output.problem(error)
        return exit_of(error)
